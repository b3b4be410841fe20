/* bake.h - a release is watched before it is live: what Prometheus is asked, and has said.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/promql.h"
#include "types/limits.h"

struct environment_settings;

#define BAKE_NO_RELEASE "ffffffffffffffffffffffffffffffffffffffff" /* as long as one is */
#define BAKE_SERIES 10 /* of those that fire so many are named */

enum bake_verdict {
	BAKE_UNKNOWN, /* no answer, none of Prometheus's, or no value in it where one is needed */
	BAKE_HEALTHY, /* its comparison is true of no series: there may be none */
	BAKE_FIRES,
};

/* Of one query. */
struct bake_finding {
	char name[PROMQL_NAME];
	enum bake_verdict verdict;
	char value[PROMQL_VALUE];    /* the worst; "": it has no series, or it is not known */
	char limit[PROMQL_VALUE + 4]; /* "> 1 %" */
	char series[LIMIT_LINE];     /* FIRES: the labels of the first of them; "": it has none */
};

/* All of them, in their order. */
struct bake_look {
	size_t n;
	struct bake_finding findings[LIMIT_BAKE_QUERIES];
	bool is_present;      /* <ENV>_BAKE_PRESENT has answered with a value */
	char why[LIMIT_LINE]; /* why something of it is not known; "": all of it is */
};

/* How far the bake of some work is. */
struct bake {
	int64_t work;	     /* 0: there is none */
	int64_t measured_at; /* wall ms: what its queries said before its release; 0: not asked */
	int64_t began_at;    /* wall ms: it has been baking since; 0: it has not begun */
	int64_t length_ms;   /* of all of it, prolonged too */
	int64_t left_ms;     /* of that, when it was counted last */
	int64_t counted_at;  /* wall ms; PAUSED: it is since then */
	bool is_prolonged;   /* once, as how it is was not known at its end */
	bool is_to_pause;    /* somebody wants that when its script has ended */
	/* Of the last look, before it begins too: why something is not known; "": all of it is. */
	char why[LIMIT_LINE];
	bool is_cut; /* a person has ended it, or that of a wave before, before its time */
};

/* Of one query, what was said of it. */
struct bake_value {
	char name[PROMQL_NAME];
	char was[PROMQL_VALUE];	      /* before its release; "": it had none, or it is not known */
	bool is_exempt;		      /* it fired then: it does not count */
	char value[PROMQL_VALUE];     /* the same of the last look that knew it */
	char limit[PROMQL_VALUE + 4]; /* "> 1 %" */
	bool is_firing;		      /* in the last look */
};

/* How what is live somewhere came through its bake. */
enum bake_end {
	BAKE_NOT_ASKED, /* nobody wants it to bake there */
	BAKE_NONE,	/* it never began one */
	BAKE_CUT,	/* a person has ended it before its time */
	BAKE_PASSED,
};

/* What stands in the place of an environment's placeholders. */
struct promql_facts bake_facts(const struct environment_settings *of, const char *release);

/* Is anything asked while it bakes? */
bool bake_asks(const struct environment_settings *of);
