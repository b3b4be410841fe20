/* decide_hold.c - locks and freezes: which there are now, and who is denied.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_hold.h"

#include "chat/chat_hold.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_page.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/tell/decide_whom.h"
#include "decide/work/decide_upload.h"
#include "lib/setting.h"
#include "lib/text.h"
#include "lib/window.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_hold.h"
#include "store/row_witness.h"

/* An answer to "frozen until …": so long the reason may be given. */
#define EXCEPTION_MS (600 * INT64_C(1000))
#define ASK_MS	     (24 * 3600 * INT64_C(1000))

/* --- what there is --- */

static void
drop(struct holds *holds, size_t i)
{
	memmove(&holds->at[i], &holds->at[i + 1], (holds->n - i - 1) * sizeof(holds->at[0]));
	holds->n--;
}

/* Behind the lock, before what ends earlier; of too many the last goes. */
static void
insert(struct holds *holds, const struct hold *hold)
{
	size_t i = 0;

	while (i < holds->n &&
	    (holds->at[i].kind == HOLD_LOCK || holds->at[i].until == 0 ||
		(hold->until != 0 && holds->at[i].until >= hold->until)))
		i++;
	if (i == HOLDS_MAX)
		return;
	if (holds->n == HOLDS_MAX)
		holds->n--;
	memmove(&holds->at[i + 1], &holds->at[i], (holds->n - i) * sizeof(holds->at[0]));
	holds->at[i] = *hold;
	holds->n++;
}

static void
add_window(struct tx *tx, const char *environment, struct holds *holds)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, environment);
	struct hold hold = { .kind = HOLD_WINDOW };
	struct environment_id id;
	char name[SETTING_NAME_MAX];

	if (settings == NULL || settings->freeze == NULL || !environment_id_parse(environment, &id))
		return;
	(void)setting_name("<ENV>_FREEZE", id.name, name);
	holds->windows = settings->freeze;
	if (!windows_have(settings->freeze, settings->of->zone, tx->at, &hold.until))
		return;
	text_set(hold.target, environment);
	text_set(hold.by, name);
	insert(holds, &hold);
}

static void
add_witness(struct tx *tx, const char *environment, struct holds *holds)
{
	struct hold hold = { .kind = HOLD_WITNESS, .at = tx->at - row_witness_lag(tx) };

	if (!row_witness_is_late(tx))
		return;
	text_set(hold.target, environment);
	text_set(hold.by, "AUDIT_WITNESS_MAX_MINUTES");
	insert(holds, &hold);
}

void
decide_holds(struct tx *tx, const char *environment, struct holds *ret)
{
	const struct settings *clock = settings_clock(tx->settings, environment);

	*ret = (struct holds){ 0 };
	row_hold_list(tx, environment, ret);
	ret->zone = clock->zone;
	ret->zone_name = settings_text(clock, SETTING_TIMEZONE);
	for (size_t i = ret->n; i-- > 0;)
		if (ret->at[i].kind == HOLD_LOCK &&
		    !decide_is_allowed(tx, ret->at[i].person, POLICY_LOCK, environment))
			drop(ret, i);
	add_window(tx, environment, ret);
	add_witness(tx, environment, ret);
}

/* The target of it; who acts on a client is not all whom a freeze of all is told to. */
static bool
sees_hold(struct tx *tx, int64_t person, const char *environment, const struct hold *hold)
{
	return decide_sees(tx, person, environment) &&
	    (environment_client(environment) == NULL || decide_sees(tx, person, hold->target));
}

void
decide_hide_holds(struct tx *tx, int64_t person, const char *environment, struct holds *holds)
{
	static const char calendar[] = "the settings";

	for (size_t i = 0; i < holds->n; i++) {
		struct hold *hold = &holds->at[i];

		if (sees_hold(tx, person, environment, hold))
			continue;
		hold->reason[0] = '\0';
		hold->target[0] = '\0';
		if (hold->kind == HOLD_WINDOW)
			text_set(hold->by, calendar);
	}
}

struct hold
decide_lock(struct tx *tx, const char *environment)
{
	struct holds holds;

	decide_holds(tx, environment, &holds);
	return holds.n > 0 && holds.at[0].kind == HOLD_LOCK ? holds.at[0] : (struct hold){ 0 };
}

/* --- a person is denied --- */

/* What they can do about a lock. */
static void
offer_ask(struct tx *tx, const struct update *update, const struct hold *lock,
    struct chat_text *text, struct buttons *buttons)
{
	struct request ask = request_about("ask", "hold", lock->id);
	const char *by = lock->by[0] != '\0' ? lock->by : "its owner";
	char label[LIMIT_BUTTON];

	text_setf(label, "🙋 Ask %.*s to unlock", (int)text_cut(by, strlen(by), 40), by);
	decide_own_button(tx, update, &ask, ASK_MS, label, buttons);
	if (decide_is_allowed(tx, update->person, POLICY_UNLOCK, lock->target))
		chat_text_add(
		    text, "\n" MARK_CODE "/unlock %s" MARK_CODE " ends it.", lock->target);
}

