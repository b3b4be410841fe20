/* chat_hold.c - what is said of locks and freezes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_hold.h"

#include "lib/text.h"
#include "lib/when.h"
#include "lib/window.h"

/* clang-format off */
#define LOCK_WORDS    { "🔒", "lock", \
	FIRST_LOCKED_OUT, FIRST_PUSH_LOCKED, FIRST_PUSH_LOCKED_OUT }
#define FREEZE_WORDS  { "🔒", "freeze", \
	FIRST_FROZEN_OUT, FIRST_PUSH_FROZEN, FIRST_PUSH_FROZEN_OUT }
#define WINDOW_WORDS  FREEZE_WORDS
#define WITNESS_WORDS { "⏳", "time without witness", \
	FIRST_UNSEEN_OUT, FIRST_PUSH_UNSEEN, FIRST_PUSH_UNSEEN_OUT }
/* clang-format on */

const struct chat_hold_words chat_holds[] = {
#define K(name, ...) [HOLD_##name] = name##_WORDS,
	HOLD_KINDS(K)
#undef K
};

void
chat_hold_target(struct chat_text *text, const char *target)
{
	size_t size = strcspn(target, "/");

	if (strcmp(target, HOLD_ALL) == 0)
		chat_text_add(text, "all environments");
	else if (strcmp(target + size, "/*") == 0)
		chat_text_add(text, "all of %.*s", (int)size, target);
	else
		chat_text_add(text, "%s", target);
}

void
chat_hold_until(struct chat_text *text, const char *before, int64_t until, const struct holds *in)
{
	char date[WHEN_TEXT];
	int64_t over;

	chat_text_add(text, "%suntil ", before);
	if (until == 0) {
		chat_text_add(text, "unlocked"); /* no freeze is without an end */
		return;
	}
	chat_text_add(text, "%s (%s)", when_text(in->zone, until, date), in->zone_name);
	/* What begins meanwhile goes on. */
	if (!windows_have(in->windows, in->zone, until, &over))
		return;
	chat_text_outside(text, ", then frozen by ", CHAT_HOLD_CALENDAR);
	if (over != 0)
		chat_text_add(
		    text, " until %s (%s)", when_text(in->zone, over, date), in->zone_name);
}

void
chat_hold(struct chat_text *text, const struct hold *hold, const struct holds *in, int64_t at)
{
	chat_text_add(text, "%s", hold_kinds[hold->kind].is);
	chat_hold_by(text, hold, in, at);
}

void
chat_hold_by(struct chat_text *text, const struct hold *hold, const struct holds *in, int64_t at)
{
	char age[TEXT_DURATION_SIZE];

	if (hold->kind == HOLD_WITNESS) {
		chat_text_add(text, " by %s", text_duration(age, at - hold->at));
		return;
	}
	chat_text_outside(text, " by ", hold->kind == HOLD_WINDOW ? CHAT_HOLD_CALENDAR : hold->by);
	if (hold->kind == HOLD_FREEZE && strchr(hold->target, '*') != NULL) {
		chat_text_add(text, " (");
		chat_hold_target(text, hold->target);
		chat_text_add(text, ")");
	}
	if (hold->at != 0)
		chat_text_ago(text, ", ", hold->at, at);
	if (hold->kind != HOLD_WINDOW || hold->until != 0)
		chat_hold_until(text, ", ", hold->until, in);
	chat_text_some(text, ": ", hold->reason);
}

void
chat_hold_lines(struct chat_text *text, const struct holds *holds, int64_t at)
{
	for (size_t i = 0; holds != NULL && i < holds->n; i++) {
		chat_text_add(text, "\n%s ", chat_holds[holds->at[i].kind].sign);
		chat_hold(text, &holds->at[i], holds, at);
	}
}
