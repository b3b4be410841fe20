/* when.h - a moment to come, as people write it: "2h", "until Mon 08:00".  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct zone;

enum when {
	WHEN_NONE, /* the text speaks of no time */
	WHEN_READ,
	WHEN_WRONG, /* it seems to, in a form that is none: err names it, and those there are */
};

/*
 * Reads what *text begins with, as much as makes a time: "30m", "2h", "3d", "1h30", in any of the
 * usual words for these units ("30min"), or "until" and "16:00" (the next), "Mon 16:00" (the next),
 * "tomorrow" (08:00), "tomorrow 16:00", "2027-01-06" (the end of that day) or "2027-01-06 16:00",
 * as clocks show it in the zone.  A comma may follow.  READ: *text stands behind it and the blanks
 * there, *ret is a moment after `at` (ms).  Else both are as they were; what seems to be a time in
 * another form ("2 hours", "for 2h", "tomorrow", "16:00") is WRONG.
 */
enum when
when_read(const char **text, const struct zone *zone, int64_t at, int64_t *ret, struct err *err);

/* "16:00" or "8:00", of 0:00 to 23:59, at *text, which stands behind it then:
 * whatever follows but a digit. Minutes since midnight; -1: there is none. */
int when_clock(const char **text);

/* "Mon" or "Monday", in any capitals, at *text, which stands behind it then:
 * whatever follows but a letter. 0: Sunday; -1: there is none. */
int when_weekday(const char **text);

#define WHEN_TEXT 21 /* "Mon 2027-01-04 08:00" with the NUL */
/* Returns out. */
const char *when_text(const struct zone *zone, int64_t at, char out[WHEN_TEXT]);

#define WHEN_STAMP 26 /* "2027-01-04T08:00:00+01:00" with the NUL */
/* The same for who does not know the zone (RFC 3339, with its offset; "Z": none).  Returns out. */
const char *when_stamp(const struct zone *zone, int64_t at, char out[WHEN_STAMP]);
