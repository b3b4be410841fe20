/* decide_tell.c - brings the messages about a deployment up to date.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell.h"

#include "chat/chat_text.h"
#include "decide/question/decide_standing.h"
#include "decide/decide_chat.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/tell/decide_tell_inside.h"
#include "store/row_actor.h"
#include "store/row_button.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_message.h"
#include "store/row_press.h"

/* People who asked for the same elsewhere, and whose messages go on with it. */
#define OTHERS_MAX 8

/* That it goes on, and no more: how it ends stands where it was asked for. */
static void
edit_decided(
    struct tx *tx, const struct chat_deployment *about, int64_t row, const struct message *now)
{
	struct buttons buttons = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_deployment_decided(&text, about->deployment);
	if (about->deployment->state == DEPLOY_QUEUED)
		decide_tell_add_approval(tx, about->deployment, now->address.chat, &buttons);
	row_message_hush(tx, row);
	decide_change(tx, row, &buttons, &text);
}

/* It is approved, and Vault has not made it yet. */
static bool
waits_for_vault(const struct deployment *work)
{
	return deployment_is_loan(work) && work->state == DEPLOY_RUNNING && work->detail[0] != '\0';
}

/* Those in groups show each approval; a person's own is edited once, when it is decided, and when
 * they (acted; 0: nobody) have said yes or withdrawn it. */
static void
tell_approvers(struct tx *tx, const struct chat_deployment *about, int64_t acted)
{
	bool is_decided = about->deployment->state != DEPLOY_AWAITING_APPROVAL;
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, about->deployment->id, SHOWN_APPROVER, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message now = { 0 };

		row_message_get(tx, rows[i], &now);
		if (now.address.chat < 0 || (now.address.chat == acted && !is_decided) ||
		    waits_for_vault(about->deployment) ||
		    deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
			decide_tell_in(tx, about, rows[i]);
		else if (is_decided)
			edit_decided(tx, about, rows[i], &now);
	}
	if (deploy_flow_class(about->deployment->state) != DEPLOY_CLASS_FINAL)
		return;
	n = row_shown_list(tx, about->deployment->id, SHOWN_LINE, rows);
	for (size_t i = 0; i < n; i++)
		decide_tell_in(tx, about, rows[i]);
}

void
decide_tell(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, answer, &shown);
	bool was_together = decide_tell_batch_has(tx, deployment);
	bool is_said = was_together && decide_tell_batch_tell(tx, deployment);
	int64_t others[OTHERS_MAX];
	size_t n;

	if (is_said || (tx->unshown == deployment->id && deployment->message == 0))
		; /* with others, or not */
	else if (deployment->message == 0)
		deployment->message = decide_tell_add(
		    tx, &about, &deployment->address, decide_tell_is_question(deployment));
	else
		decide_tell_in(tx, &about, deployment->message);
	if (was_together) /* who told it may not save it: another's message is none of its */
		row_deployment_save(tx, deployment);
	decide_tell_in(tx, &about, deployment->also_message);
	n = row_button_list_messages(tx, deployment->id, others, COUNT(others));
	for (size_t i = 0; i < n; i++)
		decide_tell_in(tx, &about, others[i]);
	decide_tell_copies(tx, &about);
	decide_tell_batch_answered(tx, deployment);
	if (deployment->state == DEPLOY_AWAITING_APPROVAL)
		decide_tell_leave_others(tx, deployment);
	tell_approvers(tx, &about, 0);
}

void
decide_tell_live_before(struct tx *tx, const struct deployment *down)
{
	struct environment environment;
	struct deployment live;

	row_environment_get(tx, down->environment, &environment);
	row_deployment_get(tx, environment.current.deployment, &live);
	if (live.id != 0 && live.id != down->id &&
	    (row_effect_find(tx, EFFECT_SEND_MESSAGE, live.message) != 0 ||
		row_effect_find(tx, EFFECT_SEND_MESSAGE, live.also_message) != 0))
		decide_tell(tx, &live, NULL);
}

void
decide_tell_approver(struct tx *tx, const struct deployment *deployment, int64_t person)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	tell_approvers(tx, &about, person);
}

