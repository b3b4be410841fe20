/* metrics.c - sorted arrays: few metrics, few series, the same text each time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/metrics.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define METRICS_MAX 64
#define VALUE_SIZE  128 /* bytes of one label value with its NUL; longer ones are cut */
#define STAT_CAP    4096

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct series {
	char labels[METRICS_LABELS_MAX][VALUE_SIZE];
	double value;	/* a histogram's sum */
	uint64_t count; /* of observations */
	uint64_t *buckets;
};

struct metric {
	enum kind kind;
	const char *name;
	const char *help;
	size_t label_count;
	char label_names[METRICS_LABELS_MAX][VALUE_SIZE];
	const double *bounds;
	size_t bound_count;
	struct series *series[METRICS_SERIES_MAX + 1]; /* by labels; one more for "other" */
	size_t series_count;
};

struct metrics {
	struct metric *metrics[METRICS_MAX]; /* by name */
	size_t count;
	bool with_process;
	double booted_at; /* the machine, in seconds since 1970 */
};

/* --- definitions --- */

struct metrics *
metrics_new(void)
{
	return calloc(1, sizeof(struct metrics));
}

static void
free_series(struct series *s)
{
	free(s->buckets);
	free(s);
}

void
metrics_clear(struct metric *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->series_count; i++)
		free_series(m->series[i]);
	m->series_count = 0;
}

void
metrics_free(struct metrics *reg)
{
	if (reg == NULL)
		return;
	for (size_t i = 0; i < reg->count; i++) {
		metrics_clear(reg->metrics[i]);
		free(reg->metrics[i]);
	}
	free(reg);
}

static bool
is_name(const char *name)
{
	for (const char *c = name; *c != '\0'; c++)
		if (*c != '_' && !(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(c > name && *c >= '0' && *c <= '9'))
			return false;
	return name[0] != '\0';
}

static void
set_label_names(struct metric *m, const char *names)
{
	while (names != NULL && *names != '\0') {
		size_t size = strcspn(names, ",");
		char *name = m->label_names[m->label_count];

		assert(m->label_count < METRICS_LABELS_MAX && size < VALUE_SIZE);
		memcpy(name, names, size); /* was zeroed */
		assert(is_name(name) && strcmp(name, "le") != 0);
		m->label_count++;
		names += size + (names[size] == ',');
	}
}

/* Keeps the metrics sorted. */
static void
insert(struct metrics *reg, struct metric *m)
{
	size_t at = reg->count;

	for (; at > 0 && strcmp(reg->metrics[at - 1]->name, m->name) > 0; at--)
		reg->metrics[at] = reg->metrics[at - 1];
	assert(at == 0 || strcmp(reg->metrics[at - 1]->name, m->name) != 0);
	reg->metrics[at] = m;
	reg->count++;
}

static struct metric *
define(struct metrics *reg, enum kind kind, const char *name, const char *help, const char *labels)
{
	struct metric *m = reg == NULL ? NULL : calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	assert(is_name(name) && reg->count < METRICS_MAX);
	m->kind = kind;
	m->name = name;
	m->help = help;
	set_label_names(m, labels);
	insert(reg, m);
	return m;
}

struct metric *
metrics_counter(struct metrics *reg, const char *name, const char *help, const char *label_names)
{
	return define(reg, COUNTER, name, help, label_names);
}

struct metric *
metrics_gauge(struct metrics *reg, const char *name, const char *help, const char *label_names)
{
	return define(reg, GAUGE, name, help, label_names);
}

struct metric *
metrics_histogram(struct metrics *reg, const char *name, const char *help, const char *label_names,
    const double bounds[], size_t count)
{
	struct metric *m = define(reg, HISTOGRAM, name, help, label_names);

	assert(count > 0 && count <= METRICS_BUCKETS_MAX);
	for (size_t i = 1; i < count; i++)
		assert(bounds[i - 1] < bounds[i]);
	if (m == NULL)
		return NULL;
	m->bounds = bounds;
	m->bound_count = count;
	return m;
}

/* Seconds since 1970 of the machine's start, from /proc/stat. */
static double
boot_time(void)
{
	char *text = file_read("/proc/stat", 1u << 20, NULL, NULL), *line;
	double value = 0;

	line = text == NULL ? NULL : strstr(text, "\nbtime ");
	if (line != NULL)
		value = strtod(line + strlen("\nbtime "), NULL);
	free(text);
	return value;
}

void
metrics_with_process(struct metrics *reg)
{
	if (reg == NULL)
		return;
	reg->with_process = true;
	reg->booted_at = boot_time(); /* once: reading it takes most of a page's time */
}

/* --- series --- */

static int
compare(const struct metric *m, const struct series *s, const char *const labels[])
{
	int order = 0;

	for (size_t i = 0; i < m->label_count && order == 0; i++)
		order = strncmp(s->labels[i], labels[i], VALUE_SIZE - 1);
	return order;
}

/* Where the series is (true), or where it would be inserted. */
static bool
find(const struct metric *m, const char *const labels[], size_t *ret_at)
{
	size_t low = 0, high = m->series_count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(m, m->series[middle], labels);

		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return false;
}

static struct series *
make_series(struct metric *m, const char *const labels[], size_t at)
{
	struct series *s = calloc(1, sizeof(*s));

	if (s != NULL && m->kind == HISTOGRAM) {
		s->buckets = calloc(m->bound_count, sizeof(*s->buckets));
		if (s->buckets == NULL) {
			free(s);
			return NULL;
		}
	}
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < m->label_count; i++)
		(void)text_copy(s->labels[i], VALUE_SIZE, labels[i]); /* cut is fine */
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it holds pointers */
	memmove(&m->series[at + 1], &m->series[at], (m->series_count - at) * sizeof(s));
	m->series[at] = s;
	m->series_count++;
	return s;
}

