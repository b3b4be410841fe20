/* decide_reply.c - replies, denials and their audit.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_hold.h"
#include "decide/who/decide_allowed.h"
#include "decide/decide_chat.h"
#include "decide/factor/decide_lacks.h"
#include "decide/who/decide_sees.h"
#include "decide/who/decide_principal.h"
#include "decide/tell/decide_whom.h"
#include "lib/environment_id.h"
#include "lib/text.h"
#include "store/row_chat.h"
#include "store/row_button.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_grant_use.h"
#include "store/row_rate_limit.h"
#include "store/row_message.h"
#include "store/row_stranger.h"
#include "store/row_principal.h"
#include "store/row_token.h"
#include "store/row_witness.h"
#include "types/action.h"

/* A stranger is denied that often. */
#define DENIAL_GROUP_MS	  (3600 * INT64_C(1000))
#define DENIAL_PRIVATE_MS (60 * INT64_C(1000))

/* Who has a role, in a group: so many at once, and one more in each such time. */
#define DENIALS_KNOWN	4
#define DENIAL_KNOWN_MS (60 * INT64_C(1000))

bool
decide_is_answered(const struct update *update)
{
	return update->address.chat == 0 && update->callback[0] == '\0';
}

void
decide_answer(struct tx *tx, const char *text)
{
	struct buf said = { .cap = LIMIT_ANSWER_TEXT };

	if (tx->answer.text != NULL)
		buf_addf(&said, "%s\n", tx->answer.text);
	chat_text_plain(text, &said);
	free(tx->answer.text);
	tx_check(tx, &said);
	tx->answer.text = buf_take(&said);
}

void
decide_refusef(struct tx *tx, int status, const char *fmt, ...)
{
	char line[LIMIT_LINE * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	tx->answer.status = status;
	decide_answer(tx, line);
}

int64_t
decide_send_as(struct tx *tx, struct message *as, struct chat_text *text)
{
	int64_t row = 0;

	if (as->is_answer && row_witness_is_late(tx))
		chat_text_add(text, CHAT_HOLD_UNWITNESSED);
	as->head = chat_text_take(text);
	if (as->head != NULL && as->address.chat == 0)
		decide_answer(tx, as->head);
	else
		row = row_message_add(tx, as);
	message_done(as);
	return row;
}

void
decide_change(struct tx *tx, int64_t row, const struct buttons *buttons, struct chat_text *text)
{
	CLEANUP(message_done) struct message message = { .head = chat_text_take(text) };

	if (buttons != NULL)
		message.buttons = *buttons;
	row_message_change(tx, row, &message);
}

void
decide_answer_no(struct tx *tx, const struct update *update)
{
	if (decide_is_answered(update) && tx->answer.status == 200)
		tx->answer.status = 409;
}

struct chat_address
decide_home(struct tx *tx, const struct update *update, const char *environment)
{
	if (!decide_is_answered(update))
		return update->address;
	/* On the machine as who they are in the chat: it goes on there. */
	if (decide_team_of(tx, environment) == 0 && update->person > 0 &&
	    row_chat_has_private(tx, update->person))
		return (struct chat_address){ .chat = update->person };
	return (struct chat_address){ .chat = decide_chat_of(tx, environment) };
}

struct chat_clock
decide_clock(const struct tx *tx, const char *environment)
{
	return (struct chat_clock){ .zone = settings_clock(tx->settings, environment)->zone,
		.is_named = tx->settings->has_zones };
}

int64_t
decide_send(struct tx *tx, const struct chat_address *address, struct chat_text *text)
{
	return decide_send_as(tx,
	    &(struct message){ .address = *address, .is_silent = true, .is_answer = true }, text);
}

void
decide_send_team(struct tx *tx, const char *environment, struct chat_text *text)
{
	int64_t chats[DECIDE_WHOM_ALL];
	size_t n = decide_whom_news(tx, environment, chats);
	CLEANUP(freep) char *head = chat_text_take(text);

	for (size_t i = 0; i < n && head != NULL; i++) {
		struct chat_text copy = CHAT_TEXT_EMPTY;

		chat_text_add(&copy, "%s", head);
		(void)decide_send(tx, &(struct chat_address){ .chat = chats[i] }, &copy);
	}
	if (head == NULL)
		tx_fail(tx, ERR_LIMIT, "a message is too long");
}

int64_t
decide_sendf(struct tx *tx, const struct chat_address *address, const char *fmt, ...)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	va_list args;

	va_start(args, fmt);
	buf_addv(&text.buf, fmt, args);
	va_end(args);
	return decide_send(tx, address, &text);
}

