/* decide_job_push.h - a job says that its branch's commit can be deployed: POST /v1/push.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/api.h"

/* As a push delivery of the job's repository, ref and commit, for the environments that its
 * workflow may deploy; what the request says besides has to be the same. */
void decide_job_push(struct tx *tx, const struct api_request *api);
