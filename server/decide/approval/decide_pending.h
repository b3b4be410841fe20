/* decide_pending.h - what awaits approvals or a review: one list for the chat and for /v1.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/question/decide_where.h"

#define DECIDE_PENDING_MAX 200

/* Works of the scope that await approvals, the oldest first, and where all are meant (is_all) those
 * on clients too; none that the person does not see. */
size_t decide_pending_list(struct tx *tx, const struct decide_scope *scope, bool is_all,
    int64_t ret[DECIDE_PENDING_MAX]);

/* What began as an emergency there and awaits somebody's look, max at most. */
size_t decide_pending_reviews(
    struct tx *tx, const struct decide_scope *scope, struct deployment *ret, size_t max);

/* Why that person may not approve it; NULL: they may. */
const char *decide_pending_why_not(struct tx *tx, const struct deployment *work, int64_t person);
