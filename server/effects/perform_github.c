/* perform_github.c - FORGE_* but the report: the forge is asked, when it is time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "effects/perform_github_inside.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/settings.h"

#define LOOK_S	 60
#define BODY_MAX 16384
#define OUR_KEY	 "return_run_details" /* which GitHub Enterprise Server 3.19 does not know */

/* --- for each that asks --- */

int64_t
github_job_pause_s(const struct forge_api_answer *answer, int64_t pause_s)
{
	return answer->retry_after_s > 0 ? answer->retry_after_s :
					   (int64_t)((double)pause_s * answer->factor);
}

void
github_job_ask(struct github_job *job, struct forge_api_request *request, struct err *err)
{
	struct forge_api_answer unsent;

	request->ctx = job;
	if (request->settings == NULL ||
	    (request->repository == NULL && request->as != FORGE_AS_APP))
		(void)err_set(err, ERR_CONFIG, "%s",
		    request->as == FORGE_AS_GITLAB ? "REPOSITORY_PATH is not set" :
						     "GITHUB_REPOSITORY is not set");
	if (err->code == ERR_NONE)
		job->call = forge_api_start(job->job.perform->github, request, err);
	if (job->call != NULL)
		return;
	unsent = forge_api_unsent(err);
	request->on_done(job, &unsent, NULL);
}

void
github_job_end(struct perform_job *job)
{
	forge_api_cancel(((struct github_job *)job)->call);
	perform_job_drop(job);
}

struct forge_job {
	struct github_job asking;
	int64_t environment; /* where a reviewer answers: its number at GitHub; 0: not known */
	bool has_no_jobs;    /* a pipeline at GitLab that is looked at: itself is asked for */
	bool goes_on;	     /* the job of a gate: its run is to be cancelled */
	bool is_again; /* an answer that may have come there before: a yes is looked for first */
};

/* --- one that we begin, or an answer to its own gate --- */

/* Where a person answers, who reviews that environment: it has to be asked for by its number. */
static bool
is_review(const struct effect *effect)
{
	const struct environment_settings *e = effect->kind != EFFECT_FORGE_ANSWER ?
	    NULL :
	    settings_environment(effect->settings, effect->u.forge_answer.environment);

	return e != NULL && e->gate_reviewer;
}

static const struct forge_api_answer waits_for_none = { .verdict = FORGE_API_NOT_FOUND,
	.detail = "it waits for no review there (any more)" };
static const struct forge_api_answer is_no_reviewer = { .verdict = FORGE_API_FORBIDDEN,
	.detail = "the owner of GITHUB_API_TOKEN may not review there" };

static const struct forge_api_answer is_over = { .verdict = FORGE_API_NOT_FOUND,
	.detail = "its job is over already" };

/* A credential that counts no more, or a run that is just beginning: the next try may go better. */
static bool
is_refused(const struct forge_api_answer *answer)
{
	return !answer->is_of_access && answer->verdict < FORGE_API_FAILED &&
	    answer->verdict != FORGE_API_UNAUTHORIZED && answer->verdict != FORGE_API_CONFLICT &&
	    answer->verdict != FORGE_API_LIMITED;
}

/* What failed behind its first byte may have been done. */
static enum forge_verdict
verdict_of(const struct effect *effect, const struct forge_api_answer *answer)
{
	bool is_start = effect->kind == EFFECT_FORGE_START, is_gone;

	if (answer->verdict == FORGE_API_DONE)
		return FORGE_SAYS_DONE;
	if (is_start && answer->verdict < FORGE_API_FAILED)
		return answer->is_of_key ? FORGE_SAYS_UNFIT : FORGE_SAYS_NO;
	if (is_start)
		return answer->was_sent && !answer->is_of_access ? FORGE_SAYS_NOTHING :
								   FORGE_SAYS_NO;
	/* To a person who may not see it, or not review it, GitHub says the same. */
	is_gone = is_review(effect) ? answer == &waits_for_none :
				      answer->verdict == FORGE_API_NOT_FOUND ||
		(answer->verdict == FORGE_API_UNFIT && effect->kind == EFFECT_FORGE_ANSWER);
	return is_gone && !answer->is_of_access			    ? FORGE_SAYS_GONE :
	    effect->kind == EFFECT_FORGE_STOP && is_refused(answer) ? FORGE_SAYS_NO :
								      FORGE_SAYS_NOTHING;
}

