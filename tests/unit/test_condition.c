/* Goal: what asks for more approvals is read as it was meant, or not at all.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/condition.h"

#include "lib/err.h"
#include "lib/zone.h"
#include "unit.h"

#define HOUR_MS (3600 * INT64_C(1000))
#define DAY_MS	(24 * HOUR_MS)

TEST(each_is_read_with_its_number)
{
	static const char text[] =
	    "forced=2; not-on shop/staging=3;path db/a=b/**= 2 ;outside Mon-Fri 09:00-17:00=4";
	struct conditions read;
	char out[CONDITION_WORDS];
	struct err err;

	assert_true(conditions_parse(text, &read, &err));
	assert_int_equal(read.n, 4);
	assert_int_equal(read.at[0].kind, CONDITION_FORCED);
	assert_int_equal(read.at[0].number, 2);
	assert_string_equal(condition_text(&read.at[0], out), "forced");
	assert_string_equal(condition_text(&read.at[1], out), "not-on shop/staging");
	assert_int_equal(read.at[1].number, 3);
	assert_string_equal(read.at[2].what, "db/a=b/**");
	assert_int_equal(read.at[3].from, 9 * 60);
	assert_int_equal(read.at[3].to, 17 * 60);
	assert_int_equal(read.at[3].weekdays, 0x3e);
	assert_int_equal(read.at[3].number, 4);
}

TEST(what_is_wrong_is_named)
{
	static const struct {
		const char *text;
		const char *says;
	} bad[] = {
		{ "", "does not end with = and a number" },
		{ "forced", "\"forced\" does not end with = and a number of 1 to 32" },
		{ "forced=0", "does not end with" },
		{ "forced=33", "does not end with" },
		{ "forced=two", "does not end with" },
		{ "forced=2;", "does not end with" },
		{ "forced all=2", "nothing follows forced" },
		{ "Forced=2", "\"Forced\": expected forced, not-promoted, not-on" },
		{ "if forced=2", "\"if\": expected forced" },
		{ "=2", "expected forced" },
		{ "path=2", "something must follow path" },
		{ "path /etc=2", "no / before it" },
		{ "path a/../b=2", "no .." },
		{ "path a,b=2", "is none: a pattern" },
		{ "path !a=2", "is none: a pattern" },
		{ "not-promoted staging=2", "nothing follows not-promoted" },
		{ "not-on Shop/Staging=2", "as shop/staging" },
		{ "not-on a/b/c=2", "as shop/staging" },
		{ "outside Mon-Fri=2", "as Mon-Fri 09:00-17:00" },
		{ "outside Mon-Fry 09:00-17:00=2", "as Mon-Fri 09:00-17:00" },
		{ "outside Mon 17:00-09:00=2", "as Mon-Fri 09:00-17:00" },
		{ "outside Mon 09:00-24:00=2", "as Mon-Fri 09:00-17:00" },
		{ "outside Mon 09:00-17:00 UTC=2", "as Mon-Fri 09:00-17:00" },
	};
	struct conditions read = { .n = 7 };
	struct err err;

	for (size_t i = 0; i < COUNT(bad); i++) {
		if (conditions_parse(bad[i].text, &read, &err))
			fail_msg("\"%s\" is read", bad[i].text);
		if (strstr(err.text, bad[i].says) == NULL)
			fail_msg("\"%s\": %s", bad[i].text, err.text);
		assert_int_equal(read.n, 7);
	}
}

TEST(each_kind_is_named_to_whoever_writes_another)
{
	static const char *const words[] = {
#define C(kind, word, what) word,
		CONDITION_ROWS(C)
#undef C
	};
	struct conditions read;
	struct err err;

	assert_false(conditions_parse("if=2", &read, &err));
	for (size_t i = 0; i < COUNT(words); i++)
		if (strstr(err.text, words[i]) == NULL)
			fail_msg("\"%s\" is not in: %s", words[i], err.text);
}

TEST(hours_are_by_the_clocks_of_a_zone)
{
	struct conditions read;
	struct err err;
	struct zone *utc = zone_new("UTC", &err);
	int64_t monday = 4 * DAY_MS; /* 1970-01-05 */

	assert_non_null(utc);
	assert_true(conditions_parse("outside Sat-Mon 09:00-17:00=2", &read, &err));
	assert_true(condition_is_outside(&read.at[0], utc, monday + 9 * HOUR_MS - 1));
	assert_false(condition_is_outside(&read.at[0], utc, monday + 9 * HOUR_MS));
	assert_false(condition_is_outside(&read.at[0], utc, monday - DAY_MS + 9 * HOUR_MS));
	assert_true(condition_is_outside(&read.at[0], utc, monday + 17 * HOUR_MS));
	assert_true(condition_is_outside(&read.at[0], utc, monday + DAY_MS + 12 * HOUR_MS));
	zone_free(utc);
}
