/* Goal: the text is what Prometheus takes, the same each time, and bounded.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric.h"

#include <math.h>

#include "lib/buf.h"
#include "routes/metric_process.h"
#include "unit.h"

static const struct metric_row up = { METRIC_KIND_GAUGE, "up", "Up.", "name,where", 0 };
static const struct metric_row seen = { METRIC_KIND_COUNTER, "seen_total", "Seen.", "a,b,c,d,e",
	0 };
static const struct metric_row seconds = { METRIC_KIND_HISTOGRAM, "seconds", "Seconds.", "", 0 };

/* Its text, to be freed. */
static char *
text_of(const struct metric *m)
{
	struct buf out;

	buf_init(&out, 65536);
	metric_write(m, &out);
	return buf_take(&out);
}

/* Is that what it says?  It is forgotten then. */
static void
ends_as(struct metric *m, const char *wanted)
{
	char *text = text_of(m);

	assert_string_equal(text, wanted);
	free(text);
	metric_remove(m, METRIC_BARE);
	text = text_of(m);
	assert_string_equal(text, "");
	free(text);
}

TEST(the_text_is_sorted_escaped_and_whole)
{
	static const double bounds[] = { 0.1, 1, INFINITY };
	struct metric m = { .row = &up, .most = METRIC_SERIES_MAX };

	metric_put(&m, 0, METRIC_LABELS("b", ""));
	metric_put(&m, -0.5, METRIC_LABELS("a\"b\\c\nd\xFF", "h"));
	metric_put(&m, 1767225612.25, METRIC_LABELS("a b", "h"));
	metric_put(&m, 12, METRIC_LABELS("", ""));
	metric_put(&m, 1, METRIC_LABELS("a", "h"));
	ends_as(&m,
	    "# HELP up Up.\n# TYPE up gauge\nup 12\nup{name=\"a\",where=\"h\"} 1\n"
	    "up{name=\"a b\",where=\"h\"} 1767225612.25\n"
	    "up{name=\"a\\\"b\\\\c\\nd\xEF\xBF\xBD\",where=\"h\"} -0.5\nup{name=\"b\"} 0\n");
	m = (struct metric){ .row = &seconds, .bounds = bounds, .most = METRIC_HISTOGRAMS_MAX };
	metric_observe(&m, 0.1, METRIC_BARE);
	metric_observe(&m, 0.5, METRIC_BARE);
	metric_observe(&m, 7, METRIC_BARE);
	ends_as(&m,
	    "# HELP seconds Seconds.\n# TYPE seconds histogram\n"
	    "seconds_bucket{le=\"0.1\"} 1\nseconds_bucket{le=\"1\"} 2\n"
	    "seconds_bucket{le=\"+Inf\"} 3\nseconds_sum 7.6\nseconds_count 3\n");
}

TEST(too_many_series_become_other)
{
	struct metric m = { .row = &seen, .most = 2 };
	char *text;

	for (int i = 0; i < 5; i++) {
		metric_add(&m, 1,
		    METRIC_LABELS(
			"n", (const char *[]){ "0", "1", "2", "3", "0" }[i], "c", "d", "e"));
		text = text_of(&m); /* at zero */
		free(text);
	}
	ends_as(&m,
	    "# HELP seen_total Seen.\n# TYPE seen_total counter\n"
	    "seen_total{a=\"n\",b=\"0\",c=\"c\",d=\"d\",e=\"e\"} 2\n"
	    "seen_total{a=\"n\",b=\"1\",c=\"c\",d=\"d\",e=\"e\"} 1\n"
	    "seen_total{a=\"other\",b=\"other\",c=\"other\",d=\"other\",e=\"other\"} 2\n");
}

TEST(series_that_begin_alike_can_be_forgotten)
{
	struct metric m = { .row = &up, .most = METRIC_SERIES_MAX };

	metric_put(&m, 1, METRIC_LABELS("staging", "aaa"));
	metric_put(&m, 1, METRIC_LABELS("staging", "bbb"));
	metric_put(&m, 1, METRIC_LABELS("staging2", "aaa"));
	metric_put(&m, 1, METRIC_LABELS("shop", "aaa"));
	metric_remove(&m, METRIC_LABELS("shop", "bbb"));
	metric_remove(&m, METRIC_LABELS("staging"));
	ends_as(&m,
	    "# HELP up Up.\n# TYPE up gauge\nup{name=\"shop\",where=\"aaa\"} 1\n"
	    "up{name=\"staging2\",where=\"aaa\"} 1\n");
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

TEST(the_process_is_measured)
{
	struct buf out;

	buf_init(&out, 65536);
	metric_process_write(&out, metric_process_boot_time());
	assert_true(sample(buf_text(&out), "process_open_fds") >= 3);
	assert_true(sample(buf_text(&out), "process_max_fds") >= 3);
	assert_true(sample(buf_text(&out), "process_resident_memory_bytes") > 100000);
	assert_true(sample(buf_text(&out), "process_start_time_seconds") > 1e9);
	assert_true(sample(buf_text(&out), "process_cpu_seconds_total") >= 0);
	assert_true(sample(buf_text(&out), "process_virtual_memory_bytes") > 100000);
	assert_int_equal(buf_text(&out)[out.size - 1], '\n');
	buf_done(&out);
}
