/* decide_queue.c - whose turn it is: the queues of the environments, looked at from the front.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/queue/decide_queue.h"
#include "decide/queue/decide_previous.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/work/decide_action.h"
#include "decide/work/decide_bake.h"
#include "decide/who/decide_agent.h"
#include "decide/who/decide_allowed.h"
#include "decide/queue/decide_barrier.h"
#include "decide/queue/decide_binding.h"
#include "decide/queue/decide_ci.h"
#include "decide/queue/decide_full.h"
#include "decide/work/decide_deployment.h"
#include "decide/who/decide_job.h"
#include "decide/approval/decide_emergency.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_hold.h"
#include "decide/hold/decide_hold_work.h"
#include "decide/queue/decide_opa.h"
#include "decide/approval/decide_needs.h"
#include "decide/hold/decide_refusal.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_shown.h"
#include "decide/tell/decide_tell.h"
#include "decide/queue/decide_unsynced.h"
#include "decide/who/decide_principal.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_zone.h"
#include "deployment/turn.h"
#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_button.h"
#include "store/row_claim.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_question.h"
#include "store/row_queue.h"
#include "store/row_resource.h"
#include "store/row_slot.h"
#include "types/loan.h"

/* One look at one queue. */
struct look {
	struct tx *tx;
	const char *environment;
	const struct environment_settings *settings; /* NULL: it has left them */
	struct environment now;
	int64_t answered; /* git has just answered for this one; 0: for none */
	const struct git_answer *answer;
	bool is_busy;	    /* something keeps it that all wait for but pipelines */
	bool is_asking;	    /* git, for one in front */
	bool is_judging;    /* OPA, for one in front */
	bool is_given_slot; /* it is this queue's turn to have one that is free */
};

/* One place in it. */
struct place {
	struct deployment work;
	struct question shown;	       /* of it, to who answered */
	char resource[LIMIT_RESOURCE]; /* TURN_IS_CLAIMED: which */
	char changed[LIMIT_LINE];      /* TURN_IS_DIFFERS: what */
	char ci[LIMIT_LINE];	       /* what CI says */
	struct opa_row opa;	       /* what OPA has said */
	enum opa_verdict judged;       /* of that, what counts now */
};

/* --- what is true of a place --- */

/* Settings may have changed since the request, roles may have ended.  Who asked may do it, or who
 * confirmed it may; and who confirmed for another one may confirm. */
static bool
is_denied(struct tx *tx, const struct deployment *work)
{
	const char *where = deployment_target_here(work);
	int64_t other = work->confirmed_by == work->requested_by ? 0 : work->confirmed_by;
	bool requester_may = work->trigger == TRIGGER_JOB ?
	    decide_job_reports(tx, work->environment) :
	    !deployment_is_by_request(work) || deployment_is_of_rule(work) ||
		decide_is_allowed_work(tx, work->requested_by, work);

	if (!decide_action_exists(tx, work))
		return true;
	if (other == 0)
		return !requester_may;
	return !decide_is_allowed_work(tx, other, work) &&
	    !(requester_may && decide_is_allowed(tx, other, POLICY_CONFIRM, where));
}

static bool
is_live(const struct look *l, const struct deployment *work)
{
	if (work->is_again)
		return false;
	return deployment_is_rollback(work) ? decide_is_overtaken(l->tx, work, &l->now) :
					      deployment_runs_already(work, &l->now);
}

/* Rolled back since it was pushed (a person was faster to ask for it): it is not deployed twice,
 * unless a question said so and was confirmed. */
static bool
is_blocked(struct tx *tx, const struct place *place)
{
	struct block own;

	return row_block_find(tx, place->work.environment, place->work.commit, &own) &&
	    own.number > place->shown.shown_own;
}

static bool
is_claimed(const struct look *l, struct place *place)
{
	CLEANUP(freep) struct settings_claims *claims = decide_claims(l->tx, &place->work);
	const char *rows = decide_claims_rows(l->tx, &place->work);

	for (size_t i = 0; i < claims->n && place->resource[0] == '\0'; i++)
		if (row_claim_holder(l->tx, claims->at[i]) != 0 ||
		    row_queue_waits_longer(l->tx, claims->at[i], place->work.place) != 0)
			text_set(place->resource, claims->at[i]); /* fits */
	if (place->resource[0] == '\0' && rows != NULL)
		(void)row_resource_is_held(l->tx, rows, place->work.place, place->resource);
	return place->resource[0] != '\0';
}

