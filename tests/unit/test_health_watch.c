/* Goal: readiness says what ails the loop or the store, and forgets it in time.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "routes/health_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/loop.h"

#define NOW 1000000

static void
each_illness_has_its_limits(void **state)
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

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *illness = health_watch_judge(&cases[i].facts);

		if (cases[i].illness == NULL)
			assert_null(illness);
		else
			assert_string_equal(illness, cases[i].illness);
	}
}

static void
a_store_that_refuses_is_ill_until_it_decides_again(void **state)
{
	struct loop *loop = loop_new(NULL);
	struct health_watch *watch = health_watch_new(loop, NULL, NULL);

	(void)state;
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_illness_has_its_limits),
		cmocka_unit_test(a_store_that_refuses_is_ill_until_it_decides_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
