/* decide_approval.c - an approver approves, rejects, or withdraws an approval; and what follows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/approval/decide_approval.h"
#include "decide/queue/decide_previous.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "decide/who/decide_allowed.h"
#include "decide/work/decide_deployment.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/git/decide_git.h"
#include "decide/approval/decide_needs.h"
#include "decide/queue/decide_queue.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/factor/decide_lacks.h"
#include "decide/factor/decide_pad_close.h"
#include "decide/question/decide_shown.h"
#include "decide/tell/decide_tell.h"
#include "decide/question/decide_where.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_environment.h"
#include "store/row_question.h"

/* A press gets a toast, without a sign, what was typed a message; the target stands first in it. */
static void answer(struct tx *tx, const struct update *update, enum chat_first first,
    const char *fmt, ...) PRINTF(4, 5);

static void
answer(struct tx *tx, const struct update *update, enum chat_first first, const char *fmt, ...)
{
	const char *before = chat_first_rows[first].before;
	bool has_sign = (unsigned char)before[0] >= 0x80;
	char line[LIMIT_LINE];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, args); /* cut is fine */
	va_end(args);
	if (update->kind == UPDATE_PRESS)
		decide_toastf(
		    tx, update, false, "%s%s", has_sign ? strchr(before, ' ') + 1 : before, line);
	else
		(void)decide_sendf(tx, &update->address, "%s%s", before, line);
}

#define REASON_SHOWN 160 /* bytes of one: behind the longest name it fits a line */

#define SUBJECT (LIMIT_ENVIRONMENT + ACTION_NAME + 24)

/* What a thumb has just decided on: "production aaaaaaa", "client/acme restart-web". */
static const char *
name_subject(const struct deployment *work, char out[SUBJECT])
{
	(void)snprintf(out, SUBJECT, "%s %s%.*s", deployment_target_here(work),
	    deployment_is_rollback(work) ? "rollback to " : "",
	    deployment_is_action(work) ? ACTION_NAME : 7,
	    deployment_is_action(work) ? deployment_action_word(work) : work->commit);
	return out;
}

/* --- who may --- */

static void
deny(struct tx *tx, const struct update *update, const struct deployment *work,
    enum needs_verdict verdict)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);
	const char *roles = settings != NULL ? settings->approvers : NULL;
	char reason[LIMIT_LINE];

	text_setf(reason, "%s%s%s%s",
	    verdict == NEEDS_ASKED ? DECIDE_NEEDS_OWN(work, update->person) : "",
	    verdict == NEEDS_ASKED	   ? ", so somebody else must" :
		verdict == NEEDS_BY_TOKEN  ? DECIDE_NEEDS_BY_TOKEN " must" :
		verdict == NEEDS_NO_PERSON ? "only a person counts, and this user is none" :
					     "another role must",
	    roles != NULL ? ": " : "", roles != NULL ? roles : "");
	decide_deny(tx, update, POLICY_APPROVE, deployment_target_here(work), "approve", reason);
}

bool
decide_may_approve(struct tx *tx, const struct update *update, const struct deployment *work)
{
	enum needs_verdict verdict = decide_needs_may(tx, work, update->person, NULL);
	char target[LIMIT_ENVIRONMENT];

	/* Before a code is asked for: it would be for nothing. */
	if (verdict != NEEDS_MAY &&
	    decide_is_allowed(
		tx, update->person, POLICY_APPROVE, deployment_target(work, target))) {
		deny(tx, update, work, verdict);
		return false;
	}
	decide_factor_set_work(tx, work->id);
	return decide_may(tx, update, POLICY_APPROVE, deployment_target(work, target)) &&
	    !((deployment_is_gate(work) || deployment_is_loan(work)) &&
		decide_lacks_factor_of_work(tx, update, work));
}

struct deployment *
decide_approval_work(struct tx *tx, const struct update *update, const struct request *request,
    char rest[LIMIT_REF], struct deployment *ret)
{
	int64_t number;
	bool is_review;

	number = decide_work(tx, update, request, rest, ret);
	if (ret->id != 0)
		return ret;
	decide_answer_no(tx, update);
	is_review = strcmp(request->action, "review") == 0;
	if (!decide_may_begin(tx, update, POLICY_APPROVE, ""))
		return ret;
	if (number == 0)
		(void)decide_sendf(tx, &update->address,
		    "Which one? /%s needs a number: " MARK_CODE "/%s" MARK_CODE
		    " lists what awaits %s.",
		    request->action, is_review ? "status" : "pending",
		    is_review ? "a review" : "approval");
	else
		(void)decide_sendf(tx, &update->address,
		    "#%" PRId64 ": no work of that number awaits %s. " MARK_CODE "/%s" MARK_CODE
		    " lists what does.",
		    number, is_review ? "a review" : "an approval",
		    is_review ? "status" : "pending");
	return ret;
}

