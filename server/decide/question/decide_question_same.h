/* decide_question_same.h - which open question asks what somebody else wants to ask about.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* The oldest open question, or what awaits approvals, that asks for the same as that request.  Of
 * two rollbacks to one commit: by the same release, to the same hosts, past the same barrier; of
 * two deployments: both bring what is live in the same place, or neither does.  Each emergency is
 * asked about by itself, and none is found.  Returns ret; id 0: there is none. */
struct deployment *
decide_question_same(struct tx *tx, const struct deployment *request, struct deployment *ret);

/* The same of a commit that was pushed, which no promotion brings. */
struct deployment *decide_question_same_push(
    struct tx *tx, const char *environment, const char *commit, struct deployment *ret);
