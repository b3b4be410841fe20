/* decide_emergency.c - emergency deployments, which wait for no approval: who may, is rung, reviews.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_emergency.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "chat/chat_deployment.h"
#include "chat/chat_text.h"
#include "decide/who/decide_allowed.h"
#include "decide/hold/decide_hold.h"
#include "decide/decide_limit.h"
#include "decide/factor/decide_lacks.h"
#include "decide/approval/decide_needs.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_whom.h"
#include "lib/text.h"
#include "store/row_actor.h"
#include "store/row_button.h"
#include "store/row_chat.h"
#include "store/row_effect.h"
#include "store/row_exempt.h"
#include "store/row_factor.h"
#include "store/row_message.h"
#include "store/row_press.h"
#include "store/row_shown.h"

#define DAY_MS	      (24 * 3600 * INT64_C(1000))
#define REMINDERS_MAX 14
#define OTHERS_MAX    8

_Static_assert(2 * DECIDE_WHOM_ALL + 1 <= ROW_SHOWN_MAX, "all are edited later");

/* --- asked for --- */

static bool
says_why(const char *reason)
{
	for (; *reason != '\0'; reason++)
		if (!isascii((unsigned char)*reason) || isalnum((unsigned char)*reason))
			return true;
	return false;
}

bool
decide_emergency_may(
    struct tx *tx, const struct update *update, const char *environment, const char *reason)
{
	char what[LIMIT_LINE];

	text_setf(what, "%.200s emergency", environment);
	if (!says_why(reason) || strlen(reason) >= DECIDE_EMERGENCY_REASON) {
		decide_answer_no(tx, update);
		(void)decide_send_firstf(tx, &update->address, FIRST_EMERGENCY_WHY, environment,
		    "%s. " MARK_CODE "/deploy %s emergency the shop is down" MARK_CODE,
		    says_why(reason) ? "the reason is longer than 199 bytes" :
				       "say why, behind the word emergency",
		    environment);
		return false;
	}
	if (row_factor_is_any(tx))
		return !decide_lacks_factor_for(tx, update, what);
	if (tx->settings->emergency_without_factor)
		return true;
	decide_deny(tx, update, POLICY_EMERGENCY, environment, "emergency",
	    "it needs a second factor, and nobody has one: deploybot 2fa add on the server");
	return false;
}

/* --- who is rung --- */

static void
add_button(struct tx *tx, const struct deployment *work, int64_t chat, struct buttons *buttons)
{
	const struct request review = request_about("review", "work", work->id);

	if (chat < 0 || decide_is_allowed(tx, chat, POLICY_APPROVE, work->environment))
		row_button_show_for(tx, &review, chat, 0, "📝 Review done", buttons);
}

/* A chat has one of each: a reminder is said below all else of it, in the place of what stood. */
static void
show(struct tx *tx, const struct deployment *work, int64_t chat, bool rings, struct chat_text *text)
{
	CLEANUP(message_done)
	struct message message = { .address.chat = chat, .is_silent = !rings, .is_alarm = rings };
	int64_t row = row_shown_in(tx, work->id, chat, SHOWN_REVIEW);

	add_button(tx, work, chat, &message.buttons);
	message.head = chat_text_take(text);
	if (row != 0)
		row_message_renew(tx, row, &message);
	else
		row_shown_add(tx, work->id, row_message_add(tx, &message), SHOWN_REVIEW);
}

/* What would hold it if it were none, in the words that all read from then on. */
static void
note_passed(struct tx *tx, const struct deployment *work, const struct holds *holds)
{
	struct chat_text text = CHAT_TEXT_EMPTY;
	CLEANUP(freep) char *passed = NULL;

	chat_emergency_passed(&text, holds, decide_needs_passed(tx, work), tx->at);
	passed = chat_text_take(&text);
	if (passed == NULL)
		tx_fail(tx, ERR_LIMIT, "what an emergency passes is too long");
	else
		row_exempt_set_passed(tx, work->id, passed);
}

/* Whoever has locked it reads that where they did. */
static void
tell_owner(struct tx *tx, const struct deployment *work, const struct holds *holds)
{
	const struct hold *lock = &holds->at[0];
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (!hold_has(holds, HOLD_LOCK) || lock->person == work->requested_by ||
	    lock->address.chat == 0)
		return;
	chat_first(&text, FIRST_LOCK_PASSED, work->environment);
	chat_text_outside(&text, ": emergency by ", work->requester);
	chat_text_outside(&text, ": ", work->exempt.emergency);
	message.head = chat_text_take(&text);
	message.address = lock->address;
	message.reply_to = lock->request;
	(void)row_message_add(tx, &message);
}

/* A group does not ring a second time whom their own chats do. */
static void
ring(struct tx *tx, const struct deployment *work, const char *passed, int64_t chat, bool rings)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_emergency(&text, work, passed);
	rings = rings && (chat > 0 || !decide_tell_reaches_approvers(tx, work));
	show(tx, work, chat, rings, &text);
}

static void
wait_a_day(struct tx *tx, int64_t work)
{
	char name[24];

	text_setf(name, "%" PRId64, work);
	(void)row_effect_timer(tx, TIMER_REVIEW, name, 0, tx->at + DAY_MS);
}

