/* chat_hold.h - what is said of locks and freezes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "chat/chat_first.h"
#include "policy/hold.h"

/* Adds "locked by @ada, 20 min ago, until Mon 2026-11-23 08:00 (UTC): reason". */
void chat_hold(struct chat_text *text, const struct hold *hold, const struct holds *in, int64_t at);

/* The same behind its first word. */
void
chat_hold_by(struct chat_text *text, const struct hold *hold, const struct holds *in, int64_t at);

/* A line for each of them, a line break before it; nothing where there is none. */
void chat_hold_lines(struct chat_text *text, const struct holds *holds, int64_t at);

/* Adds " until Mon 2026-11-23 08:00 (Europe/Berlin)", and until when a window of the settings goes
 * on from there; 0: " until unlocked". */
void
chat_hold_until(struct chat_text *text, const char *before, int64_t until, const struct holds *in);

/* Who freezes by a window of the settings. */
#define CHAT_HOLD_CALENDAR "the calendar"

/* Behind what is done or said meanwhile. */
#define CHAT_HOLD_UNWITNESSED "\n⏳ without witness"

/* What can be done all the same. */
#define CHAT_HOLD_WITNESS_LEAVES \
	"\nRollbacks, /cancel, locks and an emergency deployment are possible."

/* Of each kind: its sign, the first lines of who is refused by it, of a push that waits for its end
 * and of one that is dropped; what it is whose end is waited for. */
struct chat_hold_words {
	const char *sign, *ends;
	enum chat_first refused, push_waits, push_dropped;
};
extern const struct chat_hold_words chat_holds[HOLD_KIND_COUNT];

/* What a target is called: "shop/staging", "all of shop", "all". */
void chat_hold_target(struct chat_text *text, const char *target);
