/* job.c - claims of a job's token, each checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/job.h"

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

/* docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows.  Not here:
 * what outsiders cause or have written (pull_request*, issue*, discussion*, fork, watch, gollum and
 * workflow_run, which follows them), what is not merged yet (merge_group), and what other programs
 * report (check_*, status, deployment_status). */
static const struct {
	const char *name;
	enum job_actor actor;
} usual_events[] = {
	{ "push", JOB_ACTOR_PUSHED },
	{ "workflow_dispatch", JOB_ACTOR_ASKED },
	{ "repository_dispatch", JOB_ACTOR_ASKED },
	{ "release", JOB_ACTOR_ASKED },
	{ "deployment", JOB_ACTOR_ASKED },
	{ "schedule", JOB_ACTOR_UNKNOWN },
};

enum job_actor
job_actor_of(const char *event)
{
	for (size_t i = 0; i < COUNT(usual_events); i++)
		if (strcmp(usual_events[i].name, event) == 0)
			return usual_events[i].actor;
	return JOB_ACTOR_OUTSIDE;
}

enum job_actor
job_actor_is(const struct job *job)
{
	return job->attempt == 1 ? job_actor_of(job->event) : JOB_ACTOR_UNKNOWN;
}

static bool
missing(const char *name, struct err *err)
{
	return err_set(err, ERR_DENIED, "the token's %s is missing, or is none", name);
}

/* A text of plain characters that fits. */
static bool
take_text(const struct json *claims, const char *name, char *out, size_t room, struct err *err)
{
	const char *text = json_get_str(claims, name);

	return (text != NULL && text[0] != '\0' && text_is_plain(text) &&
		   text_copy(out, room, text)) ||
	    missing(name, err);
}

/* A number of their own, above 0, as the text that it is. */
static bool
take_number(const struct json *claims, const char *name, char out[JOB_NUMBER], int64_t *ret,
    struct err *err)
{
	int64_t number;

	if (!take_text(claims, name, out, JOB_NUMBER, err))
		return false;
	if (!text_to_i64(out, 1, INT64_MAX, &number, NULL))
		return missing(name, err);
	if (ret != NULL)
		*ret = number;
	return true;
}

static bool
take_commit(const struct json *claims, char out[LIMIT_COMMIT], struct err *err)
{
	return take_text(claims, "sha", out, LIMIT_COMMIT, err) &&
	    (text_is_hex(out, 40, 40) || missing("sha", err));
}

bool
job_read(const struct json *claims, struct job *ret, struct err *err)
{
	struct job *job = ret;
	char number[JOB_NUMBER];
	const char *actor = json_get_str(claims, "actor");
	int64_t expires;

	*job = (struct job){ .workflow = "" };
	if (!take_text(claims, "jti", job->token, sizeof(job->token), err) ||
	    !take_text(claims, "repository", job->repository, sizeof(job->repository), err) ||
	    !take_number(claims, "repository_id", job->repository_id, NULL, err) ||
	    !take_text(claims, "ref", job->ref, sizeof(job->ref), err) ||
	    !take_commit(claims, job->sha, err) ||
	    !take_text(claims, "event_name", job->event, sizeof(job->event), err) ||
	    !take_number(claims, "actor_id", number, &job->actor_id, err) ||
	    !take_number(claims, "run_id", job->run, NULL, err) ||
	    !take_number(claims, "run_attempt", number, &job->attempt, err))
		return false;
	if (actor == NULL || !json_get_i64(claims, "exp", &expires))
		return missing(actor == NULL ? "actor" : "exp", err);
	(void)clean_line(job->actor, sizeof(job->actor), actor, strlen(actor));
	job->expires_at = 1000 * expires;
	return json_get(claims, "check_run_id") == NULL ||
	    take_number(claims, "check_run_id", job->check_run, NULL, err);
}

bool
job_is_same(const struct job *a, const struct job *b)
{
	return strcmp(a->repository_id, b->repository_id) == 0 && strcmp(a->run, b->run) == 0 &&
	    a->attempt == b->attempt &&
	    (a->check_run[0] == '\0' || b->check_run[0] == '\0' ||
		strcmp(a->check_run, b->check_run) == 0);
}