static bool
at_gitlab(const struct effect *effect)
{
	return effect->kind != EFFECT_FORGE_ANSWER && effect->u.forge.at_gitlab;
}

/* The run of a gate is cancelled where its job has not ended: what goes on there since is not the
 * gate's.  At GitLab the job alone is cancelled. */
static bool
is_to_be_looked_at(const struct forge_job *job)
{
	const struct effect *effect = job->asking.job.effect;

	return effect->kind == EFFECT_FORGE_STOP && effect->u.forge.is_gates &&
	    !effect->u.forge.at_gitlab && !job->goes_on;
}

/* Of its attempt's jobs, of its Deployment's newest status or of a run; of GitLab's job that was to
 * be cancelled. */
static bool
is_job_over(const struct effect_forge *forge, const struct json *body)
{
	static const char *const over[] = { "success", "failed", "skipped" };
	static const char *const states[] = { "success", "failure", "error", "inactive" };
	const struct json *jobs = json_get(body, "jobs");
	bool ret = jobs == NULL && json_has(body, "status", "completed");
	char id[JOB_NUMBER];

	for (size_t i = 0; i < COUNT(states); i++)
		ret |= json_has(json_at(body, 0), "state", states[i]);
	for (size_t i = 0; i < COUNT(over) && forge->at_gitlab; i++)
		ret |= json_has(body, "status", over[i]);
	for (size_t i = 0; i < json_count(jobs); i++) {
		text_setf(id, "%" PRId64, json_get_i64_or(json_at(jobs, i), "id", 0));
		ret |= strcmp(id, forge->job) == 0 &&
		    json_has(json_at(jobs, i), "status", "completed");
	}
	return ret;
}

/* Of a list that which has the nonce in its title: its workflow shows it there. */
static const struct json *
find_run(const struct json *body, const struct effect_forge *forge)
{
	const struct json *runs = json_get(body, "workflow_runs");

	for (size_t i = 0; forge->run == 0 && i < json_count(runs); i++)
		if (strstr(json_text(json_at(runs, i), "display_title"), forge->nonce) != NULL)
			return json_at(runs, i);
	return forge->run != 0 ? body : NULL;
}

static void
read_run(struct effect *effect, const struct forge_api_answer *answer, const struct json *body)
{
	struct forge_said *said = &effect->result->u.forge_said;
	struct err err = { .text = "it lists no such run" };

	said->verdict = verdict_of(effect, answer);
	said->retry_after_s = effect->kind == EFFECT_FORGE_ANSWER ? /* it has pauses of its own */
	    answer->retry_after_s :
	    github_job_pause_s(answer, LOOK_S);
	text_set(said->why, answer->detail);
	if (said->verdict == FORGE_SAYS_DONE && effect->kind == EFFECT_FORGE_START)
		said->run.run =
		    json_get_i64_or(body, at_gitlab(effect) ? "id" : "workflow_run_id", 0);
	if (said->verdict != FORGE_SAYS_DONE || effect->kind != EFFECT_FORGE_LOOK ||
	    (at_gitlab(effect) &&
		(json_holds_array(body) ? pipeline_run_read_jobs(body, &said->run, &err) :
					  pipeline_run_read_listed(body, "?", &said->run, &err))))
		return;
	body = at_gitlab(effect) ? NULL : find_run(body, &effect->u.forge);
	if (body != NULL && pipeline_run_read(body, &said->run, &err))
		return;
	said->verdict = body == NULL && !at_gitlab(effect) ? FORGE_SAYS_GONE : FORGE_SAYS_NOTHING;
	text_set(said->why, err.text);
}

