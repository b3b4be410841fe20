/* json_take.h - takes members of JSON that others wrote, each checked; says which is none.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

struct json;

/* What is read of one document.  Of the first member that is missing, or is none of its kind, *err
 * says "`whose` KEY is missing, or is none"; what is taken then, and behind it, says nothing. */
struct json_take {
	const char *whose; /* "the token's" */
	enum err_code code;
	struct err *err;
	bool failed; /* one was none */
};

/* That member is none, for a reason of the caller's.  Returns false. */
bool json_take_none(struct json_take *take, const char *key);

/* A text of plain characters that fits. */
void json_take_plain(struct json_take *take, const struct json *object, const char *key, char *out,
    size_t room);

/* A number above 0. */
void json_take_number(
    struct json_take *take, const struct json *object, const char *key, int64_t *ret);

/* A commit's id in git, of `most` digits at most: 40 (SHA-1), 64 (SHA-256). */
void json_take_commit(struct json_take *take, const struct json *object, const char *key, char *out,
    size_t most);
