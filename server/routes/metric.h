/* metric.h - one metric: its series, and their text as Prometheus reads it (0.0.4).  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A series comes into being at its first value.  When there are `most`, each one more lands in one
 * series whose labels all say "other".  A label that is empty is left out, a value of 128 bytes or
 * more is cut.
 *
 *	metric_add(&requests, 1, METRIC_LABELS("github", "200"));
 *	metric_put(&up, 1, METRIC_BARE);
 */
#pragma once

#include "lib/base.h"

struct buf;

#define METRIC_SERIES_MAX     512 /* unless the settings' environments need more */
#define METRIC_HISTOGRAMS_MAX 128 /* the same of a histogram: each of its series is many lines */
#define METRIC_LABELS_MAX     5

#define METRIC_LABELS(...) \
	(const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)
#define METRIC_BARE NULL, 0

enum metric_kind { METRIC_KIND_COUNTER, METRIC_KIND_GAUGE, METRIC_KIND_HISTOGRAM };

/* A row of metric_set.def. */
struct metric_row {
	enum metric_kind kind;
	const char *name;
	const char *help; /* without \\ and newline, as it is written so */
	const char
	    *labels; /* "a,b" in the order of the values given later; "" when there are none */
	size_t per_environment; /* series that each environment of the settings needs */
};

struct metric {
	const struct metric_row *row;
	const double *bounds; /* of a histogram: upper limits, ascending, the last is INFINITY */
	size_t most;	      /* series, and one more for "other" */
	size_t count;
	void *series; /* a tree of tsearch(), by labels */
};

/* A counter may be put as well, where what counts stands elsewhere (a row).  A series that
 * metric_add() makes is written once, at zero, before what made it is added: for what has too many
 * series to expect them all. */
void metric_add(struct metric *m, double by, const char *const labels[], size_t count);
void metric_put(struct metric *m, double value, const char *const labels[], size_t count);
void metric_observe(struct metric *m, double value, const char *const labels[], size_t count);

/* The series is there from now on, at zero where it is new: what counts for the first time is then
 * an increase, and no series that came from nowhere. */
void metric_expect(struct metric *m, const char *const labels[], size_t count);

/* Forgets the series whose labels begin with these (METRIC_BARE: all), with their memory. */
void metric_remove(struct metric *m, const char *const labels[], size_t count);

/* Appends its series by labels, below its HELP and TYPE; nothing when there are none. */
void metric_write(const struct metric *m, struct buf *out);

/* Appends those two lines. */
void metric_write_heading(struct buf *out, const char *name, const char *help, const char *type);
