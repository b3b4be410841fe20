/* window.c - windows of time as a value: is a moment in one, and when does that change?  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/window.h"

#include <stdio.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/when.h"
#include "lib/zone.h"

#define BLANKS	    " \t"
#define WEEK_DAYS   7
#define DAY_MINUTES (24 * 60)
#define ADJOIN_MAX  64 /* windows, one behind the other, that are followed to their end */
#define PART_MAX    128

struct window {
	bool is_weekly;
	int weekday; /* 0: Sunday */
	int begin;   /* minutes of that day */
	int end;     /* minutes behind that day's midnight: its last day's, clocks unchanged */
	struct zone_time first, last; /* dates, both included */
	struct zone *zone;	      /* NULL: the one that is given */
};

struct windows {
	size_t count;
	struct window at[WINDOWS_MAX];
};

/* From begin to end, ms. */
struct span {
	int64_t begin, end;
};

/* --- reading them --- */

#define AS_WEEKLY "as in Fri 16:00-Mon 08:00"
#define AS_DATES  "as in 2026-12-20..2027-01-06"

/* Names what stands there, up to one of `ends`; nothing does: what is `missing`. */
static bool
refuse_at(
    const char *at, const char *ends, const char *missing, const char *is_none, struct err *err)
{
	int size = (int)text_cut(at, strcspn(at, ends), 40);

	return size == 0 ? err_set(err, ERR_INVALID, "%s", missing) :
			   err_set(err, ERR_INVALID, "%.*s is %s", size, at, is_none);
}

/* "Fri 16:00" */
static bool
read_point(const char **text, int *ret_weekday, int *ret_minutes, struct err *err)
{
	*ret_weekday = when_weekday(text);
	if (*ret_weekday < 0)
		return refuse_at(*text, BLANKS "-", "a day of the week is missing, " AS_WEEKLY,
		    "no day of the week (Mon to Sun), " AS_WEEKLY, err);
	*text += strspn(*text, BLANKS);
	*ret_minutes = when_clock(text);
	if (*ret_minutes < 0)
		return refuse_at(*text, BLANKS "-", "a time is missing behind a day, " AS_WEEKLY,
		    "no time of a day (0:00 to 23:59), " AS_WEEKLY, err);
	*text += strspn(*text, BLANKS);
	return true;
}

/* "Fri 16:00-Mon 08:00"; one that would be a whole week has no end. */
static bool
read_weekly(const char **text, struct window *ret, struct err *err)
{
	int weekday, minutes;

	ret->is_weekly = true;
	if (!read_point(text, &ret->weekday, &ret->begin, err))
		return false;
	if (**text != '-')
		return refuse_at(*text, "",
		    "its end is missing: - and a day with a time, " AS_WEEKLY,
		    "not the - before its end, " AS_WEEKLY, err);
	(*text)++;
	*text += strspn(*text, BLANKS);
	if (!read_point(text, &weekday, &minutes, err))
		return false;
	ret->end = (weekday - ret->weekday + WEEK_DAYS) % WEEK_DAYS * DAY_MINUTES + minutes;
	if (ret->end < ret->begin)
		ret->end += WEEK_DAYS * DAY_MINUTES;
	return ret->end != ret->begin ||
	    err_set(err, ERR_INVALID, "it ends when it begins: give it another end, " AS_WEEKLY);
}

static bool
read_date(const char **text, struct zone_time *ret, struct err *err)
{
	char date[ZONE_DATE];

	(void)snprintf(date, sizeof(date), "%.10s", *text);
	if (!zone_date_parse(date, ret))
		return refuse_at(*text, BLANKS ".", "a date is missing, " AS_DATES,
		    "no date that there is, " AS_DATES, err);
	*text += ZONE_DATE - 1;
	return true;
}

static bool
is_before(const struct zone_time *a, const struct zone_time *b)
{
	return a->year != b->year ? a->year < b->year :
	    a->month != b->month  ? a->month < b->month :
				    a->day < b->day;
}

/* "2026-12-20..2027-01-06" */
static bool
read_dates(const char **text, struct window *ret, struct err *err)
{
	if (!read_date(text, &ret->first, err))
		return false;
	if (strncmp(*text, "..", 2) != 0)
		return refuse_at(*text, "", "its end is missing: .. and the last day, " AS_DATES,
		    "not the .. before its last day (days are whole, without a time), " AS_DATES,
		    err);
	*text += 2;
	if (!read_date(text, &ret->last, err))
		return false;
	return !is_before(&ret->last, &ret->first) ||
	    err_set(err, ERR_INVALID, "it ends before it begins, " AS_DATES);
}

