/* fuzz_payload.c - GitHub's one-pass reader against jansson, plus its rule on doubled keys.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <jansson.h>
#include <string.h>

#include "forges/github_payload.h"
#include "lib/err.h"
#include "tests/fuzz/fuzz.h"

#define OBJECT_OF_TOP GITHUB_FIELD_COUNT

static const struct {
	enum github_field object;
	const char *key;
} fields[] = {
#define FIELD(name, object, key) [GITHUB_##name] = { GITHUB_##object, key },
	GITHUB_FIELDS(FIELD)
#undef FIELD
};

static unsigned
depth_of(json_t *value)
{
	unsigned deepest = 0;
	const char *key;
	json_t *inner;
	size_t i;

	json_object_foreach(value, key, inner)
	{
		unsigned depth = depth_of(inner);

		deepest = depth > deepest ? depth : deepest;
	}
	json_array_foreach(value, i, inner)
	{
		unsigned depth = depth_of(inner);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + (json_is_object(value) || json_is_array(value) ? 1 : 0);
}

/* An object within the limits, with doubled keys (the last one counts), or NULL. */
static json_t *
read_leniently(const uint8_t *data, size_t size)
{
	json_t *root;

	if (size == 0 || memchr(data, '\0', size) != NULL)
		return NULL; /* jansson 2.14 passes over a NUL behind a number */
	root = json_loadb((const char *)data, size, 0, NULL);
	if (root != NULL && json_is_object(root) && depth_of(root) <= GITHUB_PAYLOAD_DEPTH)
		return root;
	json_decref(root);
	return NULL;
}

static enum github_type
type_of(const json_t *value)
{
	if (value == NULL)
		return GITHUB_ABSENT;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return GITHUB_OBJECT;
	case JSON_ARRAY:
		return GITHUB_ARRAY;
	case JSON_STRING:
		return GITHUB_STRING;
	case JSON_TRUE:
		return GITHUB_TRUE;
	case JSON_FALSE:
		return GITHUB_FALSE;
	case JSON_NULL:
		return GITHUB_NULL;
	default:
		return GITHUB_NUMBER;
	}
}

static const json_t *
field_of(const json_t *root, enum github_field field)
{
	enum github_field object = fields[field].object;

	return json_object_get(
	    object == GITHUB_TOP ? root : field_of(root, object), fields[field].key);
}

static void
compare_field(const struct github_value *mine, const json_t *theirs)
{
	char text[8192], small[8];
	int64_t number = 0;

	assert(mine->type == type_of(theirs));
	if (github_payload_text(mine, text, sizeof(text)))
		assert(strcmp(text, json_string_value(theirs)) == 0);
	else
		assert(!json_is_string(theirs) || json_string_length(theirs) >= sizeof(text));
	assert(github_payload_text(mine, small, sizeof(small)) ==
	    (json_is_string(theirs) && json_string_length(theirs) < sizeof(small)));
	assert(github_payload_i64(mine, &number) == json_is_integer(theirs));
	assert(!json_is_integer(theirs) || number == json_integer_value(theirs));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = read_leniently(data, size);
	struct github_payload payload;
	struct err err = { .text = "" };
	bool is_read = github_payload_read((const char *)data, size, &payload, &err);

	if (is_read) {
		assert(root != NULL);
		for (int i = 0; i < GITHUB_FIELD_COUNT; i++)
			compare_field(&payload.field[i], field_of(root, (enum github_field)i));
	} else if (root != NULL) {
		/* Then a key of ours is doubled, and whoever refuses all doubled keys agrees. */
		json_t *strict = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);

		assert(strict == NULL);
		assert(strstr(err.text, "twice") != NULL);
	}
	json_decref(root);
	return 0;
}
