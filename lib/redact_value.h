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
	size_t size;
	char bytes[];
};

struct redact_values {
	struct redact_needle *by_first[256];
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

/* The most needles that redact_value_add() makes of it. */
MUST_USE size_t redact_value_needles(const char *value);

/* Wipes what is known until now at the longest. */
void redact_value_forget(
    struct redact_values *v, const struct redact_filter *shapes, int64_t now);
