/* row_cost.h - what each person has asked for in 24 hours, in tenths, an hour a row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Adds to the hour of the decision; what is older than a day goes. */
void row_cost_add(struct tx *tx, int64_t person, int64_t tenths);

/* What counts now: each hour until 24 hours after its end. */
int64_t row_cost_day(struct tx *tx, int64_t person);

/* When that will be below so much, if nothing comes to it: a whole hour, wall ms. */
int64_t row_cost_below_at(struct tx *tx, int64_t person, int64_t tenths);
