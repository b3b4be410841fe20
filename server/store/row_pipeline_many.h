/* row_pipeline_many.h - how many workflows are red by one commit of a branch, and which say so.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_pipeline.h"

/* Of what one chat has of that commit. */
struct pipeline_many {
	int64_t said;	/* have a message of their own */
	int64_t unsaid; /* have none: that of another one counts them */
	int64_t last;	/* the row that counts them, or is to; 0: there is none */
};

/* Of that run's repository, branch and commit.  Returns ret. */
struct pipeline_many *row_pipeline_many(
    struct tx *tx, int64_t chat, const struct pipeline_run *run, struct pipeline_many *ret);
