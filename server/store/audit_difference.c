/* audit_difference.c - in which fields two audit lines with one number differ.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_difference.h"

#include <stdio.h>

#include "lib/buf.h"
#include "lib/text.h"
#include "store/audit_chain.h"
#include "store/audit_field.h"

#define VALUE_MAX 120			    /* bytes of a value that are shown */
#define END_MAX	  8			    /* bytes of what stands for the rest */
#define FIELD_MAX (64 + 2 * VALUE_MAX + 32) /* its name, both values, the words between */

struct lines {
	struct audit_fields was, is;
};

/* Each, and those that follow from the others. */
static const char *const first[] = { "user_id", "outcome", "environment", "commit", "timestamp",
	"code", "principal" };
static const char *const of_chain[] = { "hash", "prev", "seq" };

static void
add_value(struct buf *text, const struct audit_field *field)
{
	size_t size = text_cut(field->value, field->value_size, VALUE_MAX);

	buf_add(text, field->value, size);
	if (size < field->value_size)
		buf_adds(text, "…");
}

static bool
is_same(const struct audit_field *before, const struct audit_field *now)
{
	return before == NULL || now == NULL ? before == now :
					       now->value_size == before->value_size &&
		memcmp(now->value, before->value, now->value_size) == 0;
}

static void
each_of(const struct lines *lines, const char *key, audit_difference_fn *each, void *ctx)
{
	const struct audit_field *before = audit_fields_get(&lines->was, key);
	const struct audit_field *now = audit_fields_get(&lines->is, key);
	CLEANUP(buf_done) struct buf text = buf_make(FIELD_MAX);

	if (is_same(before, now))
		return;
	buf_addf(&text, "%s was ", key);
	if (before == NULL)
		buf_adds(&text, "not there");
	else
		add_value(&text, before);
	buf_addf(&text, ", is %s", now == NULL ? "gone" : "");
	if (now != NULL)
		add_value(&text, now);
	each(ctx, key, buf_text(&text));
}

static void
each_other(
    const struct lines *lines, const struct audit_fields *of, audit_difference_fn *each, void *ctx)
{
	char key[64];

	for (size_t i = 0; i < of->n; i++) {
		(void)snprintf(key, sizeof(key), "%.*s", (int)of->at[i].key_size, of->at[i].key);
		if (text_index(key, first, COUNT(first)) == COUNT(first) &&
		    text_index(key, of_chain, COUNT(of_chain)) == COUNT(of_chain) &&
		    (of == &lines->was || audit_fields_get(&lines->was, key) == NULL))
			each_of(lines, key, each, ctx);
	}
}

static void
each_field(const struct lines *lines, audit_difference_fn *each, void *ctx)
{
	for (size_t i = 0; i < COUNT(first); i++)
		each_of(lines, first[i], each, ctx);
	each_other(lines, &lines->was, each, ctx);
	each_other(lines, &lines->is, each, ctx);
}

static void
append(void *ctx, UNUSED const char *key, const char *text)
{
	struct buf *all = ctx;

	buf_addf(all, "%s%s", all->size == 0 ? "" : ", ", text);
}

static bool
is_hashed_anew(const char *line, size_t size)
{
	struct audit_claim claim;

	return audit_chain_read(line, size, &claim, NULL) &&
	    memcmp(claim.hash, claim.is.hash, AUDIT_HASH) == 0;
}

static bool
read_both(const struct audit_difference_lines *of, struct lines *ret)
{
	return audit_fields_read(&ret->was, of->was, of->was_size) &&
	    audit_fields_read(&ret->is, of->is, of->is_size);
}

void
audit_difference(const struct audit_difference_lines *of, char *out, size_t room)
{
	struct lines lines = { 0 };
	CLEANUP(buf_done) struct buf text = buf_make((size_t)2 * AUDIT_FIELDS_MAX * FIELD_MAX);

	out[0] = '\0';
	if (!read_both(of, &lines))
		return;
	each_field(&lines, append, &text);
	if (text.size == 0)
		for (size_t i = 0; i < COUNT(of_chain); i++)
			each_of(&lines, of_chain[i], append, &text);
	else if (is_hashed_anew(of->is, of->is_size))
		buf_adds(&text, "; hashed anew");
	(void)snprintf(out, room, "%.*s%s",
	    (int)text_cut(buf_text(&text), text.size, room - END_MAX), buf_text(&text),
	    text.size > room - END_MAX ? " …" : "");
}

void
audit_difference_each(const struct audit_difference_lines *of, audit_difference_fn *each, void *ctx)
{
	struct lines lines = { 0 };

	if (read_both(of, &lines))
		each_field(&lines, each, ctx);
}
