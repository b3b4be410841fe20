/* row_claim.h - what work in progress occupies: a resource is held by one, or by none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "settings/checks/settings_claims.h"
#include "store/tx.h"

/* Who holds a resource; 0: nobody. */
int64_t row_claim_holder(struct tx *tx, const char *resource);

/* Who keeps a place that waits for this from starting: its holder, else who waits for it longer.
 * 0: nobody, or it is no resource ("", ROW_QUEUE_SLOT, ROW_QUEUE_GIT). */
int64_t row_claim_before(struct tx *tx, const char *waits_for, int64_t place);

/* The work holds all of them from now on; the tx fails where one is another's. */
void row_claim_take(struct tx *tx, int64_t work, const struct settings_claims *claims);

/* One of them, where nobody holds it; false: somebody does. */
bool row_claim_take_one(struct tx *tx, int64_t work, const char *resource);

/* It has ended: they are nobody's, and whoever waits for one of them is looked at. */
void row_claim_give_back(struct tx *tx, int64_t work);

/* How many it holds. */
int64_t row_claim_count(struct tx *tx, int64_t work);

/* Removes the claims of work that is not in progress; returns how many. */
int64_t row_claim_clear(struct tx *tx);