int64_t
decide_send_firstf(struct tx *tx, const struct chat_address *address, enum chat_first first,
    const char *target, const char *fmt, ...)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	va_list args;

	chat_first(&text, first, target);
	va_start(args, fmt);
	buf_addv(&text.buf, fmt, args);
	va_end(args);
	return decide_send(tx, address, &text);
}

bool
decide_is_refused(struct tx *tx, const struct update *update, const char *environment)
{
	const char *refusal = decide_sees_refusal(tx, update->person, environment);

	if (refusal != NULL)
		(void)decide_send_firstf(tx, &update->address, FIRST_IMPOSSIBLE, environment,
		    "deployments to it are off; what runs stays\n%s. See deploybot check-config.",
		    refusal);
	return refusal != NULL;
}

void
decide_toastf(struct tx *tx, const struct update *update, bool is_alert, const char *fmt, ...)
{
	char line[LIMIT_TOAST * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args); /* cut is fine */
	va_end(args);
	if (decide_is_answered(update))
		decide_answer(tx, line);
	else if (update->callback[0] == '\0') /* a press that waited for what was typed */
		(void)decide_sendf(tx, &update->address, "%s", line);
	else
		row_effect_toast(tx, &update->address, update->callback, is_alert, "%s", line);
}

void
decide_toast_firstf(struct tx *tx, const struct update *update, bool is_alert,
    enum chat_first first, const char *target, const char *fmt, ...)
{
	char line[LIMIT_TOAST * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args); /* cut is fine */
	va_end(args);
	decide_toastf(tx, update, is_alert, "%s%s%s%s", chat_first_rows[first].before, target,
	    chat_first_rows[first].behind, line);
}

void
decide_expired(struct tx *tx, const struct update *update)
{
	decide_toastf(tx, update, false, "This button has expired or was used.");
}

const char *
decide_user(struct tx *tx, int64_t person, char out[PRINCIPAL_TEXT])
{
	struct principal who = principal_of_person(person);
	const char *name = person < 0 ? settings_user_name(tx->settings, person) : NULL;
	struct token token;
	char program[ENVIRONMENT_ID_MAX];
	struct role_id id;

	if (who.kind == PRINCIPAL_TOKEN) {
		token = row_token_get(tx, principal_token(person));
		name = token.name;
	} else if (principal_is_program(person) && row_principal_get(tx, person, &id)) {
		name = environment_id_text(id.application, id.name, program);
	}
	if (name != NULL)
		text_set(who.name, name);
	return principal_text(&who, out);
}

const char *
decide_requester(struct tx *tx, const struct deployment *deployment, char out[PRINCIPAL_TEXT])
{
	if (deployment->requested_by != 0)
		return decide_user(tx, deployment->requested_by, out);
	(void)text_copy(out, PRINCIPAL_TEXT, deployment->requester);
	return out;
}

enum audit_severity
decide_severity(int64_t person)
{
	return principal_is_root(person) ? AUDIT_HIGH : AUDIT_INFO;
}

void
decide_audit(struct tx *tx, enum audit_code code, const char *user, const char *environment,
    const char *outcome, const char *const *meta)
{
	const struct audit_entry entry = {
		.code = code, .user = user, .environment = environment, .outcome = outcome
	};

	row_audit_add(tx, &entry, meta);
}

void
decide_audit_fact(const char *meta[], size_t *n, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	meta[(*n)++] = key;
	meta[(*n)++] = value;
}