/* Is there a slot for it?  Where others may want the same one they all wait for it first, and
 * share_slots() says whose it is.  A person's rollback needs none. */
static bool
has_slot(const struct look *l, const struct deployment *work)
{
	return deployment_is_rollback(work) || deployment_is_read(work) ||
	    deployment_is_gate(work) || deployment_is_pipeline(work) || l->is_given_slot ||
	    (row_slot_is_free(l->tx, l->environment) &&
		!row_slot_is_contended(l->tx, l->environment));
}

static bool
differs(const struct look *l, struct place *place)
{
	const struct git_answer *answer = l->answered == place->work.id ? l->answer : NULL;
	const struct deployment *work = &place->work;

	place->changed[0] = '\0';
	/* Nobody was shown it, or what they were shown did not say so; the question does. */
	if (l->now.unknown_since != 0 && !deployment_is_loan(work) &&
	    (!decide_is_answered_for(work) || l->now.unknown_since >= work->answered_at))
		(void)snprintf(place->changed, LIMIT_LINE, "what %s runs is not known any more",
		    deployment_target_here(work));
	else if (decide_is_past_unshown(l->tx, work))
		(void)snprintf(place->changed, LIMIT_LINE,
		    "%s runs %s now, and this rolls back past it", l->environment,
		    commit_name_here(COMMIT_OF(&l->now.current)));
	else if (place->shown.is_unconfirmed) /* approvers were shown it, not who confirmed it */
		(void)text_copy(place->changed, LIMIT_LINE, work->changed);
	else if (decide_is_answered_for(work) || place->shown.differing[0] != '\0') /* was shown */
		decide_compare(l->tx, work, answer, place->changed);
	else if (!decide_zone_is_news(l->tx, work, place->changed))
		decide_compare_blocks(l->tx, work, place->changed);
	return place->changed[0] != '\0';
}

/* What git said of it just now, where that shows anything. */
static const struct git_answer *
answer_for(const struct look *l, const struct deployment *work)
{
	const struct git_answer *answer = l->answered == work->id ? l->answer : NULL;

	return answer != NULL && answer->error[0] != '\0' ? NULL : answer;
}

/* Or those who have approved it were not shown what git says. */
static bool
is_unapproved(const struct look *l, const struct deployment *work)
{
	return !decide_needs_look(l->tx, work, NULL) ||
	    (work->approvers[0] != '\0' && decide_has_left(work, answer_for(l, work)));
}

/* Of before CI's end OPA's answer would not count any more. */
static bool
is_unjudged(const struct look *l, const struct place *place, enum decide_ci ci)
{
	return ci != DECIDE_CI_PENDING &&
	    (place->judged != OPA_YES || (l->is_judging && place->opa.work != 0));
}

static unsigned
facts_of(const struct look *l, struct place *place)
{
	const struct deployment *work = &place->work;
	bool is_rollback = deployment_is_rollback(work);
	enum decide_ci ci = decide_ci(l->tx, work, place->ci);
	char base[LIMIT_COMMIT], unfit[LIMIT_LINE];
	const struct {
		enum turn_fact fact;
		bool is_true;
	} facts[] = {
		{ TURN_IS_GONE, l->settings == NULL },
		{ TURN_IS_UNFIT, decide_promotion_unfit(l->tx, work, unfit) != NULL },
		{ TURN_IS_CI_FAILED, ci == DECIDE_CI_FAILED || ci == DECIDE_CI_CANCELLED },
		{ TURN_IS_CI_CANCELLED, ci == DECIDE_CI_CANCELLED },
		{ TURN_IS_DENIED, is_denied(l->tx, work) },
		{ TURN_IS_NOT_NOW, decide_is_held(l->tx, work) },
		{ TURN_IS_PERSON, deployment_is_by_request(work) },
		{ TURN_IS_LIVE, is_live(l, work) },
		{ TURN_IS_ROLLBACK, is_rollback },
		{ TURN_IS_BARRED, is_rollback && decide_is_barred(l->tx, work) },
		{ TURN_IS_BLOCKED, is_blocked(l->tx, place) },
		{ TURN_IS_UNKNOWN, l->now.unknown_since != 0 },
		{ TURN_IS_UNSYNCED, decide_is_unsynced(l->tx, work, &place->shown) },
		{ TURN_IS_NO_RUNNER, decide_agent_is_away(l->tx, work) },
		{ TURN_IS_UNBOUND, decide_is_unbound(work) },
		{ TURN_IS_ASKED,
		    work->wait.is_asked_anew &&
			row_effect_find(l->tx, EFFECT_TIMER, work->id) != 0 },
		{ TURN_IS_CLAIMED, is_claimed(l, place) },
		{ TURN_IS_NO_SLOT, !has_slot(l, work) },
		{ TURN_IS_UNCOMPARED,
		    deployment_asks_git(work) &&
			(l->is_asking ||
			    /* Its branch may have left it: a job goes on by what is true now. */
			    (deployment_is_gate(work) && l->answered != work->id) ||
			    strcmp(work->wait.compared_live,
				decide_git_base(l->tx, work, &l->now, base)) != 0 ||
			    decide_is_uncompared(l->tx, work)) },
		{ TURN_IS_BEHIND, work->wait.is_behind },
		{ TURN_IS_UNAPPROVED, is_unapproved(l, work) },
		{ TURN_IS_FORBIDDEN, place->judged == OPA_NO },
		{ TURN_IS_UNJUDGED, is_unjudged(l, place, ci) },
		{ TURN_IS_DIFFERS, differs(l, place) },
		{ TURN_IS_STALE, turn_is_stale(work, l->tx->at) },
		{ TURN_IS_CI_PENDING, ci == DECIDE_CI_PENDING },
		{ TURN_IS_UNMEASURED, !decide_bake_is_measured(l->tx, work, &l->now) },
	};
	unsigned set = 0;

	for (size_t i = 0; i < COUNT(facts); i++)
		set |= facts[i].is_true ? 1u << facts[i].fact : 0;
	return set;
}

