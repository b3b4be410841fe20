/* http_guard.c - refuses heads that two readers could read differently.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_guard.h"

#include <strings.h>

/* 19 digits always fit into 64 bits, and no body is that long. */
#define LENGTH_DIGITS_MAX 19

static struct http_guard_verdict
refuse(int status, const char *why)
{
	return (struct http_guard_verdict){ .status = status, .why = why };
}

/* token = 1*tchar (RFC 9110, 5.6.2) */
static bool
is_token(const char *text, size_t size)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		bool is_alnum =
		    (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_alnum && memchr(others, c, sizeof(others) - 1) == NULL)
			return false;
	}
	return size > 0;
}

/* No control character but TAB: no NUL, no CR, no LF. */
static bool
is_field_value(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static bool
is_named(const struct http_field *field, const char *name)
{
	return field->name_size == strlen(name) &&
	    strncasecmp(field->name, name, field->name_size) == 0;
}

/* Digits alone: no sign, blank, comma or list (RFC 9110, 8.6). */
static bool
parse_length(const struct http_field *field, uint64_t *ret_length)
{
	uint64_t length = 0;

	if (field->value_size == 0 || field->value_size > LENGTH_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < field->value_size; i++) {
		char c = field->value[i];

		if (c < '0' || c > '9')
			return false;
		length = length * 10 + (uint64_t)(c - '0');
	}
	*ret_length = length;
	return true;
}

static struct http_guard_verdict
check_length(const struct http_field *field, bool may_have_body, uint64_t body_max)
{
	struct http_guard_verdict verdict = { .status = 0 };

	if (field == NULL && may_have_body)
		return refuse(411, "no Content-Length");
	if (field == NULL)
		return verdict;
	if (!parse_length(field, &verdict.body_size))
		return refuse(400, "Content-Length is not a plain number");
	if (!may_have_body && verdict.body_size > 0)
		return refuse(413, "a body where none is taken");
	if (verdict.body_size > body_max)
		return refuse(413, "the body is larger than is taken here");
	return verdict;
}

struct http_guard_verdict
http_guard_check(
    const struct http_field *fields, size_t count, bool may_have_body, uint64_t body_max)
{
	const struct http_field *length = NULL;

	if (count > HTTP_GUARD_FIELDS_MAX)
		return refuse(431, "too many header fields");
	for (size_t i = 0; i < count; i++) {
		const struct http_field *field = &fields[i];

		if (!is_token(field->name, field->name_size))
			return refuse(400, "a field name that is no token");
		if (!is_field_value(field->value, field->value_size))
			return refuse(400, "a control character in a field value");
		if (is_named(field, "Transfer-Encoding"))
			return refuse(400, "Transfer-Encoding is not taken");
		if (!is_named(field, "Content-Length"))
			continue;
		if (length != NULL)
			return refuse(400, "more than one Content-Length");
		length = field;
	}
	return check_length(length, may_have_body, body_max);
}

bool
http_guard_type_is_in(const char *value, const char *const *types)
{
	size_t size;

	if (value == NULL)
		return false;
	size = strcspn(value, "; \t");
	for (; *types != NULL; types++)
		if (strlen(*types) == size && strncasecmp(value, *types, size) == 0)
			return true;
	return false;
}
