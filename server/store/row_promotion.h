/* row_promotion.h - what only a promotion has: whose live release it brings, a row for each work.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Work without a row is none, and reads as all zero.  While it is open the state file of its
 * environment names its image, so that no clean-up removes that (store_project.c).
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

void row_promotion_add(
    struct tx *tx, const struct deployment *work, const struct promotion *promotion);
struct promotion *row_promotion_get(struct tx *tx, int64_t work, struct promotion *ret);

/* Whoever answers for it is shown that this release is live where it comes from. */
void row_promotion_see(struct tx *tx, int64_t work, int64_t release);

/* It is over; of other work nothing happens. */
void row_promotion_close(struct tx *tx, const struct deployment *work);

/* The images of those that are open for that environment, each once, the newest first; returns how
 * many. */
#define ROW_PROMOTIONS_OPEN 32
struct promotion_image {
	char digest[LIMIT_IMAGE];
};
size_t row_promotion_list_open(
    struct tx *tx, const char *environment, struct promotion_image ret[ROW_PROMOTIONS_OPEN]);

/* How long the commit and image of that release were live in its environment at a time, the longest
 * time; of what a rollback has left nothing counts.  0: each was left. */
int64_t row_promotion_live_ms(struct tx *tx, const struct release *release);
