/* handle_update.c - somebody wrote, pressed a button, or their chat moved.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_question.h"
#include "decide/decide_reply.h"
#include "decide/decide_unknown.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_dedupe.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_button.h"
#include "store/row_rate_limit.h"

/* Presses of who is no admin: a burst, then one in a while.  Enough for hands, not for a script. */
#define PRESS_BURST    30
#define PRESS_EVERY_MS 1000

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

	return decide_may(tx, update, action_of(button, deployment), deployment->environment) &&
	    (!answers || decide_may_answer(tx, update, deployment));
}

static void
audit_confirmed(struct tx *tx, const struct update *update, const struct deployment *deployment)
{
	char user[32];

	decide_audit_request(tx, deployment, decide_user(user, update->person), "deploy_requested",
	    "confirmed", (const char *const[]){ "name", update->name, NULL });
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
	if (!decide_confirm(tx, deployment, update))
		decide_toastf(tx, update, false, "Confirmed.");
	else if (deployment->state == DEPLOY_AWAITING_CONFIRMATION)
		decide_toastf(tx, update, true, "It has changed: look again.");
	else
		decide_toastf(tx, update, false,
		    deployment->state == DEPLOY_REFUSED ? "Refused." : "Started.");
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

/* Each press may be an entry of the audit, or a log that is sent; a stranger's are counted, and no
 * admin's is ever refused, whatever the clock does. */
static bool
is_too_fast(struct tx *tx, const struct update *update)
{
	enum policy_role role = policy_role(tx->settings, update->person);
	char who[64];

	if (role == POLICY_STRANGER || role == POLICY_ADMIN)
		return false;
	(void)snprintf(who, sizeof(who), "presses:%" PRId64, update->person);
	if (row_rate_limit_take(tx, who, PRESS_BURST, PRESS_EVERY_MS))
		return false;
	decide_toastf(tx, update, false, "🐢 Too many presses: wait a moment.");
	return true;
}

static void
handle_press(struct tx *tx, const struct update *update)
{
	struct button_row button = row_button_get(tx, update->button);
	struct deployment deployment;

	if (is_too_fast(tx, update))
		return;
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
