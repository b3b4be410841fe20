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
#define LABELS_MAX  (METRICS_LABELS_MAX * 6 * VALUE_SIZE) /* each byte may be escaped */
#define STAT_CAP    4096

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct series {
	double value; /* a histogram's sum */
	double held;  /* to be added when it was written once */
	bool is_held;
	uint64_t count; /* of observations */
	uint64_t *buckets;
	char labels[]; /* one behind the other, each with its NUL */
};

struct metric {
	enum kind kind;
	const char *name;
	const char *help;
	size_t label_count;
	char label_names[METRICS_LABELS_MAX][VALUE_SIZE];
	const double *bounds;
	size_t bound_count;
	struct series **series; /* by labels */
	size_t series_count;
	size_t series_room;
	size_t series_max; /* one more for "other" */
	bool holds_new;
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

static void
free_metric(struct metric *m)
{
	metrics_clear(m);
	free(m->series);
	free(m);
}

void
metrics_free(struct metrics *reg)
{
	if (reg == NULL)
		return;
	for (size_t i = 0; i < reg->count; i++)
		free_metric(reg->metrics[i]);
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
	m->series_max = METRICS_SERIES_MAX;
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
	m->series_max = METRICS_HISTOGRAMS_MAX;
	m->bounds = bounds;
	m->bound_count = count;
	return m;
}

/* Seconds since 1970 of the machine's start, from /proc/stat. */
static double
boot_time(void)
{
	CLEANUP(freep) char *text = file_read("/proc/stat", 1u << 20, NULL, NULL);
	const char *line = text == NULL ? NULL : strstr(text, "\nbtime ");

	return line == NULL ? 0 : strtod(line + strlen("\nbtime "), NULL);
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

void
metrics_bound(struct metric *m, size_t series_max)
{
	if (m != NULL)
		m->series_max = series_max > METRICS_SERIES_MAX ? series_max : METRICS_SERIES_MAX;
}

static int
compare(const struct series *s, const char *const labels[], size_t count)
{
	const char *label = s->labels;
	int order = 0;

	for (size_t i = 0; i < count && order == 0; i++) {
		order = strncmp(label, labels[i], VALUE_SIZE - 1);
		label += strlen(label) + 1;
	}
	return order;
}

/* Where the first series that begins with these labels is (true), or where it would be inserted. */
static bool
find(const struct metric *m, const char *const labels[], size_t count, size_t *ret_at)
{
	size_t low = 0, high = m->series_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(m->series[middle], labels, count) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_at = low;
	return low < m->series_count && compare(m->series[low], labels, count) == 0;
}

/* Room for one more.  False: no memory. */
static bool
has_room(struct metric *m)
{
	size_t room = m->series_room * 2 + 8;
	struct series **more;

	if (m->series_count < m->series_room)
		return true;
	more = realloc(m->series, room * sizeof(*more));
	if (more == NULL)
		return false;
	m->series = more;
	m->series_room = room;
	return true;
}

static struct series *
new_series(const struct metric *m, const char *const labels[])
{
	size_t sizes[METRICS_LABELS_MAX], size = 0, at = 0;
	struct series *s;

	for (size_t i = 0; i < m->label_count; i++) {
		sizes[i] = strnlen(labels[i], VALUE_SIZE - 1); /* cut is fine */
		size += sizes[i] + 1;
	}
	s = calloc(1, sizeof(*s) + size);
	if (s != NULL && m->kind == HISTOGRAM) {
		s->buckets = calloc(m->bound_count, sizeof(*s->buckets));
		if (s->buckets == NULL) {
			free(s);
			return NULL;
		}
	}
	for (size_t i = 0; s != NULL && i < m->label_count; i++) {
		memcpy(s->labels + at, labels[i], sizes[i]);
		at += sizes[i] + 1;
	}
	return s;
}

static struct series *
make_series(struct metric *m, const char *const labels[], size_t at)
{
	struct series *s = has_room(m) ? new_series(m, labels) : NULL;

	if (s == NULL)
		return NULL;
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
	static const char *const other[] = { "other", "other", "other", "other", "other" };
	size_t at;

	static_assert(COUNT(other) == METRICS_LABELS_MAX, "a word for each label");

	assert(count == m->label_count);
	if (find(m, labels, count, &at))
		return m->series[at];
	if (m->series_count < m->series_max)
		return make_series(m, labels, at);
	if (find(m, other, count, &at))
		return m->series[at];
	return m->series_count > m->series_max ? NULL : make_series(m, other, at);
}

void
metrics_expect(struct metric *m, const char *const labels[], size_t count)
{
	if (m != NULL)
		(void)series_of(m, labels, count); /* without memory it comes later */
}

void
metrics_hold_new(struct metric *m, bool holds)
{
	if (m != NULL)
		m->holds_new = holds;
}

void
metrics_add(struct metric *m, double by, const char *const labels[], size_t count)
{
	size_t before = m == NULL ? 0 : m->series_count;
	struct series *s = m == NULL ? NULL : series_of(m, labels, count);

	if (s == NULL)
		return;
	assert(m->kind != HISTOGRAM && (m->kind != COUNTER || by >= 0));
	if (m->series_count > before)
		s->is_held = m->holds_new;
	if (s->is_held)
		s->held += by;
	else
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
metrics_remove(struct metric *m, const char *const labels[], size_t count)
{
	size_t at = 0, end;

	if (m == NULL)
		return;
	assert(count <= m->label_count);
	(void)find(m, labels, count, &at);
	for (end = at; end < m->series_count && compare(m->series[end], labels, count) == 0; end++)
		free_series(m->series[end]);
	if (end == at)
		return;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): it holds pointers */
	memmove(&m->series[at], &m->series[end], (m->series_count - end) * sizeof(m->series[0]));
	m->series_count -= end - at;
}

/* --- text --- */

static void
add_number(struct buf *out, double value)
{
	if (isnan(value))
		buf_adds(out, "NaN");
	else if (isinf(value))
		buf_adds(out, value > 0 ? "+Inf" : "-Inf");
	else if (value >= 0 && value < 10 && value == floor(value))
		buf_addc(
		    out, (char)('0' + (int)value)); /* most of them, and printf() takes its time */
	else if (value == floor(value) && fabs(value) < 1e15)
		buf_addf(out, "%.0f", value);
	else
		buf_addf(out, "%.15g", value); /* DBL_DIG: a time in seconds has 13 */
}

static bool
is_plain_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || *text == '\\' || *text == '"')
			return false;
	return true;
}