bool
decide_queue_keeps(struct tx *tx, const struct deployment *work, char why[LIMIT_LINE])
{
	struct place place = { .work = *work };

	row_question_get(tx, work->id, &place.shown);
	(void)text_copy(why, LIMIT_LINE,
	    settings_environment(tx->settings, work->environment) == NULL ?
		"its environment is in no settings any more" :
		is_denied(tx, work)	 ? "who asked for it may not deploy there any more" :
		decide_is_held(tx, work) ? "a lock or a freeze holds its environment now" :
		is_blocked(tx, &place)	 ? "its commit was blocked since it began" :
					   "");
	return why[0] != '\0';
}

/* --- what becomes of it --- */

static void
wait_for(const struct look *l, struct place *place, const char *what)
{
	text_set(place->work.waits_for, what);
	row_queue_wait(l->tx, place->work.id, what);
}

static void
refuse(const struct look *l, struct place *place, const struct turn_rule *rule)
{
	bool is_ci = (rule->with & TURN(CI_FAILED)) != 0;
	bool is_opa = (rule->with & TURN(FORBIDDEN)) != 0;
	char unfit[LIMIT_LINE];

	place->work.why = is_ci ? DEPLOY_WHY_CI : DEPLOY_WHY_REFUSED;
	text_set(place->work.detail,
	    is_ci			? place->ci :
		is_opa			? decide_opa_no(&place->opa, unfit) :
		rule->reason[0] != '\0' ? rule->reason :
					  decide_promotion_unfit(l->tx, &place->work, unfit));
	(void)decide_step(l->tx, &place->work, DEPLOY_ON_REFUSE, NULL);
}

static void
supersede(const struct look *l, struct place *place, const char *reason)
{
	text_set(place->work.detail, reason);
	(void)decide_step(l->tx, &place->work, DEPLOY_ON_SUPERSEDE, NULL);
}

/* How its commit and the live one are related.  Asked until git answers: the place is kept.  Who is
 * behind waits for that answer as well, compared or not, or they would start in the order in which
 * git answers. */
static void
ask_git(struct look *l, struct place *place)
{
	wait_for(l, place, ROW_QUEUE_GIT);
	if (!l->is_asking && row_effect_find(l->tx, EFFECT_GIT_QUERY, place->work.id) == 0)
		decide_query_again(l->tx, &place->work);
	l->is_asking = true;
}

/* Who is behind waits for the first answer as well, or they would start in the order of those. */
static void
ask_opa(struct look *l, struct place *place)
{
	wait_for(l, place, ROW_QUEUE_OPA);
	if (place->judged != OPA_YES)
		decide_opa_ask(l->tx, &place->work);
	l->is_judging |= place->opa.tries == 0;
}

/* So does who is behind: what was measured before this release is of no other. */
static void
measure(struct look *l, const struct place *place)
{
	decide_bake_measure(l->tx, &place->work);
	l->is_busy = true;
}

