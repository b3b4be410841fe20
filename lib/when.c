/* when.c - a moment to come, as people write it: "2h", "until Mon 08:00".  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/when.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/err.h"
#include "lib/zone.h"

#define BLANKS	  " \t\r\n"
#define MINUTE_MS (60 * INT64_C(1000))
#define DIGITS	  4 /* of a duration */

#define FORMS_OF_TIME "16:00, Mon 16:00, 2027-01-06 or 2027-01-06 16:00"

static const char *const weekdays[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

int
when_clock(const char **text)
{
	const char *at = *text;
	int hour, minute;

	for (int i = 0; i < 5; i++)
		if (i == 2 ? at[i] != ':' : !isdigit((unsigned char)at[i]))
			return -1;
	hour = (at[0] - '0') * 10 + at[1] - '0';
	minute = (at[3] - '0') * 10 + at[4] - '0';
	if (hour > 23 || minute > 59 || isdigit((unsigned char)at[5]))
		return -1;
	*text = at + 5;
	return hour * 60 + minute;
}

int
when_weekday(const char **text)
{
	for (int i = 0; i < (int)COUNT(weekdays); i++)
		if (strncasecmp(*text, weekdays[i], 3) == 0 &&
		    !isalpha((unsigned char)(*text)[3])) {
			*text += 3;
			return i;
		}
	return -1;
}

const char *
when_text(const struct zone *zone, int64_t at, char out[WHEN_TEXT])
{
	struct zone_time time = zone_local(zone, at);
	char date[ZONE_DATE];

	(void)snprintf(out, WHEN_TEXT, "%s %s %02u:%02u", weekdays[time.weekday],
	    zone_date_text(zone, at, date), (unsigned)time.hour % 100, (unsigned)time.minute % 100);
	return out;
}

/* --- how long --- */

/* Names `words` of them. */
static enum when
refuse(const char *text, int words, const char *sentence, struct err *err)
{
	size_t size = 0;

	for (int i = 0; i < words; i++) {
		size_t blanks = strspn(text + size, BLANKS);

		if (text[size + blanks] == '\0')
			break;
		size += blanks + strcspn(text + size + blanks, BLANKS);
	}
	(void)err_set(
	    err, ERR_INVALID, "\"%.*s\" is %s", size > 40 ? 40 : (int)size, text, sentence);
	return WHEN_WRONG;
}

static enum when
read_duration(const char **text, int64_t at, int64_t *ret, struct err *err)
{
	static const char sentence[] = "no time to last: 30m, 2h, 3d or until " FORMS_OF_TIME;
	const char *word = *text;
	size_t digits = strspn(word, "0123456789");
	int64_t n = 0, unit;

	for (size_t i = 0; i < digits && i < DIGITS; i++)
		n = n * 10 + (word[i] - '0');
	if (digits > DIGITS || n == 0 || strspn(word + digits, BLANKS) > 0 || word[digits] == '\0')
		return refuse(word, 2, sentence, err);
	unit = word[digits] == 'm' ? 1 :
	    word[digits] == 'h'	   ? 60 :
	    word[digits] == 'd'	   ? 24 * 60 :
				     0;
	word += digits + 1;
	if (unit == 0 || (*word != '\0' && strspn(word, BLANKS) == 0))
		return refuse(*text, 1, sentence, err);
	*text = word + strspn(word, BLANKS);
	*ret = at + n * unit * MINUTE_MS;
	return WHEN_READ;
}

/* --- until when --- */

/* The moment of that time, `days` after the day of `at`. */
static int64_t
moment_in(const struct zone *zone, int64_t at, int days, int minutes)
{
	struct zone_time time = zone_local(zone, at);

	time.day += days;
	time.hour = minutes / 60;
	time.minute = minutes % 60;
	time.second = 0;
	return zone_moment(zone, &time);
}

/* The next day of that name (-1: whatever its name) on which clocks show that after `at`. */
static int64_t
next_moment(const struct zone *zone, int64_t at, int weekday, int minutes)
{
	int today = zone_local(zone, at).weekday;

	for (int days = 0; days < 14; days++) {
		int64_t moment = moment_in(zone, at, days, minutes);

		if ((weekday < 0 || (today + days) % 7 == weekday) && moment > at)
			return moment;
	}
	return at; /* not reached: one of two weeks is ahead */
}

/* "2027-01-06", and a clock's time behind it. */
static bool
read_date(const char **text, const struct zone *zone, int64_t *ret)
{
	char word[ZONE_DATE];
	struct zone_time date;
	const char *behind;
	int minutes;

	if (strcspn(*text, BLANKS) != ZONE_DATE - 1)
		return false;
	memcpy(word, *text, ZONE_DATE - 1);
	word[ZONE_DATE - 1] = '\0';
	if (!zone_date_parse(word, &date))
		return false;
	*text += ZONE_DATE - 1;
	behind = *text + strspn(*text, BLANKS);
	minutes = when_clock(&behind);
	if (minutes < 0) {
		*ret = zone_date_end(zone, &date);
		return true;
	}
	date.hour = minutes / 60;
	date.minute = minutes % 60;
	*ret = zone_moment(zone, &date);
	*text = behind;
	return true;
}

static bool
read_next(const char **text, const struct zone *zone, int64_t at, int64_t *ret)
{
	int weekday = when_weekday(text), minutes;

	*text += weekday < 0 ? 0 : strspn(*text, BLANKS);
	minutes = when_clock(text);
	if (minutes >= 0)
		*ret = next_moment(zone, at, weekday, minutes);
	return minutes >= 0;
}

static enum when
read_until(const char **text, const struct zone *zone, int64_t at, int64_t *ret, struct err *err)
{
	const char *word = *text, *begin = word;
	int64_t moment;

	if ((!read_date(&word, zone, &moment) && !read_next(&word, zone, at, &moment)) ||
	    (*word != '\0' && strspn(word, BLANKS) == 0))
		return *begin == '\0' ?
		    refuse("until", 1, "no time by itself: until " FORMS_OF_TIME, err) :
		    refuse(begin, 2, "no time: " FORMS_OF_TIME, err);
	if (moment <= at)
		return refuse(begin, (int)(word - begin) > ZONE_DATE ? 2 : 1, "past", err);
	*text = word + strspn(word, BLANKS);
	*ret = moment;
	return WHEN_READ;
}

enum when
when_read(const char **text, const struct zone *zone, int64_t at, int64_t *ret, struct err *err)
{
	const char *word = *text + strspn(*text, BLANKS);
	enum when when;

	if (isdigit((unsigned char)*word)) {
		when = read_duration(&word, at, ret, err);
	} else if (strcspn(word, BLANKS) == 5 && strncasecmp(word, "until", 5) == 0) {
		word += 5;
		word += strspn(word, BLANKS);
		when = read_until(&word, zone, at, ret, err);
	} else {
		return WHEN_NONE;
	}
	if (when == WHEN_READ)
		*text = word;
	return when;
}