/* --- yes --- */

/* True: nothing is asked for any more, which was said, with how it ended or who approved it. */
static bool
is_over(struct tx *tx, const struct update *update, const struct deployment *work)
{
	bool is_final = deploy_flow_class(work->state) == DEPLOY_CLASS_FINAL;
	char target[LIMIT_ENVIRONMENT], detail[LIMIT_LINE];
	const char *how = is_final ? deployment_detail(work, detail) : "", *is;

	if (work->state == DEPLOY_AWAITING_APPROVAL)
		return false;
	decide_answer_no(tx, update);
	is = work->state == DEPLOY_LIVE && row_release_until(tx, work) != 0 ? "was" : "is";
	if (how[0] == '\0' && work->approvers[0] != '\0')
		answer(tx, update, FIRST_NO_APPROVAL,
		    "%s #%lld %s %s (approved by %s): nothing is left to approve.",
		    deployment_target(work, target), (long long)work->id, is,
		    deploy_flow_word(work->state), work->approvers);
	else
		answer(tx, update, FIRST_NO_APPROVAL,
		    "%s #%lld %s %s%s%s%s: nothing is left to approve.",
		    deployment_target(work, target), (long long)work->id, is,
		    deploy_flow_word(work->state), how[0] != '\0' ? " (" : "", how,
		    how[0] != '\0' ? ")" : "");
	return true;
}

/* Is what they saw not what is?  Then nobody has confirmed that, too. */
static bool
find_change(struct tx *tx, struct deployment *work, const struct git_answer *answer)
{
	struct environment environment;
	struct question shown;
	char changed[LIMIT_LINE];

	row_environment_get(tx, work->environment, &environment);
	decide_compare(tx, work, NULL, changed);
	decide_note_left(work, answer, changed);
	if (environment.unknown_since != 0 &&
	    (work->program != PROGRAM_ACTION || deployment_is_gate(work)) &&
	    environment.unknown_since >
		row_approval_request(tx, work->id, &(struct approval_request){ 0 })->asked_at)
		text_setf(changed, "what %s runs is not known any more", work->environment);
	if (changed[0] == '\0')
		return false;
	text_set(work->changed, changed);
	if (work->confirmed_by != 0 && !row_question_get(tx, work->id, &shown)->is_unconfirmed) {
		shown.is_unconfirmed = true;
		row_question_set(tx, work->id, &shown);
	}
	return true;
}

/* Where it has all that it needs it goes on; else its messages say how it stands. */
static void
go_on(struct tx *tx, struct deployment *work, bool is_alone)
{
	if (work->approvers[0] != '\0')
		work->wait.is_behind = false; /* they were told; where nobody was, its turn asks */
	if (!decide_needs_look(tx, work, NULL)) {
		decide_query_blocked(tx, work); /* else its turn does */
		(void)decide_step(tx, work, DEPLOY_ON_APPROVE, NULL);
		return;
	}
	if (work->approvers[0] == '\0' && (work->confirmed_by == 0 || work->changed[0] != '\0'))
		row_question_hide_blocks(tx, work->id);
	if (is_alone)
		decide_enqueue(tx, work, DEPLOY_ON_CLEAR, NULL);
	else
		decide_enqueue_later(tx, work);
}

/* As it stands now: its turn may have come. */
static void
tell_who_acted(struct tx *tx, int64_t work, int64_t person)
{
	struct deployment now;

	row_deployment_get(tx, work, &now);
	if (now.state == DEPLOY_AWAITING_APPROVAL)
		decide_tell_approver(tx, &now, person);
}

/* Of all who have to approve it; where nobody has to any more it goes on, and whoever has confirmed
 * it is asked at its turn. */
static void
ask_anew(struct tx *tx, struct deployment *work)
{
	struct decide_needs needs;

	(void)decide_needs_look(tx, work, &needs);
	if (needs.needs.approvals > 0)
		(void)decide_step(tx, work, DEPLOY_ON_CHANGED, NULL);
	else
		go_on(tx, work, false);
}

