/* decide_tell.c - renders what the messages about a deployment say.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell.h"

#include <stdio.h>

#include "chat/chat_deployment.h"
#include "chat/chat_text.h"
#include "decide/decide_chat.h"
#include "decide/decide_hold.h"
#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_block.h"
#include "store/row_environment.h"
#include "store/row_claim.h"
#include "store/row_message.h"
#include "store/row_queue.h"
#include "store/row_button.h"

/* People who asked for the same elsewhere, and whose messages go on with it. */
#define OTHERS_MAX 8

/* The one that stands for it in this chat already, or a new one. */
static void
add_button(struct tx *tx, const struct request *request, int64_t chat, const char *label,
    struct buttons *buttons)
{
	struct button_row row = row_button_find(tx, request, chat);

	if (row.id[0] == '\0')
		row = (struct button_row){ .request = *request, .chat = chat };
	row_button_show(tx, &row, label, buttons);
}

static void
add_answer(struct tx *tx, const struct deployment *deployment, const char *answer, int64_t chat,
    const char *label, struct buttons *buttons)
{
	struct request request = request_about("confirm", "work", deployment->id);

	request_add(&request, "answer", answer);
	add_button(tx, &request, chat, label, buttons);
}

static void
add_log_button(struct tx *tx, int64_t run, int64_t chat, const char *label, struct buttons *buttons)
{
	const struct request request = request_about("log", "run", run);

	if (run != 0)
		add_button(tx, &request, chat, label, buttons);
}

/* What went wrong stands in the log of the deployment, also when a rollback came after it. */
static void
add_log_buttons(
    struct tx *tx, const struct deployment *deployment, int64_t chat, struct buttons *buttons)
{
	int64_t run = row_run_newest(tx, deployment->id, deployment->program);
	int64_t back = deployment->program == PROGRAM_DEPLOY ?
	    row_run_newest(tx, deployment->id, PROGRAM_ROLLBACK) :
	    0;

	add_log_button(tx, run, chat, "📄 Log", buttons);
	add_log_button(tx, back, chat, "📄 Rollback log", buttons);
}

static const char *
label_of_yes(const struct deployment *deployment, char out[LIMIT_BUTTON])
{
	if (deployment->is_behind && deployment->program == PROGRAM_DEPLOY)
		(void)snprintf(out, LIMIT_BUTTON, "↩️ Go back to %.7s", deployment->commit);
	else
		(void)text_copy(out, LIMIT_BUTTON,
		    deployment_is_action(deployment)	   ? "✅ Confirm" :
			deployment->is_forward		   ? "↪️ Roll forward" :
			deployment_is_rollback(deployment) ? "↩️ Roll back" :
			deployment->is_again		   ? "🔁 Deploy again" :
							     "✅ Confirm");
	return out;
}

static struct buttons
buttons_for(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	const struct request cancel = request_about("cancel", "work", deployment->id);
	struct buttons buttons = { 0 };
	char label[LIMIT_BUTTON];

	if (deployment->state == DEPLOY_QUEUED && deployment->is_asked_anew)
		add_answer(tx, deployment, "yes", chat, label_of_yes(deployment, label), &buttons);
	if (deployment->state == DEPLOY_AWAITING_CONFIRMATION) {
		if (deployment->confirmed_by == 0)
			add_answer(
			    tx, deployment, "yes", chat, label_of_yes(deployment, label), &buttons);
		/* A rollback has this one: it is asked for in a hurry, a button beside it is there
		 * to be hit by mistake, and a question that is left alone keeps nobody waiting. */
		if (!deployment_is_rollback(deployment))
			add_answer(tx, deployment, "no", chat, "✖️ Cancel", &buttons);
	}
	if (deployment_may_be_cancelled(deployment))
		add_button(tx, &cancel, chat, "✋ Cancel", &buttons);
	add_log_buttons(tx, deployment, chat, &buttons);
	return buttons;
}