/* Help escapes \ and newline, a label value the quote too; invalid UTF-8 becomes U+FFFD. */
static void
add_escaped(struct buf *out, const char *text, bool is_label)
{
	size_t size = strlen(text), used;
	uint32_t code;

	if (is_plain_ascii(text)) {
		buf_add(out, text, size);
		return;
	}
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

/* Of a series, once for all its lines: a="b",c="d". */
static void
add_labels(struct buf *out, const struct metric *m, const struct series *s)
{
	const char *label = s->labels;
	bool is_first = true;

	for (size_t i = 0; i < m->label_count; i++, label += strlen(label) + 1) {
		if (label[0] == '\0')
			continue; /* the same as none */
		if (!is_first)
			buf_addc(out, ',');
		is_first = false;
		buf_adds(out, m->label_names[i]);
		buf_adds(out, "=\"");
		add_escaped(out, label, true);
		buf_addc(out, '"');
	}
}

static void
add_sample(struct buf *out, const struct metric *m, const struct buf *labels, const char *suffix,
    const double *le, double value)
{
	buf_adds(out, m->name);
	buf_adds(out, suffix);
	if (labels->size > 0 || le != NULL)
		buf_addc(out, '{');
	buf_add(out, buf_text(labels), labels->size);
	if (le != NULL) {
		buf_adds(out, labels->size > 0 ? ",le=\"" : "le=\"");
		add_number(out, *le);
		buf_addc(out, '"');
	}
	if (labels->size > 0 || le != NULL)
		buf_addc(out, '}');
	buf_addc(out, ' ');
	add_number(out, value);
	buf_addc(out, '\n');
}

static void
add_histogram(
    struct buf *out, const struct metric *m, const struct series *s, const struct buf *labels)
{
	const double infinity = INFINITY;
	uint64_t below = 0;

	for (size_t i = 0; i < m->bound_count; i++) {
		below += s->buckets[i];
		add_sample(out, m, labels, "_bucket", &m->bounds[i], (double)below);
	}
	add_sample(out, m, labels, "_bucket", &infinity, (double)s->count);
	add_sample(out, m, labels, "_sum", NULL, s->value);
	add_sample(out, m, labels, "_count", NULL, (double)s->count);
}

static void
add_heading(struct buf *out, const char *name, const char *help, const char *type)
{
	buf_addf(out, "# HELP %s ", name);
	add_escaped(out, help, false);
	buf_addf(out, "\n# TYPE %s %s\n", name, type);
}

/* It was written at zero: what was counted since is an increase. */
static void
let_go(struct series *s)
{
	s->value += s->held;
	s->held = 0;
	s->is_held = false;
}

static void
add_metric(struct buf *out, const struct metric *m)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	CLEANUP(buf_done) struct buf labels = buf_make(LABELS_MAX);

	if (m->series_count == 0)
		return;
	add_heading(out, m->name, m->help, types[m->kind]);
	for (size_t i = 0; i < m->series_count; i++) {
		buf_clear(&labels);
		add_labels(&labels, m, m->series[i]);
		if (m->kind == HISTOGRAM)
			add_histogram(out, m, m->series[i], &labels);
		else
			add_sample(out, m, &labels, "", NULL, m->series[i]->value);
		let_go(m->series[i]);
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
	CLEANUP(freep) char *text = file_read("/proc/self/stat", STAT_CAP, NULL, NULL);
	/* The name, in brackets, may hold anything: begin behind its last bracket. */
	const char *rest = text == NULL ? NULL : strrchr(text, ')');

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
metrics_write(struct metrics *reg, struct buf *out)
{
	for (size_t i = 0; i < reg->count; i++)
		add_metric(out, reg->metrics[i]);
	if (reg->with_process)
		add_process(reg, out);
}
