/* decide_gate.c - a job of a pipeline waits for its environment, goes on, and says how it ended.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/decide_reply.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_refusal.h"
#include "decide/queue/decide_full.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_executor.h"
#include "decide/work/decide_forge_answer.h"
#include "decide/work/decide_promotion.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_gate.h"
#include "store/row_job.h"
#include "store/row_rate_limit.h"
#include "store/row_stranger.h"
#include "types/pipeline.h"
#include "types/repository.h"

#define MINUTE_MS	 (60 * INT64_C(1000))
#define HOUR_MS		 (60 * MINUTE_MS)
#define GONE_MS		 (3 * MINUTE_MS) /* a job asks every five seconds */
#define STOP_MS		 (6 * MINUTE_MS) /* GitHub kills a cancelled job after five */
#define CLOCKS_MS	 MINUTE_MS	 /* by which GitHub's clock and ours may differ */
#define GATES_MAX	 64
#define GATES_OWN	 16 /* of an application: it cannot use up all */
#define GATES_ACTOR	 8  /* of these by one actor: whoever may push locks nobody out */
#define RULES_AT_ONCE	 12 /* that GitHub asks for at one environment, then one a minute */
#define REFUSED_SHOWN_MS (10 * MINUTE_MS)
#define OFF_BRANCH_SHOWN 3 /* at once, then one in that time */

/* --- its one timer --- */

static void
wait_until(struct tx *tx, int64_t gate, int64_t at)
{
	char name[24];
	struct row_job of;

	text_setf(name, "%" PRId64, gate);
	row_effect_withdraw(tx, row_job_get(tx, gate, &of)->timer);
	row_job_set_timer(tx, gate, row_effect_timer(tx, TIMER_GATE, name, 0, at));
}

/* --- it is asked for --- */

/* "shop/production"; a job of an application may leave that away.  NULL: it was refused. */
static const struct environment_settings *
find_environment(struct tx *tx, const struct api_request *api)
{
	const char *workflow = api->job->workflow;
	const struct environment_settings *environment;
	char said[LIMIT_REF], name[LIMIT_REF + ENVIRONMENT_ID_MAX];
	bool is_whole;

	(void)request_get(&api->request, "environment", said);
	is_whole = strchr(said, '/') != NULL || strchr(workflow, '/') == NULL;
	text_setf(name, "%.*s%s", is_whole ? 0 : (int)strcspn(workflow, "/") + 1, workflow, said);
	environment = settings_environment(tx->settings, name);
	if (environment != NULL &&
	    decide_is_allowed(tx, api->from.person, POLICY_GATE, environment->name))
		return environment;
	decide_audit_denied(tx, &api->from, AUDIT_CODE_DENIED, policy_action_word(POLICY_GATE),
	    environment != NULL ? environment->name : "", "no grant for it");
	decide_refusef(tx, 403,
	    "workflow:%s has no gate at \"%.80s\": its WORKFLOW_<NAME>_MAY grants no gate:%.80s",
	    workflow, said, name);
	return NULL;
}

/* "16 gates of this application": that is all that there may be; "": there is room. */
static void
find_crowd(struct tx *tx, const struct environment_settings *e, const struct job *job,
    char ret[LIMIT_LINE])
{
	const char *of = e->of->application;
	const struct {
		int64_t n, most;
		const char *whose;
	} rows[] = { { row_job_count_gates(tx, NULL, NULL), GATES_MAX, "" },
		{ row_job_count_gates(tx, of, NULL), GATES_OWN, " of this application" },
		{ row_job_count_gates(tx, of, job), GATES_ACTOR,
		    " of this application by the same actor" } };

	ret[0] = '\0';
	for (size_t i = 0; i < COUNT(rows) && ret[0] == '\0'; i++)
		if (rows[i].n >= rows[i].most)
			(void)snprintf(ret, LIMIT_LINE,
			    "%" PRId64 " gates%s wait or are open: try again later", rows[i].most,
			    rows[i].whose);
}

