/* decide_hold_work.h - work that locks and freezes keep from starting, and pushes that make none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

struct git_answer;

/* Does one keep this work from starting now? */
bool decide_is_held(struct tx *tx, const struct deployment *work);

/* The branch's head was found, or a job's commit, which is deployed alone (by_job).  True: it makes
 * no work now, and that is noted and said. */
bool decide_hold_push(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const char *pushed_by, bool by_job);

/* A push's work that has not begun: it ends, and is noted in the same manner. */
void decide_hold_work(struct tx *tx, struct deployment *push);

/* A lock or freeze has just begun there: the queued push and the question of one end so. */
void decide_hold_pushes(struct tx *tx, const char *environment);
