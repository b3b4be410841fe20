/* decide_pad.c - asks for a code: a pad of buttons in private, whose digits are taken one by one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/factor/decide_pad.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/factor/decide_factor.h"
#include "decide/factor/decide_factor_state_inside.h"
#include "decide/factor/decide_factor_try.h"
#include "decide/factor/decide_pad_close.h"
#include "decide/factor/decide_pad_shown.h"
#include "decide/approval/decide_needs.h"
#include "decide/decide_reply.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_button.h"
#include "store/row_chat.h"
#include "store/row_effect.h"
#include "store/row_rate_limit.h"

#define PAD_MS	       (120 * INT64_C(1000))
#define PRESSES	       30
#define PRESS_EVERY_MS 2000 /* thirty a minute */

#define BACK   "back"
#define CANCEL "cancel"

/* As they stand on a telephone: three in a row. */
static const struct {
	const char *label, *key;
} keys[] = {
	{ "1", "1" },
	{ "2", "2" },
	{ "3", "3" },
	{ "4", "4" },
	{ "5", "5" },
	{ "6", "6" },
	{ "7", "7" },
	{ "8", "8" },
	{ "9", "9" },
	{ "⌫", BACK },
	{ "0", "0" },
	{ "✖ Cancel", CANCEL },
};
_Static_assert(COUNT(keys) <= LIMIT_BUTTONS, "one message has them all");

void
decide_pad_wipe(struct pad *pad)
{
	crypto_wipe(pad->digits, sizeof(pad->digits));
}

/* --- asked --- */

static void
deny(struct tx *tx, const struct update *update, const char *why)
{
	/* Not why: it has a time in it, and each reason is an entry of its own. */
	decide_audit_denied(
	    tx, update, AUDIT_CODE_CODE_IMPOSSIBLE, "code", "", "no code can be taken");
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toast_firstf(
		    tx, update, true, FIRST_CODE_REFUSED, decide_factor_for(tx), "%s.", why);
	else
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_CODE_REFUSED, decide_factor_for(tx), "%s.", why);
}

/* The update as it is done again, without what only its moment has. */
static struct update *
kept(const struct update *update, struct update *ret)
{
	*ret = *update;
	ret->id = 0;
	ret->callback[0] = '\0';
	return ret;
}

/* What the code is typed for: the question may be far above by now. */
static void
add_work(struct chat_text *text, struct tx *tx, int64_t id)
{
	struct deployment work;

	row_deployment_get(tx, id, &work);
	chat_text_add(text, "\n#%" PRId64, id);
	if (work.commit[0] != '\0')
		chat_text_named(text, " ", COMMIT_OF(&work));
	chat_text_subject(text, " ", work.subject);
	chat_text_outside(text, " requested by ", FORGE_PERSON(work.requester));
}

static void
show(struct tx *tx, const struct update *update)
{
	struct message message = { .address = { .chat = update->person } };
	struct pad pad = {
		.expires_at = tx->at + PAD_MS,
		.work = decide_factor_work(tx),
	};
	struct chat_text text = CHAT_TEXT_EMPTY;
	char person[24];

	kept(update, &pad.update);
	text_set(pad.wants, decide_factor_for(tx));
	if (pad.work != 0)
		decide_pad_shown(tx, pad.work, pad.shown);
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct button_row button = { .request = request_of("digit", ""),
			.chat = update->person,
			.person = update->person,
			.expires_at = pad.expires_at };

		request_add(&button.request, "key", keys[i].key);
		row_button_show(tx, &button, keys[i].label, &message.buttons);
	}
	chat_first(&text, FIRST_CODE_ASKED, decide_factor_for(tx));
	chat_text_add(&text, "the six digits that your authenticator app shows, within 2 minutes.");
	if (pad.work != 0)
		add_work(&text, tx, pad.work);
	pad.message = decide_send_as(tx, &message, &text);
	row_button_set_message(tx, &message.buttons, pad.message);
	text_setf(person, "%" PRId64, update->person);
	row_button_set_effect(
	    tx, pad.message, row_effect_timer(tx, TIMER_PAD, person, 0, pad.expires_at));
	row_pad_put(tx, &pad);
}

