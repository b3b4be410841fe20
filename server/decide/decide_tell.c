/* decide_tell.c - brings the messages about a deployment up to date.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell.h"

#include "chat/chat_text.h"
#include "decide/decide_allowed.h"
#include "decide/decide_application_log.h"
#include "decide/decide_asked.h"
#include "decide/decide_audit_line.h"
#include "decide/decide_chat.h"
#include "decide/decide_hold.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell_batch.h"
#include "decide/decide_tell_inside.h"
#include "decide/decide_where.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store/row_press.h"

/* People who asked for the same elsewhere, and whose messages go on with it. */
#define OTHERS_MAX 8

/* Who reads it there: in private that person, where it was asked for who asked; elsewhere a team,
 * which has a chat of that environment. */
static int64_t
reader(const struct deployment *deployment, int64_t chat)
{
	if (chat > 0)
		return chat;
	return chat == deployment->address.chat && deployment_is_by_request(deployment) ?
	    deployment->requested_by :
	    0;
}

static void
hide_tail(struct chat_deployment *shown)
{
	shown->is_tail_hidden = shown->tail[0] != '\0';
	shown->tail = "";
}

/* It waits behind work that they may not see. */
static void
hide_ahead(struct tx *tx, int64_t person, struct deployment *ahead)
{
	char target[LIMIT_ENVIRONMENT];

	if (ahead->environment[0] != '\0' &&
	    !decide_sees(tx, person, deployment_target(ahead, target)))
		ahead->environment[0] = '\0';
}

/* Its text for that person, 0 a team: without what they may not see. */
static void
render_for(struct tx *tx, const struct chat_deployment *about, int64_t person, bool shows_log,
    struct message *ret)
{
	struct chat_deployment shown = *about;
	struct deployment work = *about->deployment;
	struct deployment ahead = about->ahead != NULL ? *about->ahead : (struct deployment){ 0 };
	struct environment environment = *about->environment;
	struct holds holds = *about->holds;
	struct ran ran[RAN_SHOWN];
	size_t n_ran = 0;

	for (size_t i = 0; i < about->n_ran; i++)
		if (person == 0 || decide_sees(tx, person, about->ran[i].environment))
			ran[n_ran++] = about->ran[i];
	shown.ran = ran;
	shown.n_ran = n_ran;
	if (person != 0) {
		decide_hide(tx, person, &work);
		decide_hide_holds(tx, person, about->deployment->environment, &holds);
		hide_ahead(tx, person, &ahead);
	}
	if (strcmp(work.environment, about->deployment->environment) != 0)
		(void)text_copy(environment.name, sizeof(environment.name), work.environment);
	if (strcmp(work.client, about->deployment->client) != 0)
		shown.touches = "";
	if (!shows_log) {
		if (about->is_tail_private)
			hide_tail(&shown);
		shown.application_log = "";
	}
	shown.deployment = &work;
	shown.environment = &environment;
	shown.holds = &holds;
	shown.ahead = about->ahead != NULL ? &ahead : NULL;
	(void)chat_deployment(&shown, ret); /* without a head its row is refused */
}

/* Its message in that chat, as it is now. */
void
decide_tell_render(
    struct tx *tx, const struct chat_deployment *about, int64_t chat, struct message *ret)
{
	render_for(tx, about, reader(about->deployment, chat),
	    decide_shows_application_log(tx, about->deployment->environment, chat), ret);
	ret->buttons = decide_tell_buttons(tx, about->deployment, chat);
}

/* ... in the place of that row; 0: none. */
static void
tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	now = row_message_get(tx, row);
	decide_tell_render(tx, about, now.address.chat, &message);
	message.address = now.address;
	row_message_change(tx, row, &message);
	if (deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
		decide_audit_line_note(tx, row);
}

/* May one more sound be made for it in that chat, by coming to this state?  Not counted over all
 * chats: those of whoever asked would leave none for a team that is to read that it is down. */
bool
decide_tell_may_ring(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	return (size_t)row_message_count_rings(tx, deployment->id, chat) <=
	    chat_deployment_rings_before(deployment->state);
}

/* What stands is made of more than its rows (what git said), and stays where nothing is hidden from
 * them. */
static char *
text_in_progress(
    struct tx *tx, const struct deployment *work, struct message *stands, int64_t person)
{
	CLEANUP(message_done) struct message whole = { 0 };
	CLEANUP(message_done) struct message theirs = { 0 };
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, work, NULL, &shown);

	render_for(tx, &about, reader(work, stands->address.chat), false, &whole);
	render_for(tx, &about, person, false, &theirs);
	if (whole.head == NULL || theirs.head == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a message");
		return NULL;
	}
	return strcmp(whole.head, theirs.head) == 0 ? TAKE(stands->head) : TAKE(theirs.head);
}

/* It stands with others, of which they may see none: its own question, without what git said. */
static char *
text_of_own(struct tx *tx, const struct deployment *work, int64_t person)
{
	CLEANUP(message_done) struct message theirs = { 0 };
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, work, NULL, &shown);

	render_for(tx, &about, person, false, &theirs);
	if (theirs.head == NULL)
		tx_fail(tx, ERR_NOMEM, "no memory for a message");
	return TAKE(theirs.head);
}

