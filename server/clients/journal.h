/* journal.h - lines of the audit for the systemd journal: one try, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * By its socket, as sd_journal_send() waits for a journal that is busy, and says that all is ok
 * where there is none.
 */
#pragma once

#include "lib/base.h"
#include "lib/loop.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal_call;

/* n: so many lines it has; why: NULL: these are all. */
typedef void journal_done_fn(void *ctx, size_t n, const struct err *why);

struct journal_send {
	const char *socket;
	const char *lines; /* each with its newline; must live until on_done or cancel */
	size_t size;
	journal_done_fn *on_done;
	void *ctx;
};

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  NULL: could
 * not be started; *err says why. */
struct journal_call *journal_start(
    struct loop *loop, const struct journal_send *send, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void journal_cancel(struct journal_call *call);
