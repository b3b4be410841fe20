/* decide_hold_around.h - what a lock or freeze finds where it begins, and frees where it ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_text.h"
#include "store/tx.h"

/* The next environment of the settings, from *i on, that a hold of this target covers; *i stands
 * behind it then.  NULL: that was the last. */
const struct environment_settings *decide_hold_covers(struct tx *tx, const char *target, size_t *i);

/* Adds a line for each environment with work that the hold does not stop (of many the first):
 * "⏳ In progress: 52c6938 by @cy. /cancel staging ends it. Queued: 1." */
void decide_hold_add_work(struct tx *tx, const char *target, struct chat_text *text);

/* What becomes of pushes there, by <ENV>_FREEZE_PUSHES: "pushes wait". */
const char *decide_hold_pushes_text(struct tx *tx, const char *target);

/* The same of some that drop them, and some where they wait. */
const char *decide_hold_pushes_words(bool drops, bool waits);

/* In how many of these something waits for the end of what holds them. */
size_t decide_hold_waiting(struct tx *tx, const char *target);

/* Adds what follows from the end: " Queued pushes start now." (waiting: decide_hold_waiting()
 * before it), heads that were dropped, and what holds each environment still. */
void decide_hold_add_end(struct tx *tx, const char *target, size_t waiting, struct chat_text *text);