void
decide_audit_request(struct tx *tx, const struct deployment *deployment, int64_t by,
    enum audit_code code, const char *outcome, const char *const *meta)
{
	char user[PRINCIPAL_TEXT];

	if (by != 0)
		(void)decide_user(tx, by, user);
	else
		(void)decide_requester(tx, deployment, user);
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = code,
		.user = user,
		.environment = deployment->environment,
		.source = deployment->source,
		.commit = deployment->commit,
		.outcome = outcome,
		.at_least =
		    strcmp(user, PRINCIPAL_ROOT) == 0 || deployment_is_emergency(deployment) ?
		    AUDIT_HIGH :
		    AUDIT_INFO,
		.deployment = deployment->id,
	    },
	    meta);
}

/* The kind of what a stranger did, as it is counted. */
static const char *
input_of(const struct update *update)
{
	if (update->refusal != UPDATE_REFUSED_NONE)
		return "telegram: refused";
	return update->kind == UPDATE_PRESS ? "telegram: press" : "telegram: command";
}

void
decide_audit_denied(struct tx *tx, const struct update *update, enum audit_code code,
    const char *what, const char *environment, const char *reason)
{
	char user[PRINCIPAL_TEXT], chat[24], input[ROW_STRANGER_INPUT];
	bool is_stranger = decide_is_stranger(tx, update->person);
	const struct audit_entry entry = {
		.code =
		    is_stranger && code == AUDIT_CODE_DENIED ? AUDIT_CODE_DENIED_STRANGER : code,
		.user = decide_user(tx, update->person, user),
		.environment = environment,
		.outcome = "denied",
	};
	const char *const meta[] = { "request", what, "reason", reason, "name", update->name,
		"chat", chat, NULL };

	text_setf(chat, "%" PRId64, update->address.chat);
	tx->costs_nothing = true;
	if (decide_is_answered(update))
		tx->answer.status = 403;
	if (is_stranger)
		text_setf(input, "%s", input_of(update));
	else
		text_setf(input, "%s %s %s: %s", user, what,
		    settings_environment(tx->settings, environment) != NULL ? environment : "",
		    reason);
	row_stranger_audit(tx, input, 1, user, &entry, meta);
}

/* Strangers get few words, or a group would be flooded by whoever types at the bot: Telegram takes
 * 20 messages a minute there, and questions of others would come late. */
static bool
is_worth_an_answer(struct tx *tx, const struct update *update)
{
	bool is_stranger = decide_is_stranger(tx, update->person);

	if (decide_is_answered(update) || (!is_stranger && update->is_private))
		return true;
	if (update->is_private)
		return row_rate_limit_take(
		    tx, 1, DENIAL_PRIVATE_MS, "denied:%" PRId64, update->person);
	return row_rate_limit_take(tx, is_stranger ? 1 : DENIALS_KNOWN,
	    is_stranger ? DENIAL_GROUP_MS : DENIAL_KNOWN_MS, "denied:%" PRId64 ":%" PRId64,
	    update->address.chat, update->person);
}

/* What cannot be a name is shown as code: in our own message it would mention somebody, or link
 * somewhere. */
static void
add_target(struct chat_text *text, const char *target)
{
	struct environment_id id;

	if (target[0] == '\0')
		return;
	if (!environment_id_parse(target, &id)) {
		chat_text_ref(text, "", target);
		return;
	}
	chat_text_outside(text, MARK_BOLD, target);
	chat_text_add(text, MARK_BOLD);
}

/* To who has no role: in a group it is the first that they ever read of the bot. */
static void
add_way_in(struct tx *tx, const struct update *update, struct chat_text *text)
{
	const char *name = tx->event->context.own_name;

	if (decide_is_answered(update) || !decide_is_stranger(tx, update->person))
		return;
	if (update->is_private)
		chat_text_add(text, " An admin can add your id, which /whoami shows.");
	else
		chat_text_add(text,
		    " Write /whoami to me in private%s%s and send an admin the id that it shows.",
		    name[0] != '\0' ? ", https://t.me/" : "", name);
}

#define APPEAL_MS (600 * INT64_C(1000))

