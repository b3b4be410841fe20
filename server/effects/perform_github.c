/* perform_github.c - GITHUB_RUNS and FORGE_ANSWER: GitHub is asked once, when it is time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "clients/github_api.h"
#include "effects/perform_inside.h"
#include "lib/array.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/settings.h"

#define PAUSE_S	 30
#define BODY_MAX 16384
#define RUNS_MAX 30 /* of one page: a commit has a few, of 10 to 30 KB each */
#define PLAIN	 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"

struct github_job {
	struct perform_job job;
	struct github_api_call *call; /* NULL: it waits */
};

/* A run of another commit, or that is none, says nothing. */
static void
take(const struct json *said, const struct effect_github_runs *asked, struct github_runs_read *read)
{
	struct pipeline_run run;
	struct err err;

	if (read->n < RUNS_MAX && pipeline_run_read(said, &run, &err) && run.counts &&
	    strcmp(run.commit, asked->commit) == 0 &&
	    (asked->branch[0] == '\0' || strcmp(run.branch, asked->branch) == 0))
		*(struct pipeline_run *)array_add(&read->runs, &read->n, sizeof(run)) = run;
}

static void
on_runs(void *ctx, const struct github_api_answer *answer, const struct json *body)
{
	struct github_job *job = ctx;
	const struct json *runs = json_get(body, "workflow_runs");
	struct effect *effect = perform_job_free(&job->job);
	struct github_runs_read *read = &effect->result->u.github_runs_read;

	/* It asks less often where much of the limit is used. */
	read->retry_after_s = answer->retry_after_s > 0 ?
	    answer->retry_after_s :
	    (int64_t)(PAUSE_S * github_api_factor(effect->perform->github));
	if (answer->verdict != GITHUB_DONE)
		(void)text_copy(read->why, sizeof(read->why), answer->detail);
	else if (!json_holds_array(runs))
		(void)text_copy(read->why, sizeof(read->why), "it lists no runs");
	for (size_t i = 0; i < json_count(runs); i++)
		take(json_at(runs, i), &effect->u.github_runs, read);
	perform_report(effect);
}

static void
start(struct perform_job *base, struct github_api_request *request, const char *environment)
{
	struct github_job *job = (struct github_job *)base;
	struct github_api_answer unsent;
	struct err err;

	request->settings = (struct settings *)settings_of(base->effect->settings, environment);
	request->ctx = job;
	if (request->repository == NULL)
		(void)err_set(&err, ERR_CONFIG, "GITHUB_REPOSITORY is not set");
	else
		job->call = github_api_start(base->perform->github, request, &err);
	if (job->call != NULL)
		return;
	unsent = github_api_unsent(&err);
	request->on_done(job, &unsent, NULL);
}

static void
ask(struct perform_job *base)
{
	const struct effect_github_runs *what = &base->effect->u.github_runs;
	const struct settings *of = settings_of(base->effect->settings, what->environment);
	/* What is of other branches must not fill the page; of a name that would have to be escaped
	 * it is sorted out here. */
	const char *branch =
	    strspn(what->branch, PLAIN) == strlen(what->branch) ? what->branch : "";
	char path[128 + LIMIT_REF];

	(void)snprintf(path, sizeof(path), "/actions/runs?head_sha=%.64s&per_page=%d%s%s",
	    what->commit, RUNS_MAX, branch[0] != '\0' ? "&branch=" : "", branch);
	start(base,
	    &(struct github_api_request){
		.repository = of->github_repository, .path = path, .on_done = on_runs },
	    what->environment);
}

/* --- its own gate --- */

static void
on_answered(void *ctx, const struct github_api_answer *answer, UNUSED const struct json *body)
{
	struct github_job *job = ctx;
	struct effect *effect = perform_job_free(&job->job);
	struct forge_answered *said = &effect->result->u.forge_answered;

	said->is_done = answer->verdict == GITHUB_DONE;
	said->is_closed = !answer->is_of_access &&
	    (answer->verdict == GITHUB_NOT_FOUND || answer->verdict == GITHUB_UNFIT);
	said->retry_after_s = answer->retry_after_s;
	(void)text_copy(said->why, sizeof(said->why), answer->detail);
	perform_report(effect);
}

static void
give_answer(struct perform_job *base)
{
	const struct effect_forge_answer *what = &base->effect->u.forge_answer;
	CLEANUP(buf_done) struct buf body = buf_make(BODY_MAX); /* six times what stands in it */
	struct json_out json = json_out_begin(&body, '{');
	char path[128];

	json_put_str(&json, "environment_name", what->target);
	json_put_str(&json, "state", what->is_approved ? "approved" : "rejected");
	json_put_str(&json, "comment", what->comment);
	json_out_end(&json);
	(void)snprintf(
	    path, sizeof(path), "/actions/runs/%.20s/deployment_protection_rule", what->run);
	start(base,
	    &(struct github_api_request){ .repository = what->repository,
		.path = path,
		.body = buf_text(&body),
		.on_done = on_answered },
	    what->environment);
}

/* --- either --- */

static void
begin(struct perform *perform, struct effect *effect, perform_due_fn *due, int64_t not_before)
{
	int64_t wait_ms = not_before - clock_wall_ms();
	struct github_job *job = perform_job_new(sizeof(*job), perform, effect, due);

	if (wait_ms > 0)
		perform_job_wait(&job->job, wait_ms);
	else
		due(&job->job);
}

void
perform_github_runs(struct perform *perform, struct effect *effect)
{
	begin(perform, effect, ask, effect->u.github_runs.not_before);
}

/* AGAIN: what it has answered already is closed there. */
void
perform_forge_answer(struct perform *perform, struct effect *effect)
{
	begin(perform, effect, give_answer, effect->u.forge_answer.not_before);
}

void
withdraw_github_runs(struct perform_job *job)
{
	github_api_cancel(((struct github_job *)job)->call);
	effect_free(perform_job_free(job));
}

void
withdraw_forge_answer(struct perform_job *job)
{
	withdraw_github_runs(job);
}
