/* perform_github_failure.c - GITHUB_FAILURE: which job and step of a run failed, and where.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>

#include "effects/perform_github_inside.h"
#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/settings.h"

#define TRIES	    3
#define PAUSE_MAX   10000 /* ms */
#define ANNOTATIONS 3
#define LINE	    200 /* bytes of one of them, cut */

struct failure_job {
	struct github_job asking;
	int64_t failed; /* the job's number; 0: not known yet */
	int tries;
};

/* One line, of which as much stands there as there is room for. */
static void
add_line(struct failure_job *job, const char *line)
{
	struct github_failure_read *read = &job->asking.job.effect->result->u.github_failure_read;
	size_t used = strlen(read->details);
	char clean[LINE];

	(void)clean_line(clean, sizeof(clean), line, strlen(line));
	if (clean[0] != '\0' && sizeof(read->details) - used > strlen(clean) + 1)
		(void)snprintf(read->details + used, sizeof(read->details) - used, "%s%s",
		    used > 0 ? "\n" : "", clean);
}

/* --- which job and step --- */

static bool
has_failed(const struct json *part)
{
	return json_has(part, "conclusion", "failure") || json_has(part, "conclusion", "timed_out");
}

/* The first that failed; NULL: none did. */
static const struct json *
first_failed(const struct json *parts, size_t *ret_n)
{
	const struct json *first = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < json_count(parts); i++) {
		const struct json *part = json_at(parts, i);

		if (!has_failed(part) || json_get_str(part, "name") == NULL)
			continue;
		first = first == NULL ? part : first;
		(*ret_n)++;
	}
	return first;
}

static void
take_jobs(struct failure_job *job, const struct json *jobs)
{
	size_t n, n_steps;
	const struct json *failed = first_failed(jobs, &n);
	const struct json *step = first_failed(json_get(failed, "steps"), &n_steps);
	char line[2 * LIMIT_LINE], more[40] = "";

	if (failed == NULL)
		return;
	job->failed = json_get_i64_or(failed, "id", 0);
	if (n > 1)
		text_setf(more, " (and %zu more)", n - 1);
	text_setf(line, "%.80s%s%.80s%s", json_get_str(failed, "name"), step != NULL ? " › " : "",
	    step != NULL ? json_get_str(step, "name") : "", more);
	add_line(job, line);
}

/* --- what annotates it --- */

/* Of a line, and not of the run as a whole, as "Process completed with exit code 1.". */
static bool
is_of_line(const struct json *annotation)
{
	return json_has(annotation, "annotation_level", "failure") &&
	    json_get_str(annotation, "path") != NULL && !json_has(annotation, "path", ".github") &&
	    json_get_str(annotation, "message") != NULL;
}

static void
take_annotations(struct failure_job *job, const struct json *annotations)
{
	char line[2 * LIMIT_LINE];

	for (size_t i = 0, n = 0; i < json_count(annotations) && n < ANNOTATIONS; i++) {
		const struct json *annotation = json_at(annotations, i);

		if (!is_of_line(annotation))
			continue;
		text_setf(line, "%.120s:%" PRId64 ": %.200s", json_get_str(annotation, "path"),
		    json_get_i64_or(annotation, "start_line", 0),
		    json_get_str(annotation, "message"));
		add_line(job, line);
		n++;
	}
}

/* --- GitHub is asked, one question after the other --- */

static perform_due_fn ask;

/* What is not sent for our own part of its limit is not sent soon either. */
static bool
may_pass(const struct forge_api_answer *answer)
{
	return (answer->verdict == FORGE_API_LIMITED && answer->status != 0) ||
	    answer->verdict == FORGE_API_FAILED || answer->verdict == FORGE_API_TORN ||
	    answer->verdict == FORGE_API_AWAY;
}

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct failure_job *job = ctx;
	bool is_first = job->failed == 0;

	job->asking.call = NULL;
	if (may_pass(answer) && ++job->tries < TRIES) {
		perform_job_wait(&job->asking.job, perform_job_pause(&job->asking.job, PAUSE_MAX));
		return;
	}
	if (answer->verdict == FORGE_API_DONE && is_first)
		take_jobs(job, json_get(body, "jobs"));
	else if (answer->verdict == FORGE_API_DONE)
		take_annotations(job, body);
	if (is_first && job->failed != 0)
		ask(&job->asking.job);
	else
		perform_report(perform_job_free(&job->asking.job));
}

static void
ask(struct perform_job *base)
{
	struct failure_job *job = (struct failure_job *)base;
	const struct effect_github_failure *what = &base->effect->u.github_failure;
	const struct settings *of = settings_of(base->effect->settings, what->environment);
	char path[128];
	struct forge_api_request request = { .settings = (struct settings *)of,
		.repository = of->github_repository,
		.path = path,
		.on_done = on_answer };
	struct err err = { .code = ERR_NONE };

	if (job->failed == 0)
		text_setf(path, "/actions/runs/%" PRId64 "/attempts/%" PRId64 "/jobs?per_page=100",
		    what->run, what->attempt);
	else
		text_setf(path, "/check-runs/%" PRId64 "/annotations?per_page=50", job->failed);
	github_job_ask(&job->asking, &request, &err);
}

void
perform_github_failure(struct perform *perform, struct effect *effect)
{
	struct failure_job *job =
	    perform_job_new(sizeof(*job), perform, effect, ask, github_job_end);

	ask(&job->asking.job);
}
