/* when.c - a moment to come, as people write it: "2h", "until Mon 08:00".  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/when.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "lib/err.h"
#include "lib/zone.h"

#define BLANKS	  " \t\r\n"
#define MINUTE_MS (60 * INT64_C(1000))
#define MOST	  INT64_C(1000000) /* of a number: whatever is more is as much too long */

#define FORMS_OF_TIME "16:00, Mon 16:00, 2027-01-06 or 2027-01-06 16:00"

static const char *const weekdays[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
	"Friday", "Saturday" };

int
when_clock(const char **text)
{
	const char *at = *text;
	int hour = 0, minute, digits = 0;

	for (; digits < 2 && isdigit((unsigned char)*at); digits++)
		hour = hour * 10 + *at++ - '0';
	if (digits == 0 || at[0] != ':' || !isdigit((unsigned char)at[1]) ||
	    !isdigit((unsigned char)at[2]) || isdigit((unsigned char)at[3]))
		return -1;
	minute = (at[1] - '0') * 10 + at[2] - '0';
	if (hour > 23 || minute > 59)
		return -1;
	*text = at + 3;
	return hour * 60 + minute;
}

/* Is that word there, as the whole of a word of letters? */
static bool
take_word(const char **text, const char *word, size_t size)
{
	if (strncasecmp(*text, word, size) != 0 || isalpha((unsigned char)(*text)[size]))
		return false;
	*text += size;
	return true;
}

int
when_weekday(const char **text)
{
	for (int i = 0; i < (int)COUNT(weekdays); i++)
		if (take_word(text, weekdays[i], 3) ||
		    take_word(text, weekdays[i], strlen(weekdays[i])))
			return i;
	return -1;
}

const char *
when_text(const struct zone *zone, int64_t at, char out[WHEN_TEXT])
{
	struct zone_time time = zone_local(zone, at);
	char date[ZONE_DATE];

	(void)snprintf(out, WHEN_TEXT, "%.3s %s %02u:%02u", weekdays[time.weekday],
	    zone_date_text(zone, at, date), (unsigned)time.hour % 100, (unsigned)time.minute % 100);
	return out;
}

const char *
when_stamp(const struct zone *zone, int64_t at, char out[WHEN_STAMP])
{
	struct zone_time time = zone_local(zone, at);
	struct tm shown = { .tm_year = time.year - 1900,
		.tm_mon = time.month - 1,
		.tm_mday = time.day,
		.tm_hour = time.hour,
		.tm_min = time.minute,
		.tm_sec = time.second };
	char date[ZONE_DATE];
	int minutes = (int)((timegm(&shown) - (at - (at % 1000)) / 1000) / 60);
	unsigned away = (unsigned)abs(minutes);
	int n = snprintf(out, WHEN_STAMP, "%sT%02u:%02u:%02u", zone_date_text(zone, at, date),
	    (unsigned)time.hour % 100, (unsigned)time.minute % 100, (unsigned)time.second % 100);

	if (minutes == 0)
		(void)snprintf(out + n, WHEN_STAMP - (size_t)n, "Z");
	else
		(void)snprintf(out + n, WHEN_STAMP - (size_t)n, "%c%02u:%02u",
		    minutes < 0 ? '-' : '+', away / 60 % 100, away % 60);
	return out;
}

/* Behind a time: a comma or none, then a blank or the end. */
static bool
take_end(const char **text)
{
	const char *at = *text + (**text == ',');

	if (*at != '\0' && strspn(at, BLANKS) == 0)
		return false;
	*text = at + strspn(at, BLANKS);
	return true;
}

/* How long `words` of them are. */
static int
size_of(const char *text, int words)
{
	size_t size = 0;

	for (int i = 0; i < words; i++) {
		size_t blanks = strspn(text + size, BLANKS);

		if (text[size + blanks] == '\0')
			break;
		size += blanks + strcspn(text + size + blanks, BLANKS);
	}
	return size > 40 ? 40 : (int)size;
}