/* Why no gate is made there now, and the status that says so; 0: one is. */
static int
refusal(struct tx *tx, const struct environment_settings *e, const struct job *job,
    char ret[LIMIT_LINE])
{
	char line[LIMIT_LINE];
	const char *refused = decide_refusal(tx, e->name);
	bool lacks_code = decide_job_lacks_code(tx, POLICY_GATE, e);

	if (refused == NULL)
		refused = decide_promotion_alone(e, line);
	find_crowd(tx, e, job, ret);
	if (lacks_code)
		(void)snprintf(ret, LIMIT_LINE, DECIDE_JOB_LACKS_CODE, e->name);
	else if (refused != NULL)
		(void)snprintf(ret, LIMIT_LINE, "%s", refused);
	else if (ret[0] == '\0')
		return 0;
	return lacks_code ? 403 : refused != NULL ? 409 : 429;
}

/* False: it was refused. */
static bool
can_be_asked(
    struct tx *tx, const struct api_request *api, const struct environment_settings *environment)
{
	char why[LIMIT_LINE];
	int status;

	if (!decide_job_is_as_claimed(tx, api, "ref", api->job->ref) ||
	    !decide_job_is_as_claimed(tx, api, "commit", api->job->sha))
		return false;
	status = refusal(tx, environment, api->job, why);
	if (status != 0)
		decide_refusef(tx, status, "%s", why);
	else if (!repository_is_called(
		     environment->of, job_forge_of(api->job->repository_id), api->job->repository))
		decide_refusef(tx, 403, "%s is of another repository than %.120s",
		    environment->name, api->job->repository);
	else if (decide_is_full(tx, &api->from, environment->name, environment->name, false))
		tx->answer.status = 409;
	else
		return true;
	return false;
}

/* Git is asked about it next. */
static void
add(struct tx *tx, const struct update *from, const struct job *job, struct deployment *gate,
    bool is_shown)
{
	text_set(gate->action, action_table[ACTION_OPEN_GATE].name);
	text_set(gate->commit, job->sha);
	text_set(gate->ref, job->ref);
	row_deployment_add(tx, gate);
	tx->unshown = is_shown ? 0 : gate->id;
	row_job_add(tx, gate->id, job);
	decide_action_bind(tx, gate, &(struct action_row){ .executor = "forge" });
	decide_tell(tx, gate, NULL);
	row_deployment_save(tx, gate);
	decide_audit_request(tx, gate, 0, AUDIT_CODE_ACTION_REQUESTED, "requested",
	    (const char *const[]){ "action", gate->action, "name", from->name, "executor", "forge",
		"repository", job->repository, "run", job->run, NULL });
}

static void
ask(struct tx *tx, const struct api_request *api, const char *environment)
{
	struct deployment gate;

	decide_requested(tx, &api->from, PROGRAM_ACTION, environment, &gate);
	add(tx, &api->from, api->job, &gate, true);
	tx->answer.work = gate.id;
	wait_until(tx, gate.id, tx->at + GONE_MS);
	decide_query_commit(tx, &gate, api->job->sha, gate.requester);
}

void
decide_gate(struct tx *tx, const struct api_request *api)
{
	const struct environment_settings *environment;

	if (!decide_job_asks(tx, api))
		return;
	environment = find_environment(tx, api);
	if (environment == NULL)
		return;
	tx->answer.work = row_job_gate(tx, environment->name, api->job);
	if (tx->answer.work != 0)
		(void)decide_job_began(tx, api, tx->answer.work);
	else if (can_be_asked(tx, api, environment))
		ask(tx, api, environment->name);
	if (tx->answer.work != 0)
		tx->answer.status = 202;
}

/* --- it is open, and over --- */

