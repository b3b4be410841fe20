/* log_look.h - asks a target once what its application logged last.  Decides nothing.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct log_look;
struct loop;
struct runs;

/* is_read: text has the lines, cleaned, a newline between, shorter than LIMIT_LOG_ANSWER; else it
 * says why there are none.  Borrowed; from the loop, never inside log_look_start(). */
typedef void log_look_fn(void *ctx, bool is_read, const char *text);

struct log_look_config {
	struct loop *loop;
	struct runs *runs;
	const char *environment; /* borrowed for the call */
	int lines;
	int64_t patience_ms; /* with the target; its runner ends a look within a minute */
	log_look_fn *on_done;
	void *ctx;
};

/* on_done is called exactly once, at the latest when patience ends, unless it is cancelled before.
 * NULL and *err: nobody was asked. */
struct log_look *log_look_start(const struct log_look_config *config, struct err *err) MUST_USE;

/* Takes NULL; frees it without a call. */
void log_look_cancel(struct log_look *look);
