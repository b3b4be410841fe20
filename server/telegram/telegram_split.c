/* telegram_split.c - finds values in JSON text without reading them.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_split.h"

#include "lib/text.h"

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* p stands on the opening quote; behind the closing one, NULL when there is none. */
static const char *
skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '"')
			return p + 1;
	}
	return NULL;
}

static bool
ends_scalar(char c)
{
	return strchr(",]} \t\r\n", c) != NULL; /* the NUL too */
}

/* p stands on an opening bracket; kinds of brackets are left to whoever decodes. */
static const char *
skip_brackets(const char *p, const char *end)
{
	size_t depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = skip_string(p, end);
			if (p == NULL)
				return NULL;
			continue;
		}
		if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
		p++;
	}
	return NULL;
}

/* Behind the value that begins at p; NULL when it does not end, or there is none. */
static const char *
skip_value(const char *p, const char *end)
{
	const char *begin = p;

	if (p >= end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_brackets(p, end);
	while (p < end && !ends_scalar(*p))
		p++;
	return p > begin ? p : NULL;
}

static struct telegram_span
span(const char *begin, const char *end)
{
	return (struct telegram_span){ begin, (size_t)(end - begin) };
}

struct telegram_span
telegram_split_member(struct telegram_span text, const char *key)
{
	const struct telegram_span nothing = { NULL, 0 };
	const size_t key_size = strlen(key);

	if (text.at == NULL)
		return nothing;
	const char *end = text.at + text.size;
	const char *p = skip_blanks(text.at, end);

	if (p == end || *p != '{')
		return nothing;
	for (p = skip_blanks(p + 1, end); p < end && *p == '"';) {
		const char *name = p + 1;
		const char *behind = skip_string(p, end);

		if (behind == NULL)
			return nothing;
		p = skip_blanks(behind, end);
		if (p == end || *p != ':')
			return nothing;
		const char *value = skip_blanks(p + 1, end);

		p = skip_value(value, end);
		if (p == NULL)
			return nothing;
		if ((size_t)(behind - 1 - name) == key_size && memcmp(name, key, key_size) == 0)
			return span(value, p);
		p = skip_blanks(p, end);
		if (p < end && *p == ',')
			p = skip_blanks(p + 1, end);
	}
	return nothing;
}

struct telegram_span
telegram_split_next(struct telegram_span *rest, bool *ret_broken)
{
	const struct telegram_span nothing = { NULL, 0 };
	const char *end = rest->at + rest->size;
	const char *p = skip_blanks(rest->at, end);

	*ret_broken = false;
	if (p < end && (*p == '[' || *p == ','))
		p = skip_blanks(p + 1, end);
	if (p < end && *p == ']')
		return nothing;
	const char *behind = skip_value(p, end);

	if (behind == NULL) {
		*ret_broken = true;
		return nothing;
	}
	*rest = span(behind, end);
	return span(p, behind);
}

bool
telegram_split_number(struct telegram_span text, int64_t *ret)
{
	char digits[24];

	if (text.at == NULL || text.size >= sizeof(digits))
		return false;
	memcpy(digits, text.at, text.size);
	digits[text.size] = '\0';
	return text_to_i64(digits, INT64_MIN, INT64_MAX, ret, NULL);
}