/* The series of these labels, made when it is new; "other" when there are too many; NULL without
 * memory. */
static struct series *
series_of(struct metric *m, const char *const labels[], size_t count)
{
	static const char *const other[METRICS_LABELS_MAX] = { "other", "other", "other", "other" };
	size_t at;

	assert(count == m->label_count);
	if (find(m, labels, &at))
		return m->series[at];
	if (m->series_count < METRICS_SERIES_MAX)
		return make_series(m, labels, at);
	if (find(m, other, &at))
		return m->series[at];
	return m->series_count > METRICS_SERIES_MAX ? NULL : make_series(m, other, at);
}

void
metrics_expect(struct metric *m, const char *const labels[], size_t count)
{
	if (m != NULL)
		(void)series_of(m, labels, count); /* without memory it comes later */
}

void
metrics_add(struct metric *m, double by, const char *const labels[], size_t count)
{
	struct series *s = m == NULL ? NULL : series_of(m, labels, count);

	if (s == NULL)
		return;
	assert(m->kind != HISTOGRAM && (m->kind != COUNTER || by >= 0));
	s->value += by;
}

void
metrics_set(struct metric *m, double value, const char *const labels[], size_t count)
{
	struct series *s = m == NULL ? NULL : series_of(m, labels, count);

	if (s == NULL)
		return;
	assert(m->kind != HISTOGRAM);
	s->value = value;
}

void
metrics_observe(struct metric *m, double value, const char *const labels[], size_t count)
{
	struct series *s = m == NULL ? NULL : series_of(m, labels, count);

	if (s == NULL)
		return;
	assert(m->kind == HISTOGRAM);
	for (size_t i = 0; i < m->bound_count; i++)
		if (value <= m->bounds[i]) {
			s->buckets[i]++;
			break;
		}
	s->value += value;
	s->count++;
}

void
metrics_remove(struct metric *m, const char *const labels[], UNUSED size_t count)
{
	size_t at;

	if (m == NULL || !find(m, labels, &at))
		return;
	assert(count == m->label_count);
	free_series(m->series[at]);
	m->series_count--;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it holds pointers */
	memmove(&m->series[at], &m->series[at + 1], (m->series_count - at) * sizeof(m->series[0]));
}

/* --- text --- */

static void
add_number(struct buf *out, double value)
{
	if (isnan(value))
		buf_adds(out, "NaN");
	else if (isinf(value))
		buf_adds(out, value > 0 ? "+Inf" : "-Inf");
	else if (value == floor(value) && fabs(value) < 1e15)
		buf_addf(out, "%.0f", value);
	else
		buf_addf(out, "%.15g", value); /* DBL_DIG: a time in seconds has 13 */
}

/* Help escapes \ and newline, a label value the quote too; invalid UTF-8 becomes U+FFFD. */
static void
add_escaped(struct buf *out, const char *text, bool is_label)
{
	size_t size = strlen(text), used;
	uint32_t code;

	for (; size > 0; text += used, size -= used) {
		used = text_decode(text, size, &code);
		if (used == 0) {
			used = 1;
			buf_adds(out, "\xEF\xBF\xBD");
		} else if (code == '\n') {
			buf_adds(out, "\\n");
		} else if (code == '\\' || (code == '"' && is_label)) {
			buf_addf(out, "\\%c", *text);
		} else {
			buf_add(out, text, used);
		}
	}
}

