/* command_unfreeze.c - /unfreeze <environment, application or all>: ends what /freeze began there.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_hold.h"
#include "commands/commands.h"
#include "decide/decide_freeze_target.h"
#include "decide/decide_hold.h"
#include "decide/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "store/row_hold.h"

/* By somebody else it is news to who began it. */
static void
end(struct tx *tx, const struct update *update, const struct hold *freeze)
{
	bool is_owner = freeze->person == update->person;
	struct chat_text text;

	decide_hold_end(tx, freeze, update, "ended");
	chat_text_init(&text);
	chat_text_add(&text, "🟢 " MARK_BOLD);
	chat_hold_target(&text, freeze->target);
	chat_text_add(&text, MARK_BOLD ": freeze ended");
	chat_text_outside(&text, " by ", update->name);
	if (!is_owner)
		chat_text_outside(&text, "; it was begun by ", freeze->by);
	chat_text_add(&text, ".");
	decide_hold_say(tx, freeze, update, !is_owner, &text);
}

/* What is left, of other targets and of the settings. */
static void
say_left(struct tx *tx, const struct update *update, const char *target, size_t ended)
{
	struct chat_text text;
	struct holds holds;
	size_t frozen = 0;

	decide_holds(tx, target, &holds);
	for (size_t i = 0; i < holds.n; i++)
		frozen += holds.at[i].kind != HOLD_LOCK;
	if (ended > 0 && frozen == 0)
		return;
	if (ended == 0)
		decide_answer_no(tx, update);
	chat_text_init(&text);
	chat_text_add(&text, "%s " MARK_BOLD, frozen > 0 ? "🧊" : "ℹ️");
	chat_hold_target(&text, target);
	chat_text_add(&text, MARK_BOLD "%s",
	    frozen == 0	  ? ": not frozen." :
		ended > 0 ? ": still frozen:" :
			    ": not ended: that is of another target, or of the settings:");
	for (size_t i = 0; i < holds.n; i++) {
		if (holds.at[i].kind == HOLD_LOCK)
			continue;
		chat_text_add(&text, "\n• ");
		chat_hold(&text, &holds.at[i], &holds, tx->at);
	}
	(void)decide_send(tx, &update->address, &text);
}

void
command_unfreeze(struct tx *tx, const struct update *update, const struct request *request)
{
	char target[LIMIT_ENVIRONMENT];
	size_t ended = 0;

	if (!decide_freeze_target(tx, update, request, target))
		return;
	for (struct hold hold = row_hold_next(tx, 0); hold.id != 0 && !tx->failed;
	     hold = row_hold_next(tx, hold.id))
		if (hold.kind == HOLD_FREEZE && strcmp(hold.target, target) == 0) {
			end(tx, update, &hold);
			ended++;
		}
	say_left(tx, update, target, ended);
}
