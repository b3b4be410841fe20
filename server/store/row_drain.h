/* row_drain.h - drains: runs that end what an ended deployment has left running.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* More that are open at once are not ordered: what they would end goes with the next release. */
#define ROW_DRAINS_MAX 256

struct drain {
	int64_t run; /* 0: there is none */
	int64_t deployment;
	int64_t since; /* wall ms: then its deployment, or that wave of it, had ended */
	char commit[LIMIT_COMMIT]; /* of what drains; "": not known */
	enum commit_source source;
};

/* The newest of that environment that is open, which has the hosts of all: each ends the one before
 * it, and goes on with what that has left. */
struct drain row_drain_open(struct tx *tx, const char *environment);

/* The same of those that only clean up, too. */
struct drain row_drain_tail(struct tx *tx, const char *environment);

int64_t row_drain_count_open(struct tx *tx);

/* How many were ordered for that deployment. */
int64_t row_drain_count_of(struct tx *tx, int64_t deployment);

/* Is that run one? */
bool row_drain_is(struct tx *tx, int64_t run);
