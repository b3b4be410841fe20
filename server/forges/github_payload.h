/* github_payload.h - picks a few fields out of a payload in one validating pass.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * The whole text is checked as strictly as lib/json.h does it: UTF-8, escapes, surrogates, no
 * NUL, the grammar and range of numbers, GITHUB_PAYLOAD_DEPTH, nothing behind the value.  One
 * thing differs: a key given twice is refused only when it is one of ours (or an object that
 * holds one of ours); others are not looked for.  Nothing is allocated.
 */
#pragma once

#include "lib/base.h"

#define GITHUB_PAYLOAD_DEPTH 64

/* FIELD(name, the field whose object it stands in, key).  TOP is the document itself. */
#define GITHUB_FIELDS(FIELD) \
	FIELD(REF,             TOP,         "ref") \
	FIELD(BEFORE,          TOP,         "before") \
	FIELD(AFTER,           TOP,         "after") \
	FIELD(CREATED,         TOP,         "created") \
	FIELD(DELETED,         TOP,         "deleted") \
	FIELD(FORCED,          TOP,         "forced") \
	FIELD(ZEN,             TOP,         "zen") \
	FIELD(COMMITS,         TOP,         "commits") \
	FIELD(HEAD_COMMIT,     TOP,         "head_commit") \
	FIELD(REPOSITORY,      TOP,         "repository") \
	FIELD(SENDER,          TOP,         "sender") \
	FIELD(HEAD_COMMIT_ID,  HEAD_COMMIT, "id") \
	FIELD(REPOSITORY_NAME, REPOSITORY,  "full_name") \
	FIELD(REPOSITORY_ID,   REPOSITORY,  "id") \
	FIELD(SENDER_LOGIN,    SENDER,      "login") \
	FIELD(SENDER_ID,       SENDER,      "id")

enum github_field {
#define FIELD(name, object, key) GITHUB_##name,
	GITHUB_FIELDS(FIELD)
#undef FIELD
	GITHUB_FIELD_COUNT,
	GITHUB_TOP,		/* not fields: the document, */
	GITHUB_ELSEWHERE,	/* and any place where nothing is ours */
};

enum github_type {
	GITHUB_ABSENT,
	GITHUB_NULL,
	GITHUB_FALSE,
	GITHUB_TRUE,
	GITHUB_NUMBER,
	GITHUB_STRING,
	GITHUB_ARRAY,
	GITHUB_OBJECT,
};

/* A value as it stands in the text: a string without its quotes, its escapes not yet decoded.
 * `at` is NULL for arrays and objects. */
struct github_value {
	enum github_type type;
	const char *at;
	size_t size;
};

/* Borrows the text. */
struct github_payload {
	struct github_value field[GITHUB_FIELD_COUNT];
};

/* Reads one whole document, which must be an object.  False: *err says where and why, and *ret
 * holds nothing of use. */
MUST_USE bool github_payload_read(const char *text, size_t size, struct github_payload *ret,
    struct err *err);

/* Decodes a string with its NUL.  False when the value is no string or does not fit; out is ""
 * then. */
MUST_USE bool github_payload_text(const struct github_value *value, char *out, size_t room);

/* False, *ret untouched, when the value is no integer. */
MUST_USE bool github_payload_i64(const struct github_value *value, int64_t *ret);
