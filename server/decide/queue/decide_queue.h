/* decide_queue.h - whose turn it is: the queues of the environments, looked at from the front.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A queue is looked at whenever work in its environment ends or leaves it, what one of its places
 * waits for is given back, settings change, and at start.  deployment/turn.h says what becomes of
 * each place; the first that may starts.
 */
#pragma once

#include "store/row_deployment.h"
#include "types/git_answer.h"
#include "types/update.h"

/* Looks at the environment's queue now. */
void decide_queue(struct tx *tx, const char *environment);

/* Looks at all that this decision has marked (row_queue_look()), the oldest place first; at the end
 * of each decision. */
void decide_queues(struct tx *tx);

/* It takes a place, and starts where it may; or it ends: there is none; or its approvals are asked
 * for.  event: CLEAR, CONFIRM.  answer: what git said, NULL where it was not asked. */
void decide_enqueue(struct tx *tx, struct deployment *deployment, enum deploy_event event,
    const struct git_answer *answer);

/* The same on CLEAR, looked at with the end of this decision: another one with an older place may
 * come back by it. */
void decide_enqueue_later(struct tx *tx, struct deployment *deployment);

/* True: a newer push waits behind it, has its place from now on, and its detail says so.  One of a
 * kind waits in a queue. */
bool decide_is_replaced(struct tx *tx, struct deployment *older) MUST_USE;

/* It has begun, and goes on with other hosts: what keeps it from that now, in `why`.  False:
 * nothing does. */
bool decide_queue_keeps(
    struct tx *tx, const struct deployment *work, char why[LIMIT_LINE]) MUST_USE;

/* Whoever sent the update answered what was asked anew in its place: it keeps it, and goes on. */
void
decide_queue_confirm(struct tx *tx, struct deployment *deployment, const struct update *update);

/* Git has said how the commit of a queued one and the live one are related; or that it has no such
 * commit (any more), which alone is no reason to refuse what was asked for while it had. */
void decide_queue_answered(struct tx *tx, struct deployment *deployment,
    const struct effect_git_query *query, const struct git_answer *answer);

/* Git does not answer for a queued one: its place waits, and says so. */
void decide_queue_delayed(struct tx *tx, struct deployment *deployment, const char *why);