/* What those who answer next are told has changed; "": nothing has. */
static void
say_change(const struct look *l, const struct place *place, char ret[LIMIT_LINE])
{
	(void)text_copy(ret, LIMIT_LINE, place->changed);
	if (ret[0] == '\0' && place->work.wait.is_behind && deployment_is_gate(&place->work))
		(void)snprintf(ret, LIMIT_LINE, "%.7s, which is newer, went to %s before",
		    place->work.wait.compared_live, l->environment);
	else if (ret[0] == '\0' && place->work.wait.is_behind)
		(void)snprintf(ret, LIMIT_LINE, "%s runs %.7s now, which is newer", l->environment,
		    l->now.current.commit);
}

/* What it lacks, or lost, is asked for; its number stays, and with it its place. */
static void
ask_approval(const struct look *l, struct place *place)
{
	struct deployment *work = &place->work;
	bool *is_unconfirmed = &place->shown.is_unconfirmed;
	char changed[LIMIT_LINE];

	decide_compare(l->tx, work, NULL, place->changed);
	decide_note_left(work, answer_for(l, work), place->changed);
	say_change(l, place, changed);
	*is_unconfirmed |= work->confirmed_by != 0 && place->changed[0] != '\0';
	if (changed[0] != '\0' || !*is_unconfirmed)
		text_set(work->changed, changed);
	row_question_set(l->tx, work->id, &place->shown);
	wait_for(l, place, "");
	(void)decide_step(l->tx, work, DEPLOY_ON_ASK_APPROVAL, answer_for(l, work));
}

static void
ask_anew(const struct look *l, struct place *place)
{
	char why[LIMIT_LINE];

	say_change(l, place, why);
	if (why[0] == '\0')
		text_setf(why, "its place in %s is more than an hour old",
		    deployment_target_here(&place->work));
	wait_for(l, place, "");
	place->work.wait.is_asked_anew = true;
	decide_ask_anew(l->tx, &place->work, why, answer_for(l, &place->work));
}

#define MEASURED_IN_MS INT64_C(10000)

static void
start(struct look *l, struct place *place)
{
	struct deployment *work = &place->work;
	/* Who has just answered is looking; that Prometheus was asked is no wait of theirs. */
	int64_t since = strcmp(work->waits_for, ROW_QUEUE_MEASURE) == 0 ?
	    l->tx->at - MEASURED_IN_MS :
	    l->tx->at;
	bool has_waited = work->wait.queued_at < since && work->answered_at < since;

	wait_for(l, place, "");
	decide_opa_passed(l->tx, work, &place->opa);
	(void)decide_prepare_start(l->tx, work); /* it is in the settings: GONE is no start */
	(void)decide_step(l->tx, work, DEPLOY_ON_FREE, NULL);
	/* A gate waits for git, and nobody for it but its job. */
	if (has_waited && deployment_is_by_request(work) && work->ended_at == 0 &&
	    !deployment_is_gate(work))
		decide_tell_turn(l->tx, work, false);
	l->is_busy |= !deployment_is_apart(work);
}

/* What a place waits for that is kept by such a turn; NULL: the turn says it itself. */
static const char *const waits[TURN_TO_START + 1] = {
	[TURN_TO_WAIT_HOLD] = ROW_QUEUE_HOLD,
	[TURN_TO_PASS] = "",
	[TURN_TO_WAIT_SETTINGS] = ROW_QUEUE_SETTINGS,
	[TURN_TO_WAIT_RUNNER] = ROW_QUEUE_RUNNER,
	[TURN_TO_WAIT_SLOT] = ROW_QUEUE_SLOT,
	[TURN_TO_WAIT_CI] = ROW_QUEUE_CI,
	[TURN_TO_MEASURE] = ROW_QUEUE_MEASURE,
};

/* False: it waits no more, or for what is in progress. */
static bool
get_place(const struct look *l, int64_t id, struct place *ret)
{
	row_deployment_get(l->tx, id, &ret->work);
	row_question_get(l->tx, id, &ret->shown);
	ret->judged = decide_opa(l->tx, &ret->work, &ret->opa);
	return ret->work.state == DEPLOY_QUEUED && (!l->is_busy || deployment_is_apart(&ret->work));
}

