/* decide_limit.h - how often somebody may ask: buckets of commands and of presses.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/update.h"

/*
 * Is it too much?  Then it was dealt with.  Of who has a role as ROLE_RATE_LIMIT says, commands
 * and presses apart, answered with when it goes on, once a minute; never where it is_always (stop,
 * status, lock, rollback).  Of who has none as RATE_LIMIT_* say, of each person and of each group
 * in which such people write: without an answer, counted in the audit as `what`.
 */
bool decide_is_too_fast(
    struct tx *tx, const struct update *update, const char *what, bool is_always) MUST_USE;
