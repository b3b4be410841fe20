/* Goal: pauses double up to their limit, and Telegram's own wish is kept.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_pause.h"

#include <limits.h>

#include "lib/base.h"
#include "unit.h"

TEST(each_failure_doubles_the_pause_up_to_its_limit)
{
	static const struct {
		unsigned failures;
		int64_t ms;
	} cases[] = { { 0, 1000 }, { 1, 1000 }, { 2, 2000 }, { 3, 4000 }, { 6, 32000 },
		{ 7, 60000 }, { 100, 60000 }, { UINT_MAX, 60000 } };

	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(telegram_pause_ms(cases[i].failures, 1000, 60000, 0), cases[i].ms);
}

TEST(what_telegram_asks_for_is_kept_even_above_the_limit)
{
	assert_int_equal(telegram_pause_ms(1, 1000, 60000, 7), 7000);
	assert_int_equal(telegram_pause_ms(4, 1000, 60000, 7), 8000);
	assert_int_equal(telegram_pause_ms(9, 1000, 60000, 120), 120000);
}