static void
end(struct tx *tx, struct deployment *gate, enum deploy_why why, const char *detail)
{
	bool is_well = why == DEPLOY_WHY_NONE;
	bool is_open = deploy_flow_class(gate->state) == DEPLOY_CLASS_ACTIVE;
	struct row_job of;

	row_effect_withdraw(tx, row_job_get(tx, gate->id, &of)->timer);
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_FORGE_STOP, gate->id));
	row_job_set_timer(tx, gate->id, 0);
	/* Of what waits nothing went on, however its job ended, but where that surely went well. */
	gate->why = is_open || is_well || why == DEPLOY_WHY_ELSEWHERE ? why : DEPLOY_WHY_CANCELLED;
	if (gate->state == DEPLOY_REQUESTED) /* where it was not */
		tx->unshown = gate->id;
	text_set(gate->detail, detail);
	(void)decide_step(tx, gate,
	    !is_open	? DEPLOY_ON_CANCEL :
		is_well ? DEPLOY_ON_SCRIPT_OK :
			  DEPLOY_ON_SCRIPT_FAILED,
	    NULL);
}

/* As its job says it: "success", "failure", "cancelled" or another word of its forge.  is_sure: it
 * is surely that job.  Where it went well and nobody has said yes, somebody went past the gate. */
static void
end_as(struct tx *tx, struct deployment *gate, const char *how, bool is_sure)
{
	bool is_well = strcmp(how, "success") == 0;
	bool is_past = is_well && is_sure && deploy_flow_class(gate->state) != DEPLOY_CLASS_ACTIVE;
	bool is_stopped = gate->state == DEPLOY_STOPPING && !is_well;
	char detail[LIMIT_LINE] = "";
	struct row_job of;

	if (gate->state == DEPLOY_STOPPING) /* that its run was not cancelled is no news any more */
		gate->note[0] = '\0';
	if (is_stopped)
		text_set(detail, gate->detail);
	else if (gate->state == DEPLOY_STOPPING)
		text_setf(detail, DECIDE_STOPPED_TOO_LATE, gate->detail,
		    delivery_forge_name(
			job_forge_of(row_job_get(tx, gate->id, &of)->job.repository_id)));
	else if (!is_well)
		text_setf(detail, "its job ended: %.20s", how);
	end(tx, gate,
	    is_past					    ? DEPLOY_WHY_ELSEWHERE :
		is_well					    ? DEPLOY_WHY_NONE :
		is_stopped || strcmp(how, "cancelled") == 0 ? DEPLOY_WHY_CANCELLED :
							      DEPLOY_WHY_SCRIPT,
	    detail);
}

/* Surely.  A run that was begun again right behind an attempt may be the one that waits: whose end
 * it was the clocks do not tell, and the event's attempt is none that a rule has named.  Then
 * GitHub is answered, and says so where nothing waits. */
static bool
waits_no_more(const struct deployment *gate, const struct delivery_job *job, int64_t until)
{
	return job->of.check_run[0] != '\0' || gate->requested_at < until - 2 * CLOCKS_MS;
}

void
decide_gate_over(struct tx *tx, const struct settings *application, const struct delivery_job *job)
{
	int64_t at = (job->at != 0 ? job->at : tx->at) + CLOCKS_MS, work = INT64_MAX;
	struct deployment gate;

	while ((work = row_gate_over(tx, job, at, work)) != 0 && !tx->failed) {
		row_deployment_get(tx, work, &gate);
		if (settings_of(tx->settings, gate.environment) != application)
			continue;
		if (waits_no_more(&gate, job, at))
			row_gate_set_answered(tx, work);
		end_as(tx, &gate, job->conclusion, waits_no_more(&gate, job, at));
	}
}

void
decide_gate_end(struct tx *tx, const struct api_request *api)
{
	int64_t number = request_number(&api->request, "work");
	struct deployment gate;

	if (!decide_job_asks(tx, api))
		return;
	row_deployment_get(tx, number, &gate);
	if (!deployment_is_gate(&gate) || !decide_job_began(tx, api, number)) {
		decide_refusef(
		    tx, 404, "There is no gate of that number that this job has asked for.");
		return;
	}
	tx->answer.work = number;
	tx->answer.status = 202; /* as a hook is answered */
	if (deploy_flow_class(gate.state) != DEPLOY_CLASS_FINAL)
		end_as(tx, &gate, request_text(&api->request, "conclusion"), true);
}

