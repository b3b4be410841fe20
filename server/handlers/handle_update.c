/* handle_update.c - somebody wrote, pressed a button, or their chat moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_push.h"
#include "decide/decide_reply.h"
#include "decide/decide_unknown.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_dedupe.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_button.h"

/* A press stands for nothing any more. */
static void
say_expired(struct tx *tx, const struct update *update)
{
	decide_toastf(tx, update, false, "This button has expired or was used.");
}

static enum policy_action
action_of(const struct button_row *button, const struct deployment *deployment)
{
	switch (button->verb) {
	case BUTTON_CANCEL:
		return POLICY_CANCEL;
	case BUTTON_LOG:
		return POLICY_LOG;
	default:
		return deployment->program == PROGRAM_ROLLBACK ? POLICY_ROLLBACK : POLICY_DEPLOY;
	}
}

/* Role, and who the button is for: again at each press, on what holds at this moment. */
static bool
may_press(struct tx *tx, const struct update *update, const struct button_row *button,
    const struct deployment *deployment)
{
	bool answers = button->verb == BUTTON_CONFIRM || button->verb == BUTTON_DECLINE;

	if (!decide_may(tx, update, action_of(button, deployment), deployment->environment))
		return false;
	if (answers && deployment->trigger != TRIGGER_CHAT &&
	    policy_role(tx->settings, update->person) != POLICY_ADMIN) {
		decide_audit_denied(tx, update, "confirm", deployment->environment,
		    "the question after a push is an admin's");
		decide_toastf(tx, update, true, "⛔ Only an admin may answer this.");
		return false;
	}
	if (button->requester != 0 && button->requester != update->person) {
		decide_audit_denied(tx, update, "confirm", deployment->environment,
		    "the question is another person's");
		decide_toastf(
		    tx, update, true, "⛔ Only %s may answer this.", deployment->requester);
		return false;
	}
	return true;
}

static void
audit_confirmed(struct tx *tx, const struct update *update, const struct deployment *deployment)
{
	char user[32];

	decide_audit_request(tx, deployment, decide_user(user, update->person), "deploy_requested",
	    "confirmed", (const char *const[]){ "name", update->name, NULL });
}

/* Beside the run, never before it: has the branch moved on since it was shown? */
static void
ask_moved_on(struct tx *tx, const struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	struct effect_git_query query = { .kind = GIT_QUERY_COMMITS };

	if (settings == NULL || settings->branch == NULL || deployment->program != PROGRAM_DEPLOY ||
	    strcmp(deployment->ref, settings->branch) != 0)
		return;
	(void)text_copy(query.environment, sizeof(query.environment), deployment->environment);
	(void)text_copy(query.ref, sizeof(query.ref), settings->branch);
	(void)text_copy(query.branch, sizeof(query.branch), settings->branch);
	decide_git_query(tx, &query, deployment->id);
}

/* Confirmed while another one is queued.  A newer push takes its place; but what a person wants
 * where nothing else may start goes past it, and it keeps its place. */
static void
confirm(struct tx *tx, struct deployment *deployment)
{
	struct deployment queued = row_deployment_queued(tx, deployment->environment);
	bool passes = queued.id != 0 && deployment->trigger == TRIGGER_CHAT;

	if (passes)
		row_deployment_set_state(tx, queued.id, DEPLOY_REQUESTED, queued.why);
	else if (queued.id != 0)
		(void)decide_step(tx, &queued, DEPLOY_ON_SUPERSEDE, NULL);
	(void)decide_step(tx, deployment, DEPLOY_ON_CONFIRM, NULL);
	decide_next(tx, deployment->environment);
	if (!passes)
		return;
	row_deployment_set_state(
	    tx, queued.id, DEPLOY_QUEUED, queued.why); /* as everybody saw it */
	decide_next(tx, deployment->environment);
}

/* Busy again, in the decision that starts it: a person's is refused, a push's waits. */
static void
press_confirm(struct tx *tx, const struct update *update, struct deployment *deployment)
{
	bool waits = row_deployment_active(tx, deployment->environment).id != 0;

	audit_confirmed(tx, update, deployment);
	if (waits && deployment->trigger == TRIGGER_CHAT) {
		(void)text_copy(deployment->detail, sizeof(deployment->detail),
		    "another deployment is in progress: try again when it has ended");
		(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, NULL);
		(void)decide_is_busy(tx, update, deployment->environment); /* says with what */
		decide_toastf(tx, update, false, "%s is busy.", deployment->environment);
		return;
	}
	confirm(tx, deployment);
	ask_moved_on(tx, deployment);
	waits |= deployment->trigger != TRIGGER_CHAT &&
	    row_environment_get(tx, deployment->environment).unknown_since != 0;
	decide_toastf(tx, update, false, waits ? "Queued." : "Started.");
}

