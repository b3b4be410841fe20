/* Goal: the text is what Prometheus takes, the same each time, and bounded.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/metrics.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "unit.h"

TEST(the_text_is_sorted_escaped_and_whole)
{
	static const double bounds[] = { 0.1, 1 };
	struct metrics *reg = metrics_new();
	struct metric *requests, *seconds, *up;
	struct buf out;

	requests = metrics_counter(reg, "z_requests_total", "Requests\\\nof all.", "source,code");
	seconds = metrics_histogram(reg, "b_seconds", "Seconds.", NULL, bounds, 2);
	up = metrics_gauge(reg, "a_up", "Up.", "name");
	(void)metrics_gauge(reg, "never_set", "Nothing.", NULL);
	metrics_add(requests, 2, METRICS_LABELS("telegram", "200"));
	metrics_add(requests, 1, METRICS_LABELS("github", "401"));
	metrics_add(requests, 1, METRICS_LABELS("telegram", "200"));
	metrics_set(up, -0.5, METRICS_LABELS("a\"b\\c\nd\xFF"));
	metrics_observe(seconds, 0.1, METRICS_BARE);
	metrics_observe(seconds, 0.5, METRICS_BARE);
	metrics_observe(seconds, 7, METRICS_BARE);
	buf_init(&out, 65536);
	metrics_write(reg, &out);
	assert_string_equal(buf_text(&out),
	    "# HELP a_up Up.\n# TYPE a_up gauge\n"
	    "a_up{name=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\"} -0.5\n"
	    "# HELP b_seconds Seconds.\n# TYPE b_seconds histogram\n"
	    "b_seconds_bucket{le=\"0.1\"} 1\nb_seconds_bucket{le=\"1\"} 2\n"
	    "b_seconds_bucket{le=\"+Inf\"} 3\nb_seconds_sum 7.6\nb_seconds_count 3\n"
	    "# HELP z_requests_total Requests\\\\\\nof all.\n# TYPE z_requests_total counter\n"
	    "z_requests_total{source=\"github\",code=\"401\"} 1\n"
	    "z_requests_total{source=\"telegram\",code=\"200\"} 3\n");
	buf_done(&out);
	metrics_free(reg);
	metrics_free(NULL);
}

/* Nine digits said 1.76722561e+09 of the moment when a process started: seconds late. */
TEST(a_moment_keeps_its_seconds)
{
	struct metrics *reg = metrics_new();
	struct metric *at = metrics_gauge(reg, "at_seconds", "At.", NULL);
	struct buf out;

	metrics_set(at, 1767225612.25, METRICS_BARE);
	buf_init(&out, 65536);
	metrics_write(reg, &out);
	assert_non_null(strstr(buf_text(&out), "\nat_seconds 1767225612.25\n"));
	buf_done(&out);
	metrics_free(reg);
}

static double
sample(const char *text, const char *name)
{
	char line[64];
	const char *found;

	(void)snprintf(line, sizeof(line), "\n%s ", name);
	found = strstr(text, line);
	if (found == NULL)
		fail_msg("no %s in:\n%s", name, text);
	return strtod(found + strlen(line), NULL);
}

/* Of a series; its text is what Prometheus gets. */
static double
value(struct metrics *reg, const char *name)
{
	struct buf out;
	double found;

	buf_init(&out, 65536);
	metrics_write(reg, &out);
	found = sample(buf_text(&out), name);
	buf_done(&out);
	return found;
}

static bool
has(struct metrics *reg, const char *name)
{
	struct buf out;
	bool found;

	buf_init(&out, 65536);
	metrics_write(reg, &out);
	found = strstr(buf_text(&out), name) != NULL;
	buf_done(&out);
	return found;
}

TEST(too_many_series_of_as_many_labels_as_there_may_be_become_other)
{
	struct metrics *reg = metrics_new();
	struct metric *m = metrics_counter(reg, "y_total", "Y.", "a,b,c,d,e");
	char name[16];

	for (int i = 0; i < METRICS_SERIES_MAX + 2; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		metrics_add(m, 1, METRICS_LABELS(name, "b", "c", "d", "e"));
	}
	assert_true(
	    value(reg, "y_total{a=\"other\",b=\"other\",c=\"other\",d=\"other\",e=\"other\"}") ==
	    2);
	metrics_free(reg);
}

TEST(too_many_series_become_other)
{
	struct metrics *reg = metrics_new();
	struct metric *m = metrics_counter(reg, "x_total", "X.", "name");
	char name[16];

	for (int i = 0; i < METRICS_SERIES_MAX + 50; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		metrics_add(m, 1, METRICS_LABELS(name));
	}
	assert_true(value(reg, "x_total{name=\"n0\"}") == 1);
	assert_false(has(reg, name));
	assert_true(value(reg, "x_total{name=\"other\"}") == 50);
	metrics_add(m, 1, METRICS_LABELS("n0"));
	assert_true(value(reg, "x_total{name=\"n0\"}") == 2);
	metrics_free(reg);
}

TEST(a_series_can_be_forgotten)
{
	struct metrics *reg = metrics_new();
	struct metric *m = metrics_gauge(reg, "x_info", "X.", "environment,commit");
	struct buf out;

	metrics_set(m, 1, METRICS_LABELS("staging", "aaa"));
	metrics_set(m, 1, METRICS_LABELS("staging", "bbb"));
	metrics_remove(m, METRICS_LABELS("staging", "aaa"));
	metrics_remove(m, METRICS_LABELS("staging", "zzz"));
	assert_false(has(reg, "aaa"));
	assert_true(value(reg, "x_info{environment=\"staging\",commit=\"bbb\"}") == 1);
	metrics_clear(m);
	buf_init(&out, 65536);
	metrics_write(reg, &out);
	assert_int_equal(out.size, 0);
	buf_done(&out);
	metrics_free(reg);
}

TEST(without_a_metric_nothing_happens)
{
	metrics_add(NULL, 1, METRICS_BARE);
	metrics_set(NULL, 1, METRICS_LABELS("a"));
	metrics_observe(NULL, 1, METRICS_BARE);
	metrics_remove(NULL, METRICS_BARE);
	metrics_clear(NULL);
}

TEST(the_process_is_measured)
{
	struct metrics *reg = metrics_new();
	struct buf out;

	buf_init(&out, 65536);
	metrics_with_process(reg);
	metrics_write(reg, &out);
	assert_true(sample(buf_text(&out), "process_open_fds") >= 3);
	assert_true(sample(buf_text(&out), "process_max_fds") >= 3);
	assert_true(sample(buf_text(&out), "process_resident_memory_bytes") > 100000);
	assert_true(sample(buf_text(&out), "process_start_time_seconds") > 1e9);
	assert_true(sample(buf_text(&out), "process_cpu_seconds_total") >= 0);
	assert_true(sample(buf_text(&out), "process_virtual_memory_bytes") > 100000);
	assert_int_equal(buf_text(&out)[out.size - 1], '\n');
	buf_done(&out);
	metrics_free(reg);
}
