/* Goal: readiness says what ails the loop or the store, and forgets it in time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/health_watch.h"

#include "lib/loop.h"
#include "unit.h"

#define NOW 1000000

TEST(each_illness_has_its_limits)
{
	static const struct {
		struct health_facts facts;
		const char *illness;
	} cases[] = {
		{ { .now_ms = NOW }, NULL },
		{ { .now_ms = NOW, .progress_ms = 1 }, NULL }, /* nobody waits */
		{ { .now_ms = NOW, .waiting = 1, .progress_ms = NOW - 5000 }, NULL },
		{ { .now_ms = NOW, .waiting = 1, .progress_ms = NOW - 5001 },
		    "the store does not answer" },
		{ { .now_ms = NOW, .refused_ms = NOW - 9999 }, "the store cannot write" },
		{ { .now_ms = NOW, .refused_ms = NOW - 10000 }, NULL },
		{ { .now_ms = NOW, .lagged_ms = NOW - 9999 }, "the event loop lags" },
		{ { .now_ms = NOW, .lagged_ms = NOW - 10000 }, NULL },
		{ { .now_ms = 5 }, NULL }, /* just booted */
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *illness = health_watch_judge(&cases[i].facts);

		if (cases[i].illness == NULL)
			assert_null(illness);
		else
			assert_string_equal(illness, cases[i].illness);
	}
}

TEST(a_store_that_refuses_is_ill_until_it_decides_again)
{
	struct loop *loop = loop_new(NULL);
	struct health_watch *watch = health_watch_new(loop, NULL, NULL);

	assert_null(health_watch_illness(watch));
	health_watch_asked(watch);
	health_watch_asked(watch);
	assert_null(health_watch_illness(watch));
	health_watch_answered(watch, 503);
	assert_string_equal(health_watch_illness(watch), "the store cannot write");
	health_watch_answered(watch, 202);
	assert_null(health_watch_illness(watch));
	health_watch_free(watch);
	loop_free(loop);
}
