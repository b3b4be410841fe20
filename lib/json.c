/* json.c - jansson behind accessors that take anything; a writer without a tree.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/json.h"

#include <inttypes.h>

#include <jansson.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/mem_wiped.h"
#include "lib/text.h"

/* struct json is never defined: it is jansson's json_t by another name. */
static const json_t *
inner(const struct json *value)
{
	return (const json_t *)(const void *)value;
}

static const struct json *
outer(const json_t *value)
{
	return (const struct json *)(const void *)value;
}

/* --- memory --- */

/* jansson 2.14 does not look whether the buffer of a word could grow, and then reads behind it: it
 * must never see that there is no memory.  A text may be a token: Vault lends one in its answer,
 * and Telegram repeats what it was sent. */
__attribute__((constructor)) static void
before_anybody_asks(void)
{
	json_set_alloc_funcs(mem_alloc, mem_wiped_free);
}

/* --- reading --- */

/* Brackets are counted before jansson recurses: it allows a depth of 2048, and freeing such a
 * tree recurses as deep again. */
static bool
depth_is_fine(const char *bytes, size_t size)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > JSON_DEPTH_MAX)
				return false;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return true;
}

struct json *
json_decode(const void *bytes, size_t size, struct err *err)
{
	json_error_t why;
	json_t *root;

	if (size == 0 || bytes == NULL)
		return ERR_NULL(err_set(err, ERR_INVALID, "no JSON: empty"));
	/* jansson 2.14 passes over a NUL that stands behind a number. */
	if (memchr(bytes, '\0', size) != NULL)
		return ERR_NULL(err_set(err, ERR_INVALID, "no JSON: it holds a NUL byte"));
	if (!depth_is_fine(bytes, size))
		return ERR_NULL(
		    err_set(err, ERR_INVALID, "JSON nested deeper than %d", JSON_DEPTH_MAX));
	root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &why);
	if (root == NULL) /* `why` quotes the input, which may hold anything: only the place */
		(void)err_set(
		    err, ERR_INVALID, "not valid JSON at line %d, column %d", why.line, why.column);
	return (struct json *)(void *)root;
}

void
json_free(struct json *root)
{
	json_decref((json_t *)(void *)root); /* takes NULL */
}

const struct json *
json_get(const struct json *object, const char *key)
{
	return outer(json_object_get(inner(object), key)); /* NULL for what is no object */
}

const struct json *
json_at(const struct json *array, size_t index)
{
	return outer(json_array_get(inner(array), index));
}

size_t
json_count(const struct json *value)
{
	if (json_is_array(inner(value)))
		return json_array_size(inner(value));
	return json_object_size(inner(value)); /* 0 for what is no object */
}

static bool
each_text(json_t *value, json_text_fn *each, void *ctx)
{
	const char *key;
	json_t *inside;
	size_t i;

	if (json_is_string(value) && !each(ctx, json_string_value(value)))
		return false;
	json_array_foreach(value, i, inside) if (!each_text(inside, each, ctx)) return false;
	json_object_foreach(value, key, inside) if (!each_text(inside, each, ctx)) return false;
	return true;
}

bool
json_each_text(struct json *value, json_text_fn *each, void *ctx)
{
	return each_text((json_t *)(void *)value, each, ctx);
}

bool
json_holds_object(const struct json *value)
{
	return json_is_object(inner(value));
}

bool
json_holds_array(const struct json *value)
{
	return json_is_array(inner(value));
}

bool
json_holds_null(const struct json *value)
{
	return json_is_null(inner(value));
}

const char *
json_str(const struct json *value)
{
	return json_string_value(inner(value));
}

size_t
json_str_size(const struct json *value)
{
	return json_string_length(inner(value));
}

const char *
json_get_str(const struct json *object, const char *key)
{
	return json_str(json_get(object, key));
}

const char *
json_text(const struct json *object, const char *key)
{
	const char *text = json_get_str(object, key);

	return text != NULL ? text : "";
}

bool
json_has(const struct json *object, const char *key, const char *text)
{
	const char *is = json_get_str(object, key);

	return is != NULL && strcmp(is, text) == 0;
}

bool
json_get_i64(const struct json *object, const char *key, int64_t *ret)
{
	const json_t *value = inner(json_get(object, key));

	if (!json_is_integer(value))
		return false;
	*ret = json_integer_value(value);
	return true;
}

int64_t
json_get_i64_or(const struct json *object, const char *key, int64_t otherwise)
{
	(void)json_get_i64(object, key, &otherwise); /* untouched when it is not there */
	return otherwise;
}

