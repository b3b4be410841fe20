/* command_cancel.c - /cancel <environment>: ends what is in progress, or what is queued.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <strings.h>

#include "chat/chat_runner.h"
#include "commands/commands.h"
#include "decide/work/decide_end.h"
#include "decide/decide_page.h"
#include "decide/question/decide_place.h"
#include "decide/question/decide_question.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_loan_list.h"
#include "decide/who/decide_allowed.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_environment.h"
#include "store/row_loan.h"
#include "store/row_runner.h"
#include "store/row_work_pipeline.h"

#define CHOICES 10

/* Before git has answered only the ref is known, and that is what they typed. */
static void
add_what(struct chat_text *text, const struct deployment *deployment)
{
	if (deployment_is_action(deployment)) {
		chat_text_code(text, "", deployment_action_word(deployment));
		chat_text_some(text, " ", deployment->argument);
	} else if (deployment->commit[0] != '\0')
		chat_text_named(text, "", COMMIT_OF(deployment));
	else
		chat_text_ref(text, "", deployment->ref);
}

static bool
is_stopping_gate(const struct deployment *work)
{
	return deployment_is_gate(work) && work->state == DEPLOY_STOPPING;
}

/* It baked, was paused, or its health was being asked for: its script has ended, and it is rolled
 * back at once. */
static void
say_rolling_back(struct tx *tx, const struct update *update, const struct deployment *work)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	chat_first(&text, FIRST_STOPS_NOW, work->environment);
	if (deployment_is_back_to_target(work))
		chat_text_add(&text, "rolls back to what ran before deploybot");
	else
		chat_text_named(&text, "rolls back to ", work->previous_source, work->previous);
	chat_text_add(&text, ".\n");
	add_what(&text, work);
	chat_text_subject(&text, " ", work->subject);
	if (strcmp(work->commit, work->previous) == 0) { /* it is live, and stays so */
		chat_text_add(&text, " ends.");
	} else {
		chat_text_add(&text, " is blocked then: a push does not deploy it again; ");
		chat_text_again(&text, work->environment, COMMIT_OF(work));
		chat_text_add(&text, " asks first.");
	}
	(void)decide_send(tx, &update->address, &text);
}

static void
say_cancelling(struct tx *tx, const struct update *update, const struct deployment *deployment,
    bool is_waited_for)
{
	bool is_active = deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE;
	const struct runner_gone gone = row_runner_gone(tx, is_active ? deployment->run : 0);
	const struct chat_clock clock = decide_clock(tx, deployment->environment);
	char line[LIMIT_LINE];
	struct chat_text text = CHAT_TEXT_EMPTY;

	if (deployment->state == DEPLOY_ROLLING_BACK) {
		say_rolling_back(tx, update, deployment);
		return;
	}
	chat_first(
	    &text, is_active ? FIRST_STOPS_NOW : FIRST_CANCELS, deployment_target_here(deployment));
	if (!deployment_is_action(deployment) && deployment->subject[0] != '\0') {
		chat_text_quoted(&text, "", deployment->subject, CHAT_FIRST_SUBJECT);
		chat_text_add(&text, " ");
	}
	add_what(&text, deployment);
	if (is_stopping_gate(deployment))
		chat_text_add(&text, ", and its run, whose end is waited for: /cancel again %s",
		    decide_is_answered(update) ? "does not wait for that" :
						 "asks whether to wait for that");
	if (gone.at != 0) {
		chat_text_since(&text, chat_runner_gone(gone.name, "; its runner", line), &clock,
		    gone.at, tx->at);
		chat_text_add(&text,
		    ", and gets it when it is back: " MARK_CODE "/abandon %" PRId64 MARK_CODE
		    " (an admin) does not wait for that",
		    deployment->id);
	}
	chat_text_add(&text, ".");
	if (is_waited_for)
		chat_text_add(&text, " What is queued starts next; %s/cancel again cancels it too.",
		    is_active ? "when this is over, " : "");
	(void)decide_send(tx, &update->address, &text);
}

/* --- a gate that is being stopped --- */

static void
add_do_not_wait(struct tx *tx, const struct update *update, const struct deployment *gate,
    struct buttons *keyboard)
{
	struct request cancel = request_about("cancel", "work", gate->id);
	char label[LIMIT_BUTTON];

