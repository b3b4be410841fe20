/* command_freeze.c - /freeze <environment, application or all> until <time> [reason].  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_hold.h"
#include "commands/commands.h"
#include "decide/hold/decide_freeze_target.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_around.h"
#include "decide/hold/decide_hold_change.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "lib/when.h"

#define FREEZE_MOST_MS (366 * 24 * 3600 * INT64_C(1000))

static void
say_refused(struct tx *tx, const struct update *update, const struct hold *freeze, const char *why)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	chat_first_held(&text, FIRST_NOT_FROZEN, freeze->target);
	chat_text_outside(&text, "", why);
	chat_text_add(&text, ".");
	(void)decide_send(tx, &update->address, &text);
}

static void
say_frozen(struct tx *tx, const struct update *update, const struct hold *freeze)
{
	char word[LIMIT_ENVIRONMENT];
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct holds holds;

	decide_holds(tx, freeze->target, &holds);
	chat_first_held(&text, FIRST_FROZEN, freeze->target);
	chat_text_outside(&text, " by ", freeze->by);
	chat_hold_until(&text, ", ", freeze->until, &holds);
	chat_text_some(&text, ": ", freeze->reason);
	chat_text_add(&text,
	    "\nNothing new is deployed there; %s, rollbacks are still allowed. " MARK_CODE
	    "/unfreeze %s" MARK_CODE " ends it.",
	    decide_hold_pushes_text(tx, freeze->target), decide_freeze_word(freeze->target, word));
	decide_hold_add_work(tx, freeze->target, &text);
	decide_hold_say(tx, freeze, update, false, &text);
}

void
command_freeze(struct tx *tx, const struct update *update, const struct request *request)
{
	struct hold freeze = {
		.kind = HOLD_FREEZE, .person = update->person, .request = update->message
	};
	char text[LIMIT_REF];
	const char *rest = request_get(request, COMMANDS_TEXT, text);
	enum when when;
	struct err err;

	if (!decide_freeze_target(tx, update, request, freeze.target))
		return;
	freeze.address = decide_home(tx, update, freeze.target);
	text_set(freeze.by, update->name);
	when = when_read(
	    &rest, settings_clock(tx->settings, freeze.target)->zone, tx->at, &freeze.until, &err);
	text_set(freeze.reason, rest);
	if (when != WHEN_READ) {
		say_refused(tx, update, &freeze,
		    when == WHEN_WRONG ?
			err.text :
			"until when? until 16:00, Mon 16:00, 2027-01-06 or 2027-01-06 16:00");
		return;
	}
	if (freeze.until > tx->at + FREEZE_MOST_MS) {
		say_refused(tx, update, &freeze, "a freeze lasts a year at most");
		return;
	}
	decide_hold_begin(tx, &freeze);
	say_frozen(tx, update, &freeze);
}
