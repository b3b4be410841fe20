/* Goal: chat, /v1 and shell say one thing of what runs in an environment: the worst that is true.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "deployment/standing.h"

#include "unit.h"

TEST(the_worst_that_is_true_is_said)
{
	enum { DOWN = 1, UNKNOWN = 2, CHANGING = 4, RELEASED = 8 };
	static const struct {
		unsigned facts;
		enum standing_health health;
		enum standing standing;
		const char *word;
	} rows[] = {
		{ DOWN | UNKNOWN | CHANGING | RELEASED, STANDING_UNHEALTHY, STANDING_DOWN, "down" },
		{ DOWN | UNKNOWN, STANDING_ASKED, STANDING_MAY_BE_DOWN, "down" },
		{ DOWN | RELEASED, STANDING_UNCHECKED, STANDING_MAY_BE_DOWN, "down" },
		{ UNKNOWN | CHANGING | RELEASED, STANDING_HEALTHY, STANDING_UNKNOWN, "unknown" },
		{ CHANGING | RELEASED, STANDING_UNHEALTHY, STANDING_REPLACED, "live" },
		{ CHANGING, STANDING_UNCHECKED, STANDING_REPLACED, "none" },
		{ 0, STANDING_UNHEALTHY, STANDING_EMPTY, "none" },
		{ RELEASED, STANDING_UNHEALTHY, STANDING_OUT, "live" },
		{ RELEASED, STANDING_ANOTHER, STANDING_OTHER, "live" },
		{ CHANGING | RELEASED, STANDING_ANOTHER, STANDING_REPLACED, "live" },
		{ DOWN | RELEASED, STANDING_ANOTHER, STANDING_MAY_BE_DOWN, "down" },
		{ DOWN | RELEASED, STANDING_HEALTHY, STANDING_MAY_BE_DOWN, "down" },
		{ 0, STANDING_ANOTHER, STANDING_EMPTY, "none" },
		{ RELEASED, STANDING_ASKED, STANDING_NOT_ASKED, "live" },
		{ RELEASED, STANDING_UNCHECKED, STANDING_NOT_CHECKED, "live" },
		{ RELEASED, STANDING_HEALTHY, STANDING_RUNS, "live" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct environment environment = {
			.is_down = (rows[i].facts & DOWN) != 0,
			.unknown_since = (rows[i].facts & UNKNOWN) != 0 ? 1 : 0,
			.current.id = (rows[i].facts & RELEASED) != 0 ? 41 : 0,
		};
		struct deployment active = {
			.id = (rows[i].facts & CHANGING) != 0 ? 7 : 0,
			.state = DEPLOY_VERIFYING,
		};
		enum standing is = standing_of(&environment, &active, rows[i].health);

		assert_int_equal(is, rows[i].standing);
		assert_string_equal(standing_word(is, &environment), rows[i].word);
		if (active.id == 0)
			assert_int_equal(standing_of(&environment, NULL, rows[i].health), is);
	}
}

/* A phone shows what stands first: nobody is sent to what is replaced at this moment. */
TEST(what_is_replaced_is_no_trouble_yet)
{
	for (enum standing is = 0; is < STANDING_COUNT; is++)
		assert_int_equal(standing_is_trouble(is),
		    is == STANDING_DOWN || is == STANDING_MAY_BE_DOWN || is == STANDING_UNKNOWN ||
			is == STANDING_OUT || is == STANDING_OTHER);
}