	request_add(&cancel, "wait", "no");
	text_setf(label, "⏩ Do not wait %.40s", gate->environment);
	decide_once_button(tx, update, &cancel, label, keyboard);
}

/* Who says it again means to stop it, as whoever said it first, or not to wait: they are asked, and
 * say which. */
static void
ask_not_to_wait(struct tx *tx, const struct update *update, const struct deployment *gate)
{
	struct message message = { 0 };
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	chat_first(&text, FIRST_ASKS_NOT_TO_WAIT, gate->environment);
	add_what(&text, gate);
	chat_text_outside(&text, ", ", gate->detail);
	chat_text_add(&text,
	    ". Its forge was asked to cancel its run, whose end is waited for, six minutes at most. Not to wait does not stop it sooner: the environment is free at once, and its job may go on.");
	add_do_not_wait(tx, update, gate, &message.buttons);
	(void)decide_send_keyboard(tx, update, NULL, &message, &text);
}

/* The button of that question. */
static void
do_not_wait(struct tx *tx, const struct update *update, struct deployment *gate)
{
	if (!is_stopping_gate(gate))
		decide_expired(tx, update);
	else if (decide_cancel(tx, gate, update))
		decide_toastf(tx, update, false, "Not waited for: the environment is free.");
}

/* Who may ask for it may take it back before it begins. */
static bool
may_cancel(struct tx *tx, const struct update *update, const struct deployment *work)
{
	return deployment_is_own_place(work, update->person) ?
	    decide_may_work(tx, update, work) :
	    decide_may(tx, update, POLICY_CANCEL, deployment_target_here(work));
}

/* One that a button stands for. */
static void
cancel_work(struct tx *tx, const struct update *update, const struct request *request, int64_t work)
{
	struct deployment deployment;
	char wait[LIMIT_REF];

	row_deployment_get(tx, work, &deployment);
	if (!may_cancel(tx, update, &deployment))
		return;
	if (strcmp(request_get(request, "wait", wait), "no") == 0)
		do_not_wait(tx, update, &deployment);
	else
		decide_press_cancel(tx, update, &deployment);
}

/* What waits for the end of a lock or freeze: its head stays seen, and nothing deploys it. */
static void
drop_push(struct tx *tx, const struct update *update, const struct environment *environment)
{
	char user[PRINCIPAL_TEXT];
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_environment_set_waiting(tx, environment->name, "", "");
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_CANCEL_REQUESTED,
		.user = decide_user(tx, update->person, user),
		.environment = environment->name,
		.commit = environment->seen_commit,
		.outcome = "requested",
		.at_least = decide_severity(update->person),
	    },
	    (const char *const[]){ "state", "waits", "name", update->name, NULL });
	chat_first(&text, FIRST_PUSH_DROPPED, environment->name);
	chat_text_commit(&text, " ", environment->seen_commit);
	chat_text_add(&text,
	    "\nNothing deploys it by itself: " MARK_CODE "/deploy %s" MARK_CODE
	    ", or the next push.",
	    environment->name);
	(void)decide_send(tx, &update->address, &text);
}

/* --- nothing was named, or all that there is --- */

/* Nothing of that name is there, and it names none. */
static bool
is_all(const struct tx *tx, const char *target)
{
	return (strcasecmp(target, "all") == 0 || strcasecmp(target, "everything") == 0 ||
		   strcmp(target, "*") == 0) &&
	    settings_environment(tx->settings, target) == NULL;
}

/* The message that lists what may be cancelled. */
struct offer {
	struct tx *tx;
	const struct update *update;
	struct chat_text text;
	struct message message;
	size_t n;
};

/* The button stands for that work, whatever runs there when it is pressed. */
static void
add_cancel(struct offer *offer, const struct deployment *work)
{
	const struct request cancel = request_about("cancel", "work", work->id);
	char label[LIMIT_BUTTON], name[DECIDE_LOAN_NAME];

	if (is_stopping_gate(work)) {
		add_do_not_wait(offer->tx, offer->update, work, &offer->message.buttons);
		return;
	}
	if (deployment_is_loan(work))
		text_setf(label, "✋ %.59s", decide_loan_name(work, name)); /* it fits */
	else
		text_setf(label, "%s %.40s %.*s",
		    deploy_flow_class(work->state) == DEPLOY_CLASS_ACTIVE ? "✋ Stop" :
									    "✖️ Cancel",
		    work->environment, deployment_is_action(work) ? 7 : COMMIT_NAME,
		    deployment_is_pipeline(work)   ? work->argument :
			deployment_is_action(work) ? work->action :
						     commit_name_here(COMMIT_OF(work)));
	decide_once_button(offer->tx, offer->update, &cancel, label, &offer->message.buttons);
}

