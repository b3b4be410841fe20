/* decide_reply.c - replies, denials and their audit.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_rate_limit.h"
#include "store/row_message.h"
#include "store/row_stranger.h"

/* A stranger is denied that often. */
#define DENIAL_GROUP_MS	  (3600 * INT64_C(1000))
#define DENIAL_PRIVATE_MS (60 * INT64_C(1000))

int64_t
decide_send(struct tx *tx, const struct chat_address *address, struct chat_text *text)
{
	CLEANUP(message_done)
	struct message message = { .address = *address, .is_silent = true, .is_answer = true };
	static char none[] = "";

	message.head = chat_text_take(text);
	if (message.head == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a reply");
		return 0;
	}
	message.foot = none;
	int64_t id = row_message_add(tx, &message);
	message.foot = NULL;
	return id;
}

int64_t
decide_sendf(struct tx *tx, const struct chat_address *address, const char *fmt, ...)
{
	struct chat_text text;
	va_list args;

	chat_text_init(&text);
	va_start(args, fmt);
	buf_addv(&text.buf, fmt, args);
	va_end(args);
	return decide_send(tx, address, &text);
}

bool
decide_is_refused(struct tx *tx, const struct update *update, const char *environment)
{
	const char *refusal = settings_refusal(tx->settings, environment);

	if (refusal != NULL)
		(void)decide_sendf(tx, &update->address,
		    "🚫 %s: nothing is deployed there\n%s. See deploybot check-config.", environment,
		    refusal);
	return refusal != NULL;
}

bool
decide_is_busy(struct tx *tx, const struct update *update, const char *environment)
{
	struct deployment active = row_deployment_active(tx, environment);
	char *busy;

	if (active.id == 0)
		return false;
	busy = chat_busy(&active, tx->at);
	if (busy == NULL)
		tx_fail(tx, ERR_NOMEM, "no memory for a reply");
	else
		(void)decide_sendf(tx, &update->address, "%s", busy);
	free(busy);
	return true;
}

void
decide_toastf(struct tx *tx, const struct update *update, bool is_alert, const char *fmt, ...)
{
	char line[LIMIT_TOAST * 2];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args); /* cut is fine */
	va_end(args);
	row_effect_toast(tx, &update->address, update->callback, is_alert, "%s", line);
}

const char *
decide_user(char out[32], int64_t person)
{
	(void)snprintf(out, 32, "telegram:%" PRId64, person);
	return out;
}

void
decide_audit_request(struct tx *tx, const struct deployment *deployment, const char *user,
    const char *action, const char *outcome, const char *const *meta)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.action = action,
		.user = user,
		.environment = deployment->environment,
		.commit = deployment->commit,
		.outcome = outcome,
		.severity = "info",
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
decide_audit_denied(struct tx *tx, const struct update *update, const char *what,
    const char *environment, const char *reason)
{
	char user[32], chat[24];
	const struct audit_entry entry = {
		.action = "denied",
		.user = decide_user(user, update->person),
		.environment = environment,
		.outcome = "denied",
		.severity = "warning",
	};
	const char *const meta[] = { "request", what, "reason", reason, "name", update->name,
		"chat", chat, NULL };

	(void)snprintf(chat, sizeof(chat), "%" PRId64, update->address.chat);
	if (policy_role(tx->settings, update->person) == POLICY_STRANGER)
		row_stranger_audit(tx, input_of(update), 1, user, &entry, meta);
	else
		row_audit_add(tx, &entry, meta);
}

/* Strangers get few words, or a group would be flooded by whoever types at the bot. */
static bool
is_worth_an_answer(struct tx *tx, const struct update *update, enum policy_role role)
{
	char who[80];

	if (role != POLICY_STRANGER)
		return true;
	if (update->is_private) {
		(void)snprintf(who, sizeof(who), "denied:%" PRId64, update->person);
		return row_rate_limit_take(tx, who, 1, DENIAL_PRIVATE_MS);
	}
	(void)snprintf(
	    who, sizeof(who), "denied:%" PRId64 ":%" PRId64, update->address.chat, update->person);
	return row_rate_limit_take(tx, who, 1, DENIAL_GROUP_MS);
}

/* The environment is what they typed: from outside. */
static void
say_denied(struct tx *tx, const struct update *update, const char *what, const char *environment,
    const char *reason)
{
	bool may_ask =
	    update->is_private && policy_role(tx->settings, update->person) == POLICY_STRANGER;
	struct chat_text text;

	chat_text_init(&text);
	chat_text_add(&text, "⛔ " MARK_BOLD "%s", what);
	if (environment[0] != '\0')
		chat_text_outside(&text, " ", environment);
	chat_text_add(&text, MARK_BOLD ": %s.%s", reason,
	    may_ask ? " An admin can add your id, which /whoami shows." : "");
	(void)decide_send(tx, &update->address, &text);
}

bool
decide_may(
    struct tx *tx, const struct update *update, enum policy_action action, const char *environment)
{
	enum policy_role role = policy_role(tx->settings, update->person);
	struct policy_decision decision = policy_decide(role, action, environment);
	const char *what = policy_action_word(action);

	if (decision.is_allowed)
		return true;
	decide_audit_denied(tx, update, what, environment, decision.reason);
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, true, "⛔ %s: %s.", what, decision.reason);
	else if (is_worth_an_answer(tx, update, role))
		say_denied(tx, update, what, environment, decision.reason);
	return false;
}

const struct environment_settings *
decide_environment(struct tx *tx, const struct update *update, const char *name)
{
	const struct environment_settings *environment = settings_environment(tx->settings, name);
	const char *names[SETTINGS_ENVIRONMENTS_MAX], *near;
	size_t n = tx->settings->environment_count;
	struct chat_text text;

	if (environment != NULL)
		return environment;
	for (size_t i = 0; i < n; i++)
		names[i] = tx->settings->environments[i].name;
	near = name[0] != '\0' ? text_nearest(name, names, n) : NULL;
	chat_text_init(&text);
	if (name[0] == '\0') {
		chat_text_add(&text, "Which environment? There are:");
	} else {
		chat_text_code(&text, "There is no environment ", name);
		if (near != NULL)
			chat_text_code(&text, ". Did you mean ", near);
		chat_text_add(&text, "%s There are:", near != NULL ? "?" : ".");
	}
	for (size_t i = 0; i < n; i++)
		chat_text_code(&text, " ", names[i]);
	(void)decide_send(tx, &update->address, &text);
	return NULL;
}

const struct environment_settings *
decide_where(
    struct tx *tx, const struct update *update, enum policy_action action, const char *name)
{
	enum policy_role role = policy_role(tx->settings, update->person);
	bool forgot_name = name[0] == '\0' && policy_decide(role, action, "staging").is_allowed;
	/* A typo is no missing right; but a stranger learns of no environment. */
	bool is_typo = role != POLICY_STRANGER && name[0] != '\0' &&
	    settings_environment(tx->settings, name) == NULL;

	if (!forgot_name && !is_typo && !decide_may(tx, update, action, name))
		return NULL;
	return decide_environment(tx, update, name);
}
