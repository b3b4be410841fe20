/* window.h - windows of time as a value: is a moment in one, and when does that change?  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * "Fri 16:00-Mon 08:00 Europe/Berlin" is there each week, "2026-12-20..2027-01-06" once, whole
 * days, both included.  A zone behind it says whose clocks are meant.  A clock that is set
 * back gives another moment to ask about, and nothing else: there is no state.
 */
#pragma once

#include "lib/base.h"

struct windows;
struct zone;

#define WINDOWS_MAX 16

/* Of one to WINDOWS_MAX windows, commas between.  NULL: one of them is none (ERR_INVALID), or
 * its zone is not on this machine (ERR_MISSING).  err says what of the first such one
 * is wrong, and how it is written. */
MUST_USE struct windows *windows_parse(const char *text, struct err *err);

void windows_free(struct windows *windows); /* takes NULL */

/*
 * Is `at` (ms) in one of them?  zone: of those that name none.  windows: NULL has none.
 * *ret_change: the first moment after it at which the answer is another; 0: never, or so many
 * windows adjoin that none ends in sight.
 */
bool windows_have(
    const struct windows *windows, const struct zone *zone, int64_t at, int64_t *ret_change);

/* Has the one at place i (from 0, in the order of the text) come for the last time before `at`?
 * False where there is none. */
bool
windows_is_past(const struct windows *windows, size_t i, const struct zone *zone, int64_t at);