static void
take_turn(struct look *l, int64_t id)
{
	struct place place = { 0 };
	const struct turn_rule *rule;

	if (!get_place(l, id, &place))
		return;
	rule = turn_decide(facts_of(l, &place));
	if (waits[rule->to] != NULL)
		wait_for(l, &place, waits[rule->to]);
	if (rule->to != TURN_TO_WAIT_CI)
		decide_ci_stop(l->tx, &place.work);
	switch (rule->to) {
	case TURN_TO_REFUSE:
		refuse(l, &place, rule);
		break;
	case TURN_TO_SUPERSEDE:
		supersede(l, &place, rule->reason);
		break;
	case TURN_TO_HOLD:
		decide_hold_work(l->tx, &place.work);
		break;
	case TURN_TO_WAIT_SETTINGS:
		decide_unsynced_wait(l->tx, id, &place.shown);
		break;
	case TURN_TO_WAIT_CLAIM:
		wait_for(l, &place, place.resource);
		break;
	case TURN_TO_WAIT_CI:
		decide_ci_wait(l->tx, &place.work);
		break;
	case TURN_TO_ASK_GIT:
		ask_git(l, &place);
		break;
	case TURN_TO_ASK_OPA:
		ask_opa(l, &place);
		break;
	case TURN_TO_MEASURE:
		measure(l, &place);
		break;
	case TURN_TO_ASK_ANEW:
		ask_anew(l, &place);
		break;
	case TURN_TO_ASK_APPROVAL:
		ask_approval(l, &place);
		break;
	case TURN_TO_START:
		start(l, &place);
		break;
	default: /* it waits, as was said */
		break;
	}
}

/* --- a look --- */

/* Each message says where its work stands now; who has come to the front is told. */
static void
tell_places(const struct look *l)
{
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(l->tx, l->environment, ids);

	for (size_t i = 0; i < n && !l->tx->failed; i++) {
		struct deployment work;

		row_deployment_get(l->tx, ids[i], &work);
		if (work.wait.is_asked_anew)
			continue;
		decide_tell(l->tx, &work, NULL);
		if (i == 0 && !work.wait.is_next_notified && !decide_is_held(l->tx, &work)) {
			work.wait.is_next_notified = true;
			if (deployment_is_by_request(&work) && work.wait.queued_at < l->tx->at)
				decide_tell_turn(l->tx, &work, true);
		}
		row_deployment_save(l->tx, &work);
	}
}

/* Those alone begin where something is in progress. */
static bool
has_apart(const struct look *l)
{
	return settings_member_line(l->tx->settings, l->environment, FAMILY_PIPELINE, NULL) !=
	    NULL ||
	    loan_is_there(l->tx->settings, "*", l->environment);
}

static void
look(struct look *l)
{
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(l->tx, l->environment, ids);
	struct deployment active;

	l->is_busy = row_deployment_active(l->tx, l->environment, &active)->id != 0;
	if (n == 0 || decide_keeps_waiting(l->tx, l->environment))
		return;
	l->settings = settings_environment(l->tx->settings, l->environment);
	row_environment_get(l->tx, l->environment, &l->now);
	for (size_t i = 0; i < n && !l->tx->failed && (!l->is_busy || has_apart(l)); i++)
		take_turn(l, ids[i]);
	tell_places(l);
}

/* Each look ends with one start at the most. */
static void
share_slots(struct tx *tx)
{
	char environment[LIMIT_ENVIRONMENT];

	while (!tx->failed && row_slot_next(tx, environment)) {
		look(&(struct look){ .tx = tx, .environment = environment, .is_given_slot = true });
	}
}

void
decide_queue(struct tx *tx, const char *environment)
{
	struct look l = { .tx = tx, .environment = environment };

	look(&l);
	share_slots(tx);
}

void
decide_queues(struct tx *tx)
{
	char environment[LIMIT_ENVIRONMENT];

	while (!tx->failed && tx->has_looks) { /* who gets a slot may end, and mark others */
		while (!tx->failed && row_queue_next(tx, environment)) {
			struct look l = { .tx = tx, .environment = environment };

			look(&l);
		}
		share_slots(tx);
	}
}

/* --- a place is taken --- */

/* A newer push takes over the place of the one that waits; people are never replaced. */
static void
replace_push(struct tx *tx, struct deployment *newer)
{
	int64_t id = row_queue_push(tx, newer->environment);
	struct deployment older;

	if (id == 0)
		return;
	row_deployment_get(tx, id, &older);
	newer->place = older.place;
	text_setf(older.detail, "replaced by %.7s", newer->commit);
	(void)decide_step(tx, &older, DEPLOY_ON_SUPERSEDE, NULL);
}

