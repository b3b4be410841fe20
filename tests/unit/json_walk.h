/* json_walk.h - writes a tree that was read once more, value by value: what json.h writes is read back.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "lib/json.h"

static void json_walk(struct json_out *out, const json_t *value);

/* Not finite becomes null; 1e19 is no integer that could be read back, and -0 none at all. */
static inline void
json_walk_number(struct json_out *out, const json_t *value)
{
	double real = json_real_value(value);
	char text[40], *end = text;

	if (json_is_integer(value))
		end += snprintf(text, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else
		end += snprintf(text, 32, "%.17g", real);
	if (json_is_real(value) && strpbrk(text, ".e") == NULL)
		memcpy(end, ".0", sizeof(".0"));
	json_out_raw(out, json_is_real(value) && !isfinite(real) ? "null" : text);
}

static inline void
json_walk_object(struct json_out *out, const json_t *value)
{
	json_t *object = (json_t *)(void *)(uintptr_t)value;

	json_out_object(out);
	for (void *at = json_object_iter(object); at != NULL;
	     at = json_object_iter_next(object, at)) {
		json_out_key(out, json_object_iter_key(at));
		json_walk(out, json_object_iter_value(at));
	}
	json_out_end(out);
}

static void
json_walk(struct json_out *out, const json_t *value)
{
	if (json_is_object(value)) {
		json_walk_object(out, value);
	} else if (json_is_array(value)) {
		json_out_array(out);
		for (size_t i = 0; i < json_array_size(value); i++)
			json_walk(out, json_array_get(value, i));
		json_out_end(out);
	} else if (json_is_string(value)) {
		json_out_strn(out, json_string_value(value), json_string_length(value));
	} else if (json_is_number(value)) {
		json_walk_number(out, value);
	} else if (json_is_boolean(value)) {
		json_out_raw(out, json_is_true(value) ? "true" : "false");
	} else {
		json_out_str(out, NULL);
	}
}

/* struct json is jansson's json_t by another name; NULL: null. */
static inline void
json_walk_out(struct json_out *out, const struct json *value)
{
	json_walk(out, (const json_t *)(const void *)value);
}
