/* decide_barrier.h - which barriers a rollback would go past: releases that bar it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/row_deployment.h"

/*
 * What stands between the work and the release to roll back to, as the repository says of each
 * (work.barrier): its own (of a deployment), then that of a deployment that failed and was left so,
 * then those of releases, the newest first.  Returns how many.
 */
size_t decide_list_barriers(
    struct tx *tx, const struct deployment *work, struct barrier ret[BARRIERS_SHOWN]);

/* Is a rollback forbidden: of a deployment the automatic one, if it failed; a person's that was not
 * asked for all the same? */
bool decide_is_barred(struct tx *tx, const struct deployment *work);

/* What a deployment of an earlier commit, or of one beside what is live, rolls back past, as git
 * said over what was live; returns how many. */
size_t decide_list_past(
    struct tx *tx, const struct deployment *work, struct barrier ret[BARRIERS_SHOWN]);

/* Is there such a thing that no question has said? */
bool decide_is_past_unshown(struct tx *tx, const struct deployment *work);
