/* waves.h - in how many steps a release comes to its hosts, and how many of these may fail.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define WAVES_MAX 10

/* <ENV>_WAVES, "1, 10%, 100%": so many of the hosts have the release when each wave is over, parts
 * of a host rounded up.  NULL: one wave. */
struct waves {
	size_t n;
	size_t ends[WAVES_MAX]; /* rising; the last is all hosts */
};

/* For so many hosts: a wave that would add none is left out.  False: *err says what does not fit
 * them, or together.  The value fits its type (lib/setting.def). */
bool waves_read(const char *text, size_t hosts, struct waves *ret, struct err *err) MUST_USE;

/* Of so many, whatever those were for which its text was checked: a wave that is more than there
 * are is all of them. */
void waves_fit(const char *text, size_t hosts, struct waves *ret);

/* Which host is in which wave, as a question says it. */
struct waves_shown {
	size_t n; /* 0: there are none */
	size_t of[WAVES_MAX];	/* how many hosts each has */
	char first[LIMIT_LINE]; /* the first one's, a comma between; "": too many to be named */
};

/* Of a line for each wave, its hosts with a blank between; a port 22 is not said. */
void waves_show(const char *plan, struct waves_shown *ret);

/* Is there more than one? */
bool waves_are_set(const char *text);

/* <ENV>_FAILURES_MAX, "3" or "2%", of so many hosts, rounded down; NULL: none. */
size_t waves_failures(const char *text, size_t hosts);

/* How many hosts a comma list has; NULL: none. */
size_t waves_hosts(const char *list);
