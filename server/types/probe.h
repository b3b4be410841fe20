/* probe.h - what is probed, by which plan, and what came of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

#define PROBE_TARGETS_MAX	(LIMIT_URLS * LIMIT_ENVIRONMENTS)

struct probe_target {
	char environment[LIMIT_ENVIRONMENT];
	char url[LIMIT_URL];
	char commit[LIMIT_COMMIT];	/* expected; "": any.  Compared as a prefix both ways */
};

/* A target is healthy after `successes` passes in a row, failed after `failures` in all. */
struct probe_plan {
	int successes;
	int failures;
	int interval_s;
	int timeout_s;		/* of one request */
};

struct probe_finding {
	bool well;
	int passes;
	int failures;
	int http_status;	/* of the last answer; 0: none */
	int latency_ms;		/* of the last answer */
	char commit[LIMIT_COMMIT];	/* what the last answer said runs, 7-64 hex; "" unknown */
	char detail[LIMIT_LINE];	/* why the last failure was one; "" after a pass */
};
