/* figures.h - how often, how fast and how well a target is deployed, of a span and by its weeks.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * The four figures that teams compare (dora.dev).  A deployment is one that ended LIVE, ROLLED_BACK
 * or ROLLBACK_FAILED, or FAILED with its target changed; a failure is each of these but LIVE, and a
 * LIVE whose release a person rolled back within a day.  What was refused, cancelled or replaced is
 * none.
 */
#pragma once

#include "deployment/deploy_flow.h"

#define FIGURES_LEFT_MS INT64_C(86400000) /* a rollback within it counts as a failure */

#define FIGURE_NONE (-1) /* of a time: not known, or nothing to take it of */

struct figure_span {
	int64_t from; /* wall ms */
	int64_t until; /* no longer in it */
};

/* A deployment or rollback that has ended, as rows have it. */
struct ended_work {
	int64_t id;
	int64_t ended_at;     /* wall ms each */
	int64_t committed_at; /* 0: not known */
	int64_t left_at;      /* a rollback of its release was asked for; 0: none was */
	enum deploy_state state;
	bool is_rollback;
};

/* A deployment, as it counts. */
struct figure_fact {
	int64_t id;
	int64_t at;
	int64_t lead_ms;    /* from its commit to LIVE; FIGURE_NONE */
	int64_t restore_ms; /* from its failure to what ran well again; FIGURE_NONE */
	bool is_failure;
	bool is_live;
};

struct figures {
	size_t n; /* deployments */
	size_t n_failures;
	size_t n_without_lead; /* live, and nobody knows when its commit was made */
	int64_t lead_median_ms;
	int64_t lead_p90_ms;
	int64_t restore_median_ms;
};

/* Of one environment's works, by their ends: adds a fact for each of the first n that counts, at
 * ret[used]; what stands behind them (up to `all`) says when the last failures were over.  Returns
 * how many facts there are then; ret has room for used + n. */
size_t figures_count(
    const struct ended_work *works, size_t n, size_t all, struct figure_fact *ret, size_t used);

/* Of so many facts; each percentile is that of one of them (nearest rank). */
struct figures figures_of(const struct figure_fact *facts, size_t n);
