/* prometheus_answer.h - what an answer of Prometheus's means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries: {"status": "success",
 * "data": {"resultType": "vector" or "scalar", "result": …}, "warnings": […]}.
 */
#pragma once

#include "types/bake.h"

#define PROMETHEUS_ANSWER_MAX (4u << 20) /* bytes: of 10,000 series with their labels */

struct prometheus_answer {
	int status;	  /* 0: none came, and `body` is why */
	const char *body;
	size_t size;
	int64_t asked_at; /* wall ms: of which moment it was to be */
};

/* Reads the answer to one query into *ret, whose name and limit are set too.  Where it says nothing
 * that counts (a sample of another moment, NaN, a warning) the verdict is BAKE_UNKNOWN and `why` is
 * a line that says so; "": it is known. */
void prometheus_judge(const struct prometheus_answer *answer, const struct promql *query,
    struct bake_finding *ret, char why[LIMIT_LINE]);

/* Has it a value at all?  False: why says what it has. */
bool prometheus_is_present(const struct prometheus_answer *answer, char why[LIMIT_LINE]);
