/* decide_tell_render.c - a message about a deployment as one chat may read it: sent, edited, renewed.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_inside.h"

#include <stdio.h>

#include "decide/who/decide_allowed.h"
#include "decide/view/decide_application_log.h"
#include "decide/audit/decide_audit_line.h"
#include "decide/hold/decide_hold.h"
#include "decide/decide_limit.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_loan_list.h"
#include "decide/work/decide_promotion.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_message.h"
#include "types/loan.h"
#include "types/principal.h"

/* Git mostly answers sooner: that it is asked is said where it does not. */
#define MOMENT_MS 1500

/* Who reads it there: in private that person, where it was asked for who asked; elsewhere, and of
 * what a program asked for, a team, which has a chat of that environment. */
static int64_t
reader(const struct deployment *deployment, int64_t chat)
{
	if (chat > 0)
		return chat;
	return chat == deployment->address.chat && deployment_is_by_request(deployment) &&
		!principal_is_program(deployment->requested_by) ?
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
	if (ahead->environment[0] != '\0' &&
	    !decide_sees(tx, person, deployment_target_here(ahead)))
		ahead->environment[0] = '\0';
}

/* Its text for that person, 0 a team: without what they may not see. */
static void
render_for(struct tx *tx, const struct chat_deployment *about, int64_t person, bool shows_log,
    struct message *ret)
{
	struct chat_deployment shown = *about;
	CLEANUP(freep) struct deployment *work = mem_copy(about->deployment, sizeof(*work));
	CLEANUP(freep)
	struct deployment *ahead =
	    about->ahead == NULL ? NULL : mem_copy(about->ahead, sizeof(*ahead));
	CLEANUP(freep)
	struct environment *environment = mem_copy(about->environment, sizeof(*environment));
	CLEANUP(freep) struct holds *holds = mem_copy(about->holds, sizeof(*holds));
	struct promotion promotion;
	struct ran ran[RAN_SHOWN];
	struct chat_history since;
	size_t n_ran = 0;

	for (size_t i = 0; i < about->n_ran; i++)
		if (person == 0 || decide_sees(tx, person, about->ran[i].environment))
			ran[n_ran++] = about->ran[i];
	shown.ran = ran;
	shown.n_ran = n_ran;
	if (about->promotion != NULL && !decide_promotion_is_seen(tx, person, about->promotion)) {
		promotion = *about->promotion;
		promotion.from[0] = '\0';
		shown.promotion = &promotion;
	}
	if (person != 0) {
		decide_hide(tx, person, work);
		decide_hide_holds(tx, person, about->deployment->environment, holds);
		if (ahead != NULL)
			hide_ahead(tx, person, ahead);
	}
	if (strcmp(work->environment, about->deployment->environment) != 0)
		text_set(environment->name, work->environment);
	if (strcmp(work->client, about->deployment->client) != 0)
		shown.touches = shown.newest.absent = "";
	if (!shows_log) {
		if (about->is_tail_private)
			hide_tail(&shown);
		shown.application_log = "";
	}
	if (person != 0 && deployment_is_loan(work) && about->since != NULL) {
		since = *about->since;
		since.cannot_end = !decide_loan_may_end(tx, person, about->deployment);
		shown.since = &since;
	}
	shown.deployment = work;
	shown.environment = environment;
	shown.holds = holds;
	shown.ahead = ahead;
	(void)chat_deployment(&shown, ret); /* without a head its row is refused */
}

/* "kv2 secret django/database for 10 min at most": what a loan reads at Vault is for who asked for
 * it, and for who says yes, in private alone. */
static const char *
touches_for(struct tx *tx, const struct chat_deployment *about, int64_t chat,
    char ret[DECIDE_TOUCHES + LIMIT_LOAN_PATH])
{
	const struct deployment *work = about->deployment;
	struct loan loan;

	if (chat < 0 || !deployment_is_loan(work) ||
	    (chat != work->requested_by && !decide_needs_may_in(tx, work, chat)) ||
	    !loan_of(tx->settings, work->argument, work->environment, &loan))
		return about->touches;
	(void)snprintf(ret, DECIDE_TOUCHES + LIMIT_LOAN_PATH, "%s %s", loan.path, about->touches);
	return ret;
}

void
decide_tell_render(
    struct tx *tx, const struct chat_deployment *about, int64_t chat, struct message *ret)
{
	char touches[DECIDE_TOUCHES + LIMIT_LOAN_PATH];
	struct chat_deployment shown = *about;

	shown.touches = touches_for(tx, about, chat, touches);
	render_for(tx, &shown, reader(about->deployment, chat),
	    decide_shows_application_log(tx, about->deployment->environment, chat), ret);
	decide_tell_buttons(tx, about->deployment, chat, &ret->buttons);
}

/* It says no more than that git is asked, for the first time or again behind a yes: that is a call
 * of the group's minute for what is over in a moment. */
static int64_t
held_until(struct tx *tx, const struct deployment *deployment)
{
	bool asks_git = deployment->state == DEPLOY_REQUESTED ||
	    (deployment->state == DEPLOY_AWAITING_CONFIRMATION && deployment->confirmed_by != 0);

	return asks_git ? tx->at + MOMENT_MS : 0;
}

