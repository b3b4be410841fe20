/* redact_filter.h - where in a text a secret could begin: a quick look that passes over most of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Known values and known shapes are told to it by how they begin.  It names places where none
 * begins, and never leaves one out; who asks looks closer.  A known value is looked for by what
 * every part of it has: of its first bytes (as many as the shortest value has, 32 at most) any
 * three in a row, so that one look at three bytes speaks for as many places.
 */
#pragma once

#include "lib/base.h"

#define REDACT_FILTER_LEAST  3	/* bytes that a beginning has */
#define REDACT_FILTER_SHAPE  4	/* of a shape that are looked at first, where so many are there */
#define REDACT_FILTER_WINDOW 32 /* of a known value that are told apart */

struct redact_filter {
	size_t window;		  /* of each known value at least so many bytes are in `parts` */
	bool has_values;
	uint8_t begins[1u << 13]; /* a bit for each three bytes (by a hash) that begin one */
	uint8_t parts[1u << 15];  /* the same of what stands anywhere in a window */
	/* Of shapes: for each half of each byte a bit for each of eight groups. */
	uint8_t low[REDACT_FILTER_SHAPE][16], high[REDACT_FILTER_SHAPE][16];
};

/* Where the next ones are, in one text; {0}: not looked for yet. */
struct redact_places {
	size_t value, shape; /* from there on; the place itself plus 1 */
};

/* Knows of nothing but digits, with which tokens of Telegram begin. */
void redact_filter_init(struct redact_filter *f);

/* A shape begins so; the first four bytes count.  Three at least: a NUL behind them is any byte. */
void redact_filter_add_shape(struct redact_filter *f, const char *begin);

/* A known value of `size` bytes, REDACT_FILTER_LEAST at least. */
void redact_filter_add_value(struct redact_filter *f, const char *bytes, size_t size);

/* The first of t[from..n) where one could begin, which may lack bytes behind n; n: nowhere.
 * `places` is that text's, and `from` never goes back. */
size_t redact_filter_next(const struct redact_filter *f, struct redact_places *places,
    const char *t, size_t n, size_t from);
