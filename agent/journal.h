/* journal.h - what one invocation of a unit has written, out of the journal.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

#define JOURNAL_MAX (1024 * 1024) /* bytes that are copied of one run; then a line says so */

/* Appends to fd the lines of an invocation of that unit, which has ended and was not begun before
 * since_ms (monotonic).  Waits for a moment: the last of them may still be on their way to the
 * journal.  What fd does not take is left out. */
bool journal_copy(const char *unit, const char *invocation, int64_t since_ms, int fd,
    struct err *err) MUST_USE;
