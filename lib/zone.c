/* zone.c - a time zone as a value: what clocks there show, and when they show it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/zone.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"

#define FOLDER	    "/usr/share/zoneinfo/"
#define FILE_MAX    (256u * 1024)
#define HEAD_BYTES  44
#define DAY_S	    86400
#define WEEK	    7
#define OFFSET_MOST (26 * 3600) /* of clocks from UTC: RFC 8536 */
#define RULE_MOST   (167 * 3600)

/* A day of each year, and a second of it, when clocks change. */
struct change {
	/* 'M': week and weekday of a month; 'J': day 1 to 365, without leap days; 'D': 0 to 365 */
	char kind;
	int month;
	int week;
	int day;
	int second;
};

/* The last line of a file: what holds after its last change. */
struct rule {
	bool is_there;
	bool has_summer;
	int standard; /* seconds east of UTC */
	int summer;
	char standard_name[ZONE_NAME];
	char summer_name[ZONE_NAME];
	struct change begin;
	struct change end;
};

struct zone {
	size_t count;
	int64_t *at;		 /* from when each offset applies: seconds, rising */
	int *offset;		 /* seconds east of UTC from then on */
	int before;		 /* the offset before all of them */
	char (*name)[ZONE_NAME]; /* of each offset; the last is that of `before` */
	struct rule rule;
};

/* --- the calendar --- */

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since 1970; months from 1 on. */
static int64_t
days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year; /* years that begin with March */
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t in_era = y - era * 400;
	int64_t in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

static int
weekday_of(int64_t days)
{
	return (int)(((days + 4) % WEEK + WEEK) % WEEK); /* 1970-01-01 was a Thursday */
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Of seconds that clocks show. */
static struct zone_time
time_of(int64_t seconds)
{
	int64_t days = floor_div(seconds, DAY_S), rest = seconds - days * DAY_S;
	int64_t era = floor_div(days + 719468, 146097), in_era = days + 719468 - era * 146097;
	int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * y + y / 4 - y / 100), month = (5 * in_year + 2) / 153;
	struct zone_time time = {
		.month = (int)(month < 10 ? month + 3 : month - 9),
		.day = (int)(in_year - (153 * month + 2) / 5 + 1),
		.hour = (int)(rest / 3600),
		.minute = (int)(rest / 60 % 60),
		.second = (int)(rest % 60),
		.weekday = weekday_of(days),
	};

	time.year = (int)(y + era * 400 + (time.month <= 2));
	return time;
}

/* --- a rule --- */

static int64_t
change_days(const struct change *change, int year)
{
	int64_t first = days_of(year, change->kind == 'M' ? change->month : 1, 1), day;

	if (change->kind == 'D')
		return first + change->day;
	if (change->kind == 'J')
		return first + change->day - 1 + (is_leap(year) && change->day >= 60);
	day = (change->day - weekday_of(first) + WEEK) % WEEK + (change->week - 1) * WEEK;
	while (day >= days_in(year, change->month)) /* week 5: the last */
		day -= WEEK;
	return first + day;
}

static bool
is_summer(const struct rule *rule, int64_t at)
{
	int year = time_of(at + rule->standard).year;
	int64_t begin, end;

	if (!rule->has_summer)
		return false;
	begin = change_days(&rule->begin, year) * DAY_S + rule->begin.second - rule->standard;
	end = change_days(&rule->end, year) * DAY_S + rule->end.second - rule->summer;
	if (begin < end)
		return at >= begin && at < end;
	return at < end || at >= begin; /* south */
}

/* A number of at most that; false: there is none. */
static bool
take_number(const char **text, int most, int *ret)
{
	int value = 0;

	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++) {
		value = value * 10 + (**text - '0');
		if (value > most)
			return false;
	}
	*ret = value;
	return true;
}

/* Of at most so many bytes: what is no name is left out. */
static void
set_name(char ret[ZONE_NAME], const char *text, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size && text[i] != '\0' && n < ZONE_NAME - 1; i++)
		if (isalnum((unsigned char)text[i]) || text[i] == '+' || text[i] == '-')
			ret[n++] = text[i];
	ret[n] = '\0';
}

