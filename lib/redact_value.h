/* redact_value.h - known values: each in all its forms, for ever or until a moment.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A value is found as it is, URL-encoded and in base64 at any of three offsets; one of several
 * lines also line by line.  Takes no lock: redact.c does.
 */
#pragma once

#include "lib/base.h"
#include "lib/redact_filter.h"

#define REDACT_EVER INT64_MAX

struct redact_needle {
	struct redact_needle *next; /* same first byte, not longer */
	int64_t until;		    /* REDACT_EVER, or when it is forgotten */
	bool takes_place;	    /* a value that is known for a time, and no form of one */
	uint64_t by;		    /* who has brought it first; 0: nobody */
	size_t size;
	char bytes[];
};

struct redact_values {
	struct redact_needle *by_first[256];
	struct redact_filter filter;
};

/* How much of it is known for a time alone. */
struct redact_lent {
	size_t places, bytes; /* of values */
	size_t needles;	      /* of all their forms */
};

/* shapes: what the filter has to let through as well. */
void redact_value_init(struct redact_values *v, const struct redact_filter *shapes);
void redact_value_done(struct redact_values *v); /* wipes them */

/* What is added is known until then, and is brought by that one. */
struct redact_time {
	int64_t until;
	uint64_t by;
};

/* Also one that is a form or a line of another.  NULL: it is not known. */
MUST_USE struct redact_needle *redact_value_find(
    const struct redact_values *v, const char *value);

/* Of one that is known already the longer time counts. */
void redact_value_add(
    struct redact_values *v, const char *value, struct redact_time time, bool takes_place);

/* Of what that one has brought; 0: of all. */
MUST_USE struct redact_lent redact_value_lent(const struct redact_values *v, uint64_t by);

/* The most needles that redact_value_add() makes of it. */
MUST_USE size_t redact_value_needles(const char *value);

/* Wipes what is known until now at the longest, and returns when the next one's time is over; 0:
 * none has one. */
int64_t redact_value_forget(
    struct redact_values *v, const struct redact_filter *shapes, int64_t now);