bool
json_get_bool(const struct json *object, const char *key, bool otherwise)
{
	const json_t *value = inner(json_get(object, key));

	return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static int
on_encoded(const char *text, size_t size, void *ctx)
{
	buf_add(ctx, text, size);
	return 0;
}

void
json_encode(const struct json *value, struct buf *out)
{
	if (json_dump_callback((const json_t *)value, on_encoded, out,
		JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER) != 0)
		out->failed = true;
}

/* --- writing --- */

/* Puts the comma, if any, before a value or a key. */
static void
begin_value(struct json_out *out)
{
	bool in_object = out->kind[out->depth] == '{';

	assert(!in_object || out->after_key);
	assert(out->depth > 0 || !out->has_value[0]); /* one value is a document */
	if (!in_object && out->has_value[out->depth])
		buf_addc(out->buf, ',');
	out->has_value[out->depth] = true;
	out->after_key = false;
}

static void
open_bracket(struct json_out *out, char bracket)
{
	begin_value(out);
	assert(out->depth < JSON_OUT_DEPTH_MAX); /* what we write has the shape of our code */
	out->depth++;
	out->kind[out->depth] = bracket;
	out->has_value[out->depth] = false;
	buf_addc(out->buf, bracket);
}

struct json_out
json_out_begin(struct buf *buf, char bracket)
{
	struct json_out out = { .buf = buf };

	open_bracket(&out, bracket);
	return out;
}

void
json_out_object(struct json_out *out)
{
	open_bracket(out, '{');
}

void
json_out_array(struct json_out *out)
{
	open_bracket(out, '[');
}

void
json_out_end(struct json_out *out)
{
	assert(out->depth > 0 && !out->after_key);
	buf_addc(out->buf, out->kind[out->depth] == '{' ? '}' : ']');
	out->depth--;
}

static void
put_unit(struct buf *b, uint32_t unit)
{
	buf_addf(b, "\\u%04x", (unsigned)unit);
}

static void
put_code(struct buf *b, uint32_t code)
{
	static const char named[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *found = code < 0x80 && code > 0 ? strchr(named, (int)code) : NULL;

	if (found != NULL) {
		buf_addc(b, '\\');
		buf_addc(b, letter[found - named]);
	} else if (code > 0xFFFF) {
		put_unit(b, 0xD800 + ((code - 0x10000) >> 10));
		put_unit(b, 0xDC00 + ((code - 0x10000) & 0x3FF));
	} else {
		put_unit(b, code);
	}
}

static bool
is_plain(char c)
{
	return c >= ' ' && c < 0x7F && c != '"' && c != '\\';
}

static void
put_string(struct buf *b, const char *text, size_t size)
{
	uint32_t code;
	size_t run;

	buf_addc(b, '"');
	while (size > 0) {
		for (run = 0; run < size && is_plain(text[run]); run++)
			continue;
		buf_add(b, text, run);
		text += run;
		size -= run;
		if (size == 0)
			break;
		run = text_decode(text, size, &code);
		if (run == 0) {
			code = 0xFFFD;
			run = 1;
		}
		put_code(b, code);
		text += run;
		size -= run;
	}
	buf_addc(b, '"');
}

void
json_out_key(struct json_out *out, const char *key)
{
	assert(out->kind[out->depth] == '{' && !out->after_key);
	if (out->has_value[out->depth])
		buf_addc(out->buf, ',');
	put_string(out->buf, key, strlen(key));
	buf_addc(out->buf, ':');
	out->after_key = true;
}

void
json_out_strn(struct json_out *out, const char *text, size_t size)
{
	begin_value(out);
	put_string(out->buf, text, size);
}

void
json_out_str(struct json_out *out, const char *text)
{
	if (text == NULL)
		json_out_raw(out, "null");
	else
		json_out_strn(out, text, strlen(text));
}

void
json_out_raw(struct json_out *out, const char *json)
{
	begin_value(out);
	buf_adds(out->buf, json);
}

static void
out_i64(struct json_out *out, int64_t value)
{
	begin_value(out);
	buf_addf(out->buf, "%" PRId64, value);
}

void
json_put_str(struct json_out *out, const char *key, const char *text)
{
	json_out_key(out, key);
	json_out_str(out, text);
}

void
json_put_time(struct json_out *out, const char *key, int64_t at)
{
	char text[TEXT_TIME_SIZE];

	json_put_str(out, key, at == 0 ? NULL : text_time_ms(text, at));
}

void
json_put_i64(struct json_out *out, const char *key, int64_t value)
{
	json_out_key(out, key);
	out_i64(out, value);
}

void
json_put_bool(struct json_out *out, const char *key, bool value)
{
	json_out_key(out, key);
	json_out_raw(out, value ? "true" : "false");
}

void
json_put_open(struct json_out *out, const char *key, char bracket)
{
	json_out_key(out, key);
	open_bracket(out, bracket);
}

void
json_put_i64_if(struct json_out *out, const char *key, bool is_there, int64_t value)
{
	if (is_there)
		json_put_i64(out, key, value);
	else
		json_put_str(out, key, NULL);
}
