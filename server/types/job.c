/* job.c - claims of a job's token, each checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/job.h"

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/json_take.h"
#include "lib/text.h"

#define MINUTE_MS (60 * INT64_C(1000))

/* GitHub gives tokens whenever a job asks.  GitLab gives all of them at once, for as long as the
 * job may take; no request of a token is remembered longer than for a day (row_hook.h). */
const struct job_forge job_forges[JOB_FORGES] = {
	[DELIVERY_GITHUB] = { .mark = "",
	    .word = "run",
	    .life_ms = 70 * MINUTE_MS,
	    .repository = "repository",
	    .repository_id = "repository_id",
	    .ref = "ref",
	    .event = "event_name",
	    .actor = "actor",
	    .actor_id = "actor_id",
	    .run = "run_id",
	    .attempt = "run_attempt",
	    .job = "check_run_id",
	    .file = "workflow_ref" },
	[DELIVERY_GITLAB] = { .mark = "gitlab:",
	    .word = "pipeline",
	    .life_ms = 23 * 60 * MINUTE_MS,
	    .repository = "project_path",
	    .repository_id = "project_id",
	    .ref = "ref_path",
	    .event = "pipeline_source",
	    .actor = "user_login",
	    .actor_id = "user_id",
	    .run = "pipeline_id",
	    .job = "job_id",
	    .file = "ci_config_ref_uri" },
};

/* docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows.  Not here:
 * what outsiders cause or have written (pull_request*, issue*, discussion*, fork, watch, gollum and
 * workflow_run, which follows them), what is not merged yet (merge_group), and what other programs
 * report (check_*, status, deployment_status).
 * Of GitLab (docs.gitlab.com/ci/jobs/job_rules, CI_PIPELINE_SOURCE) not here: merge requests, what
 * other pipelines begin, and a trigger, whose token anybody may have.  A token's user is whoever
 * ran that job, by hand or again: who pushed no token says. */
static const struct {
	enum delivery_forge forge;
	const char *name;
	enum job_actor actor;
} usual_events[] = {
	{ DELIVERY_GITHUB, "push", JOB_ACTOR_PUSHED },
	{ DELIVERY_GITHUB, "workflow_dispatch", JOB_ACTOR_ASKED },
	{ DELIVERY_GITHUB, "repository_dispatch", JOB_ACTOR_ASKED },
	{ DELIVERY_GITHUB, "release", JOB_ACTOR_ASKED },
	{ DELIVERY_GITHUB, "deployment", JOB_ACTOR_ASKED },
	{ DELIVERY_GITHUB, "schedule", JOB_ACTOR_UNKNOWN },
	{ DELIVERY_GITLAB, "push", JOB_ACTOR_ASKED },
	{ DELIVERY_GITLAB, "web", JOB_ACTOR_ASKED },
	{ DELIVERY_GITLAB, "api", JOB_ACTOR_ASKED },
	{ DELIVERY_GITLAB, "schedule", JOB_ACTOR_UNKNOWN },
};

enum delivery_forge
job_forge_of(const char *repository_id)
{
	return text_starts(repository_id, job_forges[DELIVERY_GITLAB].mark) ? DELIVERY_GITLAB :
									      DELIVERY_GITHUB;
}

const char *
job_word(const char *repository_id)
{
	return job_forges[job_forge_of(repository_id)].word;
}

enum job_actor
job_actor_of(enum delivery_forge forge, const char *event)
{
	for (size_t i = 0; i < COUNT(usual_events); i++)
		if (usual_events[i].forge == forge && strcmp(usual_events[i].name, event) == 0)
			return usual_events[i].actor;
	return JOB_ACTOR_OUTSIDE;
}

enum job_actor
job_actor_is(const struct job *job)
{
	return job->attempt == 1 ? job_actor_of(job_forge_of(job->repository_id), job->event) :
				   JOB_ACTOR_UNKNOWN;
}

/* A number of their own, above 0, as the text that it is. */
static int64_t
take_number(
    struct json_take *take, const struct json *claims, const char *key, char out[JOB_NUMBER])
{
	int64_t number = 0;

	json_take_plain(take, claims, key, out, JOB_NUMBER);
	if (!text_to_i64(out, 1, INT64_MAX, &number, NULL))
		(void)json_take_none(take, key);
	return number;
}

/* Who or what others have at other forges, too. */
static void
add_mark(const struct job_forge *of, char *text, size_t room)
{
	size_t size = strlen(of->mark);

	memmove(text + size, text, room - size);
	memcpy(text, of->mark, size);
	text[room - 1] = '\0';
}

bool
job_read(enum delivery_forge forge, const struct json *claims, struct job *ret, struct err *err)
{
	const struct job_forge *of = &job_forges[forge];
	struct json_take take = { .whose = "the token's", .code = ERR_DENIED, .err = err };
	const char *actor = json_get_str(claims, of->actor);
	struct job *job = ret;
	char number[JOB_NUMBER];
	int64_t expires = 0;

	*job = (struct job){ .workflow = "", .attempt = 1 };
	json_take_plain(&take, claims, "jti", job->token, sizeof(job->token));
	json_take_plain(&take, claims, of->repository, job->repository, sizeof(job->repository));
	(void)take_number(&take, claims, of->repository_id, job->repository_id);
	json_take_plain(&take, claims, of->ref, job->ref, sizeof(job->ref));
	json_take_commit(&take, claims, "sha", job->sha, 40);
	json_take_plain(&take, claims, of->event, job->event, sizeof(job->event));
	job->actor_id = take_number(&take, claims, of->actor_id, number);
	(void)take_number(&take, claims, of->run, job->run);
	if (of->attempt != NULL)
		job->attempt = take_number(&take, claims, of->attempt, number);
	if (actor == NULL || !json_get_i64(claims, "exp", &expires))
		return json_take_none(&take, actor == NULL ? of->actor : "exp");
	(void)clean_line(job->actor, sizeof(job->actor) - strlen(of->mark), actor, strlen(actor));
	add_mark(of, job->actor, sizeof(job->actor));
	add_mark(of, job->repository_id, sizeof(job->repository_id));
	job->expires_at = 1000 * expires;
	if (of->attempt == NULL || json_get(claims, of->job) != NULL)
		(void)take_number(&take, claims, of->job, job->check_run);
	return !take.failed;
}

bool
job_is_by_key(const struct job *job)
{
	return job->repository_id[0] == '\0';
}

bool
job_is_same(const struct job *a, const struct job *b)
{
	if (job_is_by_key(a) && strcmp(a->workflow, b->workflow) != 0)
		return false;
	return strcmp(a->repository_id, b->repository_id) == 0 && strcmp(a->run, b->run) == 0 &&
	    a->attempt == b->attempt &&
	    (a->check_run[0] == '\0' || b->check_run[0] == '\0' ||
		strcmp(a->check_run, b->check_run) == 0);
}
