/* supervisor_limits.h - steps of a run that have a time of their own beside its deadline.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

/* What is left of the time that fetches, the wait for an earlier migration and ours have. */
struct supervisor_limits {
	int64_t fetch_ms;
	int64_t await_ms;
	int64_t migrate_ms;
	int64_t *limit_ms; /* that of what is in progress, since then; NULL: none */
	int64_t limit_from;
};

/* A step has begun, and with it the one before is over: returns by how many milliseconds the
 * deadline is put off for that, or comes nearer. */
int64_t supervisor_limits_take(
    struct supervisor_limits *limits, const char *step, bool is_released) MUST_USE;
