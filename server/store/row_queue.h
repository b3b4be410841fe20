/* row_queue.h - places in the queues of the environments: who stands where, and what each waits for.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A place is a number that is drawn when it is taken.  A rollback or an emergency stands before
 * all else, behind earlier ones.  waits_for of a queued row says what it waits for; while
 * ROW_QUEUE_LOOK stands there its queue is to be looked at before the decision ends
 * (decide_queues()).
 */
#pragma once

#include "store/tx.h"

#define ROW_QUEUE_LOOK "look"
#define ROW_QUEUE_SLOT "slot"
#define ROW_QUEUE_GIT  "git"
#define ROW_QUEUE_HOLD "hold"
#define ROW_QUEUE_SETTINGS "settings"
#define ROW_QUEUE_CI	   "ci"
#define ROW_QUEUE_RUNNER   "runner"
#define ROW_QUEUE_OPA	   "opa"
#define ROW_QUEUE_MEASURE  "measure"

/* Places of one queue at most: so many deployments, as many again of whom a lock or freeze there
 * does not hold, as many rollbacks and emergencies, and a push besides. */
#define ROW_QUEUE_MOST	  10
#define ROW_QUEUE_PERSONS 3
#define ROW_QUEUE_LIST	  (3 * ROW_QUEUE_MOST + 2)

/* The next number; no other has it, ever. */
int64_t row_queue_draw(struct tx *tx);

/* Its queue as numbers of deployments, the front first; returns how many (<= ROW_QUEUE_LIST). */
size_t row_queue_list(struct tx *tx, const char *environment, int64_t ret[ROW_QUEUE_LIST]);

/* How many places people have there, for rollbacks and emergencies (is_first) or for all else;
 * person: that one, 0: all. */
int64_t row_queue_count(struct tx *tx, const char *environment, int64_t person, bool is_first);

/* The push that waits there; 0: none. */
int64_t row_queue_push(struct tx *tx, const char *environment);

/* What it waits for from now on; "": for its turn alone. */
void row_queue_wait(struct tx *tx, int64_t deployment, const char *waits_for);

/* Who waits for that resource since before `place`; 0: nobody. */
int64_t row_queue_waits_longer(struct tx *tx, const char *resource, int64_t place);

/* These are to be looked at before this decision ends: an environment's queue; all that wait for
 * what this work holds; and who is next to have its slot (row_slot.h). */
void row_queue_look(struct tx *tx, const char *environment);
void row_queue_freed(struct tx *tx, int64_t work);
/* All that wait for the end of a lock or freeze are to be looked at too. */
void row_queue_look_held(struct tx *tx);

/* Of those the one with the oldest place, whose mark is taken away.  False: there is none. */
bool row_queue_next(struct tx *tx, char ret_environment[LIMIT_ENVIRONMENT]) MUST_USE;
