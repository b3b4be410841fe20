/* job_aid.h - a job of a workflow that asks over /v1, for tests of decisions.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide_aid.h"
#include "lib/text.h"
#include "types/api.h"
#include "types/job.h"

/* As a job of the workflow "shop", in the first attempt of run 4711. */
#define JOB_OF_SHOP \
	{ \
		.workflow = "shop", .token = "a-1", .repository = "octo/shop", \
		.repository_id = "456789", .ref = "refs/heads/main", .sha = COMMIT_A, \
		.event = "push", .actor = "mona", .actor_id = 7, .run = "4711", .attempt = 1, \
		.check_run = "99001" \
	}

/* Each request has a token of its own.  body may be NULL: a GET. */
static inline struct event *
job_event(struct world *w, struct job *job, enum api_operation operation, const char *path,
    const char *body)
{
	static int tokens = 1;
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	struct err err;

	assert_non_null(api);
	event->u.api = api;
	api->is_network = true;
	api->is_kept = true;
	api->from = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
	api->job = calloc(1, sizeof(*api->job));
	assert_non_null(api->job);
	*api->job = *job;
	if (!api_read(operation, path, body, body == NULL ? 0 : strlen(body), api, &err))
		fail_msg("%s: %s", path, err.text);
	(void)snprintf(job->token, sizeof(job->token), "a-%d", ++tokens);
	return event;
}

static inline struct answer
job_asks(struct world *w, struct job *job, enum api_operation operation, const char *path,
    const char *body)
{
	return world_decide(w, job_event(w, job, operation, path, body));
}

static inline void
job_is_of(struct job *job, const char *run, const char *commit)
{
	(void)text_copy(job->run, sizeof(job->run), run);
	(void)text_copy(job->sha, sizeof(job->sha), commit);
}

/* The same of GitLab's project 22; each job that is begun again has another number. */
static inline void
job_is_gitlabs(struct job *job, const char *number)
{
	(void)text_copy(job->repository, sizeof(job->repository), "group/shop");
	(void)text_copy(job->repository_id, sizeof(job->repository_id), "gitlab:22");
	(void)text_copy(job->actor, sizeof(job->actor), "gitlab:mona");
	(void)text_copy(job->check_run, sizeof(job->check_run), number);
}
