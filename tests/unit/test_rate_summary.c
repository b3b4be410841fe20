/* test_rate_summary.c - what happens often is told at most once a period, and never forgotten. */
/* SPDX-License-Identifier: ISC */
#include "lib/rate_summary.h"

#include "unit.h"

#define PERIOD 60000

TEST(the_first_is_told_at_once)
{
	/* Goal: an attack is known of when it begins. */
	struct rate_summary note = { 0 };

	assert_int_equal(rate_summary_add(&note, PERIOD, 5), 1);
	assert_int_equal(rate_summary_wait_ms(&note, 5), -1);
}

TEST(the_others_of_a_period_are_told_together)
{
	/* Goal: a thousand a second make one line a minute, with the right number. */
	struct rate_summary note = { 0 };
	int64_t told = rate_summary_add(&note, PERIOD, 0);

	for (int64_t now = 1; now < PERIOD; now++)
		assert_int_equal(rate_summary_add(&note, PERIOD, now), 0);
	assert_int_equal(rate_summary_wait_ms(&note, PERIOD - 10), 10);
	assert_int_equal(rate_summary_due(&note, PERIOD, PERIOD - 1), 0);
	told += rate_summary_due(&note, PERIOD, PERIOD);
	assert_int_equal(told, PERIOD);
	assert_int_equal(rate_summary_due(&note, PERIOD, 3 * PERIOD), 0);
}

TEST(what_could_not_be_told_is_told_later)
{
	/* Goal: a store that is full loses no number. */
	struct rate_summary note = { 0 };
	int64_t count = rate_summary_add(&note, PERIOD, 0);

	rate_summary_put_back(&note, count);
	assert_int_equal(rate_summary_due(&note, PERIOD, PERIOD - 1), 0);
	assert_int_equal(rate_summary_add(&note, PERIOD, PERIOD), 2);
}

TEST(a_clock_that_jumps_back_silences_it_for_a_period_at_most)
{
	/* Goal: no state lasts longer than its period, whatever the clock does. */
	struct rate_summary note = { 0 };

	assert_int_equal(rate_summary_add(&note, PERIOD, 1000000000), 1);
	assert_int_equal(rate_summary_add(&note, PERIOD, 1000), 0);
	assert_int_equal(rate_summary_due(&note, PERIOD, 1000 + PERIOD), 1);
}
