/* leader.c - one row, which whoever decides changes first.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/leader.h"

#include "lib/clock.h"
#include "lib/db_fence.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/text.h"

/* A column that is added later has a default, as servers of before write rows too, and an ALTER of
 * its own here: these tables are of no migration (store_schema.h). */
bool
leader_make(struct db *db, struct err *err)
{
	int64_t there;

	if (!db_has(db, "server", NULL, &there, err))
		return false;
	if (there != 0 ||
	    db_script(db,
		"CREATE TABLE IF NOT EXISTS leader (one INTEGER PRIMARY KEY CHECK (one = 1),"
		" epoch INTEGER NOT NULL, batch INTEGER NOT NULL, holder TEXT NOT NULL,"
		" folder TEXT NOT NULL, since INTEGER NOT NULL, renewed INTEGER NOT NULL,"
		" at INTEGER NOT NULL, leaves INTEGER NOT NULL);"
		"CREATE TABLE IF NOT EXISTS server (name TEXT PRIMARY KEY, seen INTEGER NOT NULL,"
		" version TEXT NOT NULL, marks TEXT NOT NULL);"
		"INSERT INTO leader VALUES (1, 0, 0, '', '', 0, 0, 0, 0)"
		" ON CONFLICT (one) DO NOTHING;",
		err))
		return true;
	/* Another server may have made it just now. */
	return db_has(db, "server", NULL, &there, NULL) && there != 0;
}

bool
leader_read(struct db *db, struct leader *ret, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	*ret = (struct leader){ 0 };
	if (!db_query(&rows, db, err,
		"SELECT epoch, batch, at, since, renewed, holder, " LEADER_NOW_MS
		", folder, leaves FROM leader"))
		return false;
	if (db_next(&rows)) {
		ret->epoch = db_col_i64(&rows, 0);
		ret->batch = db_col_i64(&rows, 1);
		ret->at = db_col_i64(&rows, 2);
		ret->since = db_col_i64(&rows, 3);
		ret->clock_ms = db_col_i64(&rows, 6);
		ret->left_ms = db_col_i64(&rows, 4) + LEADER_LEASE_MS - ret->clock_ms;
		ret->leaves = db_col_i64(&rows, 8) != 0;
		(void)text_copy(ret->holder, sizeof(ret->holder), db_col_text(&rows, 5));
		(void)text_copy(ret->folder, sizeof(ret->folder), db_col_text(&rows, 7));
		while (db_next(&rows))
			continue;
	}
	return db_rows_end(&rows, err);
}

bool
leader_is(const struct leader *leader, const struct leader *self)
{
	return strcmp(leader->holder, self->holder) == 0 &&
	    strcmp(leader->folder, self->folder) == 0;
}

static bool
run_alone(struct db *db, const struct db_sql *sql, int64_t *ret_changes, struct err *err)
{
	if (!db_begin_bare(db, err))
		return false;
	if (!db_run_sql(db, err, sql)) {
		db_rollback(db);
		return false;
	}
	*ret_changes = db_changes(db);
	return db_commit_bare(db, err) == DB_DONE;
}

/* Of a commit that it does not know of it learns at the next try: the lease is its own then. */
bool
leader_take(struct db *db, bool is_of_before, struct leader *ret, bool *ret_leads, struct err *err)
{
	const struct leader self = *ret;
	int64_t sent_ms = clock_boottime_ms(), taken;

	*ret_leads = false;
	if (!run_alone(db,
		DB_SQL(
		    "UPDATE leader SET epoch = GREATEST(epoch + 1, $4), holder = $1, folder = $3,"
		    " leaves = 0, since = " LEADER_NOW_MS ", renewed = " LEADER_NOW_MS
		    " WHERE holder = '' OR (holder = $1 AND folder = $3)"
		    " OR renewed < " LEADER_NOW_MS " - $2",
		    DB_TEXT(self.holder), DB_I64(LEADER_LEASE_MS), DB_TEXT(self.folder),
		    DB_I64(is_of_before ? clock_wall_ms() / 1000 : 0)),
		&taken, err) ||
	    !leader_read(db, ret, err))
		return false;
	ret->taken_ms = sent_ms;
	*ret_leads = taken > 0 && leader_is(ret, &self);
	return true;
}

bool
leader_renew(struct db *db, int64_t epoch, bool leaves, bool *ret_leads, struct err *err)
{
	int64_t renewed;

	if (!run_alone(db,
		DB_SQL("UPDATE leader SET renewed = " LEADER_NOW_MS
		       ", leaves = $2 WHERE epoch = $1",
		    DB_I64(epoch), DB_I64(leaves)),
		&renewed, err))
		return false;
	*ret_leads = renewed > 0;
	return true;
}

bool
leader_give_up(struct db *db, int64_t epoch, struct err *err)
{
	int64_t n;

	return run_alone(
	    db, DB_SQL("UPDATE leader SET holder = '' WHERE epoch = $1", DB_I64(epoch)), &n, err);
}

int64_t
leader_epoch_brought(const char *path, bool is_of_before)
{
	struct err err;
	struct db *db = db_open(path, DB_READ_ONLY, &err);
	int64_t epoch = 0, now_s = clock_wall_ms() / 1000;

	if (db != NULL &&
	    !db_one_i64(&epoch, db, &err,
		"SELECT COALESCE(MAX(value), 0) FROM counter WHERE name = 'epoch'"))
		epoch = 0; /* it is to be migrated */
	db_close(db);
	if (epoch != 0 && is_of_before)
		epoch = epoch < now_s ? now_s : epoch + 1;
	return epoch;
}
