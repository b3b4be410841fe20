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

/* People who asked for the same elsewhere, and whose messages go on with it. */
#define OTHERS_MAX 8

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
		if (deployment->confirmed_by == 0)
			add_button(tx, deployment, BUTTON_CONFIRM, 0, chat,
			    deployment->is_forward		   ? "↪️ Roll forward" :
				deployment_is_rollback(deployment) ? "↩️ Roll back" :
				deployment->is_again		   ? "🔁 Deploy again" :
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
	char head[LIMIT_AUDIT_HEAD];
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
		.run_end = row_run_end(tx, deployment->run),
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

/* Its message in that chat, as it is now; false: the tx has failed. */
static bool
render(struct tx *tx, const struct chat_deployment *about, int64_t chat, struct message *ret)
{
	if (!chat_deployment(about, ret)) {
		tx_fail(tx, ERR_NOMEM, "no memory for the message of a deployment");
		return false;
	}
	ret->buttons = buttons_for(tx, about->deployment, chat);
	return true;
}

static void
tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	if (!render(tx, about, now.address.chat, &message))
		return;
	message.address = now.address;
	row_message_change(tx, row, &message);
	if (deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
		row_message_shows_head(tx, row, about->audit_head);
}

/* May one more sound be made for it in that chat, by coming to this state?  Not counted over all
 * chats: those of whoever asked would leave none for a team that is to hear it is down. */
static bool
may_ring(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	return (size_t)row_message_count_rings(tx, deployment->id, chat) <=
	    chat_deployment_rings_before(deployment->state);
}

static bool
is_question(const struct deployment *deployment)
{
	return deployment->state == DEPLOY_AWAITING_CONFIRMATION;
}

/* A message of its own; an edit makes no sound.  asks: it is a question that nobody waits for. */
static int64_t
add_message(struct tx *tx, const struct chat_deployment *about, const struct chat_address *address,
    bool asks)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message message = { 0 };

	if (!render(tx, about, address->chat, &message))
		return 0;
	message.address = *address;
	message.is_silent = !asks || !may_ring(tx, deployment, address->chat);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	if (asks && address->chat == deployment->address.chat)
		message.reply_to = deployment->request;
	return row_message_add(tx, &message);
}

void
decide_tell(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, answer, &shown);
	int64_t others[OTHERS_MAX];
	size_t n;

	if (deployment->message == 0)
		deployment->message =
		    add_message(tx, &about, &deployment->address, is_question(deployment));
	else
		tell_in(tx, &about, deployment->message);
	tell_in(tx, &about, deployment->also_message);
	n = row_button_list_messages(tx, deployment->id, others, COUNT(others));
	for (size_t i = 0; i < n; i++)
		tell_in(tx, &about, others[i]);
}

/* The question stands below; what stood for it says so. */
static void
leave_message(struct tx *tx, const struct deployment *deployment)
{
	CLEANUP(message_done) struct message message = { 0 };

	if (deployment->message == 0)
		return;
	message.head = chat_deployment_found(deployment);
	message.foot = strdup("");
	if (message.head == NULL || message.foot == NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		tx_fail(tx, ERR_NOMEM, "no memory for a message");
	else
		row_message_change(tx, deployment->message, &message);
}

void
decide_tell_question(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	leave_message(tx, deployment);
	deployment->message = 0;
	decide_tell(tx, deployment, answer);
}

void
decide_tell_team(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, answer, &shown);

	if (deployment->also_message == 0 &&
	    deployment->address.chat != tx->settings->telegram_chat_id)
		deployment->also_message = add_message(tx, &about,
		    &(struct chat_address){ .chat = tx->settings->telegram_chat_id },
		    is_question(deployment));
}

static void
ring_in(struct tx *tx, const struct chat_deployment *about, int64_t row, int64_t reply_to)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	if (!may_ring(tx, about->deployment, now.address.chat))
		return;
	message.head = chat_deployment_ring(about);
	message.foot = strdup("");
	if (message.head == NULL || message.foot == NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		tx_fail(tx, ERR_NOMEM, "no memory for an alarm");
		return;
	}
	message.address = now.address;
	message.reply_to = reply_to;
	message.reply_row = reply_to != 0 ? 0 : row;
	message.rings_for = about->deployment->id;
	if (about->deployment->state != DEPLOY_LIVE)
		add_log_buttons(tx, about->deployment, now.address.chat, &message.buttons);
	(void)row_message_add(tx, &message);
}

/* The team hears of what is bad; of the rest who asked. */
void
decide_ring(struct tx *tx, const struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t after_s = settings != NULL ? settings->notify_after_seconds : 0;
	struct shown shown;
	struct chat_deployment about = facts(tx, deployment, NULL, &shown);

	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    !chat_deployment_rings(deployment, after_s * 1000, tx->at))
		return;
	ring_in(tx, &about, deployment->message, deployment->request);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL &&
	    deployment->state != DEPLOY_LIVE)
		ring_in(tx, &about, deployment->also_message, 0);
}

static bool
stands_in(struct tx *tx, int64_t row, const struct chat_address *address)
{
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return false;
	message = row_message_get(tx, row);
	return message.address.chat == address->chat;
}

/* The message that shows it in that chat; 0: none does. */
static int64_t
message_in(struct tx *tx, const struct deployment *deployment, const struct chat_address *address)
{
	int64_t rows[OTHERS_MAX + 2] = { deployment->message, deployment->also_message };
	size_t n = 2 + row_button_list_messages(tx, deployment->id, rows + 2, OTHERS_MAX);

	for (size_t i = 0; i < n; i++)
		if (stands_in(tx, rows[i], address))
			return rows[i];
	return 0;
}

static void
reply_shared(struct tx *tx, const struct deployment *question, const struct deployment *request,
    int64_t here)
{
	CLEANUP(message_done)
	struct message message = {
		.address = request->address, .is_silent = true, .is_answer = true, .reply_row = here
	};

	message.head = chat_deployment_shared(
	    question, request->requested_by != question->requested_by ? request->requester : NULL);
	message.foot = strdup("");
	if (message.head == NULL || message.foot == NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): CLEANUP frees it */
		tx_fail(tx, ERR_NOMEM, "no memory for a reply");
	else
		(void)row_message_add(tx, &message);
}

void
decide_tell_shared(struct tx *tx, struct deployment *question, const struct deployment *request,
    const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, question, answer, &shown);
	int64_t here = message_in(tx, question, &request->address), shows = 0;
	int64_t team = tx->settings->telegram_chat_id;

	if (here != 0)
		reply_shared(tx, question, request, here);
	else
		shows = add_message(tx, &about, &request->address, false);
	if (shows != 0 && question->also_message == 0 && request->address.chat == team) {
		question->also_message = shows;
		shows = 0;
	}
	row_button_add_requester(tx, question->id, request->requested_by, shows);
	row_deployment_save(tx, question);
}
