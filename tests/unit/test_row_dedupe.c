/* Goal: the same once more is noticed, by its id or by its bytes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_dedupe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/store_aid.h"

static void
act_inbox(struct tx *tx, void *arg)
{
	const uint8_t one[32] = { 1 }, two[32] = { 2 };

	(void)arg;
	assert_true(row_dedupe_add(tx, "github", "a", one));
	assert_false(row_dedupe_add(tx, "github", "a", two)); /* the id, unsigned, again */
	assert_false(row_dedupe_add(tx, "github", "b", one)); /* the body again, id changed */
	assert_true(row_dedupe_add(tx, "telegram", "a", NULL));
	assert_true(row_dedupe_add(tx, "telegram", "b", NULL));
	assert_false(row_dedupe_add(tx, "telegram", "b", NULL));
	assert_true(row_dedupe_add(tx, "github", "b", two));
}

static void
the_same_key_or_the_same_body_is_a_duplicate(void **state)
{
	store_aid_act(*state, act_inbox, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_key_or_the_same_body_is_a_duplicate,
		    store_aid_setup, store_aid_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