/* Nothing can be sent to who never pressed Start: the link opens that chat with the button. */
static void
say_start(struct tx *tx, const struct update *update, const char *name)
{
	if (update->kind == UPDATE_PRESS)
		decide_toast_firstf(tx, update, true, FIRST_CODE_NEEDED, decide_factor_for(tx),
		    "type it in our private chat. Never pressed Start there? See the link below.");
	(void)decide_send_firstf(tx, &update->address, FIRST_CODE_NEEDED, decide_factor_for(tx),
	    "type it in our private chat. No pad there? Open %s%s%s, press Start, then ask for it again here.",
	    name[0] != '\0' ? "https://t.me/" : "it", name, name[0] != '\0' ? "?start=2fa" : "");
}

/* Where it was asked for nobody types a code. */
static void
say_where(struct tx *tx, const struct update *update)
{
	const char *name = tx->event->context.own_name;

	if (!update->is_private && !row_chat_has_private(tx, update->person))
		say_start(tx, update, name);
	else if (update->kind == UPDATE_PRESS)
		decide_toast_firstf(tx, update, !update->is_private, FIRST_CODE_NEEDED,
		    decide_factor_for(tx), "%s%s%s.",
		    update->is_private ? "type it below" : "answer in our private chat",
		    !update->is_private && name[0] != '\0' ? ", @" : "",
		    update->is_private ? "" : name);
	else if (!update->is_private)
		(void)decide_send_firstf(tx, &update->address, FIRST_CODE_NEEDED,
		    decide_factor_for(tx), "answer in our private chat%s%s.",
		    name[0] != '\0' ? ", https://t.me/" : "", name);
}

/* They asked for nothing. */
static bool
is_yes(struct tx *tx, int64_t work)
{
	struct deployment now;

	return work != 0 && row_deployment_get(tx, work, &now)->state == DEPLOY_AWAITING_APPROVAL;
}

void
decide_pad_due(struct tx *tx, int64_t person)
{
	CLEANUP(decide_pad_wipe) struct pad pad;

	row_pad_get_expired(tx, person, &pad);
	if (pad.message != 0)
		decide_pad_close(tx, &pad, FIRST_CODE_MISSING,
		    is_yes(tx, pad.work) ?
			"no code came within 2 minutes. Press Approve again to get a new pad." :
			"no code came within 2 minutes. Ask for it again to get a new pad.");
}

void
decide_pad_ask(struct tx *tx, const struct update *update)
{
	CLEANUP(decide_pad_wipe) struct pad before;
	char why[LIMIT_LINE], line[LIMIT_LINE * 2];

	if (!decide_factor_is_ready(tx, update->person, why)) {
		deny(tx, update, why);
		return;
	}
	if (decide_is_answered(update)) {
		tx->answer.status = 428;
		text_setf(line,
		    "%s needs a code of your second factor: run it in a terminal, which asks for it, or ask in the chat.",
		    decide_factor_for(tx));
		decide_answer(tx, line);
		return;
	}
	decide_pad_due(tx, update->person);
	row_pad_get(tx, update->person, &before);
	if (before.message != 0)
		decide_pad_close(
		    tx, &before, FIRST_CODE_REFUSED, "another code is asked for below.");
	show(tx, update);
	say_where(tx, update);
}

/* --- typed --- */

static void
toast_digits(struct tx *tx, const struct update *update, size_t n)
{
	static const char dots[] = "••••••";

	decide_toastf(tx, update, false, "%s", n == 0 ? "…" : dots + (6 - n) * strlen("•"));
}

