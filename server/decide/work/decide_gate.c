/* decide_gate.c - a job of a pipeline waits for its environment, goes on, and says how it ended.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_gate.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "decide/git/decide_git.h"
#include "decide/hold/decide_refusal.h"
#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_tell.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_job.h"
#include "decide/work/decide_action.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_executor.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_job.h"
#include "types/repository.h"

#define MINUTE_MS (60 * INT64_C(1000))
#define HOUR_MS	  (60 * MINUTE_MS)
#define GONE_MS	  (3 * MINUTE_MS) /* a job asks every five seconds */
#define GATES_MAX 64
#define GATES_OWN 16 /* of an application: it cannot use up all */

/* --- its one timer --- */

static void
wait_until(struct tx *tx, int64_t gate, int64_t at)
{
	char name[24];
	struct row_job of;

	(void)snprintf(name, sizeof(name), "%" PRId64, gate);
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
	(void)snprintf(name, sizeof(name), "%.*s%s", is_whole ? 0 : (int)strcspn(workflow, "/") + 1,
	    workflow, said);
	environment = settings_environment(tx->settings, name);
	if (environment != NULL &&
	    decide_is_allowed(tx, api->from.person, POLICY_GATE, environment->name))
		return environment;
	decide_audit_denied(tx, &api->from, AUDIT_CODE_DENIED, policy_action_word(POLICY_GATE),
	    environment != NULL ? environment->name : "", "no grant for it");
	decide_refusef(tx, 403, "workflow:%s has no gate at \"%.80s\": WORKFLOW_<NAME>_MAY=gate:…",
	    workflow, said);
	return NULL;
}

/* A code is a person's: whoever approves or confirms it gives theirs, so somebody has to. */
static bool
has_who_gives_code(struct tx *tx, const struct environment_settings *environment)
{
	if (environment->approvals > 0 || environment->confirm ||
	    !policy_needs_factor(tx->settings, POLICY_GATE, "", environment->name))
		return true;
	decide_refusef(tx, 403,
	    "REQUIRE_OTP asks a code for it, and nobody is asked: set <ENV>_APPROVALS, or <ENV>_CONFIRM");
	return false;
}

/* False: it was refused. */
static bool
can_be_asked(
    struct tx *tx, const struct api_request *api, const struct environment_settings *environment)
{
	if (!decide_job_is_as_claimed(tx, api, "ref", api->job->ref) ||
	    !decide_job_is_as_claimed(tx, api, "commit", api->job->sha) ||
	    !has_who_gives_code(tx, environment))
		return false;
	if (!repository_is_called(environment->of, DELIVERY_GITHUB, api->job->repository))
		decide_refusef(tx, 403, "%s is of another repository than %.120s",
		    environment->name, api->job->repository);
	else if (decide_refusal(tx, environment->name) != NULL)
		decide_refusef(tx, 409, "%s", decide_refusal(tx, environment->name));
	else if (row_job_count_gates(tx, NULL) >= GATES_MAX)
		decide_refusef(tx, 429, "%d gates wait or are open: try again later", GATES_MAX);
	else if (row_job_count_gates(tx, environment->of->application) >= GATES_OWN)
		decide_refusef(tx, 429,
		    "%d gates of this application wait or are open: try again later", GATES_OWN);
	else if (decide_is_full(tx, &api->from, environment->name, environment->name, false))
		tx->answer.status = 409;
	else
		return true;
	return false;
}

