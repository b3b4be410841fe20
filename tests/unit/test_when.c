/* Goal: what somebody wrote as a time is that time, or is named as none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/when.h"

#include "lib/err.h"
#include "lib/zone.h"
#include "unit.h"

/* Friday, 2026-03-27 15:30 in Berlin; on the Sunday at 02:00 clocks go forward. */
#define NOW INT64_C(1774621800000)

static const struct {
	const char *text;
	enum when when;
	const char *end, *rest; /* READ */
	const char *error;	/* WRONG: what begins it */
} rows[] = {
	{ "30m deploying by hand", WHEN_READ, "Fri 2026-03-27 16:00", "deploying by hand", NULL },
	{ "2h", WHEN_READ, "Fri 2026-03-27 17:30", "", NULL },
	{ "  3d\t x", WHEN_READ, "Mon 2026-03-30 16:30", "x", NULL }, /* 72 hours */
	{ "9999m", WHEN_READ, "Fri 2026-04-03 15:09", "", NULL },
	{ "12345m", WHEN_READ, "Sun 2026-04-05 06:15", "", NULL },
	{ "2H, deploying", WHEN_READ, "Fri 2026-03-27 17:30", "deploying", NULL },
	{ "30min", WHEN_READ, "Fri 2026-03-27 16:00", "", NULL },
	{ "2hours", WHEN_READ, "Fri 2026-03-27 17:30", "", NULL },
	{ "1h30 x", WHEN_READ, "Fri 2026-03-27 17:00", "x", NULL },
	{ "1d1h30m", WHEN_READ, "Sat 2026-03-28 17:00", "", NULL },
	{ "until 8:00", WHEN_READ, "Sat 2026-03-28 08:00", "", NULL },
	{ "until monday 8:00, sale", WHEN_READ, "Mon 2026-03-30 08:00", "sale", NULL },
	{ "until Tomorrow, sale", WHEN_READ, "Sat 2026-03-28 08:00", "sale", NULL },
	{ "until tomorrow 8:00", WHEN_READ, "Sat 2026-03-28 08:00", "", NULL },
	{ "until 2026-04-01, sale", WHEN_READ, "Thu 2026-04-02 00:00", "sale", NULL },
	{ "until 16:00", WHEN_READ, "Fri 2026-03-27 16:00", "", NULL },
	{ "until 15:30", WHEN_READ, "Sat 2026-03-28 15:30", "", NULL },
	{ "UNTIL 08:00 breakfast", WHEN_READ, "Sat 2026-03-28 08:00", "breakfast", NULL },
	{ "until Mon 08:00", WHEN_READ, "Mon 2026-03-30 08:00", "", NULL },
	{ "until mon 08:00 8 people", WHEN_READ, "Mon 2026-03-30 08:00", "8 people", NULL },
	{ "until Fri 16:00", WHEN_READ, "Fri 2026-03-27 16:00", "", NULL },
	{ "until Fri 15:00", WHEN_READ, "Fri 2026-04-03 15:00", "", NULL },
	{ "until Sun 02:30", WHEN_READ, "Sun 2026-03-29 03:00", "", NULL }, /* it is skipped */
	{ "until 2026-03-27", WHEN_READ, "Sat 2026-03-28 00:00", "", NULL },
	{ "until 2026-04-01 sale", WHEN_READ, "Thu 2026-04-02 00:00", "sale", NULL },
	{ "until 2026-04-01 16:00 sale", WHEN_READ, "Wed 2026-04-01 16:00", "sale", NULL },
	{ "until 2028-02-29 16:00", WHEN_READ, "Tue 2028-02-29 16:00", "", NULL },

	{ "", WHEN_NONE, NULL, NULL, NULL },
	{ "incident 42", WHEN_NONE, NULL, NULL, NULL },
	{ "untilmonday", WHEN_NONE, NULL, NULL, NULL },

	{ "for the release", WHEN_NONE, NULL, NULL, NULL },
	{ "by hand", WHEN_NONE, NULL, NULL, NULL },
	{ "a 503 on checkout", WHEN_NONE, NULL, NULL, NULL },
	{ "half of it is down", WHEN_NONE, NULL, NULL, NULL },
	{ "day shift", WHEN_NONE, NULL, NULL, NULL },
	{ "-x", WHEN_NONE, NULL, NULL, NULL },

	{ "2 hours", WHEN_WRONG, NULL, NULL, "\"2 hours\" is not a duration: write 2h" },
	{ "2 hours or so", WHEN_WRONG, NULL, NULL, "\"2 hours\" is not a duration: write 2h" },
	{ "30 Min", WHEN_WRONG, NULL, NULL, "\"30 Min\" is not a duration: write 30m" },
	{ "for 2h", WHEN_WRONG, NULL, NULL, "\"for 2h\" is not a duration: write 2h" },
	{ "for 2 hours", WHEN_WRONG, NULL, NULL, "\"for 2\" is not a duration: write 2h" },
	{ "till 18:00", WHEN_WRONG, NULL, NULL, "write until 18:00" },
	{ "16:00, sale", WHEN_WRONG, NULL, NULL, "write until 16:00" },
	{ "Mon 8:00", WHEN_WRONG, NULL, NULL, "write until Mon 8:00" },
	{ "2026-04-01", WHEN_WRONG, NULL, NULL, "write until 2026-04-01" },
	{ "tomorrow", WHEN_WRONG, NULL, NULL, "write until tomorrow" },
	{ "by Friday", WHEN_WRONG, NULL, NULL, "\"by Friday\" is not a duration: write 30m, 2h" },
	{ "tonight", WHEN_WRONG, NULL, NULL,
	    "\"tonight\" is not a duration: write 30m, 2h or 3d; or until Mon 16:00" },
	{ "half an hour", WHEN_WRONG, NULL, NULL, "\"half an\" is not a duration: write 30m, " },
	{ "an hour", WHEN_WRONG, NULL, NULL, "\"an hour\" is not a duration: write 30m, " },
	{ "-5m", WHEN_WRONG, NULL, NULL, "\"-5m\" is not a duration: write 30m, " },
	{ "+ 2h", WHEN_NONE, NULL, NULL, NULL },
	{ "2", WHEN_WRONG, NULL, NULL, "\"2\" is not a duration" },
	{ "0m", WHEN_WRONG, NULL, NULL, "\"0m\" is too short" },
	{ "0h0m", WHEN_WRONG, NULL, NULL, "\"0h0m\" is too short" },
	{ "30m2h", WHEN_WRONG, NULL, NULL, "\"30m2h\" is not a duration" },
	{ "30m30", WHEN_WRONG, NULL, NULL, "\"30m30\" is not a duration" },
	{ "1w", WHEN_WRONG, NULL, NULL, "\"1w\" is not a duration" },
	{ "2h;", WHEN_WRONG, NULL, NULL, "\"2h;\" is not a duration" },
	{ "until", WHEN_WRONG, NULL, NULL, "\"until\" is not a time by itself: until 16:00, " },
	{ "until ", WHEN_WRONG, NULL, NULL, "\"until\" is not a time by itself" },
	{ "until monday 8", WHEN_WRONG, NULL, NULL,
	    "\"monday 8\" is not a time: 16:00, Mon 16:00, 2027-01-06 or 2027-01-06 16:00" },
	{ "until Mon 8", WHEN_WRONG, NULL, NULL, "\"Mon 8\" is not a time" },
	{ "until tomorrows", WHEN_WRONG, NULL, NULL, "\"tomorrows\" is not a time" },
	{ "until :30", WHEN_WRONG, NULL, NULL, "\":30\" is not a time" },
	{ "until 16:0", WHEN_WRONG, NULL, NULL, "\"16:0\" is not a time" },
	{ "until 016:00", WHEN_WRONG, NULL, NULL, "\"016:00\" is not a time" },
	{ "until 25:00", WHEN_WRONG, NULL, NULL, "\"25:00\" is not a time" },
	{ "until 16:00Z", WHEN_WRONG, NULL, NULL, "\"16:00Z\" is not a time" },
	{ "until 2027-02-29", WHEN_WRONG, NULL, NULL, "\"2027-02-29\" is not a time" },
	{ "until 2026-03-27 15:30", WHEN_WRONG, NULL, NULL, "\"2026-03-27 15:30\" is past" },
	{ "until 2026-03-26 now", WHEN_WRONG, NULL, NULL, "\"2026-03-26\" is past" },
	{ "until aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", WHEN_WRONG, NULL, NULL,
	    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is not a time" },
};

TEST(what_is_written_is_that_time_or_is_named)
{
	struct err err;
	struct zone *zone = zone_new("Europe/Berlin", &err);

	assert_non_null(zone);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *text = rows[i].text;
		char end[WHEN_TEXT];
		int64_t at = 42;

		if (when_read(&text, zone, NOW, &at, &err) != rows[i].when)
			fail_msg("\"%s\" is read as something else: %s", rows[i].text, err.text);
		if (rows[i].when == WHEN_READ) {
			assert_string_equal(when_text(zone, at, end), rows[i].end);
			assert_string_equal(text, rows[i].rest);
			assert_true(at > NOW);
			continue;
		}
		assert_ptr_equal(text, rows[i].text);
		assert_int_equal(at, 42);
		if (rows[i].error != NULL)
			assert_memory_equal(err.text, rows[i].error, strlen(rows[i].error));
	}
	zone_free(zone);
}

TEST(a_moment_says_its_offset_where_its_zone_is_not_known)
{
	static const struct {
		const char *zone;
		int64_t at;
		const char *text;
	} cases[] = {
		{ "UTC", INT64_C(1798963200999), "2027-01-03T08:00:00Z" },
		{ "Europe/Berlin", INT64_C(1798963200000), "2027-01-03T09:00:00+01:00" },
		{ "Europe/Berlin", INT64_C(1782892800000), "2026-07-01T10:00:00+02:00" },
		{ "America/St_Johns", INT64_C(1798963200000), "2027-01-03T04:30:00-03:30" },
		{ "Asia/Kolkata", INT64_C(1798963200000), "2027-01-03T13:30:00+05:30" },
	};
	struct err err;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct zone *zone = zone_new(cases[i].zone, &err);
		char out[WHEN_STAMP];

		assert_non_null(zone);
		assert_string_equal(when_stamp(zone, cases[i].at, out), cases[i].text);
		zone_free(zone);
	}
}