void
decide_tell_listed(struct tx *tx, const struct deployment *deployment)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, deployment->id, SHOWN_APPROVER, rows);

	for (size_t i = 0; i < n; i++)
		decide_tell_in(tx, &about, rows[i]);
}

/* Whoever asked is still looking: what said that git is asked becomes the question.  Where git took
 * longer, or it is asked anew, nobody is. */
static bool
is_looked_at(struct tx *tx, const struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t patience_ms = settings != NULL ? settings->notify_after_seconds * INT64_C(1000) : 0;

	return deployment->changed[0] == '\0' && deployment->confirmed_by == 0 &&
	    row_message_is_sent(tx, deployment->message) &&
	    tx->at - deployment->requested_at <= patience_ms;
}

void
decide_tell_question(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	int64_t row = deployment->message;
	struct decide_tell_rows shown;
	struct chat_deployment about;
	struct decide_tell_ring ring = { .counts = true };

	if (row == 0 || is_looked_at(tx, deployment)) {
		decide_tell(tx, deployment, answer);
		return;
	}
	about = decide_tell_facts(tx, deployment, answer, &shown);
	ring.is_silent = !decide_tell_may_ring(tx, deployment, deployment->address.chat) ||
	    !decide_may_ring_question(tx, deployment);
	decide_tell_anew(tx, &about, row, &ring);
	decide_tell(tx, deployment, answer);
}

void
decide_tell_chosen(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, answer, &shown);

	deployment->message = decide_tell_add(tx, &about, &deployment->address, false);
	decide_tell_add_copies(tx, &about, false);
}

void
decide_tell_copy_stays(
    struct tx *tx, const struct effect_delete_message *deleted, const char *failure)
{
	struct message copy = { .address.chat = deleted->chat, .remote_id = deleted->remote_id };
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (failure[0] == '\0')
		return;
	chat_text_add(&text, CHAT_SAID_BELOW);
	(void)decide_send_as(tx, &copy, &text);
}

/* What stands in its place in that chat from now on; what stood there says so. */
static void
move_question(struct tx *tx, struct deployment *question, int64_t from, int64_t to)
{
	CLEANUP(message_done) struct message message = { 0 };

	message.head = chat_deployment_moved(question);
	row_message_change(tx, from, &message);
	if (question->message == from)
		question->message = to;
	else if (question->also_message == from)
		question->also_message = to;
	else
		row_button_move_message(tx, question->id, from, to);
}

/* The message that asked git for it goes on as the question: there is one, and it has the buttons.
 * Returns it, where the question did not stand in that chat; 0: it did. */
static int64_t
show_in(struct tx *tx, struct deployment *question, const struct deployment *request,
    const struct git_answer *answer)
{
	int64_t stands = decide_standing_in(tx, question, &request->address);
	CLEANUP(message_done) struct message message = { 0 };
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, question, answer, &shown);
	CLEANUP(message_done) struct message now = { 0 };

	row_message_get(tx, request->message, &message);
	decide_tell_render(tx, &about, message.address.chat, &now);
	now.address = message.address;
	if (deploy_flow_class(question->state) != DEPLOY_CLASS_FINAL) { /* which a look may do */
		free(message.head);
		message.head = chat_deployment_shared(question,
		    request->requested_by != question->requested_by ? request->requester : NULL,
		    now.head);
		free(now.head);
		now.head = TAKE(message.head);
	}
	row_message_change(tx, request->message, &now);
	if (stands == 0)
		return request->message;
	move_question(tx, question, stands, request->message);
	return 0;
}

void
decide_tell_shared(struct tx *tx, struct deployment *question, struct deployment *request,
    const struct git_answer *answer)
{
	int64_t team = decide_team_of(tx, question->environment), shows = 0;

	if (request->address.chat != 0 && request->message != 0) {
		shows = show_in(tx, question, request, answer);
		request->message = 0; /* it is the question's */
		row_deployment_save(tx, request);
	}
	if (shows != 0 && question->also_message == 0 && request->address.chat == team) {
		question->also_message = shows;
		shows = 0;
	}
	row_button_add_requester(tx, question->id, request->requested_by, shows);
	row_press_share(tx, request->id, question->id);
	row_actor_share(tx, request->id, question->id);
	row_deployment_save(tx, question);
}
