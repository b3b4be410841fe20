/* decide_job.h - a job of a workflow asks: who that is, and that its token changes one thing.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

/*
 * api->job has been checked by the loop: from now on it is who asks.  A token is bound to its first
 * request that changes something: the same one again is answered as it was then, another one is
 * refused.  False: it was answered.
 */
MUST_USE bool decide_job_enter(struct tx *tx, struct api_request *api);

/* What it asked for was decided, and is noted for its token. */
void decide_job_note(struct tx *tx, const struct api_request *api);
