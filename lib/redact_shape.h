/* redact_shape.h - what secrets look like of which no value is known: tokens, hooks' URLs.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

enum redact_match {
	REDACT_NO,
	REDACT_MORE, /* that is decided by bytes which are not there yet */
	REDACT_YES,
};

typedef bool redact_belongs(char c);

/* A shape that stands at a place of a text. */
struct redact_shape {
	size_t keep;	      /* bytes before the secret, which are none */
	size_t size;	      /* bytes that belong to it at least, with those of `keep` */
	redact_belongs *rest; /* such bytes that follow belong to it too; NULL: none do */
	size_t none;	      /* REDACT_NO: so many bytes from here on begin no JWT */
};

/* [A-Za-z0-9_-] */
redact_belongs redact_shape_is_token;

bool redact_shape_is_digit(char c);

/* How each of the shapes begins: three bytes at least.  Digits, with which a bot's token does, are
 * none of them. */
void redact_shape_each(void (*each)(void *ctx, const char *begin), void *ctx);

/*
 * The shape at t.  previous: the byte before it, 0 where there is none; is_last: nothing follows.
 * looks_for_jwt false: a JWT is known not to begin here.
 */
enum redact_match redact_shape_find(const char *t, size_t n, char previous, bool is_last,
    bool looks_for_jwt, struct redact_shape *ret) MUST_USE;

/* How many of the bytes at t go on with what was found; a dot does so only between characters of a
 * token.  *ret_more: that is not all, the rest is decided by what follows. */
size_t
redact_shape_rest(redact_belongs *rest, const char *t, size_t n, bool is_last, bool *ret_more);