void
decide_tell_change(
    struct tx *tx, const struct chat_deployment *about, int64_t row, struct message *message)
{
	const struct deployment *work = about->deployment;
	bool is_ended = deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;
	bool ends_now = is_ended && work->ended_at == tx->at;
	/* Behind the end of its work: until then it says that it may still be used. */
	bool loan_is_over = about->since != NULL && about->since->loan >= CHAT_LOAN_REVOKED;

	if (!decide_tell_is_question(work) && (!is_ended || ends_now))
		row_message_hush(tx, row);
	message->is_closing = ends_now || loan_is_over;
	row_message_change(tx, row, message);
}

void
decide_tell_in(struct tx *tx, const struct chat_deployment *about, int64_t row)
{
	CLEANUP(message_done) struct message now = { 0 };
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0)
		return;
	row_message_get(tx, row, &now);
	decide_tell_render(tx, about, now.address.chat, &message);
	message.address = now.address;
	message.held_until = held_until(tx, about->deployment);
	decide_tell_change(tx, about, row, &message);
	if (deploy_flow_class(about->deployment->state) == DEPLOY_CLASS_FINAL)
		decide_audit_line_note(tx, row);
}

/* Not counted over all chats: those of whoever asked would leave none for a team that is to read
 * that it is down. */
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
		tx_fail(tx, ERR_LIMIT, "a message is too long");
		return NULL;
	}
	return strcmp(whole.head, theirs.head) == 0 ? TAKE(stands->head) : TAKE(theirs.head);
}

/* It stands with others, of which they may see none: its own question, without what git said.  Of a
 * loan what stands in private has more than a group may read. */
static char *
text_of_own(struct tx *tx, const struct deployment *work, int64_t person)
{
	CLEANUP(message_done) struct message theirs = { 0 };
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, work, NULL, &shown);

	render_for(tx, &about, person, false, &theirs);
	if (theirs.head == NULL)
		tx_fail(tx, ERR_LIMIT, "a message is too long");
	return TAKE(theirs.head);
}

char *
decide_tell_text(struct tx *tx, const struct deployment *work, int64_t person)
{
	CLEANUP(message_done) struct message stands = { 0 };
	bool is_theirs;
	char *text;

	row_message_get(tx, work->message, &stands);
	is_theirs = person == reader(work, stands.address.chat);
	if (stands.head == NULL)
		return NULL;
	if (decide_tell_batch_has(tx, work) ||
	    (deployment_is_loan(work) && deploy_flow_class(work->state) != DEPLOY_CLASS_FINAL))
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
		tx_fail(tx, ERR_LIMIT, "a message is too long");
	return text;
}

void
decide_tell_notice(struct tx *tx, const struct deployment *work, char ret[NOTIFY_TEXT])
{
	CLEANUP(message_done) struct message whole = { 0 };
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, work, NULL, &shown);
	const char *head, *end;
	size_t size;

	render_for(tx, &about, 0, false, &whole);
	head = whole.head == NULL ? "" : whole.head;
	size = strcspn(head, MARK_PRE MARK_QUOTE);
	end = strstr(head, "\n\n");
	if (end != NULL && (size_t)(end - head) < size)
		size = (size_t)(end - head);
	while (size >= NOTIFY_TEXT || (size > 0 && head[size - 1] == '\n'))
		size = size < NOTIFY_TEXT ? size - 1 : text_cut(head, size, NOTIFY_TEXT - 1);
	(void)snprintf(ret, NOTIFY_TEXT, "%.*s", (int)size, head);
}

int64_t
decide_tell_add(struct tx *tx, const struct chat_deployment *about,
    const struct chat_address *address, bool asks)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message message = { 0 };
	int64_t row;

	decide_tell_render(tx, about, address->chat, &message);
	message.address = *address;
	message.is_silent = !asks || !decide_tell_may_ring(tx, deployment, address->chat) ||
	    !decide_may_ring_question(tx, deployment);
	message.rings_for = message.is_silent ? 0 : deployment->id;
	message.held_until = held_until(tx, deployment);
	if (asks && address->chat == deployment->address.chat)
		message.reply_to = deployment->request;
	row = row_message_add(tx, &message);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		decide_audit_line_note(tx, row);
	return row;
}

void
decide_tell_anew(struct tx *tx, const struct chat_deployment *about, int64_t row,
    const struct decide_tell_ring *ring)
{
	const struct deployment *deployment = about->deployment;
	CLEANUP(message_done) struct message now = { 0 };

	row_message_get(tx, row, &now);
	CLEANUP(message_done) struct message message = { 0 };

	if (row == 0 || now.id == 0)
		return; /* gone by age */
	decide_tell_render(tx, about, now.address.chat, &message);
	message.is_silent = ring->is_silent;
	message.rings_for = ring->counts ? deployment->id : 0;
	message.is_alarm = ring->is_alarm && !ring->is_silent;
	message.reply_to = now.address.chat == deployment->address.chat ? deployment->request : 0;
	row_message_renew(tx, row, &message);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL)
		decide_audit_line_note(tx, row);
}
