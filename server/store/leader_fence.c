/* leader_fence.c - each transaction raises the batch, and learns how it ended.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/leader_fence.h"

#include <time.h>

#include "lib/clock.h"
#include "lib/err.h"
#include "lib/log.h"
#include "store/leader.h"

#define RESOLVE_EACH_MS 100

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

static void
answered(void *ctx)
{
	atomic_store(&((struct leader_fence *)ctx)->answered_ms, clock_boottime_ms());
}

/* Whoever waits for the row takes over where the transaction's beginning is older than a lease. */
static bool
stay(void *ctx, struct db *db, struct err *err)
{
	struct leader_fence *fence = ctx;

	if (!leader_fence_is_long(fence))
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

void
leader_fence_init(struct leader_fence *fence, const struct leader *leader)
{
	*fence = (struct leader_fence){
		.fence = { enter, answered, stay, leave, resolve, fence },
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

bool
leader_fence_is_at_work(const struct leader_fence *fence)
{
	return clock_boottime_ms() - atomic_load(&fence->answered_ms) <= LEADER_ACTS_MS;
}

bool
leader_fence_is_long(const struct leader_fence *fence)
{
	return clock_boottime_ms() - fence->sent_ms >= LEADER_RENEW_MS;
}