static void
add_sample(struct buf *out, const struct metric *m, const struct series *s, const char *suffix,
    const double *le, double value)
{
	bool has_le = le != NULL;

	buf_addf(out, "%s%s", m->name, suffix);
	if (m->label_count > 0 || has_le)
		buf_addc(out, '{');
	for (size_t i = 0; i < m->label_count; i++) {
		buf_addf(out, "%s%s=\"", i > 0 ? "," : "", m->label_names[i]);
		add_escaped(out, s->labels[i], true);
		buf_addc(out, '"');
	}
	if (has_le) {
		buf_adds(out, m->label_count > 0 ? ",le=\"" : "le=\"");
		add_number(out, *le);
		buf_addc(out, '"');
	}
	if (m->label_count > 0 || has_le)
		buf_addc(out, '}');
	buf_addc(out, ' ');
	add_number(out, value);
	buf_addc(out, '\n');
}

static void
add_histogram(struct buf *out, const struct metric *m, const struct series *s)
{
	const double infinity = INFINITY;
	uint64_t below = 0;

	for (size_t i = 0; i < m->bound_count; i++) {
		below += s->buckets[i];
		add_sample(out, m, s, "_bucket", &m->bounds[i], (double)below);
	}
	add_sample(out, m, s, "_bucket", &infinity, (double)s->count);
	add_sample(out, m, s, "_sum", NULL, s->value);
	add_sample(out, m, s, "_count", NULL, (double)s->count);
}

static void
add_heading(struct buf *out, const char *name, const char *help, const char *type)
{
	buf_addf(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	buf_addf(out, "\n# TYPE %s %s\n", name, type);
}

static void
add_metric(struct buf *out, const struct metric *m)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	if (m->series_count == 0)
		return;
	add_heading(out, m->name, m->help, types[m->kind]);
	for (size_t i = 0; i < m->series_count; i++) {
		if (m->kind == HISTOGRAM)
			add_histogram(out, m, m->series[i]);
		else
			add_sample(out, m, m->series[i], "", NULL, m->series[i]->value);
	}
}

/* --- process_* --- */

static void
add_plain(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	add_heading(out, name, help, type);
	buf_addf(out, "%s ", name);
	if (value == floor(value))
		buf_addf(out, "%.0f\n", value);
	else
		buf_addf(out, "%.3f\n", value);
}

static double
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	double count = -3; /* ".", ".." and the one we look with */

	if (folder == NULL)
		return NAN;
	while (readdir(folder) != NULL)
		count++;
	(void)closedir(folder); /* only read */
	return count;
}

static void
add_from_stat(const struct metrics *reg, struct buf *out)
{
	unsigned long user, system, virtual_bytes;
	unsigned long long start;
	long resident_pages;
	double ticks = (double)sysconf(_SC_CLK_TCK);
	char *text = file_read("/proc/self/stat", STAT_CAP, NULL, NULL), *rest;

	/* The name, in brackets, may hold anything: begin behind its last bracket. */
	rest = text == NULL ? NULL : strrchr(text, ')');
	if (rest != NULL &&
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers fit */
	    sscanf(rest + 1,
		" %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %lu %ld",
		&user, &system, &start, &virtual_bytes, &resident_pages) == 5) {
		add_plain(out, "process_cpu_seconds_total", "counter",
		    "User and system CPU time spent in seconds.", (double)(user + system) / ticks);
		add_plain(out, "process_resident_memory_bytes", "gauge",
		    "Resident memory in bytes.",
		    (double)resident_pages * (double)sysconf(_SC_PAGESIZE));
		add_plain(out, "process_start_time_seconds", "gauge",
		    "Start of the process in seconds since 1970.",
		    reg->booted_at + (double)start / ticks);
		add_plain(out, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes.",
		    (double)virtual_bytes);
	}
	free(text);
}

static void
add_process(const struct metrics *reg, struct buf *out)
{
	struct rlimit limit;
	double open_now = open_descriptors();

	add_from_stat(reg, out);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		add_plain(out, "process_max_fds", "gauge",
		    "Most file descriptors that may be open.", (double)limit.rlim_cur);
	if (!isnan(open_now))
		add_plain(out, "process_open_fds", "gauge", "Open file descriptors.", open_now);
}

void
metrics_write(const struct metrics *reg, struct buf *out)
{
	for (size_t i = 0; i < reg->count; i++)
		add_metric(out, reg->metrics[i]);
	if (reg->with_process)
		add_process(reg, out);
}