/* What its job belongs to, in its forge's word. */
static const char *
word_of(struct tx *tx, int64_t gate)
{
	struct row_job of;

	return job_word(row_job_get(tx, gate, &of)->job.repository_id);
}

/* Whatever its job does at the forge: here the environment is free. */
static void
let_go(struct tx *tx, struct deployment *gate, const char *what)
{
	char detail[LIMIT_LINE];

	if (gate->note[0] == '\0')
		text_setf(gate->note, "its %s %s", word_of(tx, gate->id), what);
	memcpy(detail, gate->detail, sizeof(detail));
	end(tx, gate, DEPLOY_WHY_ELSEWHERE, detail);
}

/* A job that went away in the moment when its gate went open keeps the environment for minutes. */
static void
look_at_open(struct tx *tx, struct deployment *gate, const struct row_job *of)
{
	bool is_seen = of->asked_at > of->opened_at;
	int64_t until = of->opened_at +
	    (is_seen ? settings_times(tx->settings, gate->environment)->gate_hours * HOUR_MS :
		       GONE_MS);

	if (gate->state == DEPLOY_STOPPING)
		let_go(tx, gate, "may go on: nothing says that it is over");
	else if (tx->at < until)
		wait_until(tx, gate->id, until);
	else
		end(tx, gate, is_seen ? DEPLOY_WHY_INTERRUPTED : DEPLOY_WHY_CANCELLED,
		    is_seen ? "its job has not said how it ended" :
			      "its job has gone: it has not asked whether the gate is open");
}

void
decide_gate_due(struct tx *tx, int64_t work)
{
	struct deployment gate;
	struct row_job of;

	row_deployment_get(tx, work, &gate);
	if (row_job_get(tx, work, &of)->work == 0 ||
	    deploy_flow_class(gate.state) == DEPLOY_CLASS_FINAL)
		return;
	row_job_set_timer(tx, work, 0);
	if (deploy_flow_class(gate.state) == DEPLOY_CLASS_ACTIVE)
		look_at_open(tx, &gate, &of);
	else if (tx->at - of.asked_at >= GONE_MS)
		end(tx, &gate, DEPLOY_WHY_CANCELLED,
		    "its job has gone: it has not asked for three minutes");
	else
		wait_until(tx, work, of.asked_at + GONE_MS);
}

/* --- GitHub itself asks --- */

/* The same run has asked there before: it was begun again, or has several jobs there; nobody knows
 * by whom.  What still waits is replaced: GitHub takes one answer for both.  *ret: that one, as it
 * was; id 0: there is none. */
static int64_t
attempt_of(struct tx *tx, const struct delivery_job *job, struct deployment *ret)
{
	int64_t before = row_gate_last(tx, job);
	struct deployment gate;
	struct row_job of;

	row_deployment_get(tx, before, &gate);
	*ret = gate;
	if (before == 0)
		return 1;
	(void)row_job_get(tx, before, &of);
	if (deploy_flow_class(gate.state) < DEPLOY_CLASS_ACTIVE) {
		row_effect_withdraw(tx, row_effect_find(tx, EFFECT_GIT_QUERY, before));
		row_gate_set_answered(tx, before);
		tx->unshown = gate.id; /* where it was not */
		text_set(gate.detail, "its run asks anew");
		(void)decide_step(tx, &gate, DEPLOY_ON_SUPERSEDE, NULL);
	} else if (deploy_flow_class(gate.state) == DEPLOY_CLASS_ACTIVE && !of.is_answered) {
		/* A yes that has not come there would be one to what nobody has approved. */
		row_effect_withdraw(tx, row_effect_find(tx, EFFECT_FORGE_ANSWER, before));
		row_gate_set_answered(tx, before);
		end(tx, &gate, DEPLOY_WHY_CANCELLED, "its run asks anew");
	}
	return of.job.attempt + 1;
}