bool
decide_is_replaced(struct tx *tx, struct deployment *older)
{
	int64_t id = deployment_is_by_request(older) ? 0 : row_queue_push(tx, older->environment);
	struct deployment newer;

	if (id == 0)
		return false;
	row_deployment_get(tx, id, &newer);
	newer.place = older->place;
	row_deployment_save(tx, &newer);
	text_setf(older->detail, "replaced by %.7s", newer.commit);
	return true;
}

/* False: it has no place. */
static bool
enqueue(struct tx *tx, struct deployment *deployment, enum deploy_event event,
    const struct git_answer *answer)
{
	char refusal[LIMIT_LINE] = "";

	if (answer != NULL)
		text_set(deployment->untouched, answer->untouched);
	if (!decide_needs_look(tx, deployment, NULL)) {
		(void)decide_step(tx, deployment, DEPLOY_ON_ASK_APPROVAL, answer);
		return false;
	}
	if (deployment_is_by_request(deployment))
		decide_full_why(tx, deployment->environment, deployment->requested_by,
		    deployment_stands_first(deployment), decide_is_held(tx, deployment), refusal);
	else
		replace_push(tx, deployment);
	if (refusal[0] != '\0') {
		deployment->why = DEPLOY_WHY_REFUSED;
		text_set(deployment->detail, refusal);
		(void)decide_step(tx, deployment, DEPLOY_ON_REFUSE, NULL);
		return false;
	}
	(void)decide_step(tx, deployment, event, NULL);
	if (deployment_is_emergency(deployment))
		decide_emergency_ring(tx, deployment);
	return true;
}

void
decide_enqueue(struct tx *tx, struct deployment *deployment, enum deploy_event event,
    const struct git_answer *answer)
{
	struct look l = { .tx = tx, .environment = deployment->environment };

	if (answer != NULL)
		l.answered = deployment->id;
	if (decide_opa_first(tx, deployment, answer, false))
		return;
	if (!enqueue(tx, deployment, event, answer))
		return;
	look(&l);
	share_slots(tx);
}

void
decide_enqueue_later(struct tx *tx, struct deployment *deployment)
{
	if (enqueue(tx, deployment, DEPLOY_ON_CLEAR, NULL))
		row_queue_look(tx, deployment->environment);
}

/* --- asked anew, and git's answers --- */

void
decide_queue_confirm(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	struct question shown;

	decide_confirmed(tx, deployment, update);
	deployment->wait.is_asked_anew = false;
	deployment->wait.is_behind = false; /* the question said so */
	deployment->changed[0] = '\0';
	deployment->answered_at = tx->at;
	/* Where git has compared it with what was live before that one, it does so again. */
	if (deployment->wait.compared_live[0] == '\0')
		(void)text_copy(deployment->wait.compared_live, LIMIT_COMMIT,
		    row_question_get(tx, deployment->id, &shown)->shown_live);
	row_button_close_question(tx, deployment->id);
	row_deployment_save(tx, deployment);
	(void)decide_step(tx, deployment, DEPLOY_ON_CONFIRM, NULL);
	decide_queue(tx, deployment->environment);
}

void
decide_queue_answered(struct tx *tx, struct deployment *deployment,
    const struct effect_git_query *query, const struct git_answer *answer)
{
	struct look l = { .tx = tx,
		.environment = deployment->environment,
		.answered = deployment->id,
		.answer = answer };
	/* Git is asked about a gate at each turn: what somebody has confirmed stays so. */
	bool is_shown = deployment_is_gate(deployment) && !deployment->wait.is_behind &&
	    strcmp(deployment->wait.compared_live, query->base) == 0;

	/* With `error` all facts are false: what the repository lacks is no ancestor of what it
	 * has.  It starts as it was asked for, unless a question showed more; the release may
	 * need it. */
	deployment->waits_for[0] = '\0';
	deployment->wait.is_behind = turn_is_behind(answer) && !is_shown;
	text_set(deployment->untouched, answer->untouched);
	deployment->note[0] = '\0';
	decide_note_newer(deployment, answer);
	decide_contained(tx, deployment, answer);
	(void)text_copy(deployment->wait.compared_live, LIMIT_COMMIT, query->base);
	row_deployment_save(tx, deployment);
	look(&l);
}

void
decide_queue_delayed(struct tx *tx, struct deployment *deployment, const char *why)
{
	text_setf(deployment->note, "git does not answer (%.150s): its place is kept", why);
	decide_tell(tx, deployment, NULL);
	row_deployment_save(tx, deployment);
}
