/* pipeline_run.h - a run of a workflow on a commit, as its forge says it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/job.h"
#include "types/limits.h"

struct json;
struct settings;

#define PIPELINE_FILE	    64 /* "ci.yml", with the NUL */
#define PIPELINE_CONCLUSION 24

/* The one of a project at GitLab, whatever its file is called there. */
#define PIPELINE_OF_GITLAB ".gitlab-ci.yml"

/* As numbers they are on disk, in this order. */
enum pipeline_rank {
	PIPELINE_REQUESTED, /* it waits for a machine, or to be let on */
	PIPELINE_RUNS,
	PIPELINE_IS_OVER,
};

/* A workflow is known by its file: whoever may push can give its name to another one. */
struct pipeline_run {
	char repository[LIMIT_REF]; /* "octo/shop" */
	char repository_id[JOB_MARK + JOB_NUMBER]; /* "456789", "gitlab:22" */
	char file[PIPELINE_FILE]; /* below .github/workflows/; PIPELINE_OF_GITLAB */
	char commit[LIMIT_COMMIT];
	char branch[LIMIT_REF]; /* or tag, that it is of */
	char failed[LIMIT_LINE];   /* jobs that failed, a line each; "" of GitHub's, and in rows */
	char title[LIMIT_SUBJECT]; /* its commit's subject, or what its workflow calls it; cut */
	char actor[LIMIT_PERSON];  /* who began it first, as a login; "": not said */
	int64_t run; /* 0: there is none */
	int64_t number, attempt;
	enum pipeline_rank rank;
	char conclusion[PIPELINE_CONCLUSION]; /* "success"; "" until it is over */
	bool is_own; /* of the repository itself: of no fork, and of no pull request */
	bool counts; /* as CI: it is own, and of a push, or begun by hand at GitHub */
};

/*
 * A workflow_run as GitHub's webhook and its list of runs have it
 * (docs.github.com/rest/actions/workflow-runs).  False, *err: it is none.
 */
MUST_USE bool pipeline_run_read(const struct json *said, struct pipeline_run *ret, struct err *err);

/*
 * A pipeline as GitLab's webhook has it (docs.gitlab.com/user/project/integrations/webhook_events).
 * That of a push to a branch is own; of any other but the API's, which may be one that we began,
 * nothing is read but that it is not: run is 0.  A job that is begun again has a higher number: the
 * highest is the attempt.  False, *err: a field is missing, or is none; *ret says nothing then.
 */
MUST_USE bool pipeline_run_read_gitlab(
    const struct json *body, struct pipeline_run *ret, struct err *err);

/*
 * The same of GitLab's API: one of the list of pipelines, or itself (attempt 1); and its jobs, the
 * newest first (docs.gitlab.com/api/pipelines, /api/jobs), which say the attempt, how the pipeline
 * stands at it, which failed, and, as itself does, whether it is a tag's.  `repository` is the
 * project's path, which the API leaves out.  A run whose number is 0 becomes that of the jobs.
 */
MUST_USE bool pipeline_run_read_listed(const struct json *said, const char *repository,
    struct pipeline_run *ret, struct err *err);
MUST_USE bool pipeline_run_read_jobs(
    const struct json *jobs, struct pipeline_run *run, struct err *err);

/* It is over, and has failed; whatever else is over and no success says nothing (skipped, …). */
bool pipeline_run_is_red(const struct pipeline_run *run);
bool pipeline_run_is_green(const struct pipeline_run *run);

/* "queued", "running", "failure": how it stands. */
const char *pipeline_run_word(const struct pipeline_run *run);

/* Its page, where people see why: at github.com, or on the Enterprise Server whose API is at
 * `api`/api/v3.  Returns ret; cut where it does not fit. */
#define PIPELINE_URL 240
const char *pipeline_run_url(
    const char *api, const char *repository, int64_t run, char ret[PIPELINE_URL]);

/* The page of a run of that application's repository, at whichever forge; "": it has no room.
 * Returns ret. */
const char *pipeline_run_page(
    const struct settings *of, const struct pipeline_run *run, char ret[PIPELINE_URL]);
