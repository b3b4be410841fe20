/* decide_promotion.h - what is live in one environment goes to another one, without a build: may it?  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * "/promote staging production", or "/deploy production from staging", is a deployment whose commit
 * and image are given (row_promotion.h).  Who asks needs `deploy` there and `status` here.  All of
 * it is looked at once more when it was answered, and at its turn.
 */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/request.h"
#include "types/update.h"

/* What is live where the request says that it comes from; a request that says nothing has no
 * promotion (from "").  False: it cannot go there, and the sender was told why. */
bool decide_promotion_find(struct tx *tx, const struct update *update,
    const struct environment_settings *to, const struct request *request,
    struct promotion *ret) MUST_USE;

/* Can it be one?  Its image is known from the beginning, and it is asked for by its commit: of
 * other work no row is asked. */
bool decide_promotion_is_possible(const struct deployment *work);

/* What is promoted by that work; from "": it is no promotion, as no push is.  Of one from its own
 * environment, "/deploy production failed", hosts that run it already are left out. */
struct promotion *
decide_promotion_of(struct tx *tx, const struct deployment *work, struct promotion *ret);

/* The release of a promotion that was found. */
struct release decide_promotion_release(struct tx *tx, const struct promotion *promotion);

/* Why nothing but a promotion is deployed there; NULL: all is.  It may stand in out. */
const char *
decide_promotion_alone(const struct environment_settings *to, char out[LIMIT_LINE]);

/* Why that work may not start: it is none and has to be one, or what it brings may not go there any
 * more.  NULL: it may.  It may stand in out, and names no other environment. */
const char *decide_promotion_refusal(
    struct tx *tx, const struct deployment *work, char out[LIMIT_LINE]);

/* The same behind decide_refusal_of_work(): why its turn refuses it. */
const char *
decide_promotion_unfit(struct tx *tx, const struct deployment *work, char out[LIMIT_LINE]);

/* Whoever answers for it is shown what is live where it comes from; of other work nothing. */
void decide_promotion_shown(struct tx *tx, const struct deployment *work);

/* What is live there since; "": what was shown; NULL: it is no promotion. */
const char *decide_promotion_changed(
    struct tx *tx, const struct deployment *work, char out[LIMIT_LINE]);

/* May that person read where it comes from?  0: a team. */
bool decide_promotion_is_seen(struct tx *tx, int64_t person, const struct promotion *promotion);
