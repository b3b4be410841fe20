/* decide_tell.c - renders what the messages about a deployment say.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell.h"

#include "chat/chat_deployment.h"
#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_block.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_button.h"

/* The button's id: the one that it has in this chat already, or a new one.  run: a log's. */
static void
add_button(struct tx *tx, const struct deployment *deployment, enum button_verb verb, int64_t run,
    int64_t chat, const char *label, struct buttons *buttons)
{
	struct button_row row = row_button_find(tx, deployment->id, verb, run, chat);
	struct button *button = &buttons->at[buttons->n];

	if (row.id[0] == '\0') {
		row = (struct button_row){
			.verb = verb,
			.deployment = deployment->id,
			.run = run,
			.chat = chat,
			.requester = verb == BUTTON_CONFIRM || verb == BUTTON_DECLINE ?
			    deployment->requested_by :
			    0,
			.is_open = true,
		};
		row_button_add(tx, &row);
	}
	(void)text_copy(button->label, sizeof(button->label), label);
	(void)text_copy(button->id, sizeof(button->id), row.id);
	buttons->n++;
}

/* What went wrong stands in the log of the deployment, also when a rollback came after it. */
static void
add_log_buttons(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	int64_t run = row_run_newest(tx, deployment->id, deployment->program);
	int64_t back = deployment_is_rollback(deployment) ?
	    0 :
	    row_run_newest(tx, deployment->id, PROGRAM_ROLLBACK);

	if (run != 0)
		add_button(tx, deployment, BUTTON_LOG, run, chat, "📄 Log", buttons);
	if (back != 0)
		add_button(tx, deployment, BUTTON_LOG, back, chat, "📄 Rollback log", buttons);
}

static struct buttons
buttons_for(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	struct buttons buttons = { 0 };

	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION) {
		add_button(tx, deployment, BUTTON_CONFIRM, 0, chat,
		    deployment->is_forward		   ? "↪️ Roll forward" :
			deployment_is_rollback(deployment) ? "↩️ Roll back" :
							     "✅ Confirm",
		    &buttons);
		/* A rollback has this one: it is asked for in a hurry, a button beside it is there
		 * to be hit by mistake, and a question that is left alone keeps nobody waiting. */
		if (!deployment_is_rollback(deployment))
			add_button(
			    tx, deployment, BUTTON_DECLINE, 0, chat, "✖️ Cancel", &buttons);
	}
	if (deployment_may_be_cancelled(deployment))
		add_button(tx, deployment, BUTTON_CANCEL, 0, chat, "✋ Cancel", &buttons);
	add_log_buttons(tx, deployment, chat, &buttons);
	return buttons;
}

/* Rows that its texts are made of. */
struct shown {
	struct environment environment;
	struct release to;
	struct block block;
	struct step steps[LIMIT_STEPS];
	char head[9];
};

/* Of its commit; of what it left, where it is live. */
static bool
find_block(struct tx *tx, const struct deployment *deployment, struct block *ret)
{
	if (deployment->state != DEPLOY_LIVE)
		return row_block_find(tx, deployment->environment, deployment->commit, ret);
	return deployment_is_rollback(deployment) &&
	    row_block_list(tx, deployment->environment, ret, 1, NULL) == 1 &&
	    ret->at == deployment->ended_at;
}

/* The facts that its texts are made of; they stand in *shown. */
static struct chat_deployment
facts(struct tx *tx, const struct deployment *deployment, const struct git_answer *answer,
    struct shown *shown)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	bool is_blocked = find_block(tx, deployment, &shown->block);

	shown->environment = row_environment_get(tx, deployment->environment);
	shown->to = row_release_get(tx, deployment->to_release);
	row_audit_head(tx, shown->head);
	return (struct chat_deployment){
		.n_urls = settings != NULL ? settings->health_url_count : 0,
		.deployment = deployment,
		.environment = &shown->environment,
		.to = deployment->to_release != 0 ? &shown->to : NULL,
		.block = is_blocked ? &shown->block : NULL,
		.steps = shown->steps,
		.n_steps = deployment->run != 0 ?
		    row_step_list(tx, deployment->run, shown->steps, LIMIT_STEPS) :
		    0,
		.estimate_ms = row_step_estimate(tx, deployment->environment, ""),
		.answer = answer,
		.can_roll_back = deployment_can_roll_back(deployment),
		.audit_head = shown->head,
		.release = shown->environment.current.number,
		.rollback_not_started = deployment->state == DEPLOY_ROLLBACK_FAILED &&
		    row_run_never_began(tx, deployment->run),
		.host = tx->settings->host,
		.at = tx->at,
	};
}

static void
tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	if (!chat_deployment(about, &message)) {
		tx_fail(tx, ERR_NOMEM, "no memory for the message of a deployment");
		return;
	}
	message.address = now.address;
	message.buttons = buttons_for(tx, about->deployment, now.address.chat);
	row_message_change(tx, row, &message);
}

/* An end that must ring the phone is said once more, in a message of its own. */
static void
alarm_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0 || !chat_deployment_rings(about->deployment))
		return;
	message.head = chat_deployment_alarm(about);
	message.foot = strdup("");
	now = row_message_get(tx, row);
	message.address = now.address;
	if (message.head == NULL || message.foot == NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		tx_fail(tx, ERR_NOMEM, "no memory for an alarm");
		return;
	}
	message.buttons = buttons_for(tx, about->deployment, now.address.chat);
	(void)row_message_add(tx, &message);
}

void
decide_tell(struct tx *tx, const struct deployment *deployment, const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, answer, &shown);

	tell_in(tx, &about, deployment->message);
	tell_in(tx, &about, deployment->also_message);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL) {
		alarm_in(tx, &about, deployment->message);
		alarm_in(tx, &about, deployment->also_message);
	}
}

void
decide_tell_team(struct tx *tx, struct deployment *deployment)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);

	if (deployment->also_message != 0 ||
	    deployment->address.chat == tx->settings->telegram_chat_id)
		return;
	if (!chat_deployment(&about, &message)) {
		tx_fail(tx, ERR_NOMEM, "no memory for the message of a deployment");
		return;
	}
	message.address.chat = tx->settings->telegram_chat_id;
	deployment->also_message = row_message_add(tx, &message);
}
