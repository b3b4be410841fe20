/* Goal: the same once more is noticed, by its id or by its bytes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_dedupe.h"

#include "store/store_inside.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

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

TEST_WITH(the_same_key_or_the_same_body_is_a_duplicate, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_inbox, NULL);
}

/* A repeated delivery is answered 200 for the row that is there; in the same batch its push may be
 * given up.  Found by the simulation (SEED=1233): with the row gone the 200 stood for nothing. */
static void
act_give_up(struct tx *tx, void *arg)
{
	const uint8_t one[32] = { 1 };

	(void)arg;
	assert_true(row_dedupe_add(tx, "github", "a", one));
	assert_false(row_dedupe_add(tx, "github", "a", one));
	row_dedupe_give_up(tx, "github", "a");
	assert_int_equal(tx_number(tx, "SELECT COUNT(*) FROM inbox WHERE id = 'a'"), 1);
	assert_true(row_dedupe_add(tx, "github", "a", one)); /* sent once more by hand */
	assert_false(row_dedupe_add(tx, "github", "a", one));
	row_dedupe_give_up(tx, "github", "a");
	assert_true(row_dedupe_add(tx, "github", "b", one)); /* under an id of its own */
	assert_false(row_dedupe_add(tx, "github", "a", one));
	assert_false(row_dedupe_add(tx, "github", "b", one));
	row_dedupe_give_up(tx, "github", "nobody's");
	assert_int_equal(tx_number(tx, "SELECT COUNT(*) FROM inbox"), 1);
}

TEST_WITH(what_is_given_up_stays_noted_and_may_come_again, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_give_up, NULL);
}
