/* fuzz_http_guard.c - lists of header fields: what passes has one meaning.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Input: lines `name:value`; a value is all behind the colon and one blank. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http_guard.h"
#include "tests/fuzz/fuzz.h"

#define ROOM	 (HTTP_GUARD_FIELDS_MAX + 20)
#define BODY_MAX 1000

static size_t
split(char *text, size_t size, struct http_field fields[ROOM])
{
	char *end = text + size;
	size_t count = 0;

	while (text < end && count < ROOM) {
		char *stop = memchr(text, '\n', (size_t)(end - text));
		char *line_end = stop == NULL ? end : stop;
		char *colon = memchr(text, ':', (size_t)(line_end - text));
		char *value = colon == NULL ? line_end : colon + 1;

		if (value < line_end && *value == ' ')
			value++;
		fields[count++] = (struct http_field){ .name = text,
			.value = value,
			.name_size = (size_t)((colon == NULL ? line_end : colon) - text),
			.value_size = (size_t)(line_end - value) };
		text = line_end + 1;
	}
	return count;
}

static size_t
count_named(const struct http_field *fields, size_t count, const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += strlen(name) == fields[i].name_size &&
		    strncasecmp(fields[i].name, name, fields[i].name_size) == 0;
	return found;
}

static void
check(const struct http_field *fields, size_t count, bool may_have_body)
{
	struct http_guard_verdict v = http_guard_check(fields, count, may_have_body, BODY_MAX);

	assert((v.status == 0) == (v.why == NULL));
	assert(v.status == 0 || v.status == 400 || v.status == 411 || v.status == 413 ||
	    v.status == 431);
	if (v.status != 0)
		return;
	assert(count <= HTTP_GUARD_FIELDS_MAX && v.body_size <= (may_have_body ? BODY_MAX : 0));
	assert(count_named(fields, count, "transfer-encoding") == 0);
	assert(count_named(fields, count, "content-length") <= 1);
	assert(count_named(fields, count, "content-length") == 1 || !may_have_body);
	for (size_t i = 0; i < count; i++) {
		assert(fields[i].name_size > 0);
		for (size_t j = 0; j < fields[i].name_size; j++)
			assert(fields[i].name[j] > ' ' && fields[i].name[j] < 0x7f);
		assert(memchr(fields[i].value, '\0', fields[i].value_size) == NULL);
		assert(memchr(fields[i].value, '\r', fields[i].value_size) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = { "application/json", "text/plain", NULL };
	struct http_field fields[ROOM];
	char *text = malloc(size + 1);
	char *value = fuzz_string(data, size);
	size_t count;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	count = split(text, size, fields);
	check(fields, count, true);
	check(fields, count, false);
	if (http_guard_type_is_in(value, types))
		assert(
		    strncasecmp(value, types[0], 16) == 0 || strncasecmp(value, types[1], 10) == 0);
	free(value);
	free(text);
	return 0;
}
