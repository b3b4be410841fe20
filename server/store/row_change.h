/* row_change.h - the commits that each deployment brought, as git said, for its rollback.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"
#include "types/git_answer.h"

/* In the place of those that it had; nothing is known where the answer was compared with none. */
void row_change_set(struct tx *tx, int64_t deployment, const struct git_answer *answer);

/* It released nothing. */
void row_change_forget(struct tx *tx, int64_t deployment);

/* Of the releases behind `to`, up to `live`, that were not rolled back: how many commits they
 * brought, and of those the newest (hash and subject; git is not asked).  0: of one of them it is
 * not known. */
int64_t row_change_list_gone(struct tx *tx, const struct release *to, const struct release *live,
    struct git_change *ret, size_t max, size_t *ret_n);
