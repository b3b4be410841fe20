/* Goal: a nonce is said once, whatever the clock does and whatever was purged.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_nonce.h"

#include "tests/unit/store_aid.h"
#include "unit.h"

#define DAY_S 86400
#define ONE   "0000000000000001"
#define TWO   "0000000000000002"

struct said {
	const char *nonce;
	int64_t person;
	bool is_requests;
	bool used; /* answered */
};

static void
act_say(struct tx *tx, void *arg)
{
	struct said *said = arg;

	said->used = row_nonce_is_used(tx, said->nonce, said->person, said->is_requests);
	if (!said->used)
		row_nonce_add(tx,
		    &(struct nonce_use){ .nonce = said->nonce,
			.person = said->person,
			.ts = tx->at / 1000,
			.work = 1,
			.is_requests = said->is_requests });
}

static bool
say(struct store_aid *aid, const char *nonce, int64_t person, bool is_requests)
{
	struct said said = { nonce, person, is_requests, false };

	store_aid_act(aid, act_say, &said);
	return !said.used;
}

STORE_TEST(a_nonce_is_said_once_by_anybody)
{
	assert_true(say(aid, ONE, 11, false));
	assert_false(say(aid, ONE, 11, false));
	assert_false(say(aid, ONE, 22, false));
	assert_false(say(aid, ONE, 11, true)); /* nor as that of a request */
	assert_true(say(aid, TWO, 11, false));
}

STORE_TEST(that_of_a_request_is_said_once_by_each)
{
	assert_true(say(aid, ONE, 11, true));
	assert_true(say(aid, ONE, 22, true));
	assert_false(say(aid, ONE, 11, true));
	assert_false(say(aid, ONE, 33, false)); /* nor when the request is over */
}

/* Without the look before: the database itself refuses the second. */
static void
act_add(struct tx *tx, void *person)
{
	struct nonce_use use = {
		.nonce = ONE, .person = *(const int64_t *)person, .ts = 1, .work = 1
	};

	row_nonce_add(tx, &use);
}

TEST_WITH(the_second_row_of_a_nonce_fails_the_decision, store_aid_setup, store_aid_teardown)
{
	int64_t people[] = { 11, 22, 11 };

	for (size_t i = 0; i < COUNT(people); i++)
		assert_true(store_aid_try(*state, act_add, &people[i]) == (i == 0));
}

struct purge {
	int64_t max;
	bool more;
	int64_t purged; /* the newest ts, after it */
};

static void
act_purge(struct tx *tx, void *arg)
{
	struct purge *purge = arg;

	purge->more = row_nonce_clear(tx, purge->max);
	purge->purged = row_nonce_purged(tx);
}

STORE_TEST(the_newest_ts_that_went_is_remembered)
{
	struct purge purge = { .max = 1 };
	int64_t first = aid->at / 1000;

	assert_true(say(aid, ONE, 11, false));
	aid->at += 60000;
	assert_true(say(aid, TWO, 11, false));
	aid->at += (DAY_S - 60) * INT64_C(1000);
	store_aid_act(aid, act_purge, &purge);
	assert_false(purge.more);
	assert_int_equal(purge.purged, 0); /* not older than a day */
	aid->at += 1;
	store_aid_act(aid, act_purge, &purge);
	assert_true(purge.more);
	assert_int_equal(purge.purged, first);
	assert_false(say(aid, TWO, 11, false));
	aid->at += 60000;
	purge.max = 9;
	store_aid_act(aid, act_purge, &purge);
	assert_false(purge.more);
	assert_int_equal(purge.purged, first + 60);
}

static void
act_ahead(struct tx *tx, UNUSED void *arg)
{
	row_nonce_add(tx,
	    &(struct nonce_use){ .nonce = ONE, .ts = tx->at / 1000 + 300, .person = 1, .work = 1 });
}

/* A ts ahead of the clock is kept until it is a day old itself. */
STORE_TEST(what_came_early_stays_longer)
{
	struct purge purge = { .max = 9 };

	store_aid_act(aid, act_ahead, NULL);
	aid->at += DAY_S * INT64_C(1000) + 299000;
	store_aid_act(aid, act_purge, &purge);
	assert_int_equal(purge.purged, 0);
	assert_false(say(aid, ONE, 22, false));
	aid->at += 2000;
	store_aid_act(aid, act_purge, &purge);
	assert_int_not_equal(purge.purged, 0);
}

static void
act_request(struct tx *tx, UNUSED void *arg)
{
	char nonce[ROW_NONCE_SIZE];

	row_nonce_request(tx, ONE, 5);
	assert_int_equal(row_nonce_work(tx, ONE), 5);
	assert_int_equal(row_nonce_work(tx, TWO), 0);
	row_nonce_of(tx, 5, nonce);
	assert_string_equal(nonce, ONE);
	row_nonce_of(tx, 6, nonce);
	assert_string_equal(nonce, "");
}

TEST_WITH(a_request_has_one_nonce, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_request, NULL);
}
