/* row_host_leave.h - hosts that the settings name no more: skipped, and gone after a while.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "settings/settings_items.h"
#include "store/tx.h"

/* The next environment by name that has rows of hosts ("" at first); false: there is none. */
bool row_host_leave_next(struct tx *tx, char environment[LIMIT_ENVIRONMENT]);

/* Its hosts are those in `now`, which are in order: the others have left it.  What is the same is
 * not written. */
void row_host_leave(struct tx *tx, const char *environment, const struct settings_items *now);

/* Its agent is on another machine now: nobody knows what runs there. */
void row_host_move(struct tx *tx, const char *environment, const char *name);

/* Removes those that left before that time, so many at most.  True: as many went. */
bool row_host_leave_clear(struct tx *tx, int64_t before, int most);

/* Those of the work's wave that have left are not known from now on, if it has not reached them.
 * Returns how many are to be released to. */
int64_t row_host_leave_skip(struct tx *tx, const struct deployment *work);
