/* row_work_pipeline.h - runs of workflows at a forge that are some work of ours.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/pipeline.h"

struct work_pipeline_row {
	int64_t work;	       /* 0: it is none */
	char words[LIMIT_REF]; /* that a person gave, a blank between; as they were shown */
	int64_t again;	       /* the run whose failed jobs run once more; 0: it begins anew */
	char nonce[PIPELINE_NONCE];
	int64_t run;	 /* 0: not known */
	int64_t attempt; /* what is said of an earlier one is not of this work; 0: not begun */
	char repository_id[JOB_MARK + JOB_NUMBER]; /* "" until its forge has said it */
};

struct work_pipeline_row row_work_pipeline_get(struct tx *tx, int64_t work);
void row_work_pipeline_set(struct tx *tx, const struct work_pipeline_row *row);

/* The work in progress that is this run; 0: none. */
int64_t row_work_pipeline_of_run(struct tx *tx, int64_t run);

/* The latest attempt of that run which some work of the environment has begun; 0: none has. */
int64_t row_work_pipeline_attempt(struct tx *tx, const char *environment, int64_t run);

/* The newest work that has begun it, over or not, below `before` (0: of all); 0: none has. */
int64_t row_work_pipeline_begun(
    struct tx *tx, const char *repository_id, int64_t run, int64_t before);

/* The next one in progress, behind `after`, 0 at first; of that environment, "": of any.  0: there
 * is no more. */
int64_t row_work_pipeline_next(struct tx *tx, const char *environment, int64_t after);
