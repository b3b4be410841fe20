/* schema_aid.c - the database of a closed store, and its version.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "schema_aid.h"

int
schema_aid_setup(void **state)
{
	static struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_close(aid.store);
	aid.store = NULL;
	*state = &aid;
	return 0;
}

int
schema_aid_teardown(void **state)
{
	store_aid_close(*state);
	return 0;
}

struct db *
schema_aid_open(struct store_aid *aid)
{
	struct db *db = db_open(aid->path, 0, &aid->err);

	assert_non_null(db);
	return db;
}

int64_t
schema_aid_version(struct store_aid *aid, struct db *db)
{
	int64_t version = 0;

	assert_true(db_user_version(db, &version, &aid->err));
	return version;
}
