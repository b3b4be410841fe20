/* decide_nag.h - reminders that an environment was rolled back, is down or paused, until that is seen.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"
#include "types/update.h"

#define DECIDE_NAGS_MAX 8

/* It ended so, or is paused, and its messages do not say so yet: from now on the chat of its
 * environment is reminded, where the settings want that. */
void decide_nag_begin(struct tx *tx, const struct deployment *work);

/* It is live: where it is not on some of its hosts, those are named from now on until they run it,
 * or left the settings.  Nobody is asked whether they have seen that. */
void decide_nag_hosts(struct tx *tx, const struct deployment *work);

/* Which work's end, or pause, nobody has seen there; 0: none's. */
int64_t decide_nag_unseen(const struct environment *environment);

/* That work's release is about to be live, or it was rolled back: what came before it need not be
 * seen any more, and is said to be over. */
void decide_nag_live(struct tx *tx, const struct deployment *work);

/* It is paused no more, and nobody is reminded of that. */
void decide_nag_paused_no_more(struct tx *tx, const struct deployment *work);

/* Is it that work's end, or pause, that nobody has seen? */
bool decide_nag_is_open(struct tx *tx, const struct deployment *work);

/* The TIMER_NAG of that work has fired: what is down is looked at before somebody is rung. */
void decide_nag_due(struct tx *tx, int64_t work);

/* That was looked at, as *work has it: it is said where a reminder waits for it. */
void decide_nag_looked(struct tx *tx, const struct deployment *work);

/* Whoever sent the update has seen it.  False: that is over. */
bool decide_nag_seen(struct tx *tx, const struct update *update, const struct deployment *work);
