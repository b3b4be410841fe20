/* test_rate_summary.c - what happens often is told at most once a period, and never forgotten. */
/* SPDX-License-Identifier: ISC */
#include "lib/rate_summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PERIOD 60000

static void
the_first_is_told_at_once(void **state)
{
	/* Goal: an attack is known of when it begins. */
	struct rate_summary note = { 0 };

	(void)state;
	assert_int_equal(rate_summary_add(&note, PERIOD, 5), 1);
	assert_int_equal(rate_summary_wait_ms(&note, 5), -1);
}

static void
the_others_of_a_period_are_told_together(void **state)
{
	/* Goal: a thousand a second make one line a minute, with the right number. */
	struct rate_summary note = { 0 };
	int64_t told = rate_summary_add(&note, PERIOD, 0);

	(void)state;
	for (int64_t now = 1; now < PERIOD; now++)
		assert_int_equal(rate_summary_add(&note, PERIOD, now), 0);
	assert_int_equal(rate_summary_wait_ms(&note, PERIOD - 10), 10);
	assert_int_equal(rate_summary_due(&note, PERIOD, PERIOD - 1), 0);
	told += rate_summary_due(&note, PERIOD, PERIOD);
	assert_int_equal(told, PERIOD);
	assert_int_equal(rate_summary_due(&note, PERIOD, 3 * PERIOD), 0);
}

static void
what_could_not_be_told_is_told_later(void **state)
{
	/* Goal: a store that is full loses no number. */
	struct rate_summary note = { 0 };
	int64_t count = rate_summary_add(&note, PERIOD, 0);

	(void)state;
	rate_summary_put_back(&note, count);
	assert_int_equal(rate_summary_due(&note, PERIOD, PERIOD - 1), 0);
	assert_int_equal(rate_summary_add(&note, PERIOD, PERIOD), 2);
}

static void
a_clock_that_jumps_back_silences_it_for_a_period_at_most(void **state)
{
	/* Goal: no state lasts longer than its period, whatever the clock does. */
	struct rate_summary note = { 0 };

	(void)state;
	assert_int_equal(rate_summary_add(&note, PERIOD, 1000000000), 1);
	assert_int_equal(rate_summary_add(&note, PERIOD, 1000), 0);
	assert_int_equal(rate_summary_due(&note, PERIOD, 1000 + PERIOD), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_is_told_at_once),
		cmocka_unit_test(the_others_of_a_period_are_told_together),
		cmocka_unit_test(what_could_not_be_told_is_told_later),
		cmocka_unit_test(a_clock_that_jumps_back_silences_it_for_a_period_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
