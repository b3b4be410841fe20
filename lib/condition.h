/* condition.h - when more approvals are needed, as a value: "forced=2; path db/migrate=2".  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *	forced			its history does not have what is live
 *	not-on shop/staging	its commit was never live there
 *	path db/migrate	something there differs from what is live, or nobody knows
 *	not-promoted		it brings nothing that is live elsewhere: its image is made for it
 *	outside Mon-Fri 09:00-17:00	by the clocks of a zone
 */
#pragma once

#include "lib/base.h"

struct zone;

#define CONDITIONS_MAX	16
#define CONDITION_WHAT	128 /* bytes with the NUL */
#define CONDITIONS_TEXT 511 /* bytes of all of them */

/* C(KIND, word, what must follow it; "": nothing may) */
#define CONDITION_ROWS(C) \
	C(FORCED, "forced", "") \
	C(NOT_ON, "not-on", "an environment, as shop/staging") \
	C(NOT_PROMOTED, "not-promoted", "") \
	C(PATH, "path", "a pattern, as db/migrate/**: no / before it, no ..") \
	C(OUTSIDE, "outside", "hours of days, as Mon-Fri 09:00-17:00")

enum condition_kind {
#define C(kind, word, what) CONDITION_##kind,
	CONDITION_ROWS(C)
#undef C
	    CONDITION_KINDS
};

struct condition {
	enum condition_kind kind;
	int number;		   /* 1 to 32: how many are needed where it applies */
	char what[CONDITION_WHAT]; /* the environment, the pattern, the hours; "" */
	unsigned weekdays;	   /* OUTSIDE: 1 << day, 0: Sunday */
	int from, to;		   /* OUTSIDE: minutes of a day */
};

struct conditions {
	size_t n;
	struct condition at[CONDITIONS_MAX];
};

/* Of one to CONDITIONS_MAX, each with = and a number behind it, semicolons between.  False:
 * err says what of the first wrong one is wrong. */
MUST_USE bool conditions_parse(const char *text, struct conditions *ret, struct err *err);

/* Is that moment (ms) outside of its hours? */
bool condition_is_outside(const struct condition *condition, const struct zone *zone, int64_t at);

/* "path db/migrate", "forced": as people read it; returns out. */
#define CONDITION_WORDS (CONDITION_WHAT + 16)
const char *condition_text(const struct condition *condition, char out[CONDITION_WORDS]);
