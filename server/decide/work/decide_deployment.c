/* decide_deployment.c - a deployment goes on by one event.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_deployment.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/work/decide_acts.h"
#include "decide/work/decide_bake.h"
#include "decide/queue/decide_ahead.h"
#include "decide/queue/decide_barrier.h"
#include "decide/queue/decide_ci.h"
#include "decide/queue/decide_opa.h"
#include "decide/approval/decide_emergency.h"
#include "decide/factor/decide_pad_close.h"
#include "decide/decide_limit.h"
#include "decide/tell/decide_nag.h"
#include "decide/tell/decide_notify.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_report.h"
#include "decide/work/decide_wave_plan.h"
#include "decide/queue/decide_previous.h"
#include "decide/audit/decide_record.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_block.h"
#include "store/row_change.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_host_list.h"
#include "store/row_button.h"
#include "store/row_claim.h"
#include "store/row_opa.h"
#include "store/row_press.h"
#include "store/row_promotion.h"
#include "store/row_queue.h"
#include "store/row_shown.h"
#include "store/row_witness.h"

static struct deployment *
find_question(struct tx *tx, const struct deployment *started, struct deployment *ret)
{
	bool is_rollback = deployment_is_rollback(started);

	row_deployment_next_question(
	    tx, is_rollback ? PROGRAM_ROLLBACK : PROGRAM_DEPLOY, started, 0, ret);
	if (ret->id == 0)
		row_deployment_emergency_of(tx, started->environment, started->commit, ret);
	return ret;
}

/* No second confirmation of what has started: that one's question is closed where it stands. */
static void
close_questions(struct tx *tx, const struct deployment *started)
{
	struct deployment question;

	find_question(tx, started, &question);
	while (question.id != 0 && !tx->failed) {
		text_setf(
		    question.detail, "started by %s", FORGE_PERSON(deployment_starter(started)));
		question.why = DEPLOY_WHY_ELSEWHERE;
		(void)decide_step(tx, &question, DEPLOY_ON_SUPERSEDE, NULL);
		find_question(tx, started, &question);
	}
}

/* A push that takes over an older one's place has it already. */
static void
enter_queue(struct tx *tx, struct deployment *deployment, enum deploy_state from)
{
	/* Approvals that fell away are no answer: a confirmation is of the time when it came. */
	bool is_answered_now = deployment->approvers[0] != '\0' ||
	    (deployment->confirmed_by != 0 && from != DEPLOY_AWAITING_APPROVAL);
	struct environment environment;

	row_environment_get(tx, deployment->environment, &environment);
	if (deployment->place == 0)
		deployment->place = row_queue_draw(tx);
	deployment->wait.queued_at = tx->at;
	if (is_answered_now)
		deployment->answered_at = tx->at;
	else if (deployment->confirmed_by == 0)
		deployment->answered_at = deployment->requested_at;
	/* What was approved may have waited for hours: it is as it was when git was asked. */
	if (from != DEPLOY_AWAITING_APPROVAL && deployment->wait.compared_live[0] == '\0')
		(void)decide_git_base(tx, deployment, &environment, deployment->wait.compared_live);
}

/* Nothing that it waited for in its place is waited for any more. */
static void
leave_queue(struct tx *tx, struct deployment *deployment)
{
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_GIT_QUERY, deployment->id));
	row_button_close_question(tx, deployment->id);
	deployment->wait.is_asked_anew = false;
	deployment->wait.ci_since = 0;
	deployment->waits_for[0] = '\0';
}

/* Nobody is asked or reminded any more; an approval may still be withdrawn. */
static void
leave_approval(struct tx *tx, const struct deployment *deployment)
{
	const struct request about = request_about("approve", "work", deployment->id);

	row_effect_withdraw(
	    tx, row_approval_request(tx, deployment->id, &(struct approval_request){ 0 })->timer);
	row_approval_leave(tx, deployment->id);
	row_button_close(tx, "approve", about.target);
	row_button_close(tx, "reject", about.target);
	row_button_close(tx, "newest", about.target);
}

