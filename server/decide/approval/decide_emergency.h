/* decide_emergency.h - emergency deployments, which wait for no approval: who may, is rung, reviews.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * /deploy ENV [REF] emergency REASON makes work with `emergency`, its reason.  It needs the grant
 * of that name, and a code of the second factor where anybody has one.  It stands before all else
 * in its queue, never passes what runs, and is marked until somebody who could have approved it has
 * reviewed it.
 */
#pragma once

#include "store/row_deployment.h"
#include "types/request.h"
#include "types/update.h"

#define DECIDE_EMERGENCY_REASON 200 /* bytes with the NUL */

/* Whoever sent the update has the grant: do they say why, and have they given their code?  False:
 * that was said, or asked for. */
bool decide_emergency_may(struct tx *tx, const struct update *update, const char *environment,
    const char *reason) MUST_USE;

/* It has a place in the queue: everybody who could have approved it is rung, and the team. */
void decide_emergency_ring(struct tx *tx, const struct deployment *work);

/* It is queued again, and nothing of it had begun: who reviewed it had nothing to review, and is
 * asked to once more. */
void decide_emergency_returned(struct tx *tx, struct deployment *work);

/* It is over. */
void decide_emergency_ended(struct tx *tx, const struct deployment *work);

/* A day is over since others were asked to review it. */
void decide_emergency_due(struct tx *tx, int64_t work);

/* Whoever sent the update has looked at it.  Answered, also where it is denied. */
void decide_emergency_review(struct tx *tx, const struct update *update, struct deployment *work);
