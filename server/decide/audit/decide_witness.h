/* decide_witness.h - when entries of the audit go to their witness outside, and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * At most once a minute, and only when something was written, the entries behind the newest that is
 * confirmed go out as one object; a backlog as several, the oldest first.  What failed is tried
 * again, later each time, under the same name where it may be there already.
 */
#pragma once

#include "store/tx.h"
#include "types/effect.h"
#include "types/witness.h"

/* Behind each decision: what it wrote goes out within a minute. */
void decide_witness_look(struct tx *tx);

/* At start, and with new settings: what waits is tried at once. */
void decide_witness_begin(struct tx *tx);

/* TIMER_WITNESS. */
void decide_witness_due(struct tx *tx);

/* Of the effect that this transaction closes. */
void decide_witness_answered(
    struct tx *tx, const struct effect_witness *sent, const struct witness_answer *answer);