static void
add_line(struct offer *offer, const struct deployment *work)
{
	struct chat_text *text = &offer->text;

	offer->n++;
	chat_text_add(text, "\n" MARK_BOLD "%s" MARK_BOLD " %s: ", work->environment,
	    deploy_flow_word(work->state));
	add_what(text, work);
	chat_text_subject(text, " ", work->subject);
	chat_text_outside(text, " · ", FORGE_PERSON(work->requester));
}

/* A push that waits, or the work that is neither a loan nor a pipeline's run that goes on: those
 * are of add_each(). */
static void
add_environment(struct offer *offer, const struct request *request, const char *name)
{
	struct environment environment;
	struct deployment work;
	bool is_work;

	row_environment_get(offer->tx, name, &environment);
	decide_place_open(offer->tx, name, 0, &work);
	is_work = work.id != 0 && !deployment_is_loan(&work);
	if (!is_work && !environment_push_waits(&environment))
		return;
	if (deployment_is_pipeline(&work) && deploy_flow_class(work.state) == DEPLOY_CLASS_ACTIVE)
		return;
	if (is_work) {
		add_line(offer, &work);
	} else {
		offer->n++;
		chat_text_add(&offer->text, "\n" MARK_BOLD "%s" MARK_BOLD, name);
		chat_text_commit(&offer->text, " a push waits: ", environment.seen_commit);
	}
	if (is_work && work.client[0] == '\0')
		add_cancel(offer, &work);
	else /* of a client's work the grant is the client's, /cancel's the environment's */
		decide_choice(offer->tx, offer->update, request, name, &offer->message.buttons);
}

/* Of loans, or of runs of pipelines, which go on beside each other and beside what else is there.
 * A run that its forge has been asked to cancel has nothing to press; a loan is never STOPPING. */
static void
add_each(struct offer *offer, const char *name, int64_t next(struct tx *, const char *, int64_t))
{
	struct deployment work;
	int64_t number = 0;

	for (int i = 0;
	     i < CHOICES && (number = next(offer->tx, name, number)) != 0 && !offer->tx->failed;
	     i++) {
		add_line(offer, row_deployment_get(offer->tx, number, &work));
		if (work.state != DEPLOY_STOPPING)
			add_cancel(offer, &work);
	}
}

static void
send_offer(struct tx *tx, const struct update *update, const struct request *request,
    const struct decide_scope *scope)
{
	struct offer offer = { .tx = tx, .update = update, .text = CHAT_TEXT_EMPTY };
	struct request one = *request;

	one.target[0] = '\0'; /* all that there is is no target */
	decide_answer_no(tx, update);
	chat_text_add(&offer.text, "❓ " MARK_BOLD "/cancel" MARK_BOLD ": which?%s",
	    request->target[0] != '\0' ? " One at a time." : "");
	for (size_t i = 0; i < scope->n && offer.n < CHOICES; i++) {
		add_environment(&offer, &one, scope->at[i]->name);
		add_each(&offer, scope->at[i]->name, row_work_pipeline_next);
		add_each(&offer, scope->at[i]->name, row_loan_open);
	}
	if (offer.n == 0) {
		buf_clear(&offer.text.buf);
		chat_text_add(&offer.text, "Nothing to cancel.");
	}
	(void)decide_send_keyboard(tx, update, NULL, &offer.message, &offer.text);
}

