/* decide_tell_approvers.c - asks those who approve, reminds them, and says that nobody did.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell_inside.h"

#include "chat/chat_text.h"
#include "decide/decide_chat.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_whom.h"
#include "store/row_chat.h"
#include "store/row_message.h"
#include "store/row_shown.h"

/* Each has a question and a reminder at most, and the chat in which all see it. */
_Static_assert(2 * (DECIDE_WHOM_ALL + 1) <= ROW_SHOWN_MAX, "all are edited");

/* Its sounds are not those of the work: who approves is not who asked. */
static struct decide_tell_ring
ring_of(struct tx *tx, int64_t chat, bool rings)
{
	return (struct decide_tell_ring){ .is_silent = !rings || !decide_may_ring_chat(tx, chat) };
}

bool
decide_tell_reaches_approvers(struct tx *tx, const struct deployment *work)
{
	int64_t person = 0;
	int n = 0;

	for (; n < DECIDE_WHOM_ALL && (person = decide_needs_next(tx, work, person)) != 0; n++)
		if (!row_chat_has_private(tx, person) || row_chat_is_refused(tx, person))
			return false;
	return n > 0 && n < DECIDE_WHOM_ALL;
}

/* A group need not ring a second time whoever is rung in private. */
static bool
are_all_reached(struct tx *tx, const struct deployment *work)
{
	return decide_needs_asks_in_private(tx, work->environment) &&
	    decide_tell_reaches_approvers(tx, work);
}

static int64_t
send_to(struct tx *tx, const struct chat_deployment *about, const struct chat_address *address,
    bool rings)
{
	const struct deployment *work = about->deployment;
	CLEANUP(message_done) struct message message = { 0 };

	decide_tell_render(tx, about, address->chat, &message);
	message.address = *address;
	rings = rings && (address->chat > 0 || !are_all_reached(tx, work));
	message.is_silent = ring_of(tx, address->chat, rings).is_silent;
	message.reply_to = address->chat == work->address.chat ? work->request : 0;
	return row_message_add(tx, &message);
}

/* What they were asked is the very same, as its time goes on, and nobody's yes to it is gone. */
static bool
is_as_it_was(struct tx *tx, const struct deployment *work)
{
	return row_approval_request(tx, work->id, &(struct approval_request){ 0 })->asked_at !=
	    tx->at &&
	    !row_approval_has_void(tx, work->id);
}

/* Below what was said there before, in its place; it rings where it is news. */
static void
ask_again(struct tx *tx, const struct chat_deployment *about, int64_t row, bool rings)
{
	CLEANUP(message_done) struct message now = { 0 };
	int64_t chat;
	struct decide_tell_ring ring;

	row_message_get(tx, row, &now);
	chat = now.address.chat;
	rings = rings && !is_as_it_was(tx, about->deployment);
	ring = ring_of(tx, chat, rings && (chat > 0 || !are_all_reached(tx, about->deployment)));
	decide_tell_anew(tx, about, row, &ring);
}

/* The work's own messages stay what they are; what told somebody of it asks them from now on. */
static void
ask(struct tx *tx, const struct chat_deployment *about, int64_t chat, bool rings)
{
	const struct deployment *work = about->deployment;
	int64_t row = decide_tell_find(tx, work, chat);

	if (row == 0) {
		row = send_to(tx, about, &(struct chat_address){ .chat = chat }, rings);
		row_shown_add(tx, work->id, row, SHOWN_APPROVER);
		return;
	}
	ask_again(tx, about, row, rings);
	if (row != work->message && row != work->also_message)
		row_shown_is(tx, work->id, row, SHOWN_APPROVER);
}

/* They may approve it since it was asked, by a role or second factor that is new. */
static bool
is_new_to(struct tx *tx, const struct deployment *work, int64_t person)
{
	return decide_tell_find(tx, work, person) == 0 && !row_approval_is_of(tx, work->id, person);
}

/* Each who may approve it.  To whom the bot cannot write Telegram says so once. */
static void
ask_privately(struct tx *tx, const struct chat_deployment *about, bool rings, bool only_new)
{
	const struct deployment *work = about->deployment;
	int64_t person = 0;

	for (int i = 0; i < DECIDE_WHOM_ALL && (person = decide_needs_next(tx, work, person)) != 0;
	     i++)
		if (!row_chat_is_refused(tx, person) && (!only_new || is_new_to(tx, work, person)))
			ask(tx, about, person, rings);
}

