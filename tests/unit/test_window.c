/* Goal: of each moment it is certain whether a window has it, and when that changes.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/window.h"

#include "lib/err.h"
#include "lib/when.h"
#include "lib/zone.h"
#include "unit.h"

/* "2026-11-20 16:00:00", as clocks of UTC show it. */
static int64_t
utc(const char *text)
{
	struct zone_time time = { 0 };
	struct zone *zone = zone_new("UTC", NULL);
	int64_t at;

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d", &time.year, &time.month, &time.day,
			     &time.hour, &time.minute, &time.second),
	    6);
	at = zone_moment(zone, &time);
	zone_free(zone);
	return at;
}

#define WEEKEND "Fri 16:00-Mon 08:00 Europe/Berlin"
#define HOLIDAY "2026-12-20..2027-01-06"
#define NEVER	"1970-01-01 00:00:00"

static const struct {
	const char *windows, *zone, *at;
	bool is_in;
	const char *change;
} rows[] = {
	/* A weekend in winter (UTC+1) and in summer (UTC+2). */
	{ WEEKEND, "UTC", "2026-11-20 14:59:59", false, "2026-11-20 15:00:00" },
	{ WEEKEND, "UTC", "2026-11-20 15:00:00", true, "2026-11-23 07:00:00" },
	{ WEEKEND, "UTC", "2026-11-21 12:00:00", true, "2026-11-23 07:00:00" },
	{ WEEKEND, "UTC", "2026-11-23 06:59:59", true, "2026-11-23 07:00:00" },
	{ WEEKEND, "UTC", "2026-11-23 07:00:00", false, "2026-11-27 15:00:00" },
	{ WEEKEND, "UTC", "2026-07-03 14:00:00", true, "2026-07-06 06:00:00" },
	{ WEEKEND, "UTC", "2026-07-03 13:59:59", false, "2026-07-03 14:00:00" },
	/* Over the change to summer (2026-03-29 02:00), and back (2026-10-25 03:00). */
	{ WEEKEND, "UTC", "2026-03-27 15:00:00", true, "2026-03-30 06:00:00" },
	{ WEEKEND, "UTC", "2026-10-24 12:00:00", true, "2026-10-26 07:00:00" },
	/* It begins in the hour that is skipped: then at the change; it is skipped as a whole. */
	{ "Sun 02:30-Sun 06:00", "Europe/Berlin", "2026-03-29 00:59:59", false,
	    "2026-03-29 01:00:00" },
	{ "Sun 02:30-Sun 06:00", "Europe/Berlin", "2026-03-29 01:00:00", true,
	    "2026-03-29 04:00:00" },
	{ "Sun 02:10-Sun 02:50", "Europe/Berlin", "2026-03-28 12:00:00", false,
	    "2026-04-05 00:10:00" },
	/* It begins and ends in the hour that is there twice: the first counts. */
	{ "Sun 02:30-Sun 06:00", "Europe/Berlin", "2026-10-25 00:30:00", true,
	    "2026-10-25 05:00:00" },
	{ "Sun 00:00-Sun 02:30", "Europe/Berlin", "2026-10-25 00:29:59", true,
	    "2026-10-25 00:30:00" },
	{ "Sun 00:00-Sun 02:30", "Europe/Berlin", "2026-10-25 01:29:59", false,
	    "2026-10-31 23:00:00" },
	/* Where clocks change at midnight there is no 00:00 that day. */
	{ "2026-09-06..2026-09-06", "America/Santiago", "2026-09-06 03:59:59", false,
	    "2026-09-06 04:00:00" },
	{ "2026-09-06..2026-09-06", "America/Santiago", "2026-09-06 04:00:00", true,
	    "2026-09-07 03:00:00" },
	/* Within a day, over midnight, and nearly the whole week. */
	{ "Wed 12:00-Wed 13:00", "UTC", "2026-11-18 12:30:00", true, "2026-11-18 13:00:00" },
	{ "Wed 22:00-Thu 06:00", "UTC", "2026-11-19 05:00:00", true, "2026-11-19 06:00:00" },
	{ "Wed 13:00-Wed 12:00", "UTC", "2026-11-18 12:30:00", false, "2026-11-18 13:00:00" },
	{ "Wed 13:00-Wed 12:00", "UTC", "2026-11-18 11:59:59", true, "2026-11-18 12:00:00" },
	{ "wed 13:00 - WED 14:00", "UTC", "2026-11-18 13:00:00", true, "2026-11-18 14:00:00" },
	/* Whole days, both included; a leap day. */
	{ HOLIDAY, "UTC", "2026-12-19 23:59:59", false, "2026-12-20 00:00:00" },
	{ HOLIDAY, "UTC", "2026-12-20 00:00:00", true, "2027-01-07 00:00:00" },
	{ HOLIDAY, "Europe/Berlin", "2027-01-06 22:59:59", true, "2027-01-06 23:00:00" },
	{ HOLIDAY, "UTC", "2027-01-07 00:00:00", false, NEVER },
	{ "2028-02-29..2028-02-29", "UTC", "2028-02-29 23:59:59", true, "2028-03-01 00:00:00" },
	{ "2028-02-29..2028-02-29", "UTC", "2028-02-28 12:00:00", false, "2028-02-29 00:00:00" },
	/* Several: the zone is each one's own; what overlaps or adjoins is one. */
	{ WEEKEND ", " HOLIDAY, "UTC", "2026-12-19 12:00:00", true, "2027-01-07 00:00:00" },
	{ WEEKEND ", " HOLIDAY, "UTC", "2026-12-16 12:00:00", false, "2026-12-18 15:00:00" },
	{ "Mon 00:00-Tue 00:00,Tue 00:00-Wed 00:00", "UTC", "2026-11-16 12:00:00", true,
	    "2026-11-18 00:00:00" },
	{ "2026-12-24..2026-12-25, 2026-12-26..2026-12-31", "UTC", "2026-12-24 00:00:00", true,
	    "2027-01-01 00:00:00" },
	/* No end in sight. */
	{ "Mon 00:00-Fri 00:00,Thu 00:00-Mon 00:00", "UTC", "2026-11-16 12:00:00", true, NEVER },
};

