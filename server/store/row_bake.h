/* row_bake.h - how far the bake of some work is, and what Prometheus has said of it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/bake.h"

/* All zero: there is none.  Returns ret. */
struct bake *row_bake_get(struct tx *tx, int64_t work, struct bake *ret);
void row_bake_set(struct tx *tx, const struct bake *row);

/* In the order in which they were first said; returns how many. */
size_t row_bake_list(struct tx *tx, int64_t work, struct bake_value ret[LIMIT_BAKE_QUERIES]);

/* Exactly these from now on. */
void row_bake_set_list(struct tx *tx, int64_t work, const struct bake_value *values, size_t n);