void
decide_tell_leave_others(struct tx *tx, const struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, work->id, SHOWN_APPROVER, rows);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message message = { 0 };
		struct chat_text text = CHAT_TEXT_EMPTY;

		row_message_get(tx, rows[i], &message);
		if (decide_tell_is_asked_in(tx, work, message.address.chat))
			continue;
		chat_deployment_others(&text, work);
		row_message_hush(tx, rows[i]);
		decide_change(tx, rows[i], NULL, &text);
		row_shown_drop(tx, rows[i]);
	}
}

void
decide_tell_approvers(struct tx *tx, struct deployment *deployment)
{
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);
	bool rings = decide_may_ring_approvers(tx, deployment);

	decide_tell_leave_others(tx, deployment);
	if (deployment->message == 0 &&
	    decide_tell_is_asked_in(tx, deployment, deployment->address.chat)) {
		deployment->message = send_to(tx, &about, &deployment->address, rings);
		chat = chat == deployment->address.chat ? 0 : chat;
	}
	if (chat != 0 && chat == decide_team_of(tx, deployment->environment) &&
	    chat != deployment->address.chat && deployment->also_message == 0)
		deployment->also_message =
		    send_to(tx, &about, &(struct chat_address){ .chat = chat }, rings);
	else if (chat != 0)
		ask(tx, &about, chat, rings);
	if (decide_needs_asks_in_private(tx, deployment->environment))
		ask_privately(tx, &about, rings, false);
}

void
decide_tell_approvers_in(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	ask(tx, &about, chat, false);
}

/* The question, below all else of its chat, and that it is still one. */
static void
remind_in(struct tx *tx, const struct chat_deployment *about, int64_t row, bool rings)
{
	struct chat_deployment again = *about;
	struct chat_approvals approvals = *about->approvals;
	CLEANUP(message_done) struct message now = { 0 };

	row_message_get(tx, row, &now);
	CLEANUP(message_done) struct message message = { 0 };

	approvals.is_reminder = true;
	again.approvals = &approvals;
	decide_tell_render(tx, &again, now.address.chat, &message);
	if (row == 0 || message.head == NULL)
		return;
	message.is_silent = !rings;
	row_message_renew(tx, row, &message);
}

/* Where it was asked: who was asked in private and has answered, or may not any more, is not
 * reminded. */
void
decide_tell_reminder(struct tx *tx, const struct deployment *deployment)
{
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, deployment->id, SHOWN_APPROVER, rows);
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message asked = { 0 };
		int64_t person;

		row_message_get(tx, rows[i], &asked);
		person = asked.address.chat;
		if (person != chat && decide_tell_is_asked_in(tx, deployment, person) &&
		    !row_approval_is_of(tx, deployment->id, person))
			remind_in(tx, &about, rows[i], decide_may_ring_chat(tx, person));
	}
	if (decide_needs_asks_in_private(tx, deployment->environment))
		ask_privately(tx, &about, true, true);
	if (chat != 0)
		remind_in(tx, &about, decide_tell_find(tx, deployment, chat),
		    chat > 0 || !are_all_reached(tx, deployment));
}

/* Nobody approved it in time: in each chat in which it was asked, but of whoever has approved it
 * or is rung as the requester, that is said below all else, without a sound: there is nothing left
 * to do. */
void
decide_tell_expired(struct tx *tx, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	int64_t rows[ROW_SHOWN_MAX + 2];
	size_t n = row_shown_list(tx, deployment->id, SHOWN_APPROVER, rows);
	const struct decide_tell_ring ring = { .is_silent = true };

	rows[n++] = deployment->also_message;
	rows[n++] = !deployment_is_by_request(deployment) ? deployment->message : 0;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message asked = { 0 };

		row_message_get(tx, rows[i], &asked);
		if (!row_approval_is_of(tx, deployment->id, asked.address.chat))
			decide_tell_anew(tx, about, rows[i], &ring);
	}
}