/* It has its place again, and the answer that it was given; nothing has begun. */
static void
return_to_queue(struct tx *tx, struct deployment *deployment)
{
	row_claim_give_back(tx, deployment->id);
	deployment->started_at = 0;
	deployment->attempts = 0; /* this was none that failed */
	decide_emergency_returned(tx, deployment);
}

/* What starts with a state, before its acts. */
static void
enter_state(struct tx *tx, struct deployment *deployment, enum deploy_state from)
{
	if (deployment->state == DEPLOY_ROLLING_BACK && from != DEPLOY_ROLLING_BACK)
		deployment->attempts = 0;
	if (deployment->state == DEPLOY_RUNNING && from == DEPLOY_QUEUED) {
		deployment->started_at = tx->at;
		row_button_close(tx, "unapprove", request_about("", "work", deployment->id).target);
		if (!deployment_is_gate(deployment))
			close_questions(tx, deployment);
	}
	decide_ci_enter(tx, deployment);
	decide_opa_enter(tx, deployment);
	decide_bake_enter(tx, deployment, from);
	if (from == DEPLOY_BAKING) /* its next wave, for a slot */
		deployment->waits_for[0] = '\0';
	if (deployment->state == DEPLOY_QUEUED && from == DEPLOY_RUNNING)
		return_to_queue(tx, deployment);
	else if (deployment->state == DEPLOY_QUEUED && from != DEPLOY_QUEUED)
		enter_queue(tx, deployment, from);
	if (from == DEPLOY_QUEUED && deployment->state != DEPLOY_QUEUED)
		leave_queue(tx, deployment);
	if (from == DEPLOY_AWAITING_CONFIRMATION && deployment->state != from)
		row_button_close_question(tx, deployment->id);
	if (from == DEPLOY_AWAITING_APPROVAL && deployment->state != from)
		leave_approval(tx, deployment);
	decide_record_step(tx, deployment, from);
	decide_report(tx, deployment, from);
	if (deploy_flow_class(deployment->state) != DEPLOY_CLASS_FINAL)
		return;
	deployment->ended_at = tx->at;
	row_deployment_save(tx, deployment); /* its messages ask rows what has failed */
	/* A newer push has waited for the end of what was being approved. */
	if (!deployment_is_by_request(deployment) &&
	    row_environment_get(tx, deployment->environment, &(struct environment){ 0 })
		    ->waiting_push[0] != '\0')
		(void)row_effect_timer(tx, TIMER_HOLDS, "", 0, tx->at);
	if (deploy_flow_class(from) == DEPLOY_CLASS_ACTIVE)
		row_claim_give_back(tx, deployment->id);
	decide_wave_end(tx, deployment);
	if (decide_promotion_is_possible(deployment))
		row_promotion_close(tx, deployment);
	decide_charge(tx, deployment);
	decide_emergency_ended(tx, deployment);
	row_button_close(tx, "unapprove", request_about("", "work", deployment->id).target);
	row_button_close(tx, "cancel", request_about("cancel", "work", deployment->id).target);
	decide_record_end(tx, deployment);
}

/* They say how it ended; where somebody has yet to see that, or it is down, who has, or that it is
 * over, is said there later; and what was lent goes on behind the end of its work. */
static void
end_copies(struct tx *tx, const struct deployment *deployment)
{
	if (decide_nag_is_open(tx, deployment) || deployment_left_doubt(deployment) ||
	    deployment_is_loan(deployment))
		row_shown_become(tx, deployment->id, SHOWN_APPROVER, SHOWN_TEAM);
	else
		row_shown_clear(tx, deployment->id, SHOWN_TEAM);
}