/* "EST" or "<-03>". */
static bool
take_name(const char **text, char ret[ZONE_NAME])
{
	const char *begin = *text;

	if (*begin == '<')
		*text += strcspn(begin, ">");
	else
		while (isalpha((unsigned char)**text))
			(*text)++;
	set_name(ret, begin, (size_t)(*text - begin));
	return *begin == '<' ? *(*text)++ == '>' : *text - begin >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_hours(const char **text, int *ret)
{
	int sign = **text == '-' ? -1 : 1, hours, minutes = 0, seconds = 0;

	*text += **text == '-' || **text == '+';
	if (!take_number(text, RULE_MOST / 3600, &hours))
		return false;
	if (**text == ':' && ((*text)++, !take_number(text, 59, &minutes)))
		return false;
	if (**text == ':' && ((*text)++, !take_number(text, 59, &seconds)))
		return false;
	*ret = sign * (hours * 3600 + minutes * 60 + seconds);
	return true;
}

static bool
take_point(const char **text, int most, int *ret)
{
	return *(*text)++ == '.' && take_number(text, most, ret);
}

static bool
take_day(const char **text, struct change *ret)
{
	ret->kind = (char)(**text == 'M' || **text == 'J' ? **text : 'D');
	*text += ret->kind != 'D';
	if (ret->kind != 'M')
		return take_number(text, 365, &ret->day) && (ret->kind == 'D' || ret->day > 0);
	return take_number(text, 12, &ret->month) && take_point(text, 5, &ret->week) &&
	    take_point(text, 6, &ret->day) && ret->month > 0 && ret->week > 0;
}

static bool
take_change(const char **text, struct change *ret)
{
	ret->second = 2 * 3600;
	if (*(*text)++ != ',' || !take_day(text, ret))
		return false;
	return **text != '/' || ((*text)++, take_hours(text, &ret->second));
}

/* POSIX TZ: hours west of UTC. */
static bool
parse_rule(const char *text, struct rule *ret)
{
	int west;

	if (*text == '\0')
		return true; /* there is none */
	ret->is_there = true;
	if (!take_name(&text, ret->standard_name) || !take_hours(&text, &west))
		return false;
	ret->standard = -west;
	if (*text == '\0')
		return true;
	ret->has_summer = true;
	ret->summer = ret->standard + 3600;
	if (!take_name(&text, ret->summer_name))
		return false;
	if (*text != ',' && *text != '\0') {
		if (!take_hours(&text, &west))
			return false;
		ret->summer = -west;
	}
	return take_change(&text, &ret->begin) && take_change(&text, &ret->end) && *text == '\0';
}

/* --- a file --- */

static int64_t
big_endian(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return size == 4 ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

/* In the order of the file. */
enum count { IS_UT, IS_STANDARD, LEAPS, TIMES, TYPES, CHARS, COUNTS };

struct head {
	char version;
	size_t n[COUNTS];
};

/* False: it is none, or speaks of more than the file has. */
static bool
read_head(const uint8_t *bytes, size_t size, struct head *ret)
{
	if (size < HEAD_BYTES || memcmp(bytes, "TZif", 4) != 0)
		return false;
	ret->version = (char)bytes[4];
	for (size_t i = 0; i < COUNTS; i++) {
		int64_t n = big_endian(bytes + 20 + 4 * i, 4);

		if (n < 0 || n > (int64_t)size)
			return false;
		ret->n[i] = (size_t)n;
	}
	return true;
}

static size_t
body_size(const struct head *head, size_t time_bytes)
{
	return head->n[TIMES] * (time_bytes + 1) + head->n[TYPES] * 6 + head->n[CHARS] +
	    head->n[LEAPS] * (time_bytes + 4) + head->n[IS_STANDARD] + head->n[IS_UT];
}

/* Of a type: its last byte is a place among the names. */
static void
read_name(char ret[ZONE_NAME], const uint8_t *type, const uint8_t *names, size_t size)
{
	size_t at = type[5];

	if (at < size)
		set_name(ret, (const char *)names + at, size - at);
}

/* Of the second half, which has times of 8 bytes. */
static bool
read_times(struct zone *zone, const uint8_t *bytes, const struct head *head)
{
	const uint8_t *kinds = bytes + head->n[TIMES] * 8, *types = kinds + head->n[TIMES];
	const uint8_t *names = types + head->n[TYPES] * 6;

	zone->count = head->n[TIMES];
	zone->at = mem_new(zone->count + 1, sizeof(*zone->at));
	zone->offset = mem_new(zone->count + 1, sizeof(*zone->offset));
	zone->name = mem_new(zone->count + 1, sizeof(*zone->name));
	zone->before = (int)big_endian(types, 4);
	read_name(zone->name[zone->count], types, names, head->n[CHARS]);
	for (size_t i = 0; i < zone->count; i++) {
		if (kinds[i] >= head->n[TYPES])
			return false;
		zone->at[i] = big_endian(bytes + 8 * i, 8);
		zone->offset[i] = (int)big_endian(types + 6 * (size_t)kinds[i], 4);
		read_name(zone->name[i], types + 6 * (size_t)kinds[i], names, head->n[CHARS]);
		if ((i > 0 && zone->at[i] <= zone->at[i - 1]) || abs(zone->offset[i]) > OFFSET_MOST)
			return false;
	}
	return abs(zone->before) <= OFFSET_MOST;
}

static bool
read_rule(struct zone *zone, const uint8_t *bytes, size_t size)
{
	char text[128];
	const uint8_t *end;

	if (size < 2 || bytes[0] != '\n')
		return false;
	end = memchr(bytes + 1, '\n', size - 1);
	if (end == NULL || (size_t)(end - bytes) > sizeof(text))
		return false;
	memcpy(text, bytes + 1, (size_t)(end - bytes) - 1);
	text[end - bytes - 1] = '\0';
	return parse_rule(text, &zone->rule);
}

static bool
read_file(struct zone *zone, const uint8_t *bytes, size_t size)
{
	struct head head;
	size_t skipped;

	if (!read_head(bytes, size, &head) || head.version < '2')
		return false;
	skipped = HEAD_BYTES + body_size(&head, 4);
	if (skipped > size)
		return false;
	bytes += skipped;
	size -= skipped;
	/* One that counts leap seconds ("right/…") is of another time than ours. */
	if (!read_head(bytes, size, &head) || head.n[TYPES] == 0 || head.n[LEAPS] != 0)
		return false;
	skipped = HEAD_BYTES + body_size(&head, 8);
	return skipped <= size && read_times(zone, bytes + HEAD_BYTES, &head) &&
	    read_rule(zone, bytes + skipped, size - skipped);
}

struct zone *
zone_parse(const void *bytes, size_t size, struct err *err)
{
	struct zone *zone = mem_new(1, sizeof(*zone));

	if (bytes != NULL && !read_file(zone, bytes, size)) {
		(void)err_set(err, ERR_INVALID, "is no file of a time zone");
		zone_free(zone);
		return NULL;
	}
	return zone;
}

/* Of the database alone: no way out of its folder. */
static bool
is_name(const char *name)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";

	return name[0] != '\0' && name[0] != '/' && name[strspn(name, allowed)] == '\0' &&
	    strlen(name) < 64 && strstr(name, "//") == NULL;
}

struct zone *
zone_new(const char *name, struct err *err)
{
	char path[sizeof(FOLDER) + 64];
	size_t size;
	CLEANUP(freep) char *bytes = NULL;

	if (strcmp(name, "UTC") == 0)
		return zone_parse(NULL, 0, err);
	if (!is_name(name))
		return ERR_NULL(err_set(err, ERR_MISSING, "is no name of a time zone"));
	(void)snprintf(path, sizeof(path), FOLDER "%s", name);
	bytes = file_read(path, FILE_MAX, &size, err);
	if (bytes == NULL)
		return NULL;
	return zone_parse(bytes, size, err);
}

void
zone_free(struct zone *zone)
{
	if (zone == NULL)
		return;
	free(zone->at);
	free(zone->offset);
	free(zone->name);
	free(zone);
}

/* --- asking it --- */

/* How many changes there were by then. */
static size_t
changes_at(const struct zone *zone, int64_t at)
{
	size_t low = 0, high = zone->count; /* the first change after `at` is in [low, high] */

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->at[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
offset_at(const struct zone *zone, int64_t at)
{
	size_t n = changes_at(zone, at);

	if (n == zone->count && zone->rule.is_there)
		return is_summer(&zone->rule, at) ? zone->rule.summer : zone->rule.standard;
	return n == 0 ? zone->before : zone->offset[n - 1];
}

const char *
zone_name(const struct zone *zone, int64_t at, char out[ZONE_NAME])
{
	int64_t seconds = floor_div(at, 1000);
	size_t n = changes_at(zone, seconds);
	const char *name = zone->name == NULL ?
	    "UTC" :
	    n == zone->count && zone->rule.is_there ?
	    is_summer(&zone->rule, seconds) ? zone->rule.summer_name : zone->rule.standard_name :
	    zone->name[n == 0 ? zone->count : n - 1];

	(void)snprintf(out, ZONE_NAME, "%s", name);
	return out;
}

struct zone_time
zone_local(const struct zone *zone, int64_t at)
{
	int64_t seconds = floor_div(at, 1000);

	return time_of(seconds + offset_at(zone, seconds));
}

/* The change between the two, of which each has another offset. */
static int64_t
change_between(const struct zone *zone, int64_t low, int64_t high)
{
	int before = offset_at(zone, low);

	while (low + 1 < high) {
		int64_t middle = low + (high - low) / 2;

		if (offset_at(zone, middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

int64_t
zone_moment(const struct zone *zone, const struct zone_time *time)
{
	int64_t shown = days_of(time->year, time->month, time->day) * DAY_S +
	    (int64_t)time->hour * 3600 + (int64_t)time->minute * 60 + time->second;
	int before = offset_at(zone, shown - DAY_S), after = offset_at(zone, shown + DAY_S);

	if (offset_at(zone, shown - before) == before)
		return (shown - before) * 1000;
	if (offset_at(zone, shown - after) == after)
		return (shown - after) * 1000;
	return change_between(zone, shown - after, shown - before) * 1000;
}

bool
zone_date_parse(const char *text, struct zone_time *ret)
{
	struct zone_time date = { 0 };

	for (size_t i = 0; i < ZONE_DATE - 1; i++)
		if (i == 4 || i == 7 ? text[i] != '-' : !isdigit((unsigned char)text[i]))
			return false;
	if (text[ZONE_DATE - 1] != '\0')
		return false;
	date.year = (int)strtol(text, NULL, 10);
	date.month = (int)strtol(text + 5, NULL, 10);
	date.day = (int)strtol(text + 8, NULL, 10);
	if (date.year < 1970 || date.month < 1 || date.month > 12 || date.day < 1 ||
	    date.day > days_in(date.year, date.month))
		return false;
	date.weekday = weekday_of(days_of(date.year, date.month, date.day));
	*ret = date;
	return true;
}

int64_t
zone_date_end(const struct zone *zone, const struct zone_time *date)
{
	struct zone_time next = time_of((days_of(date->year, date->month, date->day) + 1) * DAY_S);

	return zone_moment(zone, &next);
}

const char *
zone_date_text(const struct zone *zone, int64_t at, char out[ZONE_DATE])
{
	struct zone_time time = zone_local(zone, at);

	(void)snprintf(out, ZONE_DATE, "%04u-%02u-%02u", (unsigned)time.year % 10000,
	    (unsigned)time.month % 100, (unsigned)time.day % 100);
	return out;
}