char *
decide_tell_text(struct tx *tx, const struct deployment *work, int64_t person)
{
	CLEANUP(message_done) struct message stands = row_message_get(tx, work->message);
	bool is_theirs = person == reader(work, stands.address.chat);
	char *text;

	if (stands.head == NULL)
		return NULL;
	if (decide_tell_batch_has(tx, work))
		return text_of_own(tx, work, person);
	if (deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL)
		return is_theirs ? TAKE(stands.head) : text_in_progress(tx, work, &stands, person);
	if (!is_theirs && !decide_sees(tx, person, work->environment))
		return NULL;
	if (deployment_is_action(work) ||
	    decide_is_allowed(tx, person, POLICY_LOG, work->environment))
		return TAKE(stands.head);
	text = chat_deployment_without_log(stands.head, decide_tail_is_private(tx, work));
	if (text == NULL)
		tx_fail(tx, ERR_NOMEM, "no memory for a message");
	return text;
}

/* A message of its own; an edit makes no sound.  asks: it is a question that nobody waits for. */
static int64_t
add_message(struct tx *tx, const struct chat_deployment *about, const struct chat_address *address,
    bool asks)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message message = { 0 };
	int64_t row;

	decide_tell_render(tx, about, address->chat, &message);
	message.address = *address;
	message.is_silent = !asks || !decide_tell_may_ring(tx, deployment, address->chat) ||
	    !decide_may_ring_question(tx, deployment);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	if (asks && address->chat == deployment->address.chat)
		message.reply_to = deployment->request;
	row = row_message_add(tx, &message);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		decide_audit_line_note(tx, row);
	return row;
}

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
	decide_change(tx, row, &buttons, &text);
}

/* Those in groups show each approval; a person's own is edited once, when it is decided, and when
 * they (acted; 0: nobody) have said yes or withdrawn it. */
static void
tell_approvers(struct tx *tx, const struct chat_deployment *about, int64_t acted)
{
	bool is_decided = about->deployment->state != DEPLOY_AWAITING_APPROVAL;
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, about->deployment->id, false, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message now = row_message_get(tx, rows[i]);

		if (now.address.chat < 0 || (now.address.chat == acted && !is_decided) ||
		    deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
			tell_in(tx, about, rows[i]);
		else if (is_decided)
			edit_decided(tx, about, rows[i], &now);
	}
	if (deploy_flow_class(about->deployment->state) != DEPLOY_CLASS_FINAL)
		return;
	n = row_approval_list_messages(tx, about->deployment->id, true, rows);
	for (size_t i = 0; i < n; i++)
		tell_in(tx, about, rows[i]);
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

	if (is_said)
		; /* with others */
	else if (deployment->message == 0)
		deployment->message = add_message(
		    tx, &about, &deployment->address, decide_tell_is_question(deployment));
	else
		tell_in(tx, &about, deployment->message);
	if (was_together) /* who told it may not save it: another's message is none of its */
		row_deployment_save(tx, deployment);
	tell_in(tx, &about, deployment->also_message);
	n = row_button_list_messages(tx, deployment->id, others, COUNT(others));
	for (size_t i = 0; i < n; i++)
		tell_in(tx, &about, others[i]);
	tell_approvers(tx, &about, 0);
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
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows);

	for (size_t i = 0; i < n; i++)
		tell_in(tx, &about, rows[i]);
}

/* The question stands below; what stood for it says so. */
void
decide_tell_leave(struct tx *tx, const struct deployment *deployment, int64_t row)
{
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	message.head = chat_deployment_found(deployment);
	row_message_change(tx, row, &message);
}

void
decide_tell_question(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	decide_tell_leave(tx, deployment, deployment->message);
	deployment->message = 0;
	decide_tell(tx, deployment, answer);
}

void
decide_tell_chosen(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, answer, &shown);

	deployment->message = add_message(tx, &about, &deployment->address, false);
}

void
decide_tell_team(struct tx *tx, struct deployment *deployment, const struct git_answer *answer)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, answer, &shown);
	int64_t team = decide_chat_of(tx, deployment->environment);

	if (deployment->also_message == 0 && deployment->address.chat != team)
		deployment->also_message = add_message(tx, &about,
		    &(struct chat_address){ .chat = team }, decide_tell_is_question(deployment));
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
	int64_t stands = decide_asked_in(tx, question, &request->address);
	CLEANUP(message_done) struct message message = row_message_get(tx, request->message);
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, question, answer, &shown);
	CLEANUP(message_done) struct message now = { 0 };

	decide_tell_render(tx, &about, message.address.chat, &now);
	now.address = message.address;
	free(message.head);
	message.head = chat_deployment_shared(question,
	    request->requested_by != question->requested_by ? request->requester : NULL, now.head);
	free(now.head);
	now.head = TAKE(message.head);
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
	int64_t team = decide_chat_of(tx, question->environment), shows = 0;

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
	row_deployment_save(tx, question);
}
