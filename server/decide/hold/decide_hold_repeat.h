/* decide_hold_repeat.h - locks and freezes that one person repeats: audit and copies.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * They are never refused.  So of each person's, way in, action and target the first is an entry of
 * the audit at once, and then a minute's are one, with when the first and the last of them came,
 * what the last said and, of more than one, their count; and of each person's some copies go to a
 * chat, and then one line says how many there were.
 */
#pragma once

#include "policy/hold.h"
#include "store/tx.h"

/* An entry of the audit, now or counted; person 0: nobody did it. */
void decide_hold_audit(
    struct tx *tx, const struct hold *hold, bool begins, int64_t person, const char *outcome);

/* A copy that is not sent to that chat. */
void decide_hold_unsent(struct tx *tx, int64_t chat, int64_t person, const char *name);

/* Writes and says what was counted, where its minute is over. */
void decide_hold_repeats_say(struct tx *tx);