static void
write_body(const struct effect *effect, const struct pipeline *pipeline, struct buf *out)
{
	struct json_out json = json_out_begin(out, '{');

	json_put_str(&json, "ref", pipeline->ref);
	json_put_open(&json, "inputs", '{');
	for (size_t i = 0; i < pipeline->n; i++)
		json_put_str(&json, pipeline->inputs[i].name, pipeline->inputs[i].value);
	json_out_end(&json);
	if (!effect->u.forge.is_plain && !at_gitlab(effect))
		json_put_bool(&json, OUR_KEY, true);
	json_out_end(&json);
}

/* Of the Deployment that GitHub keeps for a job: its newest state. */
static void
write_statuses(int64_t deployment, char path[LIMIT_LINE])
{
	(void)snprintf(
	    path, LIMIT_LINE, "/deployments/%" PRId64 "/statuses?per_page=1", deployment);
}

/* Of a run that is there (docs.gitlab.com/api/pipelines at GitLab). */
static void
write_run(const struct forge_job *job, char path[LIMIT_LINE])
{
	const struct effect *effect = job->asking.job.effect;
	static const struct {
		const char *of, *start, *stop, *look;
	} rows[] = { { "/actions/runs", "/rerun-failed-jobs", "/cancel", "" },
		{ "/pipelines", "/retry", "/cancel", "/jobs?per_page=100" } };
	size_t row = at_gitlab(effect) ? 1 : 0;
	const struct effect_forge *forge = &effect->u.forge;

	if (forge->is_gates && forge->job[0] != '\0' && at_gitlab(effect))
		(void)snprintf(path, LIMIT_LINE, "/jobs/%s/cancel", forge->job);
	else if (forge->deployment != 0 && is_to_be_looked_at(job))
		write_statuses(forge->deployment, path);
	else if (forge->job[0] != '\0' && is_to_be_looked_at(job))
		(void)snprintf(path, LIMIT_LINE,
		    "/actions/runs/%" PRId64 "/attempts/%" PRId64 "/jobs?per_page=100", forge->run,
		    forge->attempt);
	else
		(void)snprintf(path, LIMIT_LINE, "%s/%" PRId64 "%s", rows[row].of,
		    effect->u.forge.run,
		    effect->kind == EFFECT_FORGE_START		    ? rows[row].start :
			is_to_be_looked_at(job) || job->has_no_jobs ? "" :
			effect->kind == EFFECT_FORGE_STOP	    ? rows[row].stop :
								      rows[row].look);
}

/* Of a run that is there, or of its workflow; of one that is to begin with a body. */
static void
write_forge(const struct forge_job *job, char path[LIMIT_LINE], struct buf *body, struct err *err)
{
	const struct effect *effect = job->asking.job.effect;
	const struct effect_forge *forge = &effect->u.forge;
	const char *line = settings_member_line(
	    effect->settings, forge->environment, FAMILY_PIPELINE, forge->pipeline);
	bool is_start = effect->kind == EFFECT_FORGE_START;
	struct pipeline pipeline;

	write_run(job, path);
	if (forge->run != 0)
		return;
	if (line == NULL || !pipeline_read(line, forge->words, forge->nonce, &pipeline, err)) {
		(void)err_set(err, ERR_CONFIG, "the settings have no such pipeline any more");
		return;
	}
	if (at_gitlab(effect))
		(void)snprintf(path, LIMIT_LINE, "/pipeline");
	else
		(void)snprintf(path, LIMIT_LINE, "/actions/workflows/%s/%s", pipeline.file,
		    is_start ? "dispatches" : "runs?event=workflow_dispatch&per_page=30");
	if (is_start)
		write_body(effect, &pipeline, body);
}

/* --- its own gate --- */