/* The zone behind it, or nothing. */
static bool
read_zone(const char *text, struct window *ret, struct err *err)
{
	size_t blanks = strspn(text, BLANKS);

	if (*text == '\0')
		return true;
	if (blanks == 0 && !ret->is_weekly)
		return refuse_at(
		    text, "", "", "no blank and a time zone, " AS_DATES " Europe/Berlin", err);
	ret->zone = zone_new(text + blanks, NULL);
	return ret->zone != NULL ||
	    err_set(err, ERR_MISSING,
		"%.*s is no time zone of this machine (package tzdata), as Europe/Berlin",
		(int)text_cut(text + blanks, strlen(text + blanks), 64), text + blanks);
}

static bool
read_window(const char *text, struct window *ret, struct err *err)
{
	bool is_dates = text[0] >= '0' && text[0] <= '9';

	return (is_dates ? read_dates(&text, ret, err) : read_weekly(&text, ret, err)) &&
	    read_zone(text, ret, err);
}

/* A comma may stand behind the last, as in other lists. */
static bool
is_end(const char *text)
{
	return text[strspn(text, BLANKS)] == '\0';
}

struct windows *
windows_parse(const char *text, struct err *err)
{
	struct windows *windows = mem_new(1, sizeof(*windows));
	bool ok = true;

	for (size_t size; ok; text += size + 1) {
		char part[PART_MAX];

		text += strspn(text, BLANKS);
		size = strcspn(text, ",");
		(void)snprintf(part, sizeof(part), "%.*s", (int)size, text);
		for (size_t n = strlen(part); n > 0 && strchr(BLANKS, part[n - 1]) != NULL; n--)
			part[n - 1] = '\0';
		ok = size < PART_MAX && windows->count < WINDOWS_MAX ?
		    read_window(part, &windows->at[windows->count++], err) :
		    err_set(err, ERR_INVALID, "it is longer than a window may be, " AS_WEEKLY);
		if (text[size] == '\0' || is_end(text + size + 1))
			break;
	}
	if (ok)
		return windows;
	windows_free(windows);
	return NULL;
}

void
windows_free(struct windows *windows)
{
	for (size_t i = 0; windows != NULL && i < windows->count; i++)
		zone_free(windows->at[i].zone);
	free(windows);
}

/* --- asking them --- */

/* So many minutes after midnight of that day, by its clocks. */
static int64_t
moment_of(const struct zone *zone, const struct zone_time *day, int days, int minutes)
{
	struct zone_time time = { .year = day->year,
		.month = day->month,
		.day = day->day + days + minutes / DAY_MINUTES,
		.hour = minutes % DAY_MINUTES / 60,
		.minute = minutes % 60 };

	return zone_moment(zone, &time);
}

/* The weekly one that begins on the day so many days from `at`'s; false: none begins there. */
static bool
week_of(
    const struct window *window, const struct zone *zone, int64_t at, int days, struct span *ret)
{
	struct zone_time today = zone_local(zone, at);

	if ((today.weekday + days + 2 * WEEK_DAYS) % WEEK_DAYS != window->weekday)
		return false;
	ret->begin = moment_of(zone, &today, days, window->begin);
	ret->end = moment_of(zone, &today, days, window->end);
	return ret->end > ret->begin; /* not where clocks skip all of it */
}

/* The first span of it that ends after `at`; false: there is none. */
static bool
next_span(const struct window *window, const struct zone *zone, int64_t at, struct span *ret)
{
	if (window->zone != NULL)
		zone = window->zone;
	if (!window->is_weekly) {
		ret->begin = zone_moment(zone, &window->first);
		ret->end = zone_date_end(zone, &window->last);
		return at < ret->end;
	}
	for (int days = -2 * WEEK_DAYS + 1; days <= 2 * WEEK_DAYS; days++)
		if (week_of(window, zone, at, days, ret) && at < ret->end)
			return true;
	return false;
}

/* Is `at` in one?  Then *ret is the latest end of those; else the next begin; 0: none. */
static bool
look(const struct windows *windows, const struct zone *zone, int64_t at, int64_t *ret)
{
	int64_t begin = 0, end = 0;

	for (size_t i = 0; i < windows->count; i++) {
		struct span span;

		if (!next_span(&windows->at[i], zone, at, &span))
			continue;
		if (span.begin <= at)
			end = span.end > end ? span.end : end;
		else if (begin == 0 || span.begin < begin)
			begin = span.begin;
	}
	*ret = end != 0 ? end : begin;
	return end != 0;
}

bool
windows_have(
    const struct windows *windows, const struct zone *zone, int64_t at, int64_t *ret_change)
{
	int64_t next;

	*ret_change = 0;
	if (windows == NULL || !look(windows, zone, at, ret_change))
		return false;
	for (int i = 0; i < ADJOIN_MAX; i++) {
		if (!look(windows, zone, *ret_change, &next))
			return true;
		*ret_change = next;
	}
	*ret_change = 0;
	return true;
}

bool
windows_is_past(const struct windows *windows, size_t i, const struct zone *zone, int64_t at)
{
	struct span span;

	return i < windows->count && !next_span(&windows->at[i], zone, at, &span) &&
	    !windows->at[i].is_weekly;
}