/* Names `words` of them. */
static enum when
refuse(const char *text, int words, const char *sentence, struct err *err)
{
	(void)err_set(err, ERR_INVALID, "\"%.*s\" is %s", size_of(text, words), text, sentence);
	return WHEN_WRONG;
}

/* --- how long --- */

/* Minutes; 0: none. */
static int64_t
unit_of(const char *word, size_t size)
{
	static const struct {
		const char *word;
		int64_t minutes;
	} units[] = {
		{ "m", 1 },
		{ "min", 1 },
		{ "mins", 1 },
		{ "minute", 1 },
		{ "minutes", 1 },
		{ "h", 60 },
		{ "hr", 60 },
		{ "hrs", 60 },
		{ "hour", 60 },
		{ "hours", 60 },
		{ "d", 24 * 60 },
		{ "day", 24 * 60 },
		{ "days", 24 * 60 },
	};

	for (size_t i = 0; i < COUNT(units); i++)
		if (strlen(units[i].word) == size && strncasecmp(word, units[i].word, size) == 0)
			return units[i].minutes;
	return 0;
}

static int64_t
take_number(const char **text)
{
	int64_t n = 0;

	for (; isdigit((unsigned char)**text); (*text)++)
		n = n < MOST ? n * 10 + **text - '0' : MOST;
	return n;
}

static size_t
letters_at(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]))
		n++;
	return n;
}

/* "2h", "30min", "1h30": minutes; -1: it is none. */
static int64_t
take_length(const char **text)
{
	int64_t sum = 0, last = INT64_MAX, n, unit;
	const char *at = *text;

	while (isdigit((unsigned char)*at)) {
		size_t letters;

		n = take_number(&at);
		letters = letters_at(at);
		unit = letters == 0 && last == 60 ? 1 : unit_of(at, letters);
		if (unit == 0 || unit >= last)
			return -1;
		sum += n * unit;
		last = unit;
		at += letters;
	}
	if (at == *text || !take_end(&at))
		return -1;
	*text = at;
	return sum;
}