/* What it was to bring is live, by somebody else or by itself. */
static bool
end_overtaken(struct tx *tx, struct deployment *work)
{
	struct environment environment;

	row_environment_get(tx, work->environment, &environment);
	if (work->state != DEPLOY_AWAITING_APPROVAL || !decide_is_overtaken(tx, work, &environment))
		return false;
	work->why = DEPLOY_WHY_REFUSED;
	text_set(work->detail, "somebody else was faster");
	(void)decide_step(tx, work, DEPLOY_ON_REFUSE, NULL);
	return true;
}

/* Something may have changed without a press: what it needs, or what they were shown. */
static void
look(struct tx *tx, struct deployment *work, const struct git_answer *answer)
{
	if (decide_keeps_waiting(tx, work->environment)) {
		row_deployment_save(tx, work);
		return; /* what it needs is not known now */
	}
	if (settings_environment(tx->settings, work->environment) == NULL) {
		work->why = DEPLOY_WHY_REFUSED;
		text_set(work->detail, "this environment is no longer in the settings");
		(void)decide_step(tx, work, DEPLOY_ON_REFUSE, NULL);
		return;
	}
	if (end_overtaken(tx, work))
		return;
	(void)decide_needs_void(tx, work);
	if (find_change(tx, work, answer))
		ask_anew(tx, work);
	else
		go_on(tx, work, false);
}

static void
audit(struct tx *tx, const struct update *update, const struct deployment *work,
    const char *outcome, const char *key, const char *value)
{
	decide_audit_request(tx, work, update->person, AUDIT_CODE_DEPLOY_APPROVAL, outcome,
	    (const char *const[]){ "name", update->name, key, value, NULL });
}

static void
toast_standing(struct tx *tx, const struct update *update, const struct deployment *work,
    const struct decide_needs *needs, enum chat_first first, const char *how)
{
	struct deployment now; /* its turn may have come */
	char subject[SUBJECT];

	row_deployment_get(tx, work->id, &now);
	if (now.state == DEPLOY_AWAITING_APPROVAL)
		answer(tx, update, first, "%s%s: %zu of %d.", name_subject(work, subject), how,
		    needs->n, needs->needs.approvals);
	else
		answer(tx, update, first, "%s%s: it is %s.", name_subject(work, subject), how,
		    deploy_flow_word(now.state));
}

static bool
has_approved(const struct decide_needs *needs, int64_t person)
{
	for (size_t i = 0; i < needs->n; i++)
		if (needs->approval[i].person == person)
			return true;
	return false;
}

static void
add_approval(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct approval approval = { .person = update->person, .at = tx->at };
	const struct role *role = NULL;

	(void)decide_needs_may(tx, work, update->person, &role);
	assert(role != NULL); /* the caller has asked whether they may */
	text_set(approval.name, update->name);
	(void)role_id_text(role->application, role->name, approval.role);
	decide_needs_binding(tx, work, approval.binding);
	(void)decide_needs_void(tx, work); /* one of theirs that no longer counts, too */
	row_approval_add(tx, work->id, &approval);
	decide_needs_name(tx, work);
	audit(tx, update, work, "approved", "role", approval.role);
}

/* Nothing that a code would be for; said to who may know. */
static bool
is_decided(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct decide_needs needs;
	char subject[SUBJECT];

	if (decide_needs_may(tx, work, update->person, NULL) != NEEDS_MAY)
		return false;
	(void)end_overtaken(tx, work); /* then it is over */
	if (is_over(tx, update, work))
		return true;
	if (decide_keeps_waiting(tx, work->environment)) {
		answer(tx, update, FIRST_APPROVAL_CHANGED,
		    "%s: its application's file cannot be read now, or is being renamed. It waits for that.",
		    name_subject(work, subject));
		return true;
	}
	(void)decide_needs_look(tx, work, &needs);
	if (has_approved(&needs, update->person)) {
		if (needs.n >= (size_t)needs.needs.approvals) /* fewer are needed by now */
			look(tx, work, NULL);
		toast_standing(tx, update, work, &needs, FIRST_APPROVED, " by you already");
	} else if (!find_change(tx, work, NULL)) {
		return false;
	} else {
		ask_anew(tx, work);
		answer(tx, update, FIRST_APPROVAL_CHANGED, "%s has changed%s",
		    name_subject(work, subject),
		    work->state == DEPLOY_AWAITING_APPROVAL ?
			", and is asked again." :
			"; nobody has to approve it any more.");
	}
	return true;
}

/* It was asked anew, and what was typed may be a yes to what their chat was shown before: the
 * question is shown there. */
