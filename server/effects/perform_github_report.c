/* perform_github_report.c - FORGE_REPORT: a Deployment at GitHub is found or made, and has its state.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.github.com/rest/deployments/deployments and /statuses.  Making one is not
 * idempotent: one is looked for first, each time, by what its payload says.
 */
#include <inttypes.h>
#include <stdio.h>

#include "effects/perform_github_inside.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/settings.h"

#define BODY_MAX      4096
#define PAUSE_MOST_MS 300000
#define DAY_MS	      (24 * 3600 * INT64_C(1000))

struct report_job {
	struct github_job asking;
	int64_t number; /* of the Deployment; 0: not known */
	bool is_none;	/* there is none: it is made */
};

/* It may come as an object, or as the text of one. */
static bool
is_ours(const struct effect *effect, const struct json *deployment)
{
	const struct json *payload = json_get(deployment, "payload");
	const char *text = json_str(payload);
	const char *target = json_get_str(deployment, "environment");
	struct err err; /* what is no JSON is not ours */
	CLEANUP(json_freep)
	struct json *parsed = text != NULL ? json_decode(text, strlen(text), &err) : NULL;

	if (text != NULL)
		payload = parsed;
	return target != NULL && text_same_ci(target, effect->u.forge_report.target) &&
	    json_get_i64_or(payload, "deploybot", 0) == effect->subject &&
	    json_get_i64_or(payload, "at", 0) == effect->u.forge_report.requested_at;
}

static void
find(struct report_job *job, const struct json *list)
{
	for (size_t i = 0; i < json_count(list) && job->number == 0; i++)
		if (is_ours(job->asking.job.effect, json_at(list, i)))
			job->number = json_get_i64_or(json_at(list, i), "id", 0);
	job->is_none = job->number == 0;
}

static void
end(struct report_job *job, enum forge_verdict verdict, const char *why)
{
	struct effect *effect = perform_job_free(&job->asking.job);
	struct forge_said *said = &effect->result->u.forge_said;

	said->verdict = verdict;
	(void)text_copy(said->why, sizeof(said->why), why);
	perform_report(effect);
}

static perform_due_fn ask;

/* After a POST without an answer it is looked for again. */
static void
try_again(struct report_job *job, const struct forge_api_answer *answer)
{
	int64_t pause_ms = perform_job_pause(&job->asking.job, PAUSE_MOST_MS);

	if (clock_wall_ms() - job->asking.job.effect->ordered_at > DAY_MS) {
		end(job, FORGE_SAYS_NOTHING, answer->detail);
		return;
	}
	job->is_none = false;
	if (pause_ms < answer->retry_after_s * 1000)
		pause_ms = answer->retry_after_s * 1000;
	perform_job_wait(&job->asking.job, pause_ms);
}

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct report_job *job = ctx;

	job->asking.call = NULL;
	if (answer->verdict >= FORGE_API_FAILED || answer->verdict == FORGE_API_LIMITED ||
	    answer->verdict == FORGE_API_UNAUTHORIZED) {
		try_again(job, answer);
		return;
	}
	if (answer->verdict != FORGE_API_DONE || job->number != 0) {
		end(job, answer->verdict == FORGE_API_DONE ? FORGE_SAYS_DONE : FORGE_SAYS_NO,
		    answer->detail);
		return;
	}
	if (!job->is_none)
		find(job, body);
	else if ((job->number = json_get_i64_or(body, "id", 0)) == 0) {
		end(job, FORGE_SAYS_NO, "it made no Deployment");
		return;
	}
	ask(&job->asking.job);
}

/* Without `required_contexts` it refuses what has no check, and without `auto_merge` it merges the
 * default branch into what is deployed.  No text of ours says more than a number: its page may be
 * public. */
static void
write_deployment(const struct effect *effect, struct json_out *json)
{
	const struct effect_forge_report *report = &effect->u.forge_report;

	json_put_str(json, "ref", report->commit);
	json_put_str(json, "environment", report->target);
	json_put_bool(json, "auto_merge", false);
	json_put_open(json, "required_contexts", '[');
	json_out_end(json);
	json_put_open(json, "payload", '{');
	json_put_i64(json, "deploybot", effect->subject);
	json_put_i64(json, "at", report->requested_at);
	json_out_end(json);
	json_put_bool(json, "production_environment", report->is_production);
}

static void
ask(struct perform_job *base)
{
	struct report_job *job = (struct report_job *)base;
	const struct effect_forge_report *report = &base->effect->u.forge_report;
	CLEANUP(buf_done) struct buf body = { .cap = BODY_MAX };
	char path[LIMIT_LINE], description[64];
	struct forge_api_request request = { .settings = (struct settings *)settings_of(
						  base->effect->settings, report->environment),
		.repository = report->repository,
		.path = path,
		.on_done = on_answer };
	struct json_out json;
	struct err err = { .code = ERR_NONE };

	(void)snprintf(path, sizeof(path), "/deployments");
	if (job->number == 0 && !job->is_none) {
		(void)snprintf(
		    path, sizeof(path), "/deployments?sha=%.64s&per_page=30", report->commit);
	} else {
		json = json_out_begin(&body, '{');
		if (job->number == 0)
			write_deployment(base->effect, &json);
		else
			json_put_str(&json, "state", report->state);
		(void)snprintf(
		    description, sizeof(description), "deploybot #%" PRId64, base->effect->subject);
		json_put_str(&json, "description", description);
		json_out_end(&json);
	}
	if (job->number != 0)
		(void)snprintf(
		    path, sizeof(path), "/deployments/%" PRId64 "/statuses", job->number);
	if (buf_check(&body, &err) && body.size > 0) {
		request.body = buf_text(&body);
		request.method = "POST"; /* which is never sent twice for one answer */
	}
	github_job_ask(&job->asking, &request, &err);
}

void
perform_forge_report(struct perform *perform, struct effect *effect)
{
	struct report_job *job =
	    perform_job_new(sizeof(*job), perform, effect, ask, github_job_end);

	ask(&job->asking.job);
}
