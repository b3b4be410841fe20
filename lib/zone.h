/* zone.h - a time zone as a value: what clocks there show, and when they show it.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Read from the zone database (RFC 8536, /usr/share/zoneinfo) once; asks no libc, whose zone is one
 * for the whole process.  "UTC" needs no database.  Leap seconds are not counted, as in POSIX time.
 */
#pragma once

#include "lib/base.h"

struct zone;

#define ZONE_DATE 11 /* "2027-01-31" with the NUL */
#define ZONE_NAME 8  /* a short name with the NUL: "CEST", "+0330" */

/* What a calendar and a clock show. */
struct zone_time {
	int year;
	int month; /* 1 to 12 */
	int day; /* zone_moment() takes one outside of its month as well, from its first day on */
	int hour;
	int minute;
	int second;
	int weekday; /* 0: Sunday; not read by zone_moment() */
};

/* NULL: there is no zone of that name (ERR_MISSING), or its file is not one (ERR_INVALID). */
MUST_USE struct zone *zone_new(const char *name, struct err *err);

/* The same of a file's bytes. */
MUST_USE struct zone *zone_parse(const void *bytes, size_t size, struct err *err);

void zone_free(struct zone *zone); /* takes NULL */

/* What clocks show at that moment (ms since 1970). */
struct zone_time zone_local(const struct zone *zone, int64_t at);

/* The short name of what clocks there show then, "CET" in winter; a longer one is cut.  Returns
 * out. */
const char *zone_name(const struct zone *zone, int64_t at, char out[ZONE_NAME]);

/* When they show that: of a time that is there twice the first moment, of one that is skipped the
 * moment of the change. */
int64_t zone_moment(const struct zone *zone, const struct zone_time *time);

/* Of "2027-01-31", a day that there is, the years 1970 to 9999; false, and *ret as it was: it is
 * none. */
MUST_USE bool zone_date_parse(const char *text, struct zone_time *ret);

/* The first moment of the day after. */
int64_t zone_date_end(const struct zone *zone, const struct zone_time *date);

/* The date there at that moment; returns out. */
const char *zone_date_text(const struct zone *zone, int64_t at, char out[ZONE_DATE]);
