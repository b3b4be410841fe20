/* metrics.h - counters, gauges and histograms as Prometheus text 0.0.4.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A registry belongs to one thread.  Metrics are defined at start and live as long as it; series
 * come into being at their first value, at most metrics_bound() for each metric: what is
 * beyond lands in one series whose labels all say "other".  A label that is empty is left out.
 *
 *	struct metric *m = metrics_counter(reg, "x_requests_total", "Requests.", "source,code");
 *	metrics_add(m, 1, METRICS_LABELS("github", "200"));
 *	metrics_set(up, 1, METRICS_BARE);
 *
 * Every function takes a NULL metric and does nothing: a definition that found no memory costs
 * numbers, not the program.
 */
#pragma once

#include "lib/base.h"

struct buf;
struct metric;
struct metrics;

#define METRICS_SERIES_MAX 512 /* unless metrics_bound() says more */
#define METRICS_HISTOGRAMS_MAX 128 /* the same of a histogram: each of its series is many lines */
#define METRICS_LABELS_MAX 5
#define METRICS_BUCKETS_MAX 24
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#define METRICS_LABELS(...) \
	(const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *)
#define METRICS_BARE NULL, 0

MUST_USE struct metrics *metrics_new(void);
void metrics_free(struct metrics *reg); /* takes NULL */

/* Names and help are borrowed for ever (literals).  label_names: "a,b" in the order of the values
 * given later, NULL when there are none.  A bad or repeated name is a bug and aborts. */
struct metric *metrics_counter(
    struct metrics *reg, const char *name, const char *help, const char *label_names);
struct metric *metrics_gauge(
    struct metrics *reg, const char *name, const char *help, const char *label_names);
/* bounds: upper limits, ascending, borrowed for ever; +Inf is added. */
struct metric *metrics_histogram(struct metrics *reg, const char *name, const char *help,
    const char *label_names, const double bounds[], size_t count);

/* How many series it may have from now on; what is there stays. */
void metrics_bound(struct metric *m, size_t series_max);

/* A counter may be set as well, where what counts stands elsewhere (a row). */
void metrics_add(struct metric *m, double by, const char *const labels[], size_t count);
void metrics_set(struct metric *m, double value, const char *const labels[], size_t count);
void metrics_observe(struct metric *m, double value, const char *const labels[], size_t count);

/* The series is there from now on, at zero where it is new: what counts for the first time is then
 * an increase, and no series that came from nowhere. */
void metrics_expect(struct metric *m, const char *const labels[], size_t count);

/* A new series of this counter is written once, at zero, before what made it is added: for one that
 * has too many to expect them all. */
void metrics_hold_new(struct metric *m, bool holds);

/* Forgets the series whose labels begin with these, or all: for an info gauge whose last label
 * changes. */
void metrics_remove(struct metric *m, const char *const labels[], size_t count);
void metrics_clear(struct metric *m);

/* The standard process_* metrics, read from /proc when they are written. */
void metrics_with_process(struct metrics *reg);

/* Appends the whole text: metrics by name, series by labels; the last line ends with a newline. */
void metrics_write(struct metrics *reg, struct buf *out);
