/* Goal: often is stopped, and later goes on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_rate_limit.h"

#include "tests/unit/store_aid.h"
#include "unit.h"

#define DAY INT64_C(86400000)

static void
act_take(struct tx *tx, void *arg)
{
	*(bool *)arg = row_rate_limit_take(tx, 3, 1000, "whoami:1");
}

static bool
take(struct store_aid *aid)
{
	bool taken = false;

	store_aid_act(aid, act_take, &taken);
	return taken;
}

STORE_TEST(a_bucket_gives_its_burst_and_then_one_for_each_interval)
{
	for (int i = 0; i < 3; i++)
		assert_true(take(aid));
	assert_false(take(aid));
	aid->at += 999;
	assert_false(take(aid));
	aid->at += 1;
	assert_true(take(aid));
	assert_false(take(aid));
	aid->at += 100000;
	for (int i = 0; i < 3; i++)
		assert_true(take(aid));
	assert_false(take(aid));
	aid->at -= DAY; /* a clock set back does not lock anybody out for a day */
	assert_false(take(aid));
	aid->at += 1000;
	assert_true(take(aid));
}