static void
say_not_cancelled(struct tx *tx, const struct update *update, const struct deployment *work)
{
	if (deployment_is_pipeline(work) && work->state == DEPLOY_STOPPING)
		(void)decide_send_firstf(tx, &update->address, FIRST_CANNOT_CANCEL,
		    work->environment,
		    " %.32s is being stopped already: its forge was asked to cancel its run, and is asked again while that goes on. Its page there can end it by force.",
		    work->argument);
	else if (row_runner_gone(tx, work->run).at != 0)
		(void)decide_send_firstf(tx, &update->address, FIRST_CANNOT_CANCEL,
		    work->environment,
		    " is in progress; its runner is disconnected. " MARK_CODE
		    "/abandon %" PRId64 MARK_CODE
		    ", by an admin, ends the waiting, and stops nothing there.",
		    work->id);
	else
		(void)decide_send_firstf(tx, &update->address, FIRST_CANNOT_CANCEL,
		    work->environment, " is %s, which ends by itself.",
		    deployment_is_rollback(work) ? "rolling back" : deploy_flow_word(work->state));
}

static void
cancel_it(struct tx *tx, const struct update *update, struct deployment *work, bool is_waited_for)
{
	if (decide_cancel(tx, work, update)) {
		say_cancelling(tx, update, work, is_waited_for);
		return;
	}
	decide_answer_no(tx, update);
	say_not_cancelled(tx, update, work);
}

static void
cancel_in(
    struct tx *tx, const struct update *update, const struct request *request, const char *name)
{
	const struct environment_settings *there = settings_environment(tx->settings, name);
	const struct decide_scope only = { .n = 1, .at = &there };
	struct environment environment;
	struct deployment deployment;
	struct deployment queued;

	row_environment_get(tx, name, &environment);
	decide_place_open(tx, name, 0, &deployment);
	if (there != NULL && decide_place_has_more(tx, &environment, &deployment)) {
		send_offer(tx, update, request, &only);
		return;
	}
	row_deployment_queued(tx, name, &queued);
	if (deployment.id == 0 && environment_push_waits(&environment)) {
		drop_push(tx, update, &environment);
		return;
	}
	if (deployment.id == 0) {
		decide_answer_no(tx, update);
		(void)decide_send_firstf(tx, &update->address, FIRST_NOTHING_TO_END, name, ".");
		return;
	}
	if (is_stopping_gate(&deployment) && !decide_is_answered(update)) {
		ask_not_to_wait(tx, update, &deployment);
		return;
	}
	cancel_it(tx, update, &deployment,
	    queued.id != 0 && queued.id != deployment.id && !deployment_is_pipeline(&deployment));
}

/* Who may not cancel there takes back what they have asked for themselves, as with its button. */
static bool
cancel_own(struct tx *tx, const struct update *update, const struct request *request)
{
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	struct deployment own = { 0 };

	if (decide_scope_of(tx, update->person, POLICY_TALK, request->target, &scope) &&
	    scope.n == 1 &&
	    !decide_is_allowed(tx, update->person, POLICY_CANCEL, scope.at[0]->name))
		decide_place_open(tx, scope.at[0]->name, update->person, &own);
	if (own.id != 0 && may_cancel(tx, update, &own))
		cancel_it(tx, update, &own, false);
	return own.id != 0;
}

/* "12", "#12" of a loan: they go on beside each other, and have no other name. */
static bool
cancel_loan(struct tx *tx, const struct update *update, const struct request *request)
{
	struct request one = request_of("revoke", "");
	struct deployment work;
	char rest[LIMIT_REF];

	if (settings_environment(tx->settings, request->target) != NULL)
		return false;
	request_add(&one, "number", request->target);
	(void)decide_work(tx, update, &one, rest, &work);
	if (work.id == 0 || !deployment_is_loan(&work))
		return false;
	command_revoke(tx, update, &one);
	return true;
}

void
command_cancel(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t work = update->kind == UPDATE_PRESS ? request_number(request, "work") : 0;
	CLEANUP(decide_scope_done) struct decide_scope scope = { 0 };
	char name[LIMIT_ENVIRONMENT];

	if (work != 0) {
		cancel_work(tx, update, request, work);
		return;
	}
	if (request->target[0] != '\0' &&
	    (cancel_loan(tx, update, request) || cancel_own(tx, update, request)))
		return;
	if ((request->target[0] == '\0' || is_all(tx, request->target)) &&
	    decide_scope_of(tx, update->person, POLICY_CANCEL, "", &scope))
		send_offer(tx, update, request, &scope);
	else if (decide_where_open(tx, update, POLICY_CANCEL, request, name))
		cancel_in(tx, update, request, name);
}