static void
add_requesters_of(struct tx *tx, const struct deployment *question, const struct deployment *work)
{
	int64_t asked[NEEDS_ASKED_MAX] = { question->requested_by, question->confirmed_by };
	size_t n = 2 + row_button_list_requesters(tx, question->id, asked + 2, NEEDS_ASKED_MAX - 2);

	for (size_t i = 0; i < n; i++)
		if (asked[i] != 0)
			row_button_add_requester(tx, work->id, asked[i], 0);
	row_press_share(tx, question->id, work->id);
	row_actor_share(tx, question->id, work->id);
}

/* Who has asked an open question about the same commit, in whatever way it goes there, has asked
 * for this one, too, by the same tokens. */
static void
add_requesters(struct tx *tx, const struct deployment *work)
{
	struct deployment question;

	row_deployment_next_question(tx, PROGRAM_DEPLOY, work, 0, &question);
	while (question.id != 0 && !tx->failed) {
		add_requesters_of(tx, &question, work);
		row_deployment_next_question(tx, PROGRAM_DEPLOY, work, question.id, &question);
	}
}

static bool
is_among(int64_t chat, const int64_t *chats, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (chats[i] == chat)
			return true;
	return false;
}

/* Each who could have approved it, but in chats in which it was said. */
static void
ring_approvers(struct tx *tx, const struct deployment *work, const char *passed,
    const int64_t *chats, size_t n, bool rings)
{
	int64_t approvals = decide_needs_chat(tx, work->environment), person = 0;

	for (int i = 0; i < DECIDE_WHOM_ALL && (person = decide_needs_next(tx, work, person)) != 0;
	     i++)
		if (person != approvals && !is_among(person, chats, n) &&
		    !row_chat_is_refused(tx, person))
			ring(tx, work, passed, person, rings);
}

void
decide_emergency_ring(struct tx *tx, const struct deployment *work)
{
	int64_t approvals = decide_needs_chat(tx, work->environment), chats[DECIDE_WHOM_ALL];
	size_t n = decide_whom_news(tx, work->environment, chats);
	bool rings = decide_may_ring_emergency(tx, work->requested_by);
	char passed[LIMIT_PASSED];
	struct holds holds;

	add_requesters(tx, work);
	holds.n = 0;
	decide_holds(tx, work->environment, &holds);
	tell_owner(tx, work, &holds);
	note_passed(tx, work, &holds);
	(void)row_exempt_passed(tx, work->id, passed);
	for (size_t i = 0; i < n; i++)
		ring(tx, work, passed, chats[i], rings);
	if (approvals != 0 && !is_among(approvals, chats, n))
		ring(tx, work, passed, approvals, rings);
	ring_approvers(tx, work, passed, chats, n, rings);
	wait_a_day(tx, work->id);
}

/* --- as it stands --- */

static void
tell(struct tx *tx, const struct deployment *work)
{
	const bool is_over = deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;
	const bool is_asked =
	    is_over ? deployment_awaits_review(work) : work->exempt.reviewed_at == 0;
	int64_t rows[ROW_SHOWN_MAX];
	size_t n = row_shown_list(tx, work->id, SHOWN_REVIEW, rows);
	char passed[LIMIT_PASSED];
	struct chat_text text = CHAT_TEXT_EMPTY;

	(void)row_exempt_passed(tx, work->id, passed);
	for (size_t i = 0; i < n; i++) {
		CLEANUP(message_done) struct message message = { 0 };

		row_message_get(tx, rows[i], &message);
		if (message.head == NULL)
			continue;	 /* gone by age */
		if (passed[0] != '\0') { /* else of before that was kept: its words stay */
			chat_emergency(&text, work, passed);
			free(message.head);
			message.head = chat_text_take(&text);
		}
		if (!is_asked)
			message.buttons.n = 0;
		else if (message.buttons.n == 0)
			add_button(tx, work, message.address.chat, &message.buttons);
		row_message_change(tx, rows[i], &message);
	}
	if (is_asked)
		return;
	if (is_over)
		row_shown_clear(tx, work->id, SHOWN_REVIEW);
	row_button_close(tx, "review", request_about("review", "work", work->id).target);
}

void
decide_emergency_returned(struct tx *tx, struct deployment *work)
{
	if (work->exempt.reviewed_at == 0)
		return;
	work->exempt.reviewed_at = 0;
	work->exempt.reviewer[0] = '\0';
	tell(tx, work);
}

void
decide_emergency_ended(struct tx *tx, const struct deployment *work)
{
	if (deployment_is_emergency(work))
		tell(tx, work);
}

static void
remind(struct tx *tx, const struct deployment *work, int n_reminders)
{
	int64_t approvals = decide_needs_chat(tx, work->environment), chats[DECIDE_WHOM_ALL];
	size_t n = decide_whom_news(tx, work->environment, chats);

	if (approvals != 0) {
		chats[0] = approvals;
		n = 1;
	}
	for (size_t i = 0; i < n; i++) {
		struct chat_text text = CHAT_TEXT_EMPTY;

		chat_emergency_reminder(&text, work, n_reminders, REMINDERS_MAX, tx->at);
		show(tx, work, chats[i], true, &text);
	}
}

