/* decide_redelivery.h - what a forge could not deliver is found, and asked for again.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Each repository whose webhook leads here, and about which a credential may ask, is looked at when
 * the program begins and every five minutes, ten at a time: where its webhook is not known that is
 * looked for; then what failed there is listed, page by page; of each push that did not come the
 * branch is asked; and what did not come is asked for again, the oldest first.  One effect is one
 * question, and its result orders the next.  GitLab lists branches, and is asked about its webhook
 * each time: while that is off it sends nothing, and nothing is asked for.
 */
#pragma once

#include "store/tx.h"
#include "types/event.h"

struct chat_text;

/* The program has begun, or its settings are others: they are asked in a few seconds. */
void decide_redelivery_begin(struct tx *tx);

/* TIMER_REDELIVERY. */
void decide_redelivery_due(struct tx *tx);

/* The forge has answered the effect that this transaction closes, or has not. */
void decide_redelivery_read(struct tx *tx, const struct github_deliveries_read *read);

/* A good delivery came.  Returns when its forge tried it first, in vain; 0: it was not missing. */
int64_t decide_redelivery_came(struct tx *tx, const struct delivery *delivery);

/* Adds lines of webhooks that are off and of what is missing, behind empty ones; or nothing. */
void decide_redelivery_status(struct tx *tx, struct chat_text *text);
