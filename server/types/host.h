/* host.h - what a host of an environment runs that is released to in waves.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define HOST_STATES(H) \
	H(CURRENT, "current") /* it runs `release` */ \
	H(TOUCHED, "touched") /* a run has begun with it, and has not said how that ended */ \
	H(FAILED, "failed")   /* the newest run that was ordered to it said so: it is as it was */ \
	H(UNKNOWN, "unknown") /* nobody knows what it runs, until a release reaches it */

enum host_state {
#define H(name, word) HOST_IS_##name,
	HOST_STATES(H)
#undef H
	HOST_STATE_COUNT
};

struct host {
	char name[LIMIT_HOST]; /* as in a claim */
	enum host_state state;
	int wave;
	int64_t plan; /* the work that `wave` is of */
	int64_t work; /* that touched it last; 0: none has */
	/* A commit, "": none.  Of a host that is touched what it ran before, of one that is not
	 * known what it ran, or should run after a rollback. */
	char release[LIMIT_COMMIT];
	char detail[LIMIT_LINE]; /* why it failed, or is not known */
	int64_t failed_at;	 /* wall ms, the last time; 0: never */
	int64_t left_at;	 /* wall ms: it left the settings; 0: it has not */
	int64_t at;		 /* wall ms: it came to its state */
};

/* How far a deployment in waves is. */
struct host_counts {
	int64_t all;
	int64_t current; /* with its release, or back at the one before */
	int64_t failed, unknown;
	int64_t left; /* the settings, and what they run is not known */
	int64_t touched; /* it has begun with them, ever */
	int64_t of_wave, current_of_wave;
	int64_t failed_before; /* in the waves before */
	int64_t ended;	       /* nothing ran there before: what it brought is ended */
	int64_t strays;	       /* of its newest run: they do not run what was released there */
};

#define HOSTS_BAD_SHOWN 10

/* Which release so many hosts of an environment run. */
struct host_mixed {
	char release[LIMIT_COMMIT]; /* a commit; "": none, or it is not known */
	bool is_unknown;
	bool is_touched; /* a run has begun with them: they may run it, or what they ran before */
	int64_t n;
};

#define HOST_MIX_MAX 5
struct host_mix {
	size_t n;
	struct host_mixed of[HOST_MIX_MAX];
};

/* How many of all hosts run one release, and of how many nothing is known. */
struct host_share {
	int64_t n, all, unknown;
};