TEST(each_moment_is_in_or_out_until_the_next_change)
{
	size_t n_wrong = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err;
		struct windows *windows = windows_parse(rows[i].windows, &err);
		struct zone *zone = zone_new(rows[i].zone, &err);
		char change[WHEN_TEXT];
		int64_t at;
		bool is_in;

		assert_non_null(windows);
		assert_non_null(zone);
		is_in = windows_have(windows, zone, utc(rows[i].at), &at);
		if (is_in != rows[i].is_in || at != utc(rows[i].change)) {
			struct zone *plain = zone_new("UTC", &err);

			print_error("%s (%s) at %s: %s until %s, not %s\n", rows[i].windows,
			    rows[i].zone, rows[i].at, is_in ? "in" : "out",
			    when_text(plain, at, change), rows[i].change);
			zone_free(plain);
			n_wrong++;
		}
		windows_free(windows);
		zone_free(zone);
	}
	assert_int_equal(n_wrong, 0);
}

/* A clock that is set back is another moment: what it says of that one is what it said then. */
TEST(the_change_is_where_the_answer_changes)
{
	static const char *const all[] = { WEEKEND, HOLIDAY, WEEKEND ", " HOLIDAY,
		"Sun 02:30-Sun 06:00 Europe/Berlin", "Tue 22:00-Wed 06:00 America/New_York" };
	struct zone *zone = zone_new("UTC", NULL);

	for (size_t i = 0; i < COUNT(all); i++) {
		struct err err;
		struct windows *windows = windows_parse(all[i], &err);
		int64_t at = utc("2026-01-01 00:00:00"), change, other;

		assert_non_null(windows);
		for (int n = 0; n < 150; n++) {
			bool is_in = windows_have(windows, zone, at, &change);

			if (change == 0)
				break;
			assert_true(change > at);
			assert_int_equal(windows_have(windows, zone, change - 1, &other), is_in);
			assert_int_equal(other, change);
			assert_int_equal(windows_have(windows, zone, change, &other), !is_in);
			at = change;
		}
		assert_true(at > utc("2026-12-19 00:00:00"));
		windows_free(windows);
	}
	zone_free(zone);
}

#define W	 "Fri 16:00-Mon 08:00"
#define D	 "2026-12-20..2027-01-06"
#define NO_CLOCK " is no time of a day (0:00 to 23:59), as in " W
#define NO_ZONE	 " is no time zone of this machine (package tzdata), as Europe/Berlin"

