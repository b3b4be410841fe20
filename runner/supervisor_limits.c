/* supervisor_limits.c - steps of a run that have a time of their own beside its deadline.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/supervisor_limits.h"

#include <string.h>

#include "lib/clock.h"
#include "runner/step_scan.h"

#define FETCH_STEP "git fetch"		  /* of deploy/git.sh */
#define AWAIT_STEP "wait for a migration" /* of deploy/act.sh */

/* The limit of its own that a step has; NULL: the deadline is its. */
static int64_t *
limit_of(struct supervisor_limits *limits, const char *step, bool is_released)
{
	if (strcmp(step, FETCH_STEP) == 0)
		return &limits->fetch_ms;
	if (is_released)
		return NULL;
	if (strcmp(step, AWAIT_STEP) == 0)
		return &limits->await_ms;
	return strcmp(step, STEP_SCAN_MIGRATE) == 0 ? &limits->migrate_ms : NULL;
}

int64_t
supervisor_limits_take(struct supervisor_limits *limits, const char *step, bool is_released)
{
	int64_t now = clock_monotonic_ms(), used = now - limits->limit_from, left = 0;

	if (limits->limit_ms != NULL) {
		left = *limits->limit_ms > used ? *limits->limit_ms - used : 0;
		*limits->limit_ms = left;
	}
	limits->limit_ms = limit_of(limits, step, is_released);
	limits->limit_from = now;
	return (limits->limit_ms != NULL ? *limits->limit_ms : 0) - left;
}
