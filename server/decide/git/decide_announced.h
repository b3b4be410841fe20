/* decide_announced.h - a push that git does not show yet: asked again, and given up in the end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/delivery.h"

#define DECIDE_SOURCE (DELIVERY_FORGE + 1 + ENVIRONMENT_NAME_MAX)
/* Under which name deliveries by that webhook stand in the inbox: "github", "gitlab/shop". */
const char *decide_announced_source(
    enum delivery_forge forge, const char *hook, char out[DECIDE_SOURCE]);

/* A delivery says that the environment's branch has moved: git is asked.  What an earlier one
 * announced there is waited for no longer. */
void decide_announced(struct tx *tx, const struct environment_settings *settings,
    const struct delivery *delivery);

/* For as long as this git is asked for it: push.until is that much behind the delivery. */
#define DECIDE_ANNOUNCED_MS (120 * INT64_C(1000))

/* git was asked, and does not show what was announced.  True: it is asked again later.  False: not
 * any more; the chat is notified, and the delivery may come again. */
bool decide_announced_await(struct tx *tx, const struct effect_git_query *query);

/* The TIMER_PUSH of tx->effect has fired. */
void decide_announced_again(struct tx *tx);

/* Its handler failed: it is waited for until `due`. */
void decide_announced_later(struct tx *tx, const struct effect_timer *timer, int64_t due);