/* Rows that its texts are made of. */
struct shown {
	struct environment environment;
	struct release to;
	size_t position;
	struct deployment ahead; /* id 0: none */
	struct block block;
	struct holds holds;
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

/* Who asked for it, or of a push the team of its application, may not see what it waits for. */
static bool
is_hidden(const struct tx *tx, const struct deployment *deployment, const char *environment)
{
	return deployment->trigger == TRIGGER_CHAT ?
	    !policy_sees(
		tx->settings, principal_of_person(deployment->requested_by), environment, tx->at) :
	    settings_of(tx->settings, environment) !=
		settings_of(tx->settings, deployment->environment);
}

/* Where it stands in its queue, and behind what; or who has what it waits for. */
static void
find_position(struct tx *tx, const struct deployment *deployment, struct shown *shown)
{
	int64_t holder = row_claim_before(tx, deployment->waits_for, deployment->place);
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(tx, deployment->environment, ids);

	for (size_t i = 0; i < n && shown->position == 0; i++)
		shown->position = ids[i] == deployment->id ? i + 1 : 0;
	if (holder != 0)
		shown->ahead = row_deployment_get(tx, holder);
	else if (shown->position > 1)
		shown->ahead = row_deployment_get(tx, ids[shown->position - 2]);
	else
		shown->ahead = row_deployment_active(tx, deployment->environment);
	if (holder != 0 && is_hidden(tx, deployment, shown->ahead.environment))
		shown->ahead.environment[0] = '\0';
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
	shown->position = 0;
	shown->ahead.id = 0;
	if (deployment->state == DEPLOY_QUEUED)
		find_position(tx, deployment, shown);
	shown->holds.n = 0;
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_OPEN ||
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_QUEUED)
		decide_holds(tx, deployment->environment, &shown->holds);
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
		.holds = &shown->holds,
		.position = shown->position,
		.ahead = shown->ahead.id != 0 ? &shown->ahead : NULL,
		.release = shown->environment.current.number,
		.rollback_not_started = deployment->state == DEPLOY_ROLLBACK_FAILED &&
		    row_run_never_began(tx, deployment->run),
		.host = tx->settings->host,
		.at = tx->at,
	};
}

/* Its message in that chat, as it is now. */
static void
render(struct tx *tx, const struct chat_deployment *about, int64_t chat, struct message *ret)
{
	(void)chat_deployment(about, ret); /* without a head its row is refused */
	ret->buttons = buttons_for(tx, about->deployment, chat);
}

static void
tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	render(tx, about, now.address.chat, &message);
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
	return deployment->state == DEPLOY_AWAITING_CONFIRMATION ||
	    (deployment->state == DEPLOY_QUEUED && deployment->is_asked_anew);
}

/* A message of its own; an edit makes no sound.  asks: it is a question that nobody waits for. */
static int64_t
add_message(struct tx *tx, const struct chat_deployment *about, const struct chat_address *address,
    bool asks)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message message = { 0 };

	render(tx, about, address->chat, &message);
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
	int64_t team = decide_chat_of(tx, deployment->environment);

	if (deployment->also_message == 0 && deployment->address.chat != team)
		deployment->also_message = add_message(
		    tx, &about, &(struct chat_address){ .chat = team }, is_question(deployment));
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

/* To who asked alone: a reply to the request.  Takes the text. */
static void
reply_requester(
    struct tx *tx, const struct deployment *deployment, bool rings, struct chat_text *text)
{
	CLEANUP(message_done) struct message message = { .address = deployment->address };

	message.is_silent = !rings || !may_ring(tx, deployment, deployment->address.chat);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	message.reply_to = deployment->request;
	message.head = chat_text_take(text);
	(void)row_message_add(tx, &message);
}

/* It rings where the wait was long. */
void
decide_tell_turn(struct tx *tx, const struct deployment *deployment, bool is_next)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t patience_ms = settings != NULL ? settings->notify_after_seconds * INT64_C(1000) : 0;
	struct chat_text text;

	chat_deployment_turn(&text, deployment, is_next);
	reply_requester(tx, deployment, tx->at - deployment->queued_at > patience_ms, &text);
}

void
decide_tell_given(struct tx *tx, const struct deployment *from, const struct deployment *to)
{
	struct chat_text text;

	chat_deployment_given(&text, from, "your place went to ", to->requester);
	reply_requester(tx, from, false, &text);
	chat_deployment_given(&text, to, "you have the place of ", from->requester);
	reply_requester(tx, to, true, &text);
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
	(void)row_message_add(tx, &message);
}

void
decide_tell_shared(struct tx *tx, struct deployment *question, const struct deployment *request,
    const struct git_answer *answer)
{
	struct shown shown;
	struct chat_deployment about = facts(tx, question, answer, &shown);
	int64_t here = message_in(tx, question, &request->address), shows = 0;
	int64_t team = decide_chat_of(tx, question->environment);

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
