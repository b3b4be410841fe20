/* standing.h - what can be said of what runs in an environment: one rule for chat, /v1 and shell.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"

/* What its health URLs said. */
enum standing_health {
	STANDING_UNCHECKED, /* none is set */
	STANDING_ASKED,	    /* not known yet */
	STANDING_HEALTHY,
	STANDING_ANOTHER,   /* healthy, but one names a commit that is not live on record */
	STANDING_UNHEALTHY, /* one of them at least */
};

/*
 * S(name, its word in /v1 where a release is on record, and where none is).
 * The worst first: of two that are true it is the one above.  Up to REPLACED nothing of ours is
 * said to run: /status asks by this order.
 */
#define STANDINGS(S) \
	S(DOWN, "down", "down")		 /* what was done last failed, and it does not answer */ \
	S(MAY_BE_DOWN, "down", "down")	 /* what was done last failed; it may answer */ \
	S(UNKNOWN, "unknown", "unknown") /* nobody knows what runs there */ \
	S(REPLACED, "live", "none")	 /* none of the two can be said to run */ \
	S(OUT, "live", "none")		 /* its release does not answer as it should */ \
	S(OTHER, "live", "none")	 /* another commit answers in the place of its release */ \
	S(EMPTY, "none", "none")	 /* nothing of ours was released there */ \
	S(NOT_ASKED, "live", "none")	 /* it runs; its health is not known yet */ \
	S(NOT_CHECKED, "live", "none")	 /* it runs; it has no health URL */ \
	S(RUNS, "live", "none")		 /* it runs, and is healthy */

enum standing {
#define S(name, live, none) STANDING_##name,
	STANDINGS(S)
#undef S
	    STANDING_COUNT
};

/* active: what is in progress there; NULL, or id 0: nothing. */
enum standing standing_of(const struct environment *environment, const struct deployment *active,
    enum standing_health health);

/* Somebody has to look at it. */
bool standing_is_trouble(enum standing standing);

/* Its word on the wire. */
const char *standing_word(enum standing standing, const struct environment *environment);
