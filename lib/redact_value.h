/* redact_value.h - known values: each in all its forms, for ever or until a moment.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A value is found as it is, URL-encoded and in base64 at any of three offsets; one of several
 * lines also line by line.  Takes no lock: redact.c does.
 *
 * What all of them cost at one place of a text is bounded by their order: the text stands between
 * two of them, and what it begins with is among those that the first of these begins with.  So
 * many may begin alike.
 */
#pragma once

#include "lib/base.h"
#include "lib/redact_filter.h"
#include "lib/redact_shape.h"

#define REDACT_EVER INT64_MAX

struct redact_needle {
	struct redact_needle *parent; /* the longest other one that it begins with; NULL: none */
	struct redact_needle *jump;   /* its parent, or one above that; itself: no parent */
	size_t depth;		      /* how many it begins with */
	int64_t until;		      /* REDACT_EVER, or when it is forgotten */
	size_t size;
	char bytes[];
};

/* Of one first byte, by memcmp(); one that others begin with stands before those. */
struct redact_bucket {
	struct redact_needle **list;
	size_t count, room;
};

struct redact_values {
	struct redact_bucket by_first[256];
	struct redact_filter filter;
};

/* shapes: what the filter has to let through as well. */
void redact_value_init(struct redact_values *v, const struct redact_filter *shapes);
void redact_value_done(struct redact_values *v); /* wipes them */

/* Also one that is a form or a line of another.  NULL: it is not known. */
MUST_USE struct redact_needle *redact_value_find(
    const struct redact_values *v, const char *value);

/* Of one that is known already the longer time counts. */
void redact_value_add(struct redact_values *v, const char *value, int64_t until);

/* The longest that t[0..n) begins with, n > 0: YES and its size.  MORE: t ends where a longer one
 * goes on; is_last: then t ends for good. */
MUST_USE enum redact_match redact_value_match(
    const struct redact_values *v, const char *t, size_t n, bool is_last, size_t *ret_size);

/* Does it, or a line of it, begin with the same more than 16 times, in 512 bytes or more?  Each
 * place of a text of that would be compared with all of it. */
MUST_USE bool redact_value_repeats(const char *value);

/* The most needles that redact_value_add() makes of it. */
MUST_USE size_t redact_value_needles(const char *value);

/* Wipes what is known until now at the longest. */
void redact_value_forget(
    struct redact_values *v, const struct redact_filter *shapes, int64_t now);
