/* pipeline_run.h - a run of a workflow on a commit, as its forge says it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/job.h"
#include "types/limits.h"

struct json;

#define PIPELINE_FILE	    64 /* "ci.yml", with the NUL */
#define PIPELINE_CONCLUSION 24

/* As numbers they are on disk, in this order. */
enum pipeline_rank {
	PIPELINE_REQUESTED, /* it waits for a machine, or to be let on */
	PIPELINE_RUNS,
	PIPELINE_IS_OVER,
};

/* A workflow is known by its file: whoever may push can give its name to another one. */
struct pipeline_run {
	char repository[LIMIT_REF]; /* "octo/shop" */
	char repository_id[JOB_NUMBER];
	char file[PIPELINE_FILE]; /* below .github/workflows/ */
	char commit[LIMIT_COMMIT];
	char branch[LIMIT_REF]; /* or tag, that it is of */
	int64_t run; /* 0: there is none */
	int64_t number, attempt;
	enum pipeline_rank rank;
	char conclusion[PIPELINE_CONCLUSION]; /* "success"; "" until it is over */
};

/*
 * A workflow_run as GitHub's webhook and its list of runs have it
 * (docs.github.com/rest/actions/workflow-runs).  *ret_counts: it says something of a commit of the
 * repository itself, for it is of a push or was begun by hand; a pull request's and a fork's says
 * nothing.  False, *err: it is none.
 */
MUST_USE bool pipeline_run_read(
    const struct json *said, struct pipeline_run *ret, bool *ret_counts, struct err *err);
