/* leader.c - one row, which whoever decides changes first.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/leader.h"

#include <inttypes.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/text.h"

#define RESOLVE_EACH_MS 100

/* --- the row --- */

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

/* --- the fence --- */

static bool
depose(struct leader_fence *fence, struct err *err, const char *why)
{
	fence->is_deposed = true;
	return err_set(err, ERR_CHANGED, "this server leads no longer: %s", why);
}

static bool
raise_batch(struct leader_fence *fence, struct db *db, int64_t from, struct err *err)
{
	fence->sent_ms = clock_boottime_ms();
	if (!db_run(db, err,
		"UPDATE leader SET batch = $1 + 1, at = $2, renewed = " LEADER_NOW_MS
		" WHERE epoch = $3 AND batch = $1",
		DB_I64(from), DB_I64(fence->at), DB_I64(fence->epoch)))
		return false;
	return db_changes(db) == 1 || depose(fence, err, "another has taken over");
}

static bool
enter(void *ctx, struct db *db, struct err *err)
{
	struct leader_fence *fence = ctx;

	if (fence->is_deposed)
		return depose(fence, err, "another has taken over");
	return raise_batch(fence, db, fence->batch, err);
}

/* Whoever waits for the row takes over where the transaction's beginning is older than a lease. */
static bool
stay(void *ctx, struct db *db, struct err *err)
{
	struct leader_fence *fence = ctx;

	if (clock_boottime_ms() - fence->sent_ms < LEADER_RENEW_MS)
		return true;
	fence->sent_ms = clock_boottime_ms();
	return db_run(db, err, "UPDATE leader SET renewed = " LEADER_NOW_MS);
}

static void
leave(void *ctx)
{
	struct leader_fence *fence = ctx;

	fence->batch++;
	leader_fence_renewed(fence, fence->sent_ms);
}

/* Waits for the session that was cut, if it still has the row: what it commits is seen then.
 * *ret_batch: what stands there. */
static bool
read_batch(struct leader_fence *fence, struct db *db, int64_t *ret_batch, struct err *err)
{
	int64_t epoch;

	if (!db_one_i64(&epoch, db, err, "SELECT epoch FROM leader FOR UPDATE") ||
	    !db_one_i64(ret_batch, db, err, "SELECT batch FROM leader"))
		return false;
	return epoch == fence->epoch || depose(fence, err, "another has taken over");
}

/* What an older commit left there is durable as soon as a later one is, of which the answer came:
 * https://www.postgresql.org/docs/15/wal-async-commit.html */
static bool
confirm(struct leader_fence *fence, struct db *db, bool *ret_is_there, struct err *err)
{
	int64_t batch;
	bool ok;

	if (!db_begin_bare(db, err))
		return false;
	ok = read_batch(fence, db, &batch, err);
	*ret_is_there = ok && batch > fence->batch;
	if (!ok || !*ret_is_there || !raise_batch(fence, db, batch, err)) {
		db_rollback(db);
		return ok && !*ret_is_there;
	}
	if (db_commit_bare(db, err) != DB_DONE)
		return false;
	fence->batch = batch;
	leave(fence);
	return true;
}

static bool
resolve(void *ctx, struct db *db, struct err *err)
{
	static const struct timespec pause = { .tv_nsec = RESOLVE_EACH_MS * 1000000L };
	struct leader_fence *fence = ctx;
	bool is_there = false;
	struct err why;

	(void)atomic_fetch_add(&fence->n_unknown, 1);
	log_warning("database: it is not known whether the last commit is there: %s", err->text);
	while (!confirm(fence, db, &is_there, &why)) {
		if (!fence->is_deposed && !leader_fence_is_fresh(fence, LEADER_LEASE_MS))
			(void)depose(fence, &why, "the database does not answer");
		if (fence->is_deposed) {
			*err = why;
			return false;
		}
		(void)nanosleep(&pause, NULL); /* shorter does no harm */
	}
	log_info("database: the last commit is %s", is_there ? "there" : "not there");
	return is_there;
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

void
leader_fence_init(struct leader_fence *fence, const struct leader *leader)
{
	*fence = (struct leader_fence){
		.fence = { enter, stay, leave, resolve, fence },
		.epoch = leader->epoch,
		.batch = leader->batch,
		.at = leader->at,
		.renewed_ms = leader->taken_ms,
	};
}

void
leader_fence_renewed(struct leader_fence *fence, int64_t sent_ms)
{
	int64_t known = atomic_load(&fence->renewed_ms);

	while (
	    sent_ms > known && !atomic_compare_exchange_weak(&fence->renewed_ms, &known, sent_ms))
		continue;
}

bool
leader_fence_is_fresh(const struct leader_fence *fence, int64_t ms)
{
	return clock_boottime_ms() - atomic_load(&fence->renewed_ms) <= ms;
}
