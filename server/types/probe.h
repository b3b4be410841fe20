/* probe.h - what is probed, by which plan, and what came of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define PROBE_TARGETS_MAX	(LIMIT_URLS * LIMIT_ENVIRONMENTS)
#define PROBE_DEADLINE_S	300

#define PROBE_LOOK_TIMEOUT_S	5	/* of a look for somebody who waits */
#define PROBE_LOOK_TARGETS	64	/* of /v1 at once; nothing is asked of those beyond */

struct probe_target {
	char environment[LIMIT_ENVIRONMENT];
	char url[LIMIT_URL];
	char commit[LIMIT_COMMIT];	/* expected; "": any.  Compared as a prefix both ways.
					 * A look for /v1 passes any: what is live */
};

/* A target is healthy after `successes` passes in a row, failed after `failures` in a row, or when
 * it is neither `until` then: answers that come and go end too. */
struct probe_plan {
	int successes;
	int failures;
	int interval_s;
	int timeout_s;		/* of one request */
	int deadline_s;		/* from the first try; 0: none, as for /status */
	int64_t until;		/* wall ms: when that is; a restart does not begin it anew */
};

/* Of a plan that names none: HEALTH_CHECK_DEADLINE's default, and a row's of earlier versions.  In
 * half of it an application that never answers has failed. */
static inline int
probe_deadline_s(int failures, int interval_s, int timeout_s)
{
	int of_all = 2 * failures * (interval_s + timeout_s); /* 345,600,000 at most */

	return of_all > PROBE_DEADLINE_S ? of_all : PROBE_DEADLINE_S;
}

struct probe_finding {
	bool is_healthy;
	bool is_unknown;	/* of a look: it was not asked, or has not answered yet; detail says
				 * why */
	int passes;		/* in all */
	int failures;		/* in a row, up to now */
	int http_status;	/* of the last answer; 0: none */
	int latency_ms;		/* of the last answer */
	char commit[LIMIT_COMMIT];	/* what the last answer said runs, 7-64 hex; "" unknown */
	char detail[LIMIT_LINE];	/* why the last failure was one; "" after a pass */
	char answer[LIMIT_LINE];	/* the first line of what answered then; "": none */
};

/* A URL with this in it is a template: each host of a run has one of its own. */
#define PROBE_HOST     "{host}"
#define PROBE_HOSTS_AT_ONCE 64
static inline bool
probe_is_template(const char *url)
{
	return strstr(url, PROBE_HOST) != NULL;
}

/* It names a commit, and one is known, and neither begins with the other. */
static inline bool
probe_is_other_commit(const char *answered, const char *known)
{
	size_t a = strlen(answered), b = strlen(known);

	return a > 0 && b > 0 && strncmp(answered, known, a < b ? a : b) != 0;
}
