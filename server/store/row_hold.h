/* row_hold.h - locks and freezes that somebody began, until they end.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * There is one lock of an environment and one freeze of a target by each person.  A row that is
 * over stays until decide_holds_look() has ended it, and counts no more.
 */
#pragma once

#include "policy/hold.h"
#include "store/tx.h"

/* Adds it, in the place of that person's own of the same kind and target; sets hold->id. */
void row_hold_add(struct tx *tx, struct hold *hold);

/* id 0: there is none. */
struct hold row_hold_get(struct tx *tx, int64_t id);

/* Those that cover it and are not over, in the order of struct holds: sets n and at. */
void row_hold_list(struct tx *tx, const char *environment, struct holds *ret);

/* The one with the next id, over or not; id 0: that was the last. */
struct hold row_hold_next(struct tx *tx, int64_t after);

/* Its owner was asked to end it, just now, by somebody there. */
void row_hold_asked(struct tx *tx, int64_t id, const struct chat_address *requester);

/* The id of the newest that is there; 0: none is.  Ids are given once, in their order. */
int64_t row_hold_newest(struct tx *tx);

void row_hold_remove(struct tx *tx, int64_t id);
