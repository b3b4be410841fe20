/* audit_field.c - reads and writes flat objects in one form.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "store/audit_field.h"

#include "lib/buf.h"
#include "lib/text.h"

struct reader {
	const char *at;
	const char *end;
};

static bool
take(struct reader *r, char c)
{
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* --- strings --- */

/* Four lower-case digits. */
static bool
read_unit(struct reader *r, uint32_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		const char *digit =
		    r->at < r->end && *r->at != '\0' ? strchr(digits, *r->at) : NULL;

		if (digit == NULL)
			return false;
		unit = unit << 4 | (uint32_t)(digit - digits);
		r->at++;
	}
	*ret = unit;
	return true;
}

/* Behind `\u`: what has no other form. */
static bool
read_escaped(struct reader *r, uint32_t *ret)
{
	uint32_t low;

	if (!read_unit(r, ret))
		return false;
	if (*ret >= 0xD800 && *ret < 0xDC00) {
		if (!take(r, '\\') || !take(r, 'u') || !read_unit(r, &low) || low < 0xDC00 ||
		    low > 0xDFFF)
			return false;
		*ret = 0x10000 + ((*ret - 0xD800) << 10) + (low - 0xDC00);
		return true;
	}
	if (*ret >= 0xDC00 && *ret <= 0xDFFF)
		return false;
	return *ret >= 0x7F || (*ret > 0 && *ret < ' ' && strchr("\b\f\n\r\t", (int)*ret) == NULL);
}

/* The next character of a string; false: it ends, or is not of the one form. */
static bool
read_character(struct reader *r, uint32_t *ret)
{
	static const char letters[] = "\"\\bfnrt", meant[] = "\"\\\b\f\n\r\t";
	const char *letter;

	if (r->at == r->end || *r->at < ' ' || *r->at >= 0x7F || *r->at == '"')
		return false;
	if (*r->at != '\\') {
		*ret = (unsigned char)*r->at++;
		return true;
	}
	r->at++;
	if (take(r, 'u'))
		return read_escaped(r, ret);
	letter = r->at < r->end && *r->at != '\0' ? strchr(letters, *r->at) : NULL;
	if (letter == NULL)
		return false;
	r->at++;
	*ret = (unsigned char)meant[letter - letters];
	return true;
}

static bool
skip_string(struct reader *r)
{
	uint32_t code;

	if (!take(r, '"'))
		return false;
	while (read_character(r, &code))
		continue;
	return take(r, '"');
}

/* --- other values --- */

static bool
skip_number(struct reader *r)
{
	char digits[24];
	int64_t number;
	size_t n = 0;

	while (r->at < r->end && n + 1 < sizeof(digits) && *r->at >= '0' && *r->at <= '9')
		digits[n++] = *r->at++;
	digits[n] = '\0';
	return text_to_i64(digits, 0, AUDIT_INTEGER_MAX, &number, NULL);
}

static bool
skip_null(struct reader *r)
{
	return take(r, 'n') && take(r, 'u') && take(r, 'l') && take(r, 'l');
}

static bool
skip_value(struct reader *r)
{
	if (r->at == r->end)
		return false;
	return *r->at == '"' ? skip_string(r) : *r->at == 'n' ? skip_null(r) : skip_number(r);
}

static bool
skip_key(struct reader *r)
{
	while (r->at < r->end &&
	    ((*r->at >= 'a' && *r->at <= 'z') || (*r->at >= '0' && *r->at <= '9') || *r->at == '_'))
		r->at++;
	return true;
}

static bool
read_field(struct reader *r, struct audit_fields *fields)
{
	struct audit_field field;

	if (fields->n == AUDIT_FIELDS_MAX || !take(r, '"'))
		return false;
	field.key = r->at;
	(void)skip_key(r);
	field.key_size = (size_t)(r->at - field.key);
	if (field.key_size == 0 || !take(r, '"') || !take(r, ':'))
		return false;
	field.value = r->at;
	if (!skip_value(r))
		return false;
	field.value_size = (size_t)(r->at - field.value);
	fields->at[fields->n++] = field;
	return true;
}