static bool
take(struct tx *tx, const char *of, const char *environment, int burst, int64_t every_ms)
{
	return row_rate_limit_take(tx, burst, every_ms, "%s:%s", of, environment);
}

/* Why it is refused at once, detail "": it is not.  Returns whose kind such refusals are.  What
 * takes the place of another one of its run is no more than that was. */
static const char *
find_rule_refusal(struct tx *tx, const struct environment_settings *e, const struct job *job,
    const struct deployment *before, char detail[LIMIT_LINE])
{
	detail[0] = '\0';
	if (job_actor_of(DELIVERY_GITHUB, job->event) == JOB_ACTOR_OUTSIDE) {
		(void)snprintf(detail, LIMIT_LINE,
		    "%.40s has begun its run: whoever may not write there can cause that",
		    job->event);
		return "rule-outside";
	}
	if (refusal(tx, e, job, detail) == 0 &&
	    (before->id == 0 || deploy_flow_class(before->state) >= DEPLOY_CLASS_ACTIVE) &&
	    !take(tx, "rule", e->name, RULES_AT_ONCE, MINUTE_MS))
		(void)snprintf(detail, LIMIT_LINE,
		    "GitHub has asked for more than %d gates there at once: begin its job again later",
		    RULES_AT_ONCE);
	return "rule-refused";
}

/* Whoever may push can cause as many as they like: the first has a message, the next ones are
 * counted in the audit, and answered when nobody waits for another answer.  So is what comes from a
 * run that was refused just now. */
static bool
is_refused_unshown(struct tx *tx, const char *kind, const char *detail,
    const struct environment_settings *e, const struct deployment *before)
{
	bool was_refused =
	    before->state == DEPLOY_REFUSED && tx->at - before->requested_at < MINUTE_MS;

	return was_refused || (detail[0] != '\0' && !take(tx, kind, e->name, 1, REFUSED_SHOWN_MS));
}

/* Each push of each branch may begin such a run: nothing of it is shown before git has said where
 * its commit is. */
static bool
is_of_other_branch(const struct environment_settings *e, const struct delivery_job *asks)
{
	return e->branch != NULL && strcmp(asks->branch, e->branch) != 0;
}

void
decide_gate_refused(struct tx *tx, struct deployment *gate)
{
	struct row_job of;

	if (gate->message != 0 || row_job_get(tx, gate->id, &of)->rule[0] == '\0' ||
	    take(tx, "rule-branch", gate->environment, OFF_BRANCH_SHOWN, REFUSED_SHOWN_MS))
		return;
	tx->unshown = take(tx, "rule-branches", gate->environment, 1, HOUR_MS) ? 0 : gate->id;
	(void)snprintf(strchr(gate->detail, '\0'), LIMIT_LINE - strlen(gate->detail), "%s",
	    tx->unshown == gate->id ?
		"" :
		"; the next such runs have no message: /history has the last, the audit log all");
}

static void
refuse_unshown(struct tx *tx, const char *user, const struct environment_settings *e,
    const struct delivery_job *asks)
{
	const struct audit_entry entry = {
		.code = AUDIT_CODE_DENIED, .user = user, .environment = e->name, .outcome = "denied"
	};
	char input[ROW_STRANGER_INPUT];

	text_setf(input, "a gate that GitHub asks for, %s", e->name);
	row_stranger_audit(tx, input, 1, user, &entry,
	    (const char *const[]){ "request", policy_action_word(POLICY_GATE), "reason",
		"too many, or refused as another one", "run", asks->of.run, NULL });
	decide_forge_refuse(tx, e->name, asks);
}

void
decide_gate_rule(
    struct tx *tx, const struct environment_settings *environment, const struct delivery_job *asks)
{
	struct update from = { .kind = UPDATE_TEXT, .is_private = true };
	struct deployment gate, before;
	struct job job = asks->of;
	char detail[LIMIT_LINE];
	const char *kind;

