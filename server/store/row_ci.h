/* row_ci.h - the newest run of each workflow on a commit, as an application's forge has said it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/pipeline_run.h"

/* Nothing older takes the place of what is newer: number, attempt and rank, in this order.
 * Whoever speaks for one application (its webhook, the API that its settings name) says nothing of
 * another one's. */
void row_ci_note(struct tx *tx, const char *application, const struct pipeline_run *run);

/* run 0: none is known. */
struct pipeline_run *row_ci_get(struct tx *tx, const char *application, const char *file,
    const char *commit, struct pipeline_run *ret);
