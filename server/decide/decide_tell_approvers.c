/* decide_tell_approvers.c - asks those who approve, reminds them, and says that nobody did.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_tell_inside.h"

#include "chat/chat_text.h"
#include "decide/decide_chat.h"
#include "decide/decide_limit.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell.h"
#include "store/row_chat.h"
#include "store/row_message.h"

/* Approvers who are asked in private, beside the chat in which all see it. */
#define ASKED_PRIVATELY 24
_Static_assert(2 * (ASKED_PRIVATELY + 1) <= ROW_APPROVAL_MESSAGES, "all are edited, reminders too");

/* Its sounds are not those of the work: who approves is not who asked. */
static int64_t
ask_in(struct tx *tx, const struct chat_deployment *about, int64_t chat, bool rings)
{
	CLEANUP(message_done) struct message message = { 0 };

	decide_tell_render(tx, about, chat, &message);
	message.address.chat = chat;
	message.is_silent = !rings || !decide_may_ring_chat(tx, chat);
	if (chat == about->deployment->address.chat) {
		message.address = about->deployment->address;
		message.reply_to = about->deployment->request;
	}
	return row_message_add(tx, &message);
}

/* What was asked there before is asked below. */
static void
leave_approvers(struct tx *tx, const struct deployment *deployment)
{
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows);

	for (size_t i = 0; i < n; i++)
		decide_tell_leave(tx, deployment, rows[i]);
	row_approval_clear_messages(tx, deployment->id, false);
}

/* Who may approve it, and has written to the bot: it cannot write first. */
static void
ask_privately(struct tx *tx, const struct chat_deployment *about, int64_t chat, bool rings)
{
	const struct deployment *work = about->deployment;
	int64_t person = 0;

	for (int i = 0;
	     i < ASKED_PRIVATELY && (person = decide_needs_next(tx, work, person)) != 0;) {
		if (person == chat || person == work->address.chat ||
		    !row_chat_has_private(tx, person))
			continue;
		row_approval_add_message(tx, work->id, ask_in(tx, about, person, rings), false);
		i++;
	}
}

void
decide_tell_approvers(struct tx *tx, struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);
	bool rings = decide_may_ring_approvers(tx, deployment);

	leave_approvers(tx, deployment);
	if (chat == deployment->address.chat) {
		decide_tell_leave(tx, deployment, deployment->message);
		deployment->message = ask_in(tx, &about, chat, rings);
	} else if (chat == decide_chat_of(tx, deployment->environment)) {
		decide_tell_leave(tx, deployment, deployment->also_message);
		deployment->also_message = ask_in(tx, &about, chat, rings);
	} else {
		row_approval_add_message(
		    tx, deployment->id, ask_in(tx, &about, chat, rings), false);
	}
	if (settings == NULL || settings->approval_chat == 0)
		ask_privately(tx, &about, chat, rings);
}

/* It says how that went on, too. */
static void
remind_in(
    struct tx *tx, const struct chat_deployment *about, int64_t chat, int64_t question, bool rings)
{
	struct message message = {
		.address.chat = chat, .reply_row = question, .is_silent = !rings
	};
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_deployment_reminder(&text, about);
	decide_tell_add_approval(tx, about->deployment, chat, &message.buttons);
	row_approval_add_message(
	    tx, about->deployment->id, decide_send_as(tx, &message, &text), false);
}

void
decide_tell_approvers_in(struct tx *tx, const struct deployment *deployment, int64_t chat)
{
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	row_approval_add_message(tx, deployment->id, ask_in(tx, &about, chat, false), false);
}

/* Where it was asked: who was asked in private and has answered, or may not any more, is not
 * reminded. */
void
decide_tell_reminder(struct tx *tx, const struct deployment *deployment)
{
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	int64_t question =
	    chat == deployment->address.chat ? deployment->message : deployment->also_message;
	int64_t rows[ROW_APPROVAL_MESSAGES];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows);
	struct decide_tell_rows shown;
	struct chat_deployment about = decide_tell_facts(tx, deployment, NULL, &shown);

	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message asked = row_message_get(tx, rows[i]);
		int64_t person = asked.address.chat;

		if (person == chat)
			question = rows[i];
		else if (decide_tell_is_asked_in(tx, deployment, person) &&
		    !row_approval_is_of(tx, deployment->id, person))
			remind_in(tx, &about, person, rows[i], decide_may_ring_chat(tx, person));
	}
	remind_in(tx, &about, chat, question, true);
}

static void
say_expired_in(struct tx *tx, const struct chat_deployment *about, int64_t chat, int64_t question)
{
	CLEANUP(message_done)
	struct message message = { .address.chat = chat, .reply_row = question, .is_silent = true };

	message.head = chat_deployment_ring(about, true);
	(void)row_message_add(tx, &message);
}

/* Nobody approved it in time: in each chat in which it was asked, but of whoever has approved it
 * or is rung as the requester, that is said once, without a sound: there is nothing left to do,
 * and the question on their lock screen stays as it was. */
void
decide_tell_expired(struct tx *tx, const struct chat_deployment *about)
{
	const struct deployment *deployment = about->deployment;
	int64_t chat = decide_needs_chat(tx, deployment->environment);
	int64_t question =
	    chat == deployment->address.chat ? deployment->message : deployment->also_message;
	int64_t rows[ROW_APPROVAL_MESSAGES], said[ROW_APPROVAL_MESSAGES + 2];
	size_t n = row_approval_list_messages(tx, deployment->id, false, rows), n_said = 0;

	if (deployment_is_by_request(deployment))
		said[n_said++] = deployment->address.chat;
	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message asked = row_message_get(tx, rows[i]);
		int64_t person = asked.address.chat;
		bool is_said = row_approval_is_of(tx, deployment->id, person);

		if (person == chat)
			question = rows[i];
		for (size_t k = 0; k < n_said; k++)
			is_said = is_said || said[k] == person;
		if (is_said || person == chat)
			continue;
		said[n_said++] = person;
		say_expired_in(tx, about, person, rows[i]);
	}
	if (question != 0 && (!deployment_is_by_request(deployment) || chat != said[0]))
		say_expired_in(tx, about, chat, question);
}