/* What somebody else may do there is a tap away for who sees that it is there: they are asked. */
static void
add_appeal(struct tx *tx, const struct update *update, const char *action, const char *target,
    struct buttons *buttons)
{
	struct button_row row = { .request = request_of("appeal", target),
		.chat = update->address.chat,
		.person = update->person,
		.expires_at = tx->at + APPEAL_MS };
	static const char *const kept[] = { "ref", "release", "from" };
	char value[LIMIT_REF];

	if ((strcmp(action, "deploy") != 0 && strcmp(action, "rollback") != 0) ||
	    decide_is_answered(update) || settings_environment(tx->settings, target) == NULL ||
	    !decide_sees(tx, update->person, target))
		return;
	request_add(&row.request, "what", action);
	for (size_t i = 0; i < COUNT(kept) && tx->request != NULL; i++)
		request_add(&row.request, kept[i], request_get(tx->request, kept[i], value));
	row_button_show(tx, &row, "🙋 Ask an admin", buttons);
}

/* Target and wanted are what they typed, and names: from outside. */
struct denial {
	const char *what;   /* as it is audited */
	const char *target; /* "": none */
	const char *wanted; /* what the answer calls it */
	const char *reason;
	const char *whom; /* to ask (find_whom()) */
};

static void
say_denied(struct tx *tx, const struct update *update, const struct denial *denial)
{
	struct message message = {
		.address = update->address, .is_silent = true, .is_answer = true
	};
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_text_add(&text, "%s", chat_first_rows[FIRST_DENIED].before);
	add_target(&text, denial->target);
	chat_text_theirs(&text, denial->target[0] != '\0' ? " " : "", denial->wanted);
	chat_text_add(&text, ": %s.", denial->reason);
	chat_text_some(&text, " ", denial->whom);
	add_way_in(tx, update, &text);
	add_appeal(tx, update, denial->what, denial->target, &message.buttons);
	row_button_set_message(tx, &message.buttons, decide_send_as(tx, &message, &text));
}

#define WHOM (DECIDE_WHOM * LIMIT_PERSON + POLICY_LINE)

/* Whom to ask, by name where names are known, else by role; "": they may not know who may what
 * there, for they do not see it, or nobody is known. */
static const char *
find_whom(struct tx *tx, const struct update *update, enum policy_action action, const char *name,
    const char *environment, char out[WHOM])
{
	struct row_person people[DECIDE_WHOM];
	char roles[POLICY_LINE];
	size_t n, used;

	out[0] = '\0';
	/* Who approves is of the work, and stands in its message. */
	if (environment[0] == '\0' || action == POLICY_APPROVE ||
	    !decide_sees(tx, update->person, environment))
		return out;
	n = decide_whom(tx, action, name, environment, &(struct row_person){ 0 }, people);
	used = (size_t)snprintf(out, WHOM, "%s", n > 0 ? "Ask " : "");
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(out + used, WHOM - used, "%s%s",
		    decide_whom_between(i, n, " or "), people[i].name); /* three names fit */
	if (n > 0)
		(void)snprintf(out + used, WHOM - used, ".");
	else if (policy_who_may(tx->settings, action, name, environment, tx->at, roles)[0] != '\0')
		(void)snprintf(out, WHOM, "Ask somebody with the role %s, or an admin.", roles);
	return out;
}

static void
say_no(struct tx *tx, const struct update *update, const struct denial *denial)
{
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, true, "%s%s: %s.%s%s",
		    chat_first_rows[FIRST_DENIED].before, denial->wanted, denial->reason,
		    denial->whom[0] != '\0' ? " " : "", denial->whom);
	else if (is_worth_an_answer(tx, update))
		say_denied(tx, update, denial);
}

void
decide_deny(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *wanted, const char *reason)
{
	decide_audit_denied(
	    tx, update, AUDIT_CODE_DENIED, policy_action_word(action), environment, reason);
	say_no(tx, update,
	    &(struct denial){ policy_action_word(action), environment, wanted, reason, "" });
}

