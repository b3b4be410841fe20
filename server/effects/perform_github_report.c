/* perform_github_report.c - FORGE_REPORT: a deployment there is found or made, and has its state.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.github.com/rest/deployments/deployments and /statuses.  Making one is not
 * idempotent: one is looked for first, each time, by what its payload says; at GitLab
 * (https://docs.gitlab.com/api/deployments), which has no room for that, by its commit and its time.
 */
#include <inttypes.h>
#include <stdio.h>

#include "effects/perform_github_inside.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "types/forge.h"
#include "types/settings.h"

#define BODY_MAX      4096
#define PAUSE_MOST_MS 300000
#define DAY_MS	      (24 * 3600 * INT64_C(1000))
#define CLOCKS_MS     60000 /* that two clocks may differ by */

struct report_job {
	struct github_job asking;
	bool at_gitlab; /* as the effect has it */
	int64_t number; /* of the Deployment; 0: not known */
	bool is_none;	/* there is none: it is made */
	bool is_said;	/* at GitLab: it has that state */
};

/* GitHub's word for a state in GitLab's. */
static const char *
state_at_gitlab(const char *state)
{
	return strcmp(state, "in_progress") == 0 ? "running" :
	    strcmp(state, "failure") == 0	 ? "failed" :
	    strcmp(state, "inactive") == 0	 ? "canceled" :
						   "success";
}

/* It may come as an object, or as the text of one. */
static bool
is_ours(const struct effect *effect, const struct json *deployment)
{
	const struct json *payload = json_get(deployment, "payload");
	const char *text = json_str(payload);
	const char *target = json_text(deployment, "environment");
	struct err err; /* what is no JSON is not ours */
	CLEANUP(json_freep)
	struct json *parsed = text != NULL ? json_decode(text, strlen(text), &err) : NULL;

	if (text != NULL)
		payload = parsed;
	return text_same_ci(target, effect->u.forge_report.target) &&
	    json_get_i64_or(payload, "deploybot", 0) == effect->subject &&
	    json_get_i64_or(payload, "at", 0) == effect->u.forge_report.requested_at;
}

/* Made by no job of theirs, since it was asked for: in progress, of which an environment has one;
 * or with that end. */
static bool
is_ours_at_gitlab(const struct effect *effect, const struct json *deployment, bool is_said)
{
	const struct effect_forge_report *report = &effect->u.forge_report;
	const char *target = json_text(json_get(deployment, "environment"), "name");
	const struct json *job = json_get(deployment, "deployable");
	int64_t made_at = 0;

	return json_has(deployment, "sha", report->commit) &&
	    text_same_ci(target, report->target) && (job == NULL || json_holds_null(job)) &&
	    (is_said || json_has(deployment, "status", "running")) &&
	    forge_time_read(json_get_str(deployment, "created_at"), &made_at) &&
	    made_at > report->requested_at - CLOCKS_MS;
}

static void
find(struct report_job *job, const struct json *list)
{
	const struct effect *effect = job->asking.job.effect;
	const char *wanted = state_at_gitlab(effect->u.forge_report.state);

	for (size_t i = 0; i < json_count(list) && job->number == 0; i++) {
		job->is_said = job->at_gitlab && json_has(json_at(list, i), "status", wanted);
		if (job->at_gitlab ? is_ours_at_gitlab(effect, json_at(list, i), job->is_said) :
				     is_ours(effect, json_at(list, i)))
			job->number = json_get_i64_or(json_at(list, i), "id", 0);
	}
	job->is_none = job->number == 0;
	job->is_said &= !job->is_none;
}

static void
end(struct report_job *job, enum forge_verdict verdict, const char *why)
{
	struct effect *effect = perform_job_free(&job->asking.job);
	struct forge_said *said = &effect->result->u.forge_said;

	said->verdict = verdict;
	text_set(said->why, why);
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
	if (job->at_gitlab)
		job->number = 0; /* it may have that state by now, and does not take it twice */
	if (pause_ms < answer->retry_after_s * 1000)
		pause_ms = answer->retry_after_s * 1000;
	perform_job_wait(&job->asking.job, pause_ms);
}