static bool
is_of_before(struct tx *tx, const struct update *update, const struct deployment *work)
{
	int64_t chat = update->address.chat;
	char subject[SUBJECT];

	if (work->changed[0] == '\0' || decide_is_answered(update) ||
	    decide_needs_may(tx, work, update->person, NULL) != NEEDS_MAY ||
	    row_approval_is_shown(tx, work->id, chat, update->message))
		return false;
	answer(tx, update, FIRST_APPROVAL_CHANGED,
	    "%s has changed since it was shown here: look at it again, below.",
	    name_subject(work, subject));
	decide_tell_approvers_in(tx, work, chat);
	return true;
}

/* Others have theirs open, and no yes is left to give. */
static void
close_pads(struct tx *tx, const struct update *update, const struct deployment *work)
{
	char why[LIMIT_LINE];

	if (work->state == DEPLOY_AWAITING_APPROVAL)
		return;
	text_setf(why, "%.80s has approved it: nothing left to do.", update->name);
	decide_pad_over(tx, work->id, why);
}

void
decide_approve(struct tx *tx, const struct update *update, struct deployment *work, bool is_typed)
{
	struct decide_needs needs;

	if (is_decided(tx, update, work) || (is_typed && is_of_before(tx, update, work)) ||
	    !decide_may_approve(tx, update, work))
		return;
	add_approval(tx, update, work);
	(void)decide_needs_look(tx, work, &needs);
	go_on(tx, work, true);
	close_pads(tx, update, work);
	tell_who_acted(tx, work->id, update->person);
	toast_standing(tx, update, work, &needs, FIRST_APPROVED, "");
}

/* --- seen --- */

static bool
is_named(const char *names, const char *name)
{
	size_t size = strlen(name);

	assert(size > 0); /* nobody is nameless */
	for (const char *at = names; (at = strstr(at, name)) != NULL; at++)
		if ((at == names || (at - names >= 2 && at[-2] == ',')) &&
		    (at[size] == '\0' || at[size] == ','))
			return true;
	return false;
}

void
decide_approval_seen(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct question shown;
	char *by = row_question_get(tx, work->id, &shown)->seen_by;
	size_t used = strlen(by);

	if (work->state != DEPLOY_AWAITING_APPROVAL || is_named(by, update->name) ||
	    used + strlen(update->name) + sizeof(", ") > sizeof(shown.seen_by))
		return;
	(void)snprintf(
	    by + used, sizeof(shown.seen_by) - used, "%s%s", used > 0 ? ", " : "", update->name);
	row_question_set(tx, work->id, &shown);
	decide_tell(tx, work, NULL);
}

/* --- no --- */

void
decide_reject(
    struct tx *tx, const struct update *update, struct deployment *work, const char *reason)
{
	size_t shown = text_cut(reason, strlen(reason), REASON_SHOWN);
	char subject[SUBJECT];

	if (!decide_may_approve(tx, update, work) || is_over(tx, update, work))
		return;
	audit(tx, update, work, "rejected", reason[0] != '\0' ? "reason" : NULL, reason);
	work->why = DEPLOY_WHY_REJECTED;
	text_setf(work->detail, "rejected by %s%s%.*s%s", update->name,
	    reason[0] != '\0' ? ": " : "", (int)shown, reason, reason[shown] != '\0' ? "…" : "");
	(void)decide_step(tx, work, DEPLOY_ON_REJECT, NULL);
	answer(tx, update, FIRST_REJECTED, "%s.", name_subject(work, subject));
}

/* --- withdrawn --- */

static void
withdraw(struct tx *tx, const struct update *update, struct deployment *work, int64_t person,
    const char *why)
{
	row_approval_void(tx, work->id, person, why);
	decide_needs_name(tx, work);
	audit(tx, update, work, "withdrawn", "reason", why);
	if (work->state == DEPLOY_AWAITING_APPROVAL) {
		look(tx, work, NULL);
	} else if (decide_needs_look(tx, work, NULL)) { /* without theirs, too */
		row_deployment_save(tx, work);
		decide_tell(tx, work, NULL);
	} else {
		(void)find_change(tx, work, NULL); /* others are asked about what is now */
		(void)decide_step(tx, work, DEPLOY_ON_ASK_APPROVAL, NULL);
	}
	tell_who_acted(tx, work->id, person);
}

void
decide_approval_withdraw_all(
    struct tx *tx, const struct update *update, int64_t person, const char *why)
{
	int64_t id = 0;

