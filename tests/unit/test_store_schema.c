/* Goal: a database of any release is understood, brought up to date, or refused in words.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/db.h"
#include "tests/unit/store_aid.h"

static int
setup(void **state)
{
	static struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_close(aid.store);
	aid.store = NULL;
	*state = &aid;
	return 0;
}

static int
teardown(void **state)
{
	store_aid_close(*state);
	return 0;
}

static struct db *
open_database(struct store_aid *aid)
{
	struct db *db = db_open(aid->path, 0, &aid->err);

	assert_non_null(db);
	return db;
}

static int64_t
version_of(struct store_aid *aid, struct db *db)
{
	int64_t version = 0;

	assert_true(db_user_version(db, &version, &aid->err));
	return version;
}

static void
a_database_of_a_newer_version_is_refused(void **state)
{
	struct store_aid *aid = *state;
	struct db *db = open_database(aid);

	assert_true(db_set_user_version(db, 1000, &aid->err));
	db_close(db);
	assert_null(store_open(&aid->config, &aid->err));
	assert_int_equal(aid->err.code, ERR_CONFIG);
	assert_non_null(strstr(aid->err.text, "1000"));
}

static void
a_database_of_0_1_0_is_brought_up_to_date(void **state)
{
	static const char added[] = "DROP INDEX deployment_ended"; /* what migration 2 adds */
	struct store_aid *aid = *state;
	struct db *db = open_database(aid);
	int64_t newest = version_of(aid, db);

	assert_true(db_script(db, added, &aid->err));
	assert_true(db_set_user_version(db, 1, &aid->err));
	db_close(db);
	store_aid_reopen(aid);
	store_close(aid->store);
	aid->store = NULL;
	db = open_database(aid);
	assert_int_equal(version_of(aid, db), newest);
	assert_true(db_script(db, added, &aid->err));
	db_close(db);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_database_of_a_newer_version_is_refused),
		TEST(a_database_of_0_1_0_is_brought_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
