/* decide_redelivery.h - what GitHub could not deliver is found, and asked for again.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Each repository whose webhook leads here, and about which a credential may ask, is looked at when
 * the program begins and every five minutes: where its webhook is not known that is looked for;
 * then what failed there is listed, page by page; of each push that did not come the branch is
 * asked; and what did not come is asked for again, the oldest first.  One effect is one question,
 * and its result orders the next.
 */
#pragma once

#include "store/tx.h"
#include "types/event.h"

struct chat_text;

/* The program has begun, or its settings are others: GitHub is asked in a few seconds. */
void decide_redelivery_begin(struct tx *tx);

/* TIMER_REDELIVERY. */
void decide_redelivery_due(struct tx *tx);

/* GitHub has answered the effect that this transaction closes, or has not. */
void decide_redelivery_read(struct tx *tx, const struct github_deliveries_read *read);

/* A good delivery came.  Returns when GitHub tried it first, in vain; 0: it was not missing. */
int64_t decide_redelivery_came(struct tx *tx, const struct delivery *delivery);

/* Adds a line of what is missing, behind an empty one; nothing where nothing is. */
void decide_redelivery_status(struct tx *tx, struct chat_text *text);