/* A reply to it is answered, too. */
static void
expect_reply(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment, int64_t message)
{
	struct button_row button = {
		.request = request_of("override", environment),
		.chat = update->address.chat,
		.person = update->person,
		.message = message,
		.expires_at = tx->at + EXCEPTION_MS,
	};

	text_set(button.request.arguments, request->arguments); /* that very commit, or archive */
	row_button_add(tx, &button);
}

/* Of people who may those whose names are known, or the grant. */
static void
add_who_may(
    struct tx *tx, const char *environment, const struct hold *freeze, struct chat_text *text)
{
	struct row_person first = { .person = freeze->person }, people[DECIDE_WHOM];
	size_t n;

	text_set(first.name, freeze->by);
	n = decide_whom(tx, POLICY_FREEZE, "", environment, &first, people);
	chat_text_add(text, "%s", n > 0 ? "\n" : "");
	for (size_t i = 0; i < n; i++)
		chat_text_outside(text, decide_whom_between(i, n, " and "), people[i].name);
	chat_text_add(text, "%s may deploy in a freeze.",
	    n > 0 ? "" : "\nWhoever may " MARK_CODE "/freeze" MARK_CODE " it");
}

/* What they can do about a freeze; where they may. */
static void
offer_exception(struct tx *tx, const struct update *update, const struct hold *freeze,
    const char *environment, struct chat_text *text)
{
	if (!decide_is_allowed(tx, update->person, POLICY_FREEZE, environment)) {
		add_who_may(tx, environment, freeze, text);
		return;
	}
	if (decide_is_answered(update)) {
		chat_text_add(text, "\nTo deploy all the same say the reason: --reason \"...\"");
		return;
	}
	chat_text_add(text,
	    "\nTo deploy all the same, reply to this message with the reason, within 10 minutes.");
}

/* The last freeze stands behind the lock: it may be the later to end. */
static void
add_freeze_behind(
    struct chat_text *text, const struct hold *lock, const struct holds *holds, int64_t at)
{
	const struct hold *freeze = &holds->at[1];

	if (lock->kind != HOLD_LOCK || lock->until == 0 || holds->n < 2 ||
	    (freeze->until != 0 && freeze->until <= lock->until))
		return;
	chat_text_add(text, "\n%s ", chat_holds[freeze->kind].sign);
	chat_hold(text, freeze, holds, at);
}

/* "🔒 Not deployed: staging: locked by …", and what they can do. */
static void
deny(struct tx *tx, const struct update *update, const struct request *request,
    const struct hold *hold, const struct holds *holds, const char *environment)
{
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;
	int64_t row;

	if (strcmp(request->action, "lock") == 0)
		chat_first(&text, FIRST_LOCKED_ALREADY, environment);
	else
		chat_first(&text, chat_holds[hold->kind].refused, environment);
	if (strcmp(request->action, "lock") != 0)
		chat_text_add(&text, "%s", hold_kinds[hold->kind].is);
	chat_hold_by(&text, hold, holds, tx->at);
	add_freeze_behind(&text, hold, holds, tx->at);
	if (decide_upload_is(request) && hold->kind == HOLD_LOCK)
		chat_text_add(&text, "\nThe archive is not kept: send it again then.");
	if (hold->kind == HOLD_LOCK)
		offer_ask(tx, update, hold, &text, &message.buttons);
	else if (hold->kind == HOLD_WITNESS)
		chat_text_add(&text, CHAT_HOLD_WITNESS_LEAVES);
	else
		offer_exception(tx, update, hold, environment, &text);
	row = decide_send_keyboard(tx, update, request, &message, &text);
	if (row != 0 && hold->kind != HOLD_LOCK && hold->kind != HOLD_WITNESS &&
	    message.buttons.n == 0)
		expect_reply(tx, update, request, environment, row);
}

bool
decide_may_now(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment, bool has_exception)
{
	const struct hold_work work = { .action = POLICY_DEPLOY,
		.requester = update->person,
		.has_exception = has_exception,
		.excepted_at = tx->at,
		.excepted_hold = INT64_MAX };
	const struct hold *hold = NULL;
	struct policy_decision decision;
	struct holds holds;

	decide_holds(tx, environment, &holds);
	decision = hold_decide(&holds, &work, &hold);
	if (decision.verdict == POLICY_ALLOW)
		return true;
	decide_audit_denied(
	    tx, update, AUDIT_CODE_DENIED_HELD, "deploy", environment, decision.reason);
	deny(tx, update, request, hold, &holds, environment);
	return false;
}

bool
decide_may_lock(struct tx *tx, const struct update *update, const struct request *request,
    const char *environment)
{
	struct holds holds;

	decide_holds(tx, environment, &holds);
	if (holds.n == 0 || holds.at[0].kind != HOLD_LOCK || holds.at[0].person == update->person)
		return true;
	decide_audit_denied(
	    tx, update, AUDIT_CODE_DENIED_HELD, "lock", environment, "it is locked");
	deny(tx, update, request, &holds.at[0], &holds, environment);
	return false;
}