static void
ask(struct tx *tx, const struct api_request *api, const char *environment)
{
	const struct job *job = api->job;
	struct deployment gate;
	char user[PRINCIPAL_TEXT];

	decide_requested(tx, &api->from, PROGRAM_ACTION, environment, &gate);
	(void)text_copy(gate.action, sizeof(gate.action), action_table[ACTION_OPEN_GATE].name);
	(void)text_copy(gate.commit, sizeof(gate.commit), job->sha);
	(void)text_copy(gate.ref, sizeof(gate.ref), job->ref);
	row_deployment_add(tx, &gate);
	row_job_add(tx, gate.id, job);
	decide_action_bind(tx, &gate, &(struct action_row){ .executor = "forge" });
	tx->answer.work = gate.id;
	decide_tell(tx, &gate, NULL);
	row_deployment_save(tx, &gate);
	decide_audit_request(tx, &gate, decide_user(tx, api->from.person, user),
	    AUDIT_CODE_ACTION_REQUESTED, "requested",
	    (const char *const[]){ "action", gate.action, "name", api->from.name, "executor",
		"forge", "repository", job->repository, "run", job->run, NULL });
	wait_until(tx, gate.id, tx->at + GONE_MS);
	decide_query_commit(tx, &gate, job->sha, gate.requester);
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
	row_job_set_timer(tx, gate->id, 0);
	/* Of what waits nothing went on, however its job ended. */
	gate->why = is_open || is_well ? why : DEPLOY_WHY_CANCELLED;
	(void)text_copy(gate->detail, sizeof(gate->detail), detail);
	(void)decide_step(tx, gate,
	    !is_open	? DEPLOY_ON_CANCEL :
		is_well ? DEPLOY_ON_SCRIPT_OK :
			  DEPLOY_ON_SCRIPT_FAILED,
	    NULL);
}

void
decide_gate_end(struct tx *tx, const struct api_request *api)
{
	int64_t number = request_number(&api->request, "work");
	struct deployment gate;
	char how[LIMIT_REF], detail[LIMIT_LINE];
	bool is_well;

	if (!decide_job_asks(tx, api))
		return;
	row_deployment_get(tx, number, &gate);
	if (!deployment_is_gate(&gate) || !decide_job_began(tx, api, number)) {
		decide_refusef(
		    tx, 404, "There is no gate of that number that this job has asked for.");
		return;
	}
	tx->answer.work = number;
	if (deploy_flow_class(gate.state) == DEPLOY_CLASS_FINAL)
		return;
	is_well = strcmp(request_get(&api->request, "conclusion", how), "success") == 0;
	(void)snprintf(
	    detail, sizeof(detail), is_well ? "%s" : "its job ended: %.20s", is_well ? "" : how);
	end(tx, &gate,
	    is_well			      ? DEPLOY_WHY_NONE :
		strcmp(how, "cancelled") == 0 ? DEPLOY_WHY_CANCELLED :
						DEPLOY_WHY_SCRIPT,
	    detail);
}

/* A job that went away in the moment when its gate went open keeps the environment for minutes. */
static void
look_at_open(struct tx *tx, struct deployment *gate, const struct row_job *of)
{
	bool is_seen = of->asked_at > of->opened_at;
	int64_t until = of->opened_at +
	    (is_seen ? settings_times(tx->settings, gate->environment)->gate_hours * HOUR_MS :
		       GONE_MS);

	if (tx->at < until)
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

/* --- as an executor --- */

/* The job sees that it is open, and goes on. */
static void
open_gate(struct tx *tx, int64_t work)
{
	row_job_set_opened(tx, work, tx->at);
	wait_until(tx, work, tx->at + GONE_MS);
}

static bool
will_end(struct tx *tx, int64_t work)
{
	struct row_job of;

	return row_job_get(tx, work, &of)->timer != 0;
}

/* What its job does at the forge goes on; here the environment is free. */
static void
stop(struct tx *tx, int64_t work)
{
	struct deployment gate;

	row_deployment_get(tx, work, &gate);
	(void)decide_step(tx, &gate, DEPLOY_ON_SCRIPT_FAILED, NULL);
}

__attribute__((constructor)) static void
register_executor(void)
{
	static const struct decide_executor executor = { open_gate, will_end, stop };

	decide_executor_add(ACTION_BY_FORGE, &executor);
}
