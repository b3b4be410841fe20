/* schema_aid.c - the database of a closed store, and its version.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "schema_aid.h"

#include <unistd.h>

#include "lib/buf.h"
#include "lib/db_upkeep.h"
#include "store/store_inside.h"

#define TEXT_MAX 65536

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

struct db *
schema_aid_empty(struct store_aid *aid, const char *name)
{
	char path[160];
	struct db *db;

	(void)snprintf(path, sizeof(path), "%s/%s", aid->folder, name);
	assert_int_not_equal(access(path, F_OK), 0);
	db = db_open(path, 0, &aid->err);
	assert_non_null(db);
	return db;
}

struct db *
schema_aid_fresh(struct store_aid *aid, const char *name, int64_t version)
{
	struct db *db = schema_aid_empty(aid, name);

	if (!store_schema_migrate(db, NULL, version, &aid->err))
		fail_msg("%s", aid->err.text);
	return db;
}

/* What store_schema.sql breaks behind a column is one line. */
static void
add_line(struct buf *text, const char *sql, char end)
{
	for (const char *c = sql; *c != '\0'; c++)
		if (*c != '\n')
			buf_add(text, c, 1);
	buf_add(text, &end, 1);
}

char *
schema_aid_text(struct store_aid *aid, struct db *db)
{
	struct db_rows rows = { 0 };
	struct buf text;
	char *copy;

	buf_init(&text, TEXT_MAX);
	assert_true(db_query(&rows, db, &aid->err,
	    "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master"
	    " ORDER BY type, name"));
	while (db_next(&rows))
		for (int c = 0; c < 4; c++)
			add_line(&text, db_col_text(&rows, c), c < 3 ? '|' : '\n');
	assert_true(db_rows_end(&rows, &aid->err));
	copy = strdup(buf_text(&text));
	assert_non_null(copy);
	assert_false(buf_failed(&text));
	buf_done(&text);
	return copy;
}

void
schema_aid_expect_same(struct store_aid *aid, struct db *one, struct db *other, const char *why)
{
	char *left = schema_aid_text(aid, one), *right = schema_aid_text(aid, other);

	if (strcmp(left, right) != 0)
		fail_msg("%s:\n%s\nand\n%s", why, left, right);
	free(left);
	free(right);
	db_close(one);
	db_close(other);
}