static void
add(struct tx *tx, const struct update *update, struct pad *pad, const char *key)
{
	size_t n = strlen(pad->digits);

	if (strcmp(key, BACK) == 0)
		n = n > 0 ? n - 1 : 0;
	else if (n < PAD_DIGITS - 1)
		pad->digits[n++] = key[0];
	pad->digits[n] = '\0';
	if (n == PAD_DIGITS - 1) {
		decide_factor_set_typed(tx, pad->digits);
		return;
	}
	row_pad_set_digits(tx, update->person, pad->message, pad->digits);
	toast_digits(tx, update, n);
}

bool
decide_pad_get(struct tx *tx, const struct update *update, struct pad *ret)
{
	char shown[PAD_SHOWN];
	const char *why = "it has changed meanwhile. Look at it again; no code was used.";

	row_pad_get(tx, update->person, ret);
	if (ret->message == 0 || ret->work == 0)
		return true;
	decide_pad_shown(tx, ret->work, shown);
	if (strcmp(shown, ret->shown) == 0)
		return true;
	decide_pad_close(tx, ret, FIRST_CODE_REFUSED, why);
	decide_toast_firstf(tx, update, true, FIRST_CODE_REFUSED, ret->wants, "%s", why);
	return false;
}

void
decide_pad_press(struct tx *tx, const struct update *update, const struct request *request)
{
	char key[LIMIT_REF];
	CLEANUP(decide_pad_wipe) struct pad pad;

	if (!row_rate_limit_take(tx, PRESSES, PRESS_EVERY_MS, "pad:%" PRId64, update->person)) {
		decide_toastf(tx, update, false, "Slower.");
		return;
	}
	if (!decide_pad_get(tx, update, &pad))
		return;
	if (pad.message == 0 || pad.message != request->message) {
		decide_toast_firstf(tx, update, true, FIRST_CODE_REFUSED, pad.wants,
		    "this pad has expired. Ask for it again.");
		return;
	}
	if (strcmp(request_get(request, "key", key), CANCEL) == 0) {
		decide_pad_close(tx, &pad, FIRST_CODE_REFUSED, "no code was given.");
		decide_toastf(tx, update, false, "Not done.");
	} else {
		add(tx, update, &pad, key);
	}
}

/* --- a whole code --- */

static void
refuse_code(struct tx *tx, const struct update *update, const struct pad *pad, char why[LIMIT_LINE])
{
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, true, "🔐 %s.", why);
	else
		(void)decide_sendf(tx, &update->address, "🔐 Not accepted: %s.", why);
	if (decide_factor_is_ready(tx, update->person, why))
		row_pad_set_digits(tx, update->person, pad->message, "");
	else
		decide_pad_close(tx, pad, FIRST_CODE_REFUSED, "the code was not accepted.");
}

void
decide_pad_use(struct tx *tx, const struct update *update, decide_factor_fn *act)
{
	struct tx_factor *factor = decide_factor_state(tx);
	enum decide_factor_end end;
	char why[LIMIT_LINE];
	CLEANUP(decide_pad_wipe) struct pad pad;
	struct update *again = &pad.update;

	row_pad_get(tx, update->person, &pad);
	text_set(again->callback, update->callback);
	factor->is_counted = true;
	end = decide_factor_try(tx, again, act, NULL);
	if (end != FACTOR_WANTED) {
		decide_pad_close(tx, &pad, FIRST_CODE_REFUSED,
		    end == FACTOR_REFUSED ?
			"no code was used: why stands where you asked for it." :
			"other work has come before it, so it asks first. Send it again; no code was used.");
		if (end != FACTOR_REFUSED || again->kind != UPDATE_PRESS)
			decide_toastf(tx, update, false, "Not done: no code was used.");
	} else if (decide_factor_give(tx, again, factor->typed, why)) {
		decide_pad_close(tx, &pad, FIRST_CODE_TAKEN, "");
		if (again->kind != UPDATE_PRESS && update->callback[0] != '\0')
			decide_toastf(tx, update, false, "🔐 Code right.");
		act(tx, again, NULL);
	} else {
		refuse_code(tx, update, &pad, why);
	}
	crypto_wipe(factor->typed, sizeof(factor->typed));
}
