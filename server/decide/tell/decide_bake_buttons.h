/* decide_bake_buttons.h - what a person may press about a release that bakes, or is paused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_deployment_bake.h"
#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/message.h"

#define DECIDE_BAKE "bake" /* in a button's request: the work that it stands for */

#define DECIDE_GO_ON "▶️ Go on"

/* A command about that work: of another one that bakes there later it does nothing. */
struct request decide_bake_request(const char *action, const struct deployment *work);

/* May a person end it before its time?  Also one that is paused as Prometheus has said nothing. */
bool decide_bake_can_be_cut(struct tx *tx, const struct deployment *work);

/* How far its bake is, and what Prometheus said of it.  Returns ret. */
const struct chat_bake *decide_bake_of(struct tx *tx, int64_t work, struct chat_bake *ret);

/* How it stands while it is paused; NULL: it is not. */
const struct chat_paused *
decide_bake_paused(struct tx *tx, const struct deployment *work, struct chat_paused *ret);

/* In private those that its reader may press; in a group all. */
void decide_bake_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons);

/* Below what waits for its end: those alone that end it, each with its commit. */
void decide_bake_end_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons);
