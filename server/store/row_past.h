/* row_past.h - the barriers that a deployment of an earlier commit goes past, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "types/git_answer.h"

struct tx;

/* Of the answer in place of what was there; false: nothing that was not there before came. */
bool row_past_set(struct tx *tx, int64_t deployment, const struct git_answer *answer);

/* The newest first; returns how many. */
size_t row_past_list(struct tx *tx, int64_t deployment, struct barrier ret[BARRIERS_SHOWN]);
