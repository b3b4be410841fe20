/* decide_sees.h - what somebody may know of.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* Is it there for them?  Under a former name as under the new one. */
bool decide_sees(struct tx *tx, int64_t person, const char *environment);

/* Why nothing is deployed there now, as they may know it: of another environment, which is the same
 * target, they read the name, and what both share, where they see both.  NULL: it may. */
const char *decide_sees_refusal(struct tx *tx, int64_t person, const char *environment);

/* May they read which host, path or address it has to itself?  Work on a client: who has `admin`
 * alone; it is no business of who may only act on the client. */
bool decide_sees_claims(struct tx *tx, int64_t person, const struct deployment *work);

/* Of work on a client where an environment lives: what that person does not see of the two leaves
 * the copy that they are shown. */
void decide_hide(struct tx *tx, int64_t person, struct deployment *work);