	if (row_gate_find(tx, asks->deployment) != 0)
		return;
	job.attempt = attempt_of(tx, asks, &before);
	if (job.attempt < asks->of.attempt) /* an earlier one did not come to it */
		job.attempt = asks->of.attempt;
	text_setf(from.name, "github:%.40s(%" PRId64 ")", job.actor, job.actor_id);
	kind = find_rule_refusal(tx, environment, &job, &before, detail);
	if (is_refused_unshown(tx, kind, detail, environment, &before)) {
		refuse_unshown(tx, from.name, environment, asks);
		return;
	}
	decide_requested(tx, &from, PROGRAM_ACTION, environment->name, &gate);
	gate.trigger = TRIGGER_CHAT; /* as all that programs ask for */
	text_set(gate.detail, detail);
	gate.why = gate.detail[0] == '\0' ? DEPLOY_WHY_NONE : DEPLOY_WHY_REFUSED;
	if (before.state == DEPLOY_REQUESTED)
		gate.message = row_gate_take_message(tx, before.id);
	add(tx, &from, &job, &gate, detail[0] != '\0' || !is_of_other_branch(environment, asks));
	row_gate_note_rule(tx, gate.id, asks);
	if (gate.why == DEPLOY_WHY_NONE) {
		decide_forge_asked(tx, &gate);
		decide_query_commit(tx, &gate, job.sha, gate.requester);
	} else {
		(void)decide_step(tx, &gate, DEPLOY_ON_REFUSE, NULL);
	}
}

/* --- as an executor --- */

/* The job sees that it is open, and goes on; one that GitHub keeps does not ask. */
static void
open_gate(struct tx *tx, int64_t work)
{
	struct row_job of;

	row_job_set_opened(tx, work, tx->at);
	if (row_job_get(tx, work, &of)->rule[0] != '\0')
		row_job_set_asked(tx, work, tx->at + 1);
	wait_until(tx, work, tx->at + GONE_MS);
}

static bool
will_end(struct tx *tx, int64_t work)
{
	struct row_job of;

	return row_job_get(tx, work, &of)->timer != 0;
}

/* Its forge is asked to cancel it, after that time. */
static void
order_stop(struct tx *tx, const struct deployment *gate, int64_t in_ms)
{
	struct effect effect = {
		.kind = EFFECT_FORGE_STOP, .subject = gate->id, .u.forge.is_gates = true
	};
	struct effect_forge *to = &effect.u.forge;
	struct row_job of;
	struct err err;

	(void)row_job_get(tx, gate->id, &of);
	to->at_gitlab = job_forge_of(of.job.repository_id) == DELIVERY_GITLAB;
	to->not_before = tx->at + in_ms;
	to->attempt = of.job.attempt;
	to->deployment = of.deployment;
	text_set(to->job, of.job.check_run);
	text_set(to->environment, gate->environment);
	if (text_to_i64(of.job.run, 1, INT64_MAX, &to->run, &err))
		(void)row_effect_order(tx, &effect);
}

/* Why its run cannot be cancelled from here; NULL: it can.  Whoever may stop this gate may not stop
 * what waits for another one, and GitHub cancels a run as a whole. */
static const char *
find_hindrance(struct tx *tx, const struct deployment *gate)
{
	const struct settings *of = settings_of(tx->settings, gate->environment);
	char repository[LIMIT_REF];
	enum delivery_forge forge;
	struct row_job job;

	forge = job_forge_of(row_job_get(tx, gate->id, &job)->job.repository_id);
	if (!pipeline_repository(of, forge, repository))
		return "goes on: nothing here may cancel it at its forge";
	return forge != DELIVERY_GITLAB && row_gate_has_other(tx, gate->id, &job.job) ?
	    "goes on: it has another gate, which is not stopped" :
	    NULL;
}

