/* audit_compare_foreign.c - neighbours of another chain, or all written anew: one finding, not many.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "lib/buf.h"
#include "lib/text.h"
#include "store/audit_compare_inside.h"
#include "store/audit_difference.h"

#define FOREIGN_MIN 4	/* neighbours; fewer are named each by itself */
#define KEYS_MAX    128 /* that differ; what is more is said to be there */
#define NAMED_MAX   8	/* entries of a field that differs in few */

struct field {
	char key[64];
	size_t n;
	int64_t named[NAMED_MAX]; /* the first of them */
};

/* Lines of which the witness has others. */
struct run {
	struct compare *c;
	const struct odd *odd;
	size_t n;
	size_t n_read; /* of those, the first ones: of these it is said what differs */
	struct field fields[KEYS_MAX];
	size_t n_fields;
	bool has_more; /* fields */
};

/* The witness has another entry of that number, and this one was made to be one. */
static bool
may_be_foreign(struct compare *c, const struct odd *odd)
{
	const struct audit_copy_entry *entry;

	if (odd->match != 0 || odd->seq == 0 || !odd->is_sound)
		return false;
	entry = audit_copy_find(c->copy, odd->seq);
	return entry != NULL && !entry->is_found;
}

/* From this one on, behind each other; 0: too few. */
static size_t
count_foreign(struct compare *c, size_t i)
{
	size_t n = 0;

	while (i + n < c->n_odd && may_be_foreign(c, &c->odd[i + n]) &&
	    (n == 0 || c->odd[i + n].follows))
		n++;
	return n < FOREIGN_MIN ? 0 : n;
}

/* --- what differs --- */

static struct field *
field_of(struct run *run, const char *key)
{
	for (size_t i = 0; i < run->n_fields; i++)
		if (strcmp(run->fields[i].key, key) == 0)
			return &run->fields[i];
	if (run->n_fields == KEYS_MAX) {
		run->has_more = true;
		return NULL;
	}
	(void)text_copy(run->fields[run->n_fields].key, sizeof(run->fields[0].key), key);
	return &run->fields[run->n_fields++];
}

struct one {
	struct run *run;
	const struct odd *odd;
	struct buf text;
};

static void
count_field(void *ctx, const char *key, UNUSED const char *text)
{
	const struct one *one = ctx;
	struct field *field = field_of(one->run, key);

	if (field == NULL)
		return;
	if (field->n < NAMED_MAX)
		field->named[field->n] = one->odd->seq;
	field->n++;
}

/* Of a field that differs in few: in another server's log most differ in many, if not in all. */
static bool
is_named(const struct run *run, const struct field *field, int64_t seq)
{
	bool is_rare = field->n <= NAMED_MAX && field->n < run->n_read, is = false;

	for (size_t i = 0; is_rare && i < field->n; i++)
		is = is || field->named[i] == seq;
	return is;
}

/* What this entry has otherwise, and not all of them. */
static void
add_named(void *ctx, const char *key, const char *text)
{
	struct one *one = ctx;
	const struct field *field = field_of(one->run, key);

	if (field != NULL && is_named(one->run, field, one->odd->seq))
		buf_addf(&one->text, "%s%s", one->text.size == 0 ? "" : ", ", text);
}

static bool
walk_fields(struct one *one, audit_difference_fn *each)
{
	struct compare *c = one->run->c;
	const struct audit_copy_entry *entry = audit_copy_find(c->copy, one->odd->seq);
	char line[AUDIT_LINE_MAX];

	if (one->odd->text == NULL || !audit_copy_text(c->copy, entry, line, NULL))
		return false;
	audit_difference_each(
	    &(struct audit_difference_lines){ line, entry->size, one->odd->text, one->odd->size },
	    each, one);
	return true;
}

static void
count_fields(struct run *run)
{
	for (run->n_read = 0; run->n_read < run->n; run->n_read++) {
		struct one one = { .run = run, .odd = &run->odd[run->n_read] };

		if (!walk_fields(&one, count_field))
			return;
	}
}

