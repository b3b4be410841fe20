/* Goal: one server on SQLite says the epoch that its file was brought, or none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db.h"
#include "store/leader.h"
#include "tests/unit/store_aid.h"
#include "tests/unit/unit.h"

STORE_TEST(a_file_says_which_epoch_it_was_brought)
{
	struct db *db;

	assert_true(leader_epoch_brought("/nonexistent/deploybot.db", false) == 0);
	assert_true(leader_epoch_brought(aid->path, true) == 0);
	db = db_open(aid->path, 0, &aid->err);
	assert_non_null(db);
	assert_true(
	    db_run(db, &aid->err, "INSERT INTO counter (name, value) VALUES ('epoch', 17)"));
	db_close(db);
	assert_true(leader_epoch_brought(aid->path, false) == 17);
	assert_true(leader_epoch_brought(aid->path, true) > INT64_C(1700000000)); /* seconds */
	db = db_open(aid->path, 0, &aid->err);
	assert_true(db_run(db, &aid->err, "DELETE FROM counter WHERE name = 'epoch'"));
	db_close(db);
}
