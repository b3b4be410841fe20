/* row_ci.h - the newest run of each workflow on a commit, as an application's forge has said it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/pipeline_run.h"

/* Nothing older takes the place of what is newer: number, attempt and rank, in this order.
 * Whoever speaks for one application (its webhook, the API that its settings name) says nothing of
 * another one's. */
void row_ci_note(struct tx *tx, const char *application, const struct pipeline_run *run);

/* Of that application, and of the file, commit and branch that *ret names (branch "": of any):
 * fills repository, run (0: none is known), rank and conclusion.  Returns when that was said last,
 * wall ms. */
int64_t row_ci_get(struct tx *tx, const char *application, struct pipeline_run *ret);