/* What it waits for is listed; NULL: that environment is among it. */
static const struct forge_api_answer *
find_environment(struct forge_job *job, const struct json *list)
{
	const char *target = job->asking.job.effect->u.forge_answer.target;

	for (size_t i = 0; i < json_count(list); i++) {
		const struct json *environment = json_get(json_at(list, i), "environment");
		const char *name = json_get_str(environment, "name");

		if (name == NULL || !text_same_ci(name, target))
			continue;
		if (!json_get_bool(json_at(list, i), "current_user_can_approve", true))
			return &is_no_reviewer;
		job->environment = json_get_i64_or(environment, "id", 0);
	}
	return job->environment != 0 ? NULL : &waits_for_none;
}

/* GitHub takes a yes for whichever job of the run waits there: one that came there before would let
 * another one go on, that nobody has approved. */
static bool
asks_whether_it_came(const struct forge_job *job)
{
	const struct effect *effect = job->asking.job.effect;

	return effect->kind == EFFECT_FORGE_ANSWER && effect->u.forge_answer.is_approved &&
	    job->is_again && (is_review(effect) || effect->u.forge_answer.deployment != 0);
}

/* Reviews of the run, of which ours has the comment that names its work; or the statuses of the
 * job's Deployment, whose newest is "waiting" until it may go on, or there is none yet
 * (docs.github.com/rest/actions/workflow-runs, docs.github.com/rest/deployments/statuses). */
static bool
has_come(const struct effect *effect, const struct json *body)
{
	const struct effect_forge_answer *what = &effect->u.forge_answer;
	const char *state = json_text(json_at(body, 0), "state");

	if (!is_review(effect))
		return state[0] != '\0' && strcmp(state, "waiting") != 0 &&
		    strcmp(state, "pending") != 0;
	for (size_t i = 0; i < json_count(body); i++)
		if (json_has(json_at(body, i), "state", "approved") &&
		    json_has(json_at(body, i), "comment", what->comment))
			return true;
	return false;
}

static void
write_answer(const struct forge_job *job, char path[LIMIT_LINE], struct buf *body)
{
	const struct effect_forge_answer *what = &job->asking.job.effect->u.forge_answer;
	bool reviews = is_review(job->asking.job.effect);
	struct json_out json;
	char number[32];

	if (asks_whether_it_came(job)) {
		if (reviews)
			(void)snprintf(
			    path, LIMIT_LINE, "/actions/runs/%.20s/approvals", what->run);
		else
			write_statuses(what->deployment, path);
		return;
	}
	(void)snprintf(path, LIMIT_LINE, "/actions/runs/%.20s/%s", what->run,
	    reviews ? "pending_deployments" : "deployment_protection_rule");
	if (reviews && job->environment == 0)
		return;
	json = json_out_begin(body, '{');
	if (reviews) {
		json_put_open(&json, "environment_ids", '[');
		text_setf(number, "%" PRId64, job->environment);
		json_out_raw(&json, number);
		json_out_end(&json);
	} else {
		json_put_str(&json, "environment_name", what->target);
	}
	if (!what->is_report)
		json_put_str(&json, "state", what->is_approved ? "approved" : "rejected");
	json_put_str(&json, "comment", what->comment);
	json_out_end(&json);
}

/* --- all of them --- */

/* Whoever begins a run, stops one or answers its gate is not to wait because others were looked at.
 * An answer of which nobody has decided, or that says no more than that it waits, can. */
static enum forge_api_share
share_of(const struct effect *effect)
{
	if (effect->kind == EFFECT_FORGE_LOOK)
		return FORGE_SHARE_REGULAR;
	return effect->kind == EFFECT_FORGE_ANSWER &&
		(effect->subject == 0 || effect->u.forge_answer.is_report) ?
	    FORGE_SHARE_MINOR :
	    FORGE_SHARE_PRESSED;
}