static void
on_answer(void *ctx, const struct forge_api_answer *answer, const struct json *body)
{
	struct report_job *job = ctx;

	job->asking.call = NULL;
	/* What is too large for us is that each time. */
	if ((answer->verdict >= FORGE_API_FAILED && answer->verdict != FORGE_API_TOO_LARGE) ||
	    answer->verdict == FORGE_API_LIMITED || answer->verdict == FORGE_API_UNAUTHORIZED) {
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
	else if (job->at_gitlab)
		job->is_said = true; /* it was made with its state */
	else if ((job->number = json_get_i64_or(body, "id", 0)) == 0) {
		end(job, FORGE_SAYS_NO, "it made no Deployment");
		return;
	}
	if (job->is_said)
		end(job, FORGE_SAYS_DONE, "");
	else
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
write_at_gitlab(const struct report_job *job, struct json_out *json)
{
	const struct effect *effect = job->asking.job.effect;
	const struct effect_forge_report *report = &effect->u.forge_report;
	const struct environment_settings *e =
	    settings_environment(effect->settings, report->environment);

	if (job->number == 0) {
		json_put_str(json, "environment", report->target);
		json_put_str(json, "sha", report->commit);
		json_put_str(
		    json, "ref", e != NULL && e->branch != NULL ? e->branch : report->commit);
		json_put_bool(json, "tag", false);
	}
	json_put_str(json, "status", state_at_gitlab(report->state));
}

static void
write_at_github(const struct report_job *job, struct json_out *json)
{
	const struct effect *effect = job->asking.job.effect;
	char description[64];

	if (job->number == 0)
		write_deployment(effect, json);
	else
		json_put_str(json, "state", effect->u.forge_report.state);
	text_setf(description, "deploybot #%" PRId64, effect->subject);
	json_put_str(json, "description", description);
}

/* What it is looked for by. */
static void
write_search(const struct report_job *job, char path[LIMIT_LINE])
{
	const struct effect_forge_report *report = &job->asking.job.effect->u.forge_report;
	bool is_plain = strspn(report->target, GITHUB_JOB_PLAIN) == strlen(report->target);

	if (job->at_gitlab)
		(void)snprintf(path, LIMIT_LINE,
		    "/deployments?order_by=id&sort=desc&per_page=20%s%.180s",
		    is_plain ? "&environment=" : "", is_plain ? report->target : "");
	else
		(void)snprintf(
		    path, LIMIT_LINE, "/deployments?sha=%.64s&per_page=30", report->commit);
}

static void
write_next(const struct report_job *job, char path[LIMIT_LINE], struct buf *body)
{
	struct json_out json;

	if (job->number == 0 && !job->is_none) {
		write_search(job, path);
		return;
	}
	json = json_out_begin(body, '{');
	(job->at_gitlab ? write_at_gitlab : write_at_github)(job, &json);
	json_out_end(&json);
	if (job->number == 0)
		(void)snprintf(path, LIMIT_LINE, "/deployments");
	else
		(void)snprintf(path, LIMIT_LINE, "/deployments/%" PRId64 "%s", job->number,
		    job->at_gitlab ? "" : "/statuses");
}

static void
ask(struct perform_job *base)
{
	struct report_job *job = (struct report_job *)base;
	const struct effect_forge_report *report = &base->effect->u.forge_report;
	CLEANUP(buf_done) struct buf body = { .cap = BODY_MAX };
	char path[LIMIT_LINE];
	struct forge_api_request request = { .settings = (struct settings *)settings_of(
						 base->effect->settings, report->environment),
		.repository = report->repository,
		.as = job->at_gitlab ? FORGE_AS_GITLAB : FORGE_AS_ITS,
		.path = path,
		.on_done = on_answer };
	struct err err = { .code = ERR_NONE };

	write_next(job, path, &body);
	if (buf_check(&body, &err) && body.size > 0) {
		request.body = buf_text(&body);
		/* Which is never sent twice for one answer. */
		request.method = job->at_gitlab && job->number != 0 ? "PUT" : "POST";
	}
	github_job_ask(&job->asking, &request, &err);
}

void
perform_forge_report(struct perform *perform, struct effect *effect)
{
	struct report_job *job =
	    perform_job_new(sizeof(*job), perform, effect, ask, github_job_end);

	job->at_gitlab = effect->u.forge_report.at_gitlab;
	ask(&job->asking.job);
}
