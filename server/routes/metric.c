/* metric.c - a tree of series, written in its order: the same text each time.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/metric.h"

#include <math.h>
#include <search.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"

#define VALUE_SIZE 128 /* bytes of one label value with its NUL; longer ones are cut */
#define KEY_SIZE   (METRIC_LABELS_MAX * VALUE_SIZE)

/* Label values one behind the other, each with its NUL: in this form their order is that of the
 * values, and what begins with some of them begins with their bytes. */
struct key {
	const char *text;
	size_t size;
};

struct series {
	struct key key; /* in the same piece of memory, behind the buckets */
	double value;	/* a histogram's sum */
	double held;	/* to be added when it was written once */
	bool is_held;
	uint64_t count; /* of observations */
	uint64_t buckets[];
};

/* --- series --- */

static struct key
make_key(char text[static KEY_SIZE], const char *const labels[], size_t count)
{
	struct key key = { .text = text };

	assert(count <= METRIC_LABELS_MAX);
	for (size_t i = 0; i < count; i++) {
		size_t size = strnlen(labels[i], VALUE_SIZE - 1); /* cut is fine */

		memcpy(text + key.size, labels[i], size);
		text[key.size + size] = '\0';
		key.size += size + 1;
	}
	return key;
}

/* Keys of a metric have as many values each: none begins with another, but with one of fewer. */
static int
compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
}

static size_t
label_count(const char *names)
{
	size_t count = names[0] != '\0';

	for (; *names != '\0'; names++)
		count += *names == ',';
	return count;
}

static struct series *
make_series(struct metric *m, const struct key *key)
{
	size_t buckets = 0;
	struct series *s;
	char *text;

	while (m->bounds != NULL && !isinf(m->bounds[buckets++]))
		;
	s = mem_new(1, sizeof(*s) + buckets * sizeof(s->buckets[0]) + key->size);
	text = (char *)(s->buckets + buckets);
	memcpy(text, key->text, key->size);
	s->key = (struct key){ text, key->size };
	if (tsearch(s, &m->series, compare) == NULL)
		mem_abort();
	m->count++;
	return s;
}

/* The series of these labels, made when it is new; "other" when there are too many. */
static struct series *
series_of(struct metric *m, const char *const labels[], size_t count)
{
	static const char *const other[] = { "other", "other", "other", "other", "other" };
	char text[KEY_SIZE];
	struct key key = make_key(text, labels, count);
	void *const *found = tfind(&key, &m->series, compare);

	static_assert(COUNT(other) == METRIC_LABELS_MAX, "a word for each label");
	assert(count == label_count(m->row->labels));
	if (found == NULL && m->count >= m->most) {
		key = make_key(text, other, count);
		found = tfind(&key, &m->series, compare);
	}
	return found != NULL ? *found : make_series(m, &key);
}

void
metric_add(struct metric *m, double by, const char *const labels[], size_t count)
{
	size_t before = m->count;
	struct series *s = series_of(m, labels, count);

	assert(m->row->kind == METRIC_KIND_COUNTER && by >= 0);
	if (m->count > before)
		s->is_held = true;
	*(s->is_held ? &s->held : &s->value) += by;
}

void
metric_put(struct metric *m, double value, const char *const labels[], size_t count)
{
	assert(m->row->kind != METRIC_KIND_HISTOGRAM);
	series_of(m, labels, count)->value = value;
}

void
metric_observe(struct metric *m, double value, const char *const labels[], size_t count)
{
	struct series *s = series_of(m, labels, count);
	size_t bucket = 0;

	assert(m->row->kind == METRIC_KIND_HISTOGRAM);
	while (value > m->bounds[bucket])
		bucket++;
	s->buckets[bucket]++;
	s->value += value;
	s->count++;
}

void
metric_expect(struct metric *m, const char *const labels[], size_t count)
{
	(void)series_of(m, labels, count);
}

void
metric_remove(struct metric *m, const char *const labels[], size_t count)
{
	char text[KEY_SIZE];
	struct key key = make_key(text, labels, count);
	void *const *found;

	while ((found = tfind(&key, &m->series, compare)) != NULL) {
		struct series *s = *found;

		(void)tdelete(s, &m->series, compare); /* it is there */
		free(s);
		m->count--;
	}
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

/* A label's value; invalid UTF-8 becomes U+FFFD. */
static void
add_escaped(struct buf *out, const char *text)
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
		} else if (code == '\\' || code == '"') {
			buf_addf(out, "\\%c", *text);
		} else {
			buf_add(out, text, used);
		}
	}
}

/* {a="b",c="d"}, of a bucket with le; nothing where all are empty. */
static void
add_labels(struct buf *out, const char *names, const char *value, const double *le)
{
	char before = '{';

	while (*names != '\0') {
		size_t size = strcspn(names, ",");

		if (value[0] != '\0') {
			buf_addc(out, before);
			buf_add(out, names, size);
			buf_adds(out, "=\"");
			add_escaped(out, value);
			buf_addc(out, '"');
			before = ',';
		}
		names += size + (names[size] == ',');
		value += strlen(value) + 1;
	}
	if (le != NULL) {
		buf_addf(out, "%cle=\"", before);
		add_number(out, *le);
		buf_addc(out, '"');
	}
	if (le != NULL || before == ',')
		buf_addc(out, '}');
}

static void
add_sample(struct buf *out, const struct metric *m, const struct series *s, const char *suffix,
    const double *le, double value)
{
	buf_adds(out, m->row->name);
	buf_adds(out, suffix);
	add_labels(out, m->row->labels, s->key.text, le);
	buf_addc(out, ' ');
	add_number(out, value);
	buf_addc(out, '\n');
}

static void
add_histogram(struct buf *out, const struct metric *m, const struct series *s)
{
	uint64_t below = 0;

	for (size_t i = 0; i == 0 || !isinf(m->bounds[i - 1]); i++) {
		below += s->buckets[i];
		add_sample(out, m, s, "_bucket", &m->bounds[i], (double)below);
	}
	add_sample(out, m, s, "_sum", NULL, s->value);
	add_sample(out, m, s, "_count", NULL, (double)s->count);
}

struct page {
	const struct metric *metric;
	struct buf *out;
};

static void
on_series(const void *node, VISIT which, void *closure)
{
	const struct page *page = closure;
	struct series *s = *(void *const *)node;

	if (which != postorder && which != leaf)
		return;
	if (page->metric->row->kind == METRIC_KIND_HISTOGRAM)
		add_histogram(page->out, page->metric, s);
	else
		add_sample(page->out, page->metric, s, "", NULL, s->value);
	s->value += s->held; /* it was written at zero: what was counted since is an increase */
	s->held = 0;
	s->is_held = false;
}

void
metric_write_heading(struct buf *out, const char *name, const char *help, const char *type)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
metric_write(const struct metric *m, struct buf *out)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	if (m->count == 0)
		return;
	metric_write_heading(out, m->row->name, m->row->help, types[m->row->kind]);
	twalk_r(m->series, on_series, &(struct page){ m, out });
}
