/* decide_ran.h - how deployments of the same files ended in the stages before this one.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/question.h"
#include "store/row_deployment.h"
#include "types/git_answer.h"

/* In those of settings_stages.h; of one that nothing was ever released to nothing.  Returns how
 * many. */
size_t decide_ran(struct tx *tx, const struct deployment *work, const struct question *shown,
    struct ran ret[RAN_SHOWN]);

/* A bit for each change of the answer that failed in one of those, or where it is to go. */
unsigned
decide_ran_failed(struct tx *tx, const char *environment, const struct git_answer *answer);