void
decide_emergency_due(struct tx *tx, int64_t id)
{
	struct exempt exempt = row_exempt_get(tx, id);
	struct deployment work;
	bool is_over;

	row_deployment_get(tx, id, &work);
	is_over = deploy_flow_class(work.state) == DEPLOY_CLASS_FINAL;
	if (work.id == 0 || (!deployment_awaits_review(&work) && is_over))
		return;
	if (deployment_awaits_review(&work)) {
		exempt.n_reminders++;
		row_exempt_set(tx, id, &exempt);
		remind(tx, &work, exempt.n_reminders);
	}
	if (exempt.n_reminders < REMINDERS_MAX)
		wait_a_day(tx, id);
}

/* --- reviewed --- */

static bool
may_review(struct tx *tx, const struct update *update, const struct deployment *work)
{
	enum needs_verdict verdict = decide_needs_may(tx, work, update->person, NULL);
	char own[64];

	if (verdict == NEEDS_MAY || decide_needs_is_alone(tx, work, update->person) ||
	    !decide_is_allowed(tx, update->person, POLICY_APPROVE, work->environment))
		return decide_may(tx, update, POLICY_APPROVE, work->environment);
	text_setf(
	    own, "%s, so somebody else must review it", DECIDE_NEEDS_OWN(work, update->person));
	decide_deny(tx, update, POLICY_APPROVE, work->environment, "review",
	    verdict == NEEDS_ASKED	   ? own :
		verdict == NEEDS_BY_TOKEN  ? DECIDE_NEEDS_BY_TOKEN " must review it" :
		verdict == NEEDS_NO_PERSON ? "only a person counts, and this user is none" :
					     "a role of <ENV>_APPROVERS must");
	return false;
}

/* What there is to say but a yes; NULL: nothing. */
static const char *
find_fault(const struct deployment *work)
{
	return !deployment_is_emergency(work) ? "was no emergency" :
	    work->exempt.reviewed_at != 0     ? "is reviewed already" :
	    work->started_at != 0	      ? NULL :
	    deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL ?
				    "never began: there is nothing to review" :
				    "has not begun: review it when it has";
}

static void
answer(struct tx *tx, const struct update *update, const struct deployment *work, const char *what)
{
	if (update->kind == UPDATE_PRESS)
		decide_toastf(tx, update, false, "#%" PRId64 " %s.", work->id, what);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_REVIEW, work->environment,
		    "#%" PRId64 " %s.", work->id, what);
}

/* What has ended keeps what it says: only who reviewed it is news. */
static void
note_reviewer(struct tx *tx, const struct deployment *work, int64_t row)
{
	CLEANUP(message_done) struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_message_get(tx, row, &message);
	if (message.head == NULL || !chat_emergency_reviewed(&text, work, message.head))
		return;
	free(message.head);
	message.head = chat_text_take(&text);
	row_message_change(tx, row, &message);
}

static void
note_reviewer_in_all(struct tx *tx, const struct deployment *work)
{
	int64_t rows[ROW_SHOWN_MAX], others[OTHERS_MAX];
	size_t n = row_button_list_messages(tx, work->id, others, OTHERS_MAX);

	note_reviewer(tx, work, work->message);
	note_reviewer(tx, work, work->also_message);
	for (size_t i = 0; i < n; i++)
		note_reviewer(tx, work, others[i]);
	for (int lines = 0; lines < 2; lines++) {
		n = row_shown_list(tx, work->id, lines != 0 ? SHOWN_LINE : SHOWN_APPROVER, rows);
		for (size_t i = 0; i < n; i++)
			note_reviewer(tx, work, rows[i]);
	}
}

static void
close_it(struct tx *tx, const struct update *update, struct deployment *work, bool alone)
{
	text_set(work->exempt.reviewer, update->name);
	work->exempt.reviewed_at = tx->at;
	row_deployment_save(tx, work);
	row_press_add(tx, work->id, PRESS_REVIEW, update->person);
	decide_audit_request(tx, work, update->person, AUDIT_CODE_EMERGENCY_REVIEWED, "reviewed",
	    (const char *const[]){ "name", update->name, "emergency", work->exempt.emergency,
		alone ? "reason" : NULL, "by who asked for it: nobody else could have approved it",
		NULL });
	tell(tx, work);
	if (deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL) {
		note_reviewer_in_all(tx, work);
		row_button_clear_requesters(tx, work->id);
		return;
	}
	decide_tell(tx, work, NULL);
	row_deployment_save(tx, work);
}

void
decide_emergency_review(struct tx *tx, const struct update *update, struct deployment *work)
{
	bool alone = decide_needs_is_alone(tx, work, update->person);

	if (!may_review(tx, update, work))
		return;
	if (find_fault(work) != NULL) {
		decide_answer_no(tx, update);
		answer(tx, update, work, find_fault(work));
		return;
	}
	close_it(tx, update, work, alone);
	answer(tx, update, work, "is reviewed: nobody is reminded of it any more");
}