bool
audit_fields_read(struct audit_fields *fields, const char *text, size_t size)
{
	struct reader r = { .at = text, .end = text + size };

	if (!take(&r, '{'))
		return false;
	if (take(&r, '}'))
		return r.at == r.end;
	do
		if (!read_field(&r, fields))
			return false;
	while (take(&r, ','));
	return take(&r, '}') && r.at == r.end;
}

/* --- what was read --- */

const struct audit_field *
audit_fields_get(const struct audit_fields *fields, const char *key)
{
	size_t size = strlen(key);

	for (size_t i = 0; i < fields->n; i++)
		if (fields->at[i].key_size == size && memcmp(fields->at[i].key, key, size) == 0)
			return &fields->at[i];
	return NULL;
}

static int
compare(const struct audit_field *a, const struct audit_field *b)
{
	size_t least = a->key_size < b->key_size ? a->key_size : b->key_size;
	int order = memcmp(a->key, b->key, least);

	return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

bool
audit_fields_are_sorted(const struct audit_fields *fields)
{
	for (size_t i = 1; i < fields->n; i++)
		if (compare(&fields->at[i - 1], &fields->at[i]) >= 0)
			return false;
	return true;
}

bool
audit_fields_sort(struct audit_fields *fields)
{
	for (size_t i = 1; i < fields->n; i++) {
		struct audit_field moved = fields->at[i];
		size_t to = i;

		for (; to > 0 && compare(&fields->at[to - 1], &moved) > 0; to--)
			fields->at[to] = fields->at[to - 1];
		fields->at[to] = moved;
		if (to > 0 && compare(&fields->at[to - 1], &moved) == 0)
			return false;
	}
	return true;
}

const char *
audit_field_text(const struct audit_field *field, char *out, size_t room)
{
	struct reader r;
	size_t used = 0;
	uint32_t code;

	out[0] = '\0';
	if (field == NULL || field->value[0] == 'n')
		return out;
	r = (struct reader){ .at = field->value, .end = field->value + field->value_size };
	(void)take(&r, '"');
	while (read_character(&r, &code)) {
		char bytes[4];
		size_t size = text_encode(code, bytes);

		if (used + size >= room)
			break;
		memcpy(out + used, bytes, size);
		used += size;
	}
	out[used] = '\0';
	return out;
}

bool
audit_field_number(const struct audit_field *field, int64_t *ret)
{
	char digits[24];

	if (field == NULL || field->value_size >= sizeof(digits))
		return false;
	memcpy(digits, field->value, field->value_size);
	digits[field->value_size] = '\0';
	return text_to_i64(digits, 0, AUDIT_INTEGER_MAX, ret, NULL);
}

/* As jq has it: below U+0080 the same as in the log. */
static void
write_plain(const struct audit_field *field, struct buf *out)
{
	struct reader r = { .at = field->value, .end = field->value + field->value_size };
	const char *from = r.at;
	uint32_t code;

	if (*from != '"') {
		buf_add(out, from, field->value_size);
		return;
	}
	buf_addc(out, *r.at++);
	for (from = r.at; read_character(&r, &code); from = r.at) {
		char bytes[4];

		if (code < 0x80)
			buf_add(out, from, (size_t)(r.at - from));
		else
			buf_add(out, bytes, text_encode(code, bytes));
	}
	buf_addc(out, '"');
}

void
audit_fields_write(
    const struct audit_fields *fields, const char *except, bool is_plain, struct buf *out)
{
	const struct audit_field *left = except == NULL ? NULL : audit_fields_get(fields, except);
	char before = '{';

	for (size_t i = 0; i < fields->n; i++) {
		const struct audit_field *field = &fields->at[i];

		if (field == left)
			continue;
		buf_addc(out, before);
		before = ',';
		buf_addc(out, '"');
		buf_add(out, field->key, field->key_size);
		buf_adds(out, "\":");
		if (is_plain)
			write_plain(field, out);
		else
			buf_add(out, field->value, field->value_size);
	}
	if (before == '{')
		buf_addc(out, before);
	buf_addc(out, '}');
}
