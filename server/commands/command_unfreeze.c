/* command_unfreeze.c - /unfreeze <environment, application or all>: ends what /freeze began there.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/hold/decide_freeze_target.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_around.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "store/row_hold.h"

/* By somebody else it is news to who began it. */
static void
end(struct tx *tx, const struct update *update, const struct hold *freeze, bool is_last,
    size_t waiting)
{
	bool is_owner = freeze->person == update->person;
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_hold_end(tx, freeze, update, "ended");
	chat_first_held(&text, FIRST_FREEZE_ENDED, freeze->target);
	chat_text_outside(&text, " by ", update->name);
	if (!is_owner)
		chat_text_outside(&text, "; it was started by ", freeze->by);
	chat_text_add(&text, ".");
	if (is_last)
		decide_hold_add_end(tx, freeze->target, waiting, &text);
	decide_hold_say(tx, freeze, update, !is_owner, &text);
}

/* What holds it is of other targets, or of the settings. */
static void
say_none(struct tx *tx, const struct update *update, const char *target)
{
	const struct environment_settings *environment;
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct holds holds;
	bool is_frozen = false;
	size_t i = 0;

	while ((environment = decide_hold_covers(tx, target, &i)) != NULL) {
		decide_holds(tx, environment->name, &holds);
		is_frozen = is_frozen || hold_has(&holds, HOLD_FREEZE);
	}
	decide_answer_no(tx, update);
	chat_first_held(&text, is_frozen ? FIRST_STILL_FROZEN : FIRST_IS_NOT_FROZEN, target);
	chat_text_add(&text, is_frozen ? ": what freezes it is of more than that." : ".");
	decide_hold_add_end(tx, target, false, &text);
	(void)decide_send(tx, &update->address, &text);
}

static struct hold
next_freeze(struct tx *tx, const char *target, int64_t after)
{
	struct hold hold = row_hold_next(tx, after);

	while (hold.id != 0 && (hold.kind != HOLD_FREEZE || strcmp(hold.target, target) != 0))
		hold = row_hold_next(tx, hold.id);
	return hold;
}

void
command_unfreeze(struct tx *tx, const struct update *update, const struct request *request)
{
	char target[LIMIT_ENVIRONMENT];
	struct hold freeze, next;
	size_t waiting;

	if (!decide_freeze_target(tx, update, request, target))
		return;
	waiting = decide_hold_waiting(tx, target);
	freeze = next_freeze(tx, target, 0);
	if (freeze.id == 0)
		say_none(tx, update, target);
	for (; freeze.id != 0 && !tx->failed; freeze = next) {
		next = next_freeze(tx, target, freeze.id);
		end(tx, update, &freeze, next.id == 0, waiting);
	}
}
