/* perform_github_runs.c - GITHUB_RUNS: GitHub is asked once, when it is time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "clients/github_api.h"
#include "effects/perform_inside.h"
#include "lib/array.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/settings.h"

#define BUSY_S	 600 /* a fifth of GitHub's limit is used */
#define PAUSE_S	 30
#define RUNS_MAX 30 /* of one page: a commit has a few, of 10 to 30 KB each */
#define PLAIN	 "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-"

struct runs_job {
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
on_answer(void *ctx, const struct github_api_answer *answer, const struct json *body)
{
	struct runs_job *job = ctx;
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

/* As the answer of a call that was not made. */
static struct github_api_answer *
refusal(const struct err *err, struct github_api_answer *ret)
{
	*ret = (struct github_api_answer){ .verdict = GITHUB_AWAY,
		.retry_after_s = err->code == ERR_BUSY ? BUSY_S : 0 };
	(void)text_copy(ret->detail, sizeof(ret->detail), err->text);
	return ret;
}

static void
ask(struct perform_job *base)
{
	struct runs_job *job = (struct runs_job *)base;
	const struct effect_github_runs *what = &base->effect->u.github_runs;
	const struct settings *of = settings_of(base->effect->settings, what->environment);
	struct github_api_answer answer;
	/* What is of other branches must not fill the page; of a name that would have to be escaped
	 * it is sorted out here. */
	const char *branch =
	    strspn(what->branch, PLAIN) == strlen(what->branch) ? what->branch : "";
	char path[128 + LIMIT_REF];
	struct err err;

	(void)snprintf(path, sizeof(path), "/actions/runs?head_sha=%.64s&per_page=%d%s%s",
	    what->commit, RUNS_MAX, branch[0] != '\0' ? "&branch=" : "", branch);
	if (of == NULL || of->github_repository == NULL)
		(void)err_set(&err, ERR_CONFIG, "GITHUB_REPOSITORY is not set");
	else
		job->call = github_api_start(base->perform->github,
		    &(struct github_api_request){ .settings = (struct settings *)of,
			.repository = of->github_repository,
			.path = path,
			.on_done = on_answer,
			.ctx = job },
		    &err);
	if (job->call == NULL)
		on_answer(job, refusal(&err, &answer), NULL);
}

void
perform_github_runs(struct perform *perform, struct effect *effect)
{
	int64_t wait_ms = effect->u.github_runs.not_before - clock_wall_ms();
	struct runs_job *job = perform_job_new(sizeof(*job), perform, effect, ask);

	if (wait_ms > 0)
		perform_job_wait(&job->job, wait_ms);
	else
		ask(&job->job);
}

void
withdraw_github_runs(struct perform_job *job)
{
	github_api_cancel(((struct runs_job *)job)->call);
	effect_free(perform_job_free(job));
}