static perform_due_fn ask;

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct forge_job *job = ctx;
	struct effect *effect = job->asking.job.effect;

	job->asking.call = NULL;
	if (answer->verdict == FORGE_API_DONE && asks_whether_it_came(job)) {
		job->is_again = has_come(effect, body);
		if (!job->is_again) {
			ask(&job->asking.job);
			return;
		}
		if (!is_review(effect))
			answer = &waits_for_none;
	} else if (is_review(effect) && answer->verdict == FORGE_API_DONE &&
	    job->environment == 0) {
		answer = find_environment(job, body);
		if (answer == NULL) {
			ask(&job->asking.job);
			return;
		}
	}
	if (effect->kind == EFFECT_FORGE_LOOK && at_gitlab(effect) && !job->has_no_jobs &&
	    json_holds_array(body) && json_count(body) == 0) {
		job->has_no_jobs = true;
		ask(&job->asking.job);
		return;
	}
	if (effect->kind == EFFECT_FORGE_STOP && effect->u.forge.is_gates &&
	    answer->verdict == FORGE_API_DONE && is_job_over(&effect->u.forge, body)) {
		answer = &is_over;
	} else if (answer->verdict == FORGE_API_DONE && is_to_be_looked_at(job)) {
		job->goes_on = true;
		ask(&job->asking.job);
		return;
	}
	effect = perform_job_free(&job->asking.job);
	read_run(effect, answer, body);
	perform_report(effect);
}

static void
ask(struct perform_job *base)
{
	const struct effect *effect = base->effect;
	bool is_answer = effect->kind == EFFECT_FORGE_ANSWER;
	const struct settings *of = settings_of(effect->settings,
	    is_answer ? effect->u.forge_answer.environment : effect->u.forge.environment);
	CLEANUP(buf_done) struct buf body = { .cap = BODY_MAX };
	char path[LIMIT_LINE], project[LIMIT_REF];
	struct err err = { .code = ERR_NONE };
	struct forge_api_request request = { .settings = (struct settings *)of,
		.repository = is_answer ? effect->u.forge_answer.repository : of->github_repository,
		.as = is_review(effect) ? FORGE_AS_PERSON : FORGE_AS_ITS,
		.path = path,
		.share = share_of(effect),
		.on_done = on_answer };

	if (at_gitlab(effect)) {
		request.as = FORGE_AS_GITLAB;
		request.repository = pipeline_project(of, project) ? project : NULL;
	}
	if (is_answer)
		write_answer((struct forge_job *)base, path, &body);
	else
		write_forge((struct forge_job *)base, path, &body, &err);
	if (buf_check(&body, &err) && body.size > 0)
		request.body = buf_text(&body);
	if (request.body != NULL || effect->kind == EFFECT_FORGE_START ||
	    (effect->kind == EFFECT_FORGE_STOP && !is_to_be_looked_at((struct forge_job *)base)))
		request.method = "POST"; /* which is never sent twice for one answer */
	github_job_ask((struct github_job *)base, &request, &err);
}

static void
begin(struct perform *perform, struct effect *effect, bool is_again)
{
	int64_t not_before = effect->kind == EFFECT_FORGE_ANSWER ?
	    effect->u.forge_answer.not_before :
	    effect->u.forge.not_before;
	int64_t wait_ms = not_before - clock_wall_ms();
	struct forge_job *job = perform_job_new(sizeof(*job), perform, effect, ask, github_job_end);

	job->is_again = is_again;
	if (wait_ms > 0)
		perform_job_wait(&job->asking.job, wait_ms);
	else
		ask(&job->asking.job);
}

void
perform_github(struct perform *perform, struct effect *effect)
{
	begin(perform, effect,
	    effect->kind == EFFECT_FORGE_ANSWER && effect->u.forge_answer.pause_s != 0);
}

void
recover_forge_answer(struct perform *perform, struct effect *effect)
{
	begin(perform, effect, true);
}

/* It may have been sent already, and is never sent again. */
void
recover_forge_start(UNUSED struct perform *perform, struct effect *effect)
{
	effect->result->u.forge_said = (struct forge_said){ .verdict = FORGE_SAYS_NOTHING,
		.retry_after_s = LOOK_S,
		.why = "deploybot was restarted before that had answered" };
	perform_report(effect);
}