/* Its run is cancelled at its forge, and the environment is free when that says that its job is
 * over; at once where that cannot be.  A yes that GitHub does not have is none any more. */
static void
stop(struct tx *tx, int64_t work)
{
	struct deployment gate;
	const char *hindrance;

	row_deployment_get(tx, work, &gate);
	gate.note[0] = '\0';
	hindrance = find_hindrance(tx, &gate);
	if (hindrance != NULL) {
		let_go(tx, &gate, hindrance);
		return;
	}
	row_deployment_save(tx, &gate);
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_FORGE_ANSWER, work));
	wait_until(tx, work, tx->at + STOP_MS);
	order_stop(tx, &gate, 0);
}

void
decide_gate_free(struct tx *tx, int64_t work)
{
	struct deployment gate;

	row_deployment_get(tx, work, &gate);
	let_go(tx, &gate, "may go on: its end was not waited for");
}

void
decide_gate_stopped(struct tx *tx, const struct forge_said *said)
{
	struct deployment gate;
	bool is_done = said->verdict == FORGE_SAYS_DONE;

	row_deployment_get(tx, tx->effect->subject, &gate);
	if (gate.state != DEPLOY_STOPPING)
		return;
	gate.note[0] = '\0';
	if (!is_done)
		text_setf(
		    gate.note, "its %s was not cancelled: %.200s", word_of(tx, gate.id), said->why);
	if (said->verdict == FORGE_SAYS_NO || said->verdict == FORGE_SAYS_GONE) {
		let_go(tx, &gate, "");
		return;
	}
	if (!is_done)
		order_stop(tx, &gate, 1000 * said->retry_after_s);
	decide_tell(tx, &gate, NULL);
	row_deployment_save(tx, &gate);
}

/* --- what is shown of it --- */

#define PAGE 600 /* bytes of an address, which other words stand before */

/* Where people see it. */
static const char *
page_of(struct tx *tx, const struct deployment *gate, const struct job *job, char ret[PAGE])
{
	if (job_forge_of(job->repository_id) == DELIVERY_GITLAB)
		(void)snprintf(ret, PAGE, "%.290s/%s/-/jobs/%s",
		    settings_text(tx->settings, SETTING_GITLAB_URL), job->repository,
		    job->check_run);
	else
		(void)pipeline_run_url(settings_of(tx->settings, gate->environment)->github.url,
		    job->repository, strtoll(job->run, NULL, 10), ret);
	return ret;
}

/* Whose job waits for it. */
static void
touches(struct tx *tx, const struct deployment *gate, char out[DECIDE_TOUCHES])
{
	char page[PAGE];
	struct row_job of;
	char again[32] = "";
	char actor[2 * LIMIT_PERSON];
	bool is_known; /* who has begun it asks for the gate */

	row_job_get(tx, gate->id, &of);
	text_setf(actor, "%s:%.80s(", delivery_forge_word(job_forge_of(of.job.repository_id)),
	    of.job.actor);
	is_known = of.job.actor[0] == '\0' || strncmp(actor, gate->requester, strlen(actor)) == 0;
	if (of.job.attempt > 1)
		text_setf(again, ", attempt %lld", (long long)of.job.attempt);
	(void)snprintf(out, DECIDE_TOUCHES, "for %s %s of %.200s%s%s%.80s · %s",
	    job_word(of.job.repository_id), of.job.run, of.job.repository, again,
	    is_known ? "" : ", begun by ", is_known ? "" : FORGE_PERSON(of.job.actor),
	    page_of(tx, gate, &of.job, page));
}

static bool
exists(struct tx *tx, const struct deployment *gate)
{
	return settings_environment(tx->settings, gate->environment) != NULL;
}

__attribute__((constructor)) static void
register_executor(void)
{
	static const struct decide_executor executor = { .begin = open_gate,
		.will_end = will_end,
		.stop = stop,
		.exists = exists,
		.touches = touches };

	decide_executor_add(ACTION_BY_FORGE, &executor);
}