static enum when
read_duration(const char **text, int64_t at, int64_t *ret, struct err *err)
{
	const char *word = *text;
	int64_t minutes = take_length(&word);

	if (minutes < 0)
		return WHEN_NONE;
	if (minutes == 0)
		return refuse(*text, 1, "too short", err);
	*text = word;
	*ret = at + minutes * MINUTE_MS;
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

	if (strcspn(*text, BLANKS ",") != ZONE_DATE - 1)
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

#define MORNING (8 * 60) /* what most people mean by "tomorrow" alone */

/* "tomorrow", in the morning, or at a clock's time. */
static bool
read_tomorrow(const char **text, const struct zone *zone, int64_t at, int64_t *ret)
{
	const char *behind;
	int minutes;

	if (!take_word(text, "tomorrow", 8))
		return false;
	behind = *text + strspn(*text, BLANKS);
	minutes = when_clock(&behind);
	if (minutes >= 0)
		*text = behind;
	*ret = moment_in(zone, at, 1, minutes >= 0 ? minutes : MORNING);
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

/* False: there is no moment, or more than that. */
static bool
read_moment(const char **text, const struct zone *zone, int64_t at, int64_t *ret)
{
	const char *word = *text;

	if ((!read_date(&word, zone, ret) && !read_tomorrow(&word, zone, at, ret) &&
		!read_next(&word, zone, at, ret)) ||
	    !take_end(&word))
		return false;
	*text = word;
	return true;
}

static enum when
read_until(const char **text, const struct zone *zone, int64_t at, int64_t *ret, struct err *err)
{
	const char *word = *text, *begin = word;
	int64_t moment;

	if (!read_moment(&word, zone, at, &moment))
		return *begin == '\0' ?
		    refuse("until", 1, "not a time by itself: until " FORMS_OF_TIME, err) :
		    refuse(begin, 2, "not a time: " FORMS_OF_TIME, err);
	if (moment <= at)
		return refuse(begin, (int)(word - begin) > ZONE_DATE ? 2 : 1, "past", err);
	*text = word;
	*ret = moment;
	return WHEN_READ;
}

/* --- what seems to speak of a time --- */

/* Stands before a time; it has others meanings too. */
static bool
take_lead(const char **text)
{
	static const char *const leads[] = { "for", "in", "by", "at", "about", "next", "half", "a",
		"an", "one", "till", "til", "until" };

	for (size_t i = 0; i < COUNT(leads); i++)
		if (take_word(text, leads[i], strlen(leads[i]))) {
			*text += strspn(*text, BLANKS);
			return true;
		}
	return false;
}

static bool
is_day(const char *word)
{
	static const char *const days[] = { "tomorrow", "today", "tonight", "noon", "midnight" };

	for (size_t i = 0; i < COUNT(days); i++)
		if (take_word(&word, days[i], strlen(days[i])))
			return true;
	for (size_t i = 0; i < COUNT(weekdays); i++)
		if (take_word(&word, weekdays[i], strlen(weekdays[i])))
			return true;
	return false;
}

/* "2h", "2 hours", "-5m"; behind a word that leads to it also "hour". */
static bool
is_length(const char *word, bool is_led)
{
	bool has_number;

	word += *word == '-' || *word == '+';
	has_number = isdigit((unsigned char)*word);
	(void)take_number(&word);
	word += strspn(word, BLANKS);
	return (has_number || is_led) && unit_of(word, letters_at(word)) != 0;
}

/* In the form that is read, if it can be guessed: err says how to write it. */
static enum when
suggest(const char *text, const char *time, const struct zone *zone, int64_t at, struct err *err)
{
	const char *behind = time;
	int64_t moment;

	if (read_moment(&behind, zone, at, &moment)) {
		while (behind > time && strchr(BLANKS ",", behind[-1]) != NULL)
			behind--;
		(void)err_set(err, ERR_INVALID, "write until %.*s", (int)(behind - time), time);
		return WHEN_WRONG;
	}
	if (isdigit((unsigned char)*time)) {
		int64_t n = take_number(&behind);

		behind += strspn(behind, BLANKS);
		if (n > 0 && n < MOST && unit_of(behind, letters_at(behind)) != 0) {
			(void)err_set(err, ERR_INVALID, "\"%.*s\" is not a duration: write %d%c",
			    size_of(text, 2), text, (int)n, tolower((unsigned char)*behind));
			return WHEN_WRONG;
		}
	}
	return refuse(text, 2, "not a duration: write 30m, 2h or 3d; or until Mon 16:00", err);
}

static enum when
refuse_time(const char *text, const struct zone *zone, int64_t at, struct err *err)
{
	const char *time = text;
	int64_t moment;
	bool is_led;

	while (take_lead(&time))
		;
	is_led = time != text;
	if (isdigit((unsigned char)*text) || is_day(time) || is_length(time, is_led) ||
	    read_moment(&(const char *){ time }, zone, at, &moment))
		return suggest(text, time, zone, at, err);
	return WHEN_NONE;
}

enum when
when_read(const char **text, const struct zone *zone, int64_t at, int64_t *ret, struct err *err)
{
	const char *word = *text + strspn(*text, BLANKS);
	enum when when;

	if (strcspn(word, BLANKS) == 5 && strncasecmp(word, "until", 5) == 0) {
		word += 5;
		word += strspn(word, BLANKS);
		when = read_until(&word, zone, at, ret, err);
	} else {
		when = read_duration(&word, at, ret, err);
		if (when == WHEN_NONE)
			return refuse_time(word, zone, at, err);
	}
	if (when == WHEN_READ)
		*text = word;
	return when;
}
