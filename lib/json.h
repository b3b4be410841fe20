/* json.h - reads JSON with limits, writes JSON into a buf: the wrapper of jansson.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct buf;
struct json; /* a value inside a document */

#define JSON_DEPTH_MAX 64 /* deeper is refused; GitHub and Telegram stay below 12 */
#define JSON_OUT_DEPTH_MAX (2 * JSON_DEPTH_MAX) /* ours, and a decoded value within */

/* --- reading --- */

/* Decodes one whole document, an object or array.  Refused: duplicate keys, NUL, invalid UTF-8,
 * a lone surrogate, what follows the value, numbers out of range, depth over JSON_DEPTH_MAX.
 * Free the root with json_free; every other value is borrowed from it. */
MUST_USE struct json *json_decode(const void *bytes, size_t size, struct err *err);
void json_free(struct json *root);
DEFINE_FREEP(struct json, json_free)

/* Every accessor takes NULL and any type of value: what is not there, or not of the type asked
 * for, is NULL (or `otherwise`), never a crash. */
const struct json *json_get(const struct json *object, const char *key);
const struct json *json_at(const struct json *array, size_t index);

size_t json_count(const struct json *value); /* elements of an array or keys of an object, else 0 */

/* Calls with each text in it, at any depth; keys are none.  False: a call returned it, and no other
 * follows. */
typedef bool json_text_fn(void *ctx, const char *text);
bool json_each_text(struct json *value, json_text_fn *each, void *ctx);

bool json_holds_object(const struct json *value);
bool json_holds_array(const struct json *value);
bool json_holds_null(const struct json *value); /* is there, and is null */

const char *json_str(const struct json *value);
size_t json_str_size(const struct json *value);

const char *json_get_str(const struct json *object, const char *key);
const char *json_text(const struct json *object, const char *key); /* NULL is "" */
bool json_has(const struct json *object, const char *key, const char *text); /* that very text */
/* False, *ret untouched: no integer. */
bool json_get_i64(const struct json *object, const char *key, int64_t *ret);
int64_t json_get_i64_or(const struct json *object, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *object, const char *key, bool otherwise);

/* Appends that value without blanks, as UTF-8. */
void json_encode(const struct json *value, struct buf *out);

/* --- writing --- */

/*
 * A streaming writer that puts commas and brackets itself.  The text is plain ASCII (all else is
 * \uXXXX, invalid UTF-8 becomes \ufffd) without blanks, and the same calls give the same bytes.
 * A failure of the buf is sticky: ask buf_failed() at the end.  Calls in an impossible order (a
 * value without its key), or more than JSON_OUT_DEPTH_MAX open brackets, are a bug and abort.
 */
struct json_out {
	struct buf *buf;
	unsigned depth;
	bool after_key;
	bool has_value[JSON_OUT_DEPTH_MAX + 1];
	char kind[JSON_OUT_DEPTH_MAX + 1];
};

/* Opens '{' or '[' in it, which json_out_end() closes as any other. */
MUST_USE struct json_out json_out_begin(struct buf *buf, char bracket);

void json_out_object(struct json_out *out);	    /* { */
void json_out_array(struct json_out *out);	    /* [ */
void json_out_end(struct json_out *out);	    /* closes the innermost of them */

void json_out_key(struct json_out *out, const char *key);
void json_out_str(struct json_out *out, const char *text); /* NULL becomes null */
void json_out_strn(struct json_out *out, const char *text, size_t size);
void json_out_raw(struct json_out *out, const char *json); /* trusted JSON text, as it is */

/* Key and value in one call; of a text NULL becomes null. */
void json_put_str(struct json_out *out, const char *key, const char *text);
void json_put_time(struct json_out *out, const char *key, int64_t at); /* wall ms; 0: null */
void json_put_i64(struct json_out *out, const char *key, int64_t value);
void json_put_bool(struct json_out *out, const char *key, bool value);
void json_put_open(struct json_out *out, const char *key, char bracket); /* until json_out_end() */
/* The number, or null: there is none. */
void json_put_i64_if(struct json_out *out, const char *key, bool is_there, int64_t value);
