/* decide_bake_buttons.h - what a person may press about a release that bakes, or is paused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/message.h"

#define DECIDE_BAKE "bake" /* in a button's request: the work that it stands for */

/* May a person end it before its time?  Also one that is paused as Prometheus has said nothing. */
bool decide_bake_can_be_cut(struct tx *tx, const struct deployment *work);

/* In private those that its reader may press; in a group all. */
void decide_bake_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons);

/* Below what waits for its end: those alone that end it, each with its commit. */
void decide_bake_end_buttons(
    struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons);
