/* promql.h - a query that ends in a comparison with a number, and what is put into it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 *	errors: sum(rate(http_errors_total[5m])) > 1%
 * Before the first ": " stands its name.  The comparison is split off, so that there is a value to
 * show while it is false: with it Prometheus answers nothing.
 */
#pragma once

#include "lib/base.h"

struct buf;
struct err;

#define PROMQL_NAME	  33   /* bytes with the NUL */
#define PROMQL_TEXT	  1024 /* the same, of what a setting says */
#define PROMQL_FILLED_MAX 8191 /* bytes of a query with what is put into it */
#define PROMQL_VALUE	  24   /* "0.2 %" */

struct promql {
	char name[PROMQL_NAME];
	char text[PROMQL_TEXT]; /* without name and comparison */
	char comparison[3];	/* > >= < <= == != */
	double limit;		/* of "1%" 0.01 */
	bool is_percent;
};

/* False: err says what of it is wrong. */
MUST_USE bool promql_read(const char *text, struct promql *ret, struct err *err);

/* Of one without name and comparison.  False: err says what is wrong with its placeholders. */
MUST_USE bool promql_check(const char *text, struct err *err);

struct promql_facts {
	const char *application; /* "": the one without a name */
	const char *environment;
	const char *hosts; /* HOST[:PORT], a comma between; "": there are none */
	const char *release;
};

/* Adds the query with a quoted label value in the place of {application}, {environment}, {release},
 * and of {hosts} an expression (RE2) that fits each of the hosts, with any port.  No value can end
 * its quotes. */
void promql_fill(const char *text, const struct promql_facts *facts, struct buf *out);

/* Is the comparison true of that value? */
bool promql_is_true(const struct promql *query, double value);

/* As the query's number is written: "0.2 %".  Returns out. */
const char *promql_value(const struct promql *query, double value, char out[PROMQL_VALUE]);
