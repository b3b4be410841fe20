/* decide_forward.h - when entries of the audit go to those that collect them, and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A syslog server and the journal are no witnesses: nothing waits for them, and nothing is removed
 * because they have it.  Each gets all entries in their order, one try at a time and at most one a
 * second; what failed is tried again from the first entry that it may lack, later each time.  So it
 * has each entry at least once, and by its number it knows one that comes again.
 */
#pragma once

#include "store/tx.h"
#include "types/effect.h"
#include "types/forward.h"

/* Behind each decision: what it wrote goes out within a second. */
void decide_forward_look(struct tx *tx);

/* At start, and with new settings: what waits is tried at once. */
void decide_forward_begin(struct tx *tx);

/* TIMER_FORWARD. */
void decide_forward_due(struct tx *tx);

/* Of the effect that this transaction closes. */
void decide_forward_answered(
    struct tx *tx, const struct effect_forward *sent, const struct forward_answer *answer);
