/* decide_hold_change.h - a lock or freeze begins or ends, and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "policy/hold.h"
#include "store/tx.h"
#include "types/update.h"

/* Somebody begins it: a row, an entry of the audit; pushes that have not begun are noted. */
void decide_hold_begin(struct tx *tx, struct hold *hold);

/* Somebody ends it (NULL: it is over, why says by what): what waited for that goes on. */
void
decide_hold_end(struct tx *tx, const struct hold *hold, const struct update *by, const char *why);

/* What came of the questions to that lock's owner is said in their place, and nobody presses them
 * any more: "staging: stays locked, kept by @ada." */
void decide_hold_answered(
    struct tx *tx, const struct hold *lock, bool is_kept, const char *what, const char *person);

/* Says the text where it was begun, in the chat of its team, and to whoever did it (NULL: nobody,
 * or they are answered otherwise); takes the text.  rings: for its owner, as a reply to what they
 * wrote. */
void decide_hold_say(struct tx *tx, const struct hold *hold, const struct update *by, bool rings,
    struct chat_text *text);

/* Ends what is over, notes and says which windows of the settings have begun and ended, and looks
 * again when that changes next, in an hour at most (TIMER_HOLDS).  At start, after a change of the
 * settings, and when that timer has fired. */
void decide_holds_look(struct tx *tx);
