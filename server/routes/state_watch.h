/* state_watch.h - twice a minute: the room on the disk of STATE_DIRECTORY, and the newest backup.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct err;
struct loop;
struct state_watch;

#define STATE_WATCH_PERIOD_MS 30000

struct state_facts {
	int64_t size, free; /* bytes of the disk; free: for us.  0: it cannot be asked */
	int64_t backup_at;  /* seconds since 1970 of the newest backup; 0: there is none */
};

typedef void state_watch_fn(void *ctx, const struct state_facts *facts);

/* Looks at once, and then each period.  NULL and *err when memory is
 * short. */
struct state_watch *state_watch_start(struct loop *loop, const char *directory,
    state_watch_fn *on_seen, void *ctx, struct err *err) MUST_USE;
void state_watch_free(struct state_watch *watch); /* takes NULL */

/* What is the case there now. */
struct state_facts state_watch_look(const char *directory);
