/* audit_field.h - the fields of an audit line, of either version.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * A line is one flat JSON object in ASCII, without blanks: strings, null, and integers of 0 to
 * 2^53 - 1.  A string has one form, the one that json_out writes: \" \\ \b \f \n \r \t, and
 * \u00xx in lower case for all that is not printable ASCII, surrogate pairs above U+FFFF.
 */
#pragma once

#include "lib/base.h"

struct buf;

#define AUDIT_FIELDS_MAX  48
#define AUDIT_INTEGER_MAX ((INT64_C(1) << 53) - 1) /* what a double holds: jq, JavaScript */

/* Borrowed from the line. */
struct audit_field {
	const char *key; /* [a-z0-9_]+ */
	size_t key_size;
	const char *value; /* as JSON: with its quotes */
	size_t value_size;
};

struct audit_fields {
	size_t n;
	struct audit_field at[AUDIT_FIELDS_MAX];
};

/* Reads the object behind those that *fields has; false: it is none of this form. */
bool audit_fields_read(struct audit_fields *fields, const char *text, size_t size) MUST_USE;

/* NULL: there is none. */
const struct audit_field *audit_fields_get(const struct audit_fields *fields, const char *key);

/* Do they stand in the order of their names, each once? */
bool audit_fields_are_sorted(const struct audit_fields *fields) MUST_USE;

/* Orders them by name; false: one is there twice. */
bool audit_fields_sort(struct audit_fields *fields) MUST_USE;

/* The value as people read it, cut to fit; "" for null and NULL.  Returns out. */
const char *audit_field_text(const struct audit_field *field, char *out, size_t room);

/* False: it is no number. */
bool audit_field_number(const struct audit_field *field, int64_t *ret) MUST_USE;

/* Appends the object of all fields but `except` (NULL: of all): as it stands in the log, or
 * is_plain, with all characters from U+0080 on as UTF-8, which is what jq prints. */
void audit_fields_write(
    const struct audit_fields *fields, const char *except, bool is_plain, struct buf *out);
