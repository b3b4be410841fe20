/* leader_fence.h - the first statement of each of a leader's transactions, and how old its lease is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdatomic.h>

#include "lib/db_fence.h"

struct leader;

/* Of the server that leads: two threads have it. */
struct leader_fence {
	struct db_fence fence; /* for db_set_fence() */
	int64_t epoch;
	/* The store's. */
	int64_t batch; /* the last one that is durable */
	int64_t at;    /* wall ms: no decision is of a time before it */
	int64_t sent_ms;
	bool is_deposed;
	_Atomic int64_t n_unknown; /* commits without an answer so far */
	/* clock_boottime_ms() when the last good renewal was sent. */
	_Atomic int64_t renewed_ms;
	_Atomic int64_t answered_ms; /* the same, of the last answer inside a transaction */
};

void leader_fence_init(struct leader_fence *fence, const struct leader *leader);
/* A renewal that was sent then was good. */
void leader_fence_renewed(struct leader_fence *fence, int64_t sent_ms);
/* Is the last good renewal so new, at most? */
bool leader_fence_is_fresh(const struct leader_fence *fence, int64_t ms);
/* A transaction has the row until it ends: nobody else leads while the database answers in it. */
bool leader_fence_is_at_work(const struct leader_fence *fence);
/* The transaction is so long by now that what can wait for the next one does. */
bool leader_fence_is_long(const struct leader_fence *fence);
