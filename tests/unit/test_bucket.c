/* Goal: no more is taken than the rate allows, whatever the clock does.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/bucket.h"

#include "unit.h"

static const struct bucket_rate rate = { .capacity = 3, .token_ms = 100 };

/* Tokens there now: of a copy, what can be taken. */
static int
level(struct bucket b, int64_t now)
{
	int taken = 0;

	while (bucket_take(&b, rate, now, 1))
		taken++;
	return taken;
}

TEST(a_full_bucket_gives_its_capacity_and_then_one_at_a_time)
{
	struct bucket b = { 0 };

	assert_int_equal(level(b, 1000), 3);
	for (int i = 0; i < 3; i++)
		assert_true(bucket_take(&b, rate, 1000, 1));
	assert_false(bucket_take(&b, rate, 1000, 1));
	assert_int_equal(bucket_wait_ms(&b, rate, 1000, 1), 100);
	assert_int_equal(bucket_wait_ms(&b, rate, 1040, 1), 60);
	assert_false(bucket_take(&b, rate, 1099, 1));
	assert_true(bucket_take(&b, rate, 1100, 1));
	assert_false(bucket_take(&b, rate, 1100, 1));
	assert_int_equal(level(b, 1399), 2);
	assert_true(bucket_take(&b, rate, 9999, 3));
	assert_false(bucket_take(&b, rate, 99999, 4));
}

TEST(a_clock_that_jumps_back_costs_one_bucket_and_no_more)
{
	struct bucket b = { 0 };

	assert_true(bucket_take(&b, rate, 1000000, 1));
	assert_int_equal(bucket_wait_ms(&b, rate, 1000, 1), 100);
	assert_false(bucket_take(&b, rate, 1000, 1));
	assert_int_equal(level(b, 1000), 0);
}

TEST(a_block_lasts_as_long_as_it_says)
{
	struct bucket b = { 0 };

	bucket_block(&b, 1000, 5000);
	bucket_block(&b, 1000, 10);
	assert_int_equal(level(b, 1000), 0);
	assert_int_equal(bucket_wait_ms(&b, rate, 2000, 1), 4000);
	assert_false(bucket_take(&b, rate, 5999, 1));
	assert_true(bucket_take(&b, rate, 6000, 3));
}
