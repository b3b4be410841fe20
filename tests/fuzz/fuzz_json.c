/* fuzz_json.c - JSON: what is read, written and read again is the same.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/json_walk.h"

/* Accessors take any type. */
static void
look_around(const struct json *value, unsigned depth)
{
	size_t count = json_count(value);

	if (depth > JSON_DEPTH_MAX + 1)
		return;
	assert(json_str(value) == NULL || strlen(json_str(value)) == json_str_size(value));
	(void)json_get_i64_or(json_get(value, "a"), "b", 0);
	for (size_t i = 0; json_holds_array(value) && i < count; i++)
		look_around(json_at(value, i), depth + 1);
}

static void
write_value(const struct json *value, struct buf *out)
{
	struct json_out json = { .buf = out };

	json_walk_out(&json, value);
	assert(json.depth == 0 && json.has_value[0] && !buf_failed(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = { .text = "" };
	struct json *root = json_decode(data, size, &err), *again;
	struct buf first, second;

	if (root == NULL) {
		assert(err.text[0] != '\0');
		return 0;
	}
	assert(json_holds_object(root) || json_holds_array(root));
	look_around(root, 0);
	buf_init(&first, 8 * size + 1024);
	buf_init(&second, 8 * size + 1024);
	write_value(root, &first);
	for (size_t i = 0; i < first.size; i++)
		assert(first.data[i] >= 0x20 && first.data[i] < 0x7f);
	again = json_decode(first.data, first.size, &err);
	assert(again != NULL);
	write_value(again, &second);
	fuzz_same(&first, &second);
	json_free(again);
	json_free(root);
	buf_done(&first);
	buf_done(&second);
	return 0;
}