TEST(what_is_none_is_refused_and_what_of_it_is_wrong_is_named)
{
	static const struct {
		const char *text;
		enum err_code code;
		const char *says;
	} wrong[] = {
		{ "", ERR_INVALID, "a day of the week is missing, as in " W },
		{ "Fri 16:00", ERR_INVALID,
		    "its end is missing: - and a day with a time, as in " W },
		{ "Fri 16:00-", ERR_INVALID, "a day of the week is missing, as in " W },
		{ "Fri 16:00-Mon", ERR_INVALID, "a time is missing behind a day, as in " W },
		{ "Fri-Mon", ERR_INVALID, "a time is missing behind a day, as in " W },
		{ "Fri 16:00..Mon 08:00", ERR_INVALID,
		    "..Mon 08:00 is not the - before its end, as in " W },
		{ "Fridays 16:00-Mon 08:00", ERR_INVALID,
		    "Fridays is no day of the week (Mon to Sun), as in " W },
		{ "Fri 16:00-Mo 08:00", ERR_INVALID,
		    "Mo is no day of the week (Mon to Sun), as in " W },
		{ "Fri 24:00-Mon 08:00", ERR_INVALID, "24:00" NO_CLOCK },
		{ "Fri 16:60-Mon 08:00", ERR_INVALID, "16:60" NO_CLOCK },
		{ "Fri 6:0-Mon 08:00", ERR_INVALID, "6:0" NO_CLOCK },
		{ "Fri 16:00-Mon 008:00", ERR_INVALID, "008:00" NO_CLOCK },
		{ "Fri 16:00-Fri 16:00", ERR_INVALID,
		    "it ends when it begins: give it another end, as in " W },
		{ "2026-12-20", ERR_INVALID, "its end is missing: .. and the last day, as in " D },
		{ "2026-12-20..", ERR_INVALID, "a date is missing, as in " D },
		{ "2026-12-20..2026-12-19", ERR_INVALID, "it ends before it begins, as in " D },
		{ "2027-02-28..2027-02-29", ERR_INVALID,
		    "2027-02-29 is no date that there is, as in " D },
		{ "20.12.2026..06.01.2027", ERR_INVALID, "20 is no date that there is, as in " D },
		{ "2026-12-20 16:00..2027-01-06", ERR_INVALID,
		    " 16:00..2027-01-06 is not the .. before its last day (days are whole, without a "
		    "time), as in " D },
		{ "2026-12-20..2027-01-06Europe/Berlin", ERR_INVALID,
		    "Europe/Berlin is no blank and a time zone, as in " D " Europe/Berlin" },
		{ "2026-12-20..2027-01-06 16:00", ERR_MISSING, "16:00" NO_ZONE },
		{ WEEKEND ",,", ERR_INVALID, "a day of the week is missing, as in " W },
		{ WEEKEND ",Fri 16:00", ERR_INVALID,
		    "its end is missing: - and a day with a time, as in " W },
		{ WEEKEND "n", ERR_MISSING, "Europe/Berlinn" NO_ZONE },
		{ "Fri 16:00-Mon 08:00 ../../etc/passwd", ERR_MISSING, "../../etc/passwd" NO_ZONE },
		{ "Fri 16:00-Mon 08:00 UTC UTC", ERR_MISSING, "UTC UTC" NO_ZONE },
	};

	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct err err = { 0 };
		struct windows *windows = windows_parse(wrong[i].text, &err);

		assert_null(windows);
		assert_int_equal(err.code, wrong[i].code);
		assert_string_equal(err.text, wrong[i].says);
	}
	windows_free(NULL);
}

TEST(dates_that_are_over_are_past_and_weeks_never_are)
{
	struct windows *windows =
	    windows_parse(WEEKEND ", " HOLIDAY ", 2026-12-24..2026-12-24 America/New_York", NULL);
	struct zone *zone = zone_new("Europe/Berlin", NULL);

	assert_non_null(windows);
	assert_false(windows_is_past(windows, 0, zone, utc("2090-01-01 00:00:00")));
	assert_false(windows_is_past(windows, 1, zone, utc("2026-11-21 12:00:00")));
	assert_false(windows_is_past(windows, 1, zone, utc("2027-01-06 22:59:59")));
	assert_true(windows_is_past(windows, 1, zone, utc("2027-01-06 23:00:00")));
	assert_false(windows_is_past(windows, 2, zone, utc("2026-12-25 04:59:59")));
	assert_true(windows_is_past(windows, 2, zone, utc("2026-12-25 05:00:00")));
	assert_false(windows_is_past(windows, 3, zone, utc("2090-01-01 00:00:00")));
	windows_free(windows);
	zone_free(zone);
}

TEST(a_comma_may_stand_behind_the_last)
{
	static const char *const good[] = { WEEKEND ",", WEEKEND " , " HOLIDAY " , " };

	for (size_t i = 0; i < COUNT(good); i++) {
		struct windows *windows = windows_parse(good[i], NULL);

		assert_non_null(windows);
		assert_false(windows_is_past(windows, i + 1, NULL, 0)); /* there is no other */
		windows_free(windows);
	}
}

TEST(there_are_so_many_and_no_more)
{
	char text[2048] = "";
	struct windows *windows;
	struct err err;

	for (int i = 0; i < WINDOWS_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%sMon 01:00-Mon 02:00", i > 0 ? "," : "");
	windows = windows_parse(text, &err);
	assert_non_null(windows);
	windows_free(windows);
	memcpy(text + strlen(text), ",Mon 01:00-Mon 02:00", sizeof(",Mon 01:00-Mon 02:00"));
	assert_null(windows_parse(text, &err));
	memset(text, 'A', 200);
	text[200] = '\0';
	assert_null(windows_parse(text, &err));
}
