/* request.c - a request's parts, written and read.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/request.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/text.h"

struct request
request_of(const char *action, const char *target)
{
	struct request request = { 0 };
	bool fits = text_copy(request.action, sizeof(request.action), action) &&
	    text_copy(request.target, sizeof(request.target), target);

	assert(fits);
	return request;
}

struct request
request_about(const char *action, const char *kind, int64_t number)
{
	char target[48];

	text_setf(target, "%s/%" PRId64, kind, number);
	return request_of(action, target);
}

void
request_add(struct request *request, const char *key, const char *value)
{
	size_t used = strlen(request->arguments);
	size_t room = sizeof(request->arguments) - used;
	int n;

	if (value[0] == '\0')
		return;
	assert(strchr(value, '\n') == NULL);
	n = snprintf(request->arguments + used, room, "%s%s=%s", used > 0 ? "\n" : "", key, value);
	assert(n > 0 && (size_t)n < room);
}

void
request_add_number(struct request *request, const char *key, int64_t value)
{
	char text[24];

	text_setf(text, "%" PRId64, value);
	request_add(request, key, text);
}

/* Where "key=…" stands; NULL: nowhere.  *ret_size: up to the end of its line. */
static const char *
find(const struct request *request, const char *key, size_t *ret_size)
{
	size_t n = strlen(key), size;

	for (const char *at = request->arguments; *at != '\0'; at += size + (at[size] != '\0')) {
		size = *ret_size = strcspn(at, "\n");
		if (size > n && strncmp(at, key, n) == 0 && at[n] == '=')
			return at;
	}
	return NULL;
}

void
request_drop(struct request *request, const char *key)
{
	size_t size;
	const char *found = find(request, key, &size);
	char *at = request->arguments + (found == NULL ? 0 : found - request->arguments);

	if (found == NULL)
		return;
	if (at[size] == '\n')
		size++;
	else if (at > request->arguments)
		at--, size++; /* the last: what stood between goes */
	memmove(at, at + size, strlen(at + size) + 1);
}

const char *
request_get(const struct request *request, const char *key, char out[LIMIT_REF])
{
	size_t size, skip = strlen(key) + 1;
	const char *at = find(request, key, &size);

	out[0] = '\0';
	if (at == NULL || size - skip >= LIMIT_REF)
		return out;
	memcpy(out, at + skip, size - skip);
	out[size - skip] = '\0';
	return out;
}

static int64_t
number_of(const char *text)
{
	struct err err;
	int64_t number;

	return text_to_i64(text, 0, INT64_MAX, &number, &err) ? number : 0;
}

int64_t
request_get_number(const struct request *request, const char *key)
{
	return number_of(request_text(request, key));
}

int64_t
request_number(const struct request *request, const char *kind)
{
	size_t n = strlen(kind);

	if (strncmp(request->target, kind, n) != 0 || request->target[n] != '/')
		return 0;
	return number_of(request->target + n + 1);
}

const char *
request_behind(const char *text, size_t n)
{
	text += strspn(text, " ");
	for (; n > 0; n--) {
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return text;
}

bool
request_words(const char *text, size_t n, char words[][LIMIT_REF])
{
	for (size_t i = 0; i < n; i++) {
		size_t size;

		text += strspn(text, " ");
		size = strcspn(text, " ");
		for (size_t k = 0; k < size && k < LIMIT_REF - 1; k++)
			words[i][k] =
			    (char)(text[k] >= 'A' && text[k] <= 'Z' ? text[k] - 'A' + 'a' :
								      text[k]);
		words[i][size < LIMIT_REF ? size : LIMIT_REF - 1] = '\0';
		text += size;
	}
	return text[strspn(text, " ")] == '\0';
}
