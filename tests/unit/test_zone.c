/* Goal: dates end when clocks there say so: summer time, leap days, days that are not there.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/zone.h"

#include <time.h>

#include "lib/err.h"
#include "lib/file.h"
#include "unit.h"

static struct zone *
zone(const char *name)
{
	struct err err;
	struct zone *made = zone_new(name, &err);

	if (made == NULL)
		fail_msg("%s: %s", name, err.text);
	return made;
}

/* As `date -d` has them, of the zone database. */
static const struct {
	const char *zone;
	const char *date;
	int64_t end; /* seconds */
} ends[] = {
	{ "UTC", "2027-01-31", 1801440000 },
	{ "UTC", "2028-02-28", 1835395200 }, /* the 29th begins */
	{ "UTC", "2028-02-29", 1835481600 },
	{ "UTC", "2100-02-28", 4107542400 }, /* no leap year */
	{ "Europe/Berlin", "2027-01-31", 1801436400 },
	{ "Europe/Berlin", "2027-03-28", 1806271200 }, /* 23 hours long */
	{ "Europe/Berlin", "2027-10-31", 1825023600 }, /* 25 */
	{ "Europe/Berlin", "2077-07-01", 3392402400 }, /* by the rule behind the table */
	{ "America/New_York", "2027-01-31", 1801458000 },
	{ "Asia/Kolkata", "2027-01-31", 1801420200 },
	{ "America/Sao_Paulo", "2018-11-03", 1541300400 }, /* 00:00 of the 4th is skipped */
	{ "Pacific/Apia", "2011-12-29", 1325239200 },	   /* and there the whole 30th */
	{ "Australia/Lord_Howe", "2027-04-03", 1806757200 },
};

TEST(a_date_ends_when_clocks_there_say_so)
{
	for (size_t i = 0; i < COUNT(ends); i++) {
		struct zone *z = zone(ends[i].zone);
		struct zone_time date;

		assert_true(zone_date_parse(ends[i].date, &date));
		if (zone_date_end(z, &date) != ends[i].end * 1000)
			fail_msg("%s %s: ends at %lld", ends[i].zone, ends[i].date,
			    (long long)zone_date_end(z, &date) / 1000);
		zone_free(z);
	}
}

/* libc, which has one zone for the whole process, says the same of moments far and near. */
TEST(libc_says_the_same)
{
	static const char *const names[] = { "UTC", "Europe/Berlin", "America/New_York",
		"Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin",
		"Pacific/Apia", "Asia/Kathmandu", "America/St_Johns", "Asia/Gaza" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct zone *z = zone(names[i]);

		assert_int_equal(setenv("TZ", names[i], 1), 0);
		tzset();
		for (int64_t at = -1000000000; at < 4200000000; at += 3600 * 31 + 17) {
			struct zone_time got = zone_local(z, at * 1000);
			char name[ZONE_NAME];
			time_t seconds = (time_t)at;
			struct tm tm;

			assert_non_null(localtime_r(&seconds, &tm));
			assert_string_equal(zone_name(z, at * 1000, name), tm.tm_zone);
			if (got.year != tm.tm_year + 1900 || got.month != tm.tm_mon + 1 ||
			    got.day != tm.tm_mday || got.hour != tm.tm_hour ||
			    got.minute != tm.tm_min || got.second != tm.tm_sec ||
			    got.weekday != tm.tm_wday)
				fail_msg("%s at %lld: %d-%d-%d %d:%d:%d", names[i], (long long)at,
				    got.year, got.month, got.day, got.hour, got.minute, got.second);
			/* And back: of what is shown twice, the first. */
			assert_true(zone_moment(z, &got) <= at * 1000);
			assert_true(zone_moment(z, &got) >= (at - 86400) * 1000);
		}
		zone_free(z);
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
}

TEST(of_a_time_that_is_there_twice_the_first_and_of_a_skipped_one_the_change)
{
	struct zone *z = zone("Europe/Berlin");
	struct zone_time twice = { .year = 2027, .month = 10, .day = 31, .hour = 2, .minute = 30 };
	struct zone_time never = { .year = 2027, .month = 3, .day = 28, .hour = 2, .minute = 30 };

	assert_int_equal(zone_moment(z, &twice), INT64_C(1824942600000)); /* 00:30 UTC */
	assert_int_equal(zone_moment(z, &never), INT64_C(1806195600000)); /* 01:00 UTC */
	zone_free(z);
}

TEST(a_day_that_is_not_there_is_no_date)
{
	static const char *const wrong[] = { "", "2027-02-29", "2100-02-29", "2027-13-01",
		"2027-00-01", "2027-01-00", "2027-01-32", "2027-1-31", "2027/01/31", "27-01-31",
		"2027-01-31 ", " 2027-01-31", "2027-01-3", "1969-12-31", "tomorrow" };
	struct zone_time date = { .year = 7 };
	char text[ZONE_DATE];
	struct zone *z = zone("UTC");

	for (size_t i = 0; i < COUNT(wrong); i++)
		if (zone_date_parse(wrong[i], &date))
			fail_msg("\"%s\" is no date", wrong[i]);
	assert_int_equal(date.year, 7);
	assert_true(zone_date_parse("2028-02-29", &date));
	assert_int_equal(date.weekday, 2); /* a Tuesday */
	assert_string_equal(zone_date_text(z, zone_date_end(z, &date) - 1, text), "2028-02-29");
	assert_string_equal(zone_date_text(z, zone_date_end(z, &date), text), "2028-03-01");
	zone_free(z);
}

TEST(a_zone_that_is_not_there_is_named)
{
	static const char *const wrong[] = { "", "Mars/Olympus", "../../etc/passwd",
		"/etc/localtime", "Europe", "Europe//Berlin", "zone.tab", "tzdata.zi" };
	struct err err;

	for (size_t i = 0; i < COUNT(wrong); i++)
		if (zone_new(wrong[i], &err) != NULL)
			fail_msg("\"%s\" is no zone", wrong[i]);
}

/* Cut anywhere, or with any byte another one, a file is refused or read, never past its end. */
TEST(a_broken_file_harms_nobody)
{
	struct zone_time date;
	struct err err;
	size_t size;
	char *bytes = file_read("/usr/share/zoneinfo/America/Sao_Paulo", 65536, &size, &err);

	assert_non_null(bytes);
	assert_true(zone_date_parse("2027-01-31", &date));
	for (size_t cut = 0; cut < size; cut++) {
		char *part = malloc(cut + 1); /* its own end: a read beyond it is found */

		assert_non_null(part);
		memcpy(part, bytes, cut);
		assert_null(zone_parse(part, cut, &err));
		free(part);
	}
	for (size_t i = 0; i < size; i++)
		for (int flip = 1; flip < 256; flip *= 2) {
			struct zone *z;

			bytes[i] = (char)(bytes[i] ^ flip);
			z = zone_parse(bytes, size, &err);
			if (z != NULL)
				(void)zone_date_end(z, &date);
			zone_free(z);
			bytes[i] = (char)(bytes[i] ^ flip);
		}
	free(bytes);
}