/* --- told --- */

static void
add_field(struct buf *text, const struct run *run, const struct field *field, bool is_first)
{
	buf_addf(text, "%s%s%s in ", is_first ? "" : ", ", field->key, is_first ? " differs" : "");
	if (field->n == run->n_read) {
		buf_adds(text, "all");
		return;
	}
	buf_addf(text, "%zu (", field->n);
	for (size_t i = 0; i < NAMED_MAX && i < field->n; i++)
		buf_addf(text, "%s%" PRId64, i == 0 ? "" : ", ", field->named[i]);
	buf_adds(text, field->n > NAMED_MAX ? ", ...)" : ")");
}

/* "entry 31 does not follow entry 30; user_id differs in 1 (34), outcome in all" */
static void
describe(struct run *run, struct buf *text)
{
	const struct odd *first = &run->odd[0], *last = &run->odd[run->n - 1];

	if (!first->follows && first->behind != 0)
		buf_addf(text, "entry %" PRId64 " does not follow entry %" PRId64, first->seq,
		    first->behind);
	if (last->next != 0 && !last->is_followed && audit_copy_find(run->c->copy, last->next))
		buf_addf(text, "%sentry %" PRId64 " does not follow entry %" PRId64,
		    text->size == 0 ? "" : ", ", last->next, last->seq);
	if (run->n_fields > 0 && text->size > 0)
		buf_adds(text, "; ");
	if (run->n_fields > 0 && run->n_read < run->n)
		buf_addf(text, "of the first %zu ", run->n_read);
	for (size_t i = 0; i < run->n_fields; i++)
		add_field(text, run, &run->fields[i], i == 0);
	if (run->has_more)
		buf_adds(text, ", and other fields");
}

static void
tell_run(struct run *run)
{
	const struct odd *first = &run->odd[0];
	char detail[DETAIL];
	struct audit_finding finding = { .first = first->seq,
		.last = run->odd[run->n - 1].seq,
		.file = run->c->names[first->name],
		.line = first->line };
	CLEANUP(buf_done)
	struct buf text =
	    buf_make((size_t)KEYS_MAX * (sizeof(run->fields[0].key) + (size_t)24 * NAMED_MAX));

	finding.what = first->follows && first->behind != 0 ? FOUND_REWRITTEN : FOUND_FOREIGN;
	describe(run, &text);
	if (text.size > 0) {
		(void)text_copy(detail, sizeof(detail), buf_text(&text));
		finding.detail = detail;
	}
	audit_compare_tell(run->c, &finding);
}

/* Of many that all differ in one field, the one that differs in another as well. */
static void
tell_named(struct run *run, const struct odd *odd)
{
	struct one one = { .run = run, .odd = odd };
	char detail[DETAIL];
	const struct audit_finding finding = { .what = FOUND_CHANGED,
		.first = odd->seq,
		.last = odd->seq,
		.file = run->c->names[odd->name],
		.line = odd->line,
		.detail = detail };

	buf_init(&one.text, (size_t)4 * AUDIT_LINE_MAX);
	if (walk_fields(&one, add_named) && one.text.size > 0) {
		(void)text_copy(detail, sizeof(detail), buf_text(&one.text));
		audit_compare_tell(run->c, &finding);
	}
	buf_done(&one.text);
}

size_t
audit_compare_foreign(struct compare *c, size_t i)
{
	size_t n = count_foreign(c, i);
	struct run run = { .c = c, .odd = &c->odd[i], .n = n };

	if (n == 0)
		return 0;
	count_fields(&run);
	tell_run(&run);
	for (size_t k = 0; k < run.n_read; k++)
		tell_named(&run, &run.odd[k]);
	for (size_t k = 0; k < n; k++)
		audit_copy_find(c->copy, run.odd[k].seq)->is_found = true;
	return n;
}
