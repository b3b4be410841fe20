/* perform_github_runs.c - GITHUB_RUNS: how a commit stands with CI, at GitHub or at GitLab.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "effects/perform_github_inside.h"
#include "lib/array.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/list.h"
#include "lib/text.h"
#include "types/pipeline.h"
#include "types/settings.h"

#define PAUSE_S	 30
#define RUNS_MAX 30 /* of one page: a commit has a few, of 10 to 30 KB each */
#define PATH	 (LIMIT_LINE + LIMIT_REF)

struct runs_job {
	struct github_job asking;
	bool at_gitlab;
	char project[LIMIT_REF];
	enum { OF_LIST, OF_PUSHES, OF_REQUESTS, OF_JOBS, OF_ITSELF } asks;
	struct pipeline_run listed; /* at GitLab */
};

/* --- what is answered --- */

/* A run of another commit or branch says nothing. */
static bool
is_asked_for(const struct effect *effect, const struct pipeline_run *run)
{
	const struct effect_github_runs *asked = &effect->u.github_runs;

	return run->counts && strcmp(run->commit, asked->commit) == 0 &&
	    (asked->branch[0] == '\0' || strcmp(run->branch, asked->branch) == 0);
}

static void
take(const struct pipeline_run *run, struct effect *effect)
{
	struct github_runs_read *read = &effect->result->u.github_runs_read;

	if (read->n < 3 * RUNS_MAX && is_asked_for(effect, run))
		*(struct pipeline_run *)array_add(&read->runs, &read->n, sizeof(*run)) = *run;
}

/* True: more is asked.  Timers and comments begin runs of a branch's newest commit too: where they
 * fill the page, those that count are listed apart. */
static bool
read_runs(struct runs_job *job, const struct json *runs)
{
	struct pipeline_run run;
	struct err err;

	for (size_t i = 0; i < json_count(runs); i++)
		if (pipeline_run_read(json_at(runs, i), &run, &err))
			take(&run, job->asking.job.effect);
	if (job->asks == OF_REQUESTS || (job->asks == OF_LIST && json_count(runs) < RUNS_MAX))
		return false;
	job->asks++;
	return true;
}

/* True: more is asked, of that which is the newest; then, where it has no jobs but those that begin
 * other pipelines, of itself. */
static bool
read_pipeline(struct runs_job *job, const struct json *said)
{
	struct effect *effect = job->asking.job.effect;
	struct pipeline_run *run = &job->listed;
	struct err err;

	for (size_t i = 0; job->asks == OF_LIST && i < json_count(said); i++)
		if (pipeline_run_read_listed(json_at(said, i), job->project, run, &err) &&
		    is_asked_for(effect, run)) {
			job->asks = OF_JOBS;
			return true;
		}
	if (job->asks == OF_JOBS && json_count(said) == 0) {
		job->asks = OF_ITSELF;
		return true;
	}
	if (job->asks == OF_JOBS ?
		pipeline_run_read_jobs(said, run, &err) :
		job->asks == OF_ITSELF && pipeline_run_read_listed(said, job->project, run, &err))
		take(run, effect);
	return false;
}

static perform_due_fn ask;

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct runs_job *job = ctx;
	struct effect *effect = job->asking.job.effect;
	struct github_runs_read *read = &effect->result->u.github_runs_read;
	const char *forge = job->at_gitlab ? "GitLab" : "GitHub";
	const struct json *runs = job->at_gitlab ? body : json_get(body, "workflow_runs");

	job->asking.call = NULL;
	read->retry_after_s = github_job_pause_s(answer, PAUSE_S);
	if (answer->verdict != FORGE_API_DONE)
		text_setf(read->why, "%s: %.200s", forge, answer->detail);
	else if (!json_holds_array(runs) && job->asks != OF_ITSELF)
		text_setf(read->why, "%s: it lists no runs", forge);
	else if (job->at_gitlab ? read_pipeline(job, runs) : read_runs(job, runs)) {
		ask(&job->asking.job);
		return;
	}
	perform_report(perform_job_free(&job->asking.job));
}

/* --- what is asked --- */

/* What is of other branches must not fill the page; of a name that would have to be escaped it is
 * sorted out here. */
static void
write_path(const struct runs_job *job, char path[PATH])
{
	const struct effect_github_runs *what = &job->asking.job.effect->u.github_runs;
	static const char *const events[] = { [OF_LIST] = "",
		[OF_PUSHES] = "&event=push",
		[OF_REQUESTS] = "&event=workflow_dispatch" };
	const char *branch =
	    strspn(what->branch, GITHUB_JOB_PLAIN) == strlen(what->branch) ? what->branch : "";

	if (job->asks >= OF_JOBS)
		(void)snprintf(path, PATH, "/pipelines/%" PRId64 "%s", job->listed.run,
		    job->asks == OF_JOBS ? "/jobs?per_page=100" : "");
	else if (job->at_gitlab)
		(void)snprintf(path, PATH, "/pipelines?sha=%.64s&source=push&per_page=20%s%s",
		    what->commit, branch[0] != '\0' ? "&ref=" : "", branch);
	else
		(void)snprintf(path, PATH, "/actions/runs?head_sha=%.64s&per_page=%d%s%s%s",
		    what->commit, RUNS_MAX, events[job->asks], branch[0] != '\0' ? "&branch=" : "",
		    branch);
}

static void
ask(struct perform_job *base)
{
	struct runs_job *job = (struct runs_job *)base;
	const char *environment = base->effect->u.github_runs.environment;
	const struct settings *of = settings_of(base->effect->settings, environment);
	char path[PATH];
	struct err err = { .code = ERR_NONE };
	struct forge_api_request request = { .settings = (struct settings *)of,
		.repository = job->project[0] != '\0' ? job->project : of->github_repository,
		.as = job->at_gitlab ? FORGE_AS_GITLAB : FORGE_AS_ITS,
		.path = path,
		.on_done = on_answer };

	if (job->at_gitlab && job->project[0] == '\0')
		request.repository = NULL;
	write_path(job, path);
	github_job_ask(&job->asking, &request, &err);
}

/* AGAIN: looking changes nothing. */
void
perform_github_runs(struct perform *perform, struct effect *effect)
{
	struct runs_job *job = perform_job_new(sizeof(*job), perform, effect, ask, github_job_end);
	const struct environment_settings *environment =
	    settings_environment(effect->settings, effect->u.github_runs.environment);
	int64_t wait_ms = effect->u.github_runs.not_before - clock_wall_ms();

	job->at_gitlab =
	    environment != NULL && list_has(environment->require_ci, PIPELINE_OF_GITLAB);
	if (job->at_gitlab)
		(void)pipeline_project(environment->of, job->project);
	if (wait_ms > 0)
		perform_job_wait(&job->asking.job, wait_ms);
	else
		ask(&job->asking.job);
}