bool
decide_step(struct tx *tx, struct deployment *deployment, enum deploy_event event,
    const struct git_answer *answer)
{
	enum deploy_state from = deployment->state;
	struct deploy_acts acts;

	if (tx->failed)
		return true;
	deployment->state = deploy_flow_step(deployment->program, from, event, &acts);
	if (acts.n == 0) {
		tx_log(tx, LOG_LEVEL_DEBUG, "deployment %" PRId64 ": %s finds nothing to do in %s",
		    deployment->id, deploy_flow_event_name(event), deploy_flow_name(from));
		return true;
	}
	decide_record_log(tx, deployment, from, event);
	deployment->is_unwitnessed = deployment->is_unwitnessed || row_witness_is_late(tx);
	if (deployment->state != from || event == DEPLOY_ON_AGAIN) {
		row_deployment_set_state(tx, deployment, deployment->state, deployment->why);
		enter_state(tx, deployment, from);
	}
	if (!decide_acts(tx, deployment, &acts, answer))
		return false;
	decide_notify(tx, deployment, from, &acts);
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL) {
		if (deploy_flow_class(from) == DEPLOY_CLASS_ACTIVE)
			decide_ahead_ended(tx, deployment);
		/* Their messages say how it ended; whoever asked for it must not review it. */
		if (!deployment_awaits_review(deployment))
			row_button_clear_requesters(tx, deployment->id);
		decide_pad_over(tx, deployment->id, "it is over; no code was used.");
		end_copies(tx, deployment);
		row_shown_clear_asking(tx, deployment->id);
		row_block_forget_contained(tx, deployment->id);
		if (tx->settings->opa.url != NULL)
			row_opa_drop(tx, deployment->id);
		if (deployment->state != DEPLOY_LIVE)
			row_change_forget(tx, deployment->id);
	}
	row_deployment_save(tx, deployment);
	return true;
}

static void
add_url(struct tx *tx, struct deployment *deployment, const char *url)
{
	size_t used = strlen(deployment->urls), room = sizeof(deployment->urls) - used;

	if (strlen(url) + 2 > room)
		tx_fail(tx, ERR_LIMIT, "the health URLs of %s are longer than %zu bytes",
		    deployment->environment, sizeof(deployment->urls));
	else
		(void)snprintf(deployment->urls + used, room, "%s%s", used > 0 ? "," : "", url);
}

/* A template is for hosts that are known. */
static void
set_urls(struct tx *tx, struct deployment *deployment, const struct environment_settings *settings)
{
	deployment->urls[0] = '\0';
	for (size_t i = 0; i < settings->health_url_count; i++)
		add_url(tx, deployment, settings->health_urls[i]);
	if (settings->health_template != NULL &&
	    row_host_count_list(tx, &(struct host_filter){ deployment->environment, false, "" }) >
		0)
		add_url(tx, deployment, settings->health_template);
}

bool
decide_prepare_start(struct tx *tx, struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);

	if (settings == NULL || deployment_is_action(deployment))
		return settings != NULL; /* a job's release is compared at its turn */
	decide_set_previous(tx, deployment);
	decide_set_direction(tx, deployment);
	decide_wave_plan(tx, deployment, settings);
	if (deployment->waves > 0) /* each host goes back to what it ran, be it the same */
		decide_set_previous_live(tx, deployment);
	deployment->cannot_roll_back = decide_is_barred(tx, deployment);
	set_urls(tx, deployment, settings);
	return true;
}

bool
decide_is_live(struct tx *tx, const struct deployment *deployment)
{
	struct environment environment;

	row_environment_get(tx, deployment->environment, &environment);
	return deployment->program == PROGRAM_DEPLOY &&
	    deployment_runs_already(deployment, &environment);
}

void
decide_confirmed(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	deployment->confirmed_by = update->person;
	text_set(deployment->confirmer, update->name);
	row_press_add(tx, deployment->id, PRESS_CONFIRM, update->person);
}

/* A hook or workflow asks in the name of a chat, which has its question. */
static enum trigger
trigger_of(const struct update *update)
{
	if (principal_token(update->person) != 0)
		return TRIGGER_API;
	return decide_is_answered(update) && !principal_is_program(update->person) ? TRIGGER_LOCAL :
										     TRIGGER_CHAT;
}

struct deployment *
decide_requested(struct tx *tx, const struct update *update, enum program program,
    const char *environment, struct deployment *ret)
{
	*ret = (struct deployment){
		.program = program,
		.trigger = trigger_of(update),
		.state = DEPLOY_REQUESTED,
		.requested_by = update->person,
		.address = decide_home(tx, update, environment),
		.request = update->message,
		.requested_at = tx->at,
	};

	text_set(ret->environment, environment);
	text_set(ret->requester, update->name);
	return ret;
}