/* In a group a stranger's hello is a denial like any other. */
static enum policy_action
action_here(struct tx *tx, const struct update *update, enum policy_action action)
{
	return action == POLICY_GREET && !update->is_private &&
		decide_is_stranger(tx, update->person) ?
	    POLICY_TALK :
	    action;
}

static void
note_use(struct tx *tx, const struct update *update, enum policy_action action)
{
	if (policy_action_is_grantable(action))
		row_grant_use_note(tx, update->person, policy_action_word(action));
}

static bool
may(struct tx *tx, const struct update *update, enum policy_action asked, const char *environment,
    const char *what, const char *wanted)
{
	enum policy_action action = action_here(tx, update, asked);
	struct policy_decision decision = decide_allowed(tx, update->person, action, environment);
	/* What is the server's concerns no environment. */
	const char *where = policy_action_rows[action].scope == POLICY_ON_SERVER ? "" : environment;
	char whom[WHOM];

	if (decision.verdict == POLICY_ALLOW) {
		if (decide_lacks_factor_called(tx, update, action, where, what))
			return false;
		note_use(tx, update, action);
		return true;
	}
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED, what, where, decision.reason);
	say_no(tx, update,
	    &(struct denial){ what, where, wanted, decision.reason,
		find_whom(tx, update, action, "", where, whom) });
	return false;
}

bool
decide_may_somewhere(
    struct tx *tx, const struct update *update, enum policy_action asked, const char *name)
{
	enum policy_action action = action_here(tx, update, asked);
	struct principal who = decide_principal(tx, update->person);
	struct policy_decision decision = name[0] != '\0' ?
	    policy_decide_do(tx->settings, who, name, NULL, tx->at) :
	    policy_decide_somewhere(tx->settings, who, action, tx->at);
	const char *word = policy_action_word(action);
	char what[10 + sizeof(".") + ACTION_NAME];

	if (decision.verdict == POLICY_ALLOW) {
		note_use(tx, update, action);
		return true;
	}
	text_setf(what, "%.10s%s%.*s", word, name[0] != '\0' ? "." : "", ACTION_NAME, name);
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED, what, "", decision.reason);
	say_no(tx, update,
	    &(struct denial){ what, "", name[0] != '\0' ? name : word, decision.reason, "" });
	return false;
}

bool
decide_may_begin(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment)
{
	return environment[0] == '\0' ? decide_may_somewhere(tx, update, action, "") :
					decide_may(tx, update, action, environment);
}

bool
decide_may(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment)
{
	const char *word = policy_action_word(action);

	return may(tx, update, action, environment, word, word);
}

bool
decide_may_as(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *wanted)
{
	return may(tx, update, action, environment, policy_action_word(action), wanted);
}

bool
decide_may_called(struct tx *tx, const struct update *update, enum policy_action action,
    const char *environment, const char *what)
{
	return may(tx, update, action, environment, what, what);
}

/* --- work --- */

bool
decide_may_do(struct tx *tx, const struct update *update, const char *name, const char *target)
{
	struct policy_decision decision = decide_allowed_do(tx, update->person, name, target);
	char what[sizeof("do.") + ACTION_NAME];
	char whom[WHOM];

	if (decision.verdict == POLICY_ALLOW) {
		if (decide_lacks_factor_do(tx, update, name, target))
			return false;
		row_grant_use_note(tx, update->person, policy_action_word(POLICY_DO));
		return true;
	}
	text_setf(what, "do.%.*s", ACTION_NAME, name);
	decide_audit_denied(tx, update, AUDIT_CODE_DENIED, what, target, decision.reason);
	say_no(tx, update,
	    &(struct denial){ what, target, name, decision.reason,
		find_whom(tx, update, POLICY_DO, name, target, whom) });
	return false;
}

bool
decide_may_work(struct tx *tx, const struct update *update, const struct deployment *deployment)
{
	return deployment_grant(deployment) == POLICY_DO ?
	    decide_may_do(tx, update, deployment->action, deployment_target_here(deployment)) :
	    decide_may(tx, update, deployment_grant(deployment), deployment->environment);
}