static void
press_cancel(struct tx *tx, const struct update *update, struct deployment *deployment)
{
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		say_expired(tx, update);
	else if (decide_cancel(tx, deployment, update))
		decide_toastf(tx, update, false, "Cancelled.");
	else
		decide_toastf(tx, update, true, "It is %s: that cannot be cancelled.",
		    deploy_flow_word(deployment->state));
}

static void
press_log(struct tx *tx, const struct update *update, const struct button_row *button,
    const struct deployment *deployment)
{
	struct effect *effect = effect_new(EFFECT_DOCUMENT);

	if (effect == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a document");
		return;
	}
	effect->subject = deployment->id;
	effect->u.document.address = update->address;
	effect->u.document.run = button->run;
	(void)snprintf(effect->u.document.file_name, sizeof(effect->u.document.file_name),
	    "%s-%.7s-%" PRId64 ".log", deployment->environment, deployment->commit, button->run);
	(void)snprintf(effect->u.document.caption, sizeof(effect->u.document.caption),
	    "Log of %s %.7s", deployment->environment, deployment->commit);
	(void)row_effect_add(tx, effect);
	decide_toastf(tx, update, false, "Sending the log.");
}

static void
press_looked(struct tx *tx, const struct update *update, const char *environment)
{
	if (!decide_may(tx, update, POLICY_LOOKED, environment))
		return;
	if (row_environment_get(tx, environment).unknown_since == 0) {
		say_expired(tx, update);
		return;
	}
	decide_looked(tx, update, environment);
	decide_toastf(tx, update, false, "Deployments to %s go on.", environment);
}

static void
handle_press(struct tx *tx, const struct update *update)
{
	struct button_row button = row_button_get(tx, update->button);
	struct deployment deployment;

	if (button.id[0] == '\0' || !button.is_open || button.chat != update->address.chat) {
		say_expired(tx, update);
		return;
	}
	if (button.verb == BUTTON_LOOKED) {
		press_looked(tx, update, button.environment);
		return;
	}
	deployment = row_deployment_get(tx, button.deployment);
	if (!may_press(tx, update, &button, &deployment))
		return;
	switch (button.verb) {
	case BUTTON_CONFIRM:
		press_confirm(tx, update, &deployment);
		break;
	case BUTTON_DECLINE:
	case BUTTON_CANCEL:
		press_cancel(tx, update, &deployment);
		break;
	case BUTTON_LOG:
		press_log(tx, update, &button, &deployment);
		break;
	case BUTTON_LOOKED: /* above: it is of no deployment */
		break;
	}
}

/* Of what is not looked at, talk is no request: a group's forwards do not fill the audit. */
static bool
wants_something(const struct update *update)
{
	struct chat_command command;

	return update->kind != UPDATE_TEXT || update->refusal == UPDATE_REFUSED_UNREADABLE ||
	    chat_command_parse(update->text, &command);
}

void
handle_update(struct tx *tx, const struct event *event)
{
	const struct update *update = event->u.update;
	char key[24];

	(void)snprintf(key, sizeof(key), "%" PRId64, update->id);
	if (update->id != 0 && !row_dedupe_add(tx, "telegram", key, NULL)) {
		tx->answer.is_duplicate = true;
		return;
	}
	if (update->refusal != UPDATE_REFUSED_NONE) {
		if (wants_something(update))
			decide_audit_denied(tx, update,
			    update->kind == UPDATE_PRESS ? "press" : "message", "",
			    update_refusal_words(update->refusal));
		if (update->refusal == UPDATE_REFUSED_UNREADABLE && update->callback[0] != '\0')
			say_expired(tx, update);
		return;
	}
	switch (update->kind) {
	case UPDATE_TEXT:
		commands_handle(tx, update);
		break;
	case UPDATE_PRESS:
		handle_press(tx, update);
		break;
	case UPDATE_MIGRATED:
		row_message_move_chat(tx, update->address.chat, update->new_chat);
		break;
	case UPDATE_OTHER:
		break;
	}
}