	while ((id = row_approval_next_of(tx, person, id)) != 0) { /* 0, too, once one failed */
		struct deployment work;

		row_deployment_get(tx, id, &work);
		withdraw(tx, update, &work, person, why);
	}
}

void
decide_approval_withdraw(struct tx *tx, const struct update *update, struct deployment *work)
{
	struct decide_needs needs;

	(void)decide_needs_look(tx, work, &needs);
	if ((work->state != DEPLOY_AWAITING_APPROVAL && work->state != DEPLOY_QUEUED) ||
	    !has_approved(&needs, update->person)) {
		decide_answer_no(tx, update);
		decide_toastf(tx, update, false, "There is no approval of yours to withdraw.");
		return;
	}
	withdraw(tx, update, work, update->person, "withdrawn");
	(void)decide_needs_look(tx, work, &needs);
	toast_standing(tx, update, work, &needs, FIRST_WITHDRAWN, "");
}

/* --- time, settings, git --- */

void
decide_approval_due(struct tx *tx, int64_t id)
{
	struct deployment work;
	struct approval_request request;
	int64_t end;
	bool waits;

	row_deployment_get(tx, id, &work);
	row_approval_request(tx, id, &request);
	end = request.asked_at + deployment_approval_ms(tx->settings, &work);
	waits = decide_keeps_waiting(tx, work.environment);
	if (work.state != DEPLOY_AWAITING_APPROVAL)
		return;
	if (!waits && decide_needs_look(tx, &work, NULL)) { /* at this hour fewer are needed */
		look(tx, &work, NULL);
		return;
	}
	if (end <= tx->at) {
		work.why = DEPLOY_WHY_UNAPPROVED;
		(void)decide_step(tx, &work, DEPLOY_ON_EXPIRE, NULL);
		return;
	}
	if (!request.is_reminded &&
	    request.asked_at + deployment_approval_ms(tx->settings, &work) / 2 <= tx->at) {
		if (!waits)
			decide_tell_reminder(tx, &work);
		request.is_reminded = true;
	}
	row_approval_set_timer(
	    tx, id, decide_needs_timer(tx, &work, &request), request.is_reminded);
}

void
decide_approval_look(struct tx *tx, struct deployment *work)
{
	if (work->state == DEPLOY_AWAITING_APPROVAL)
		look(tx, work, NULL);
}

void
decide_approvals_look(struct tx *tx)
{
	int64_t id = 0;

	while (!tx->failed && (id = row_approval_next(tx, id)) != 0) {
		struct deployment work;

		row_deployment_get(tx, id, &work);
		look(tx, &work, NULL);
	}
}

void
decide_approvals_show(struct tx *tx, int64_t person)
{
	int64_t id = 0;

	while (!tx->failed && (id = row_approval_next(tx, id)) != 0) {
		struct deployment work;

		row_deployment_get(tx, id, &work);
		if (decide_needs_asks_in_private(tx, work.environment) &&
		    decide_needs_may(tx, &work, person, NULL) == NEEDS_MAY)
			decide_tell_approvers_in(tx, &work, person);
	}
}

/* All who are asked read it, in private too. */
static void
list_changes(struct tx *tx, struct deployment *work, const struct git_answer *answer)
{
	struct approval_request request;

	row_approval_request(tx, work->id, &request);
	if (request.changes[0] != '\0')
		return;
	request.n_changes = answer->count;
	decide_git_changes(tx, work->environment, answer, request.changes, sizeof(request.changes));
	row_approval_ask(tx, work->id, &request);
	work->is_force_push = answer->forced;
	text_set(work->untouched, answer->untouched);
	decide_tell_listed(tx, work);
}

void
decide_approval_listed(struct tx *tx, struct deployment *work, const struct effect_git_query *query,
    const struct git_answer *answer)
{
	struct environment environment;
	struct question shown;
	char base[LIMIT_COMMIT];

	row_environment_get(tx, work->environment, &environment);
	if (answer->error[0] != '\0') {
		decide_note_blocks(tx, work, answer);
	} else if (strcmp(query->base, decide_git_base(tx, work, &environment, base)) !=
	    0) { /* meanwhile */
		decide_query_again(tx, work);
		return;
	} else {
		decide_contained(tx, work, answer);
		row_question_get(tx, work->id, &shown);
		if (strcmp(query->base, shown.shown_live) == 0)
			list_changes(tx, work, answer);
	}
	row_deployment_save(tx, work);
	look(tx, work, answer);
}
