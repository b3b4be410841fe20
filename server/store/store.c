/* store.c - opens the database, recovers what was open, closes; store_batch.c decides.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/crash_point.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "store/audit_end.h"
#include "store/leader_fence.h"
#include "store/store_inside.h"
#include "store/store_move.h"
#include "store/store_restore.h"

#define CHECK_PAGES_MAX 512 /* 2 MB, checked in 6 ms */

/* --- opening and closing --- */

/* A log that was not checkpointed: the program did not come to store_close(). */
static bool
ended_uncleanly(const char *path)
{
	char wal[PATH_MAX];
	struct stat st;

	(void)snprintf(wal, sizeof(wal), "%s-wal", path); /* too long: the open has failed before */
	return !db_is_url(path) && stat(wal, &st) == 0 && st.st_size > 0;
}

/*
 * A million deliveries take a second to check, and whoever starts after a crash must not wait for
 * that: of a large file only what is small by nature and decides what goes on.  What is damaged
 * elsewhere is said when it is read, and by `deploybot doctor`, which looks at all of it.
 */
static bool
check_database(struct db *db, struct err *err)
{
	static const char *const small[] = { "effect", "environment", "button" };
	int64_t pages;

	if (!db_page_count(db, &pages, err))
		return false;
	if (pages <= CHECK_PAGES_MAX)
		return db_quick_check(db, NULL, err);
	for (size_t i = 0; i < COUNT(small); i++) {
		int64_t there;

		if (!db_has(db, small[i], NULL, &there, err) ||
		    (there != 0 && !db_quick_check(db, small[i], err)))
			return false;
	}
	return true;
}

/* Whoever starts it has said so. */
static bool
is_of_before(const struct store *store)
{
	return store->config.is_restored || store->config.is_moved_back;
}

/* Lines that the database lacks are evidence of what is lost: nothing is written behind them. */
static bool
move_log(struct store *store, struct err *err)
{
	char away[STORE_RESTORE_AWAY];
	struct audit_chain end;
	int64_t newest;
	bool is_in;

	if (store->audit_path == NULL || !is_of_before(store))
		return true;
	if (!audit_end_read(store->audit_path, &end, err)) {
		log_warning("the audit log: %s", err->text); /* as is said when it is written */
		return true;
	}
	if (!audit_end_is_in(store->db, &end, &is_in, &newest, err))
		return false;
	if (is_in)
		return true;
	store->log_last = end.seq;
	/* Before the log has gone, by which the next start would know it. */
	if ((store->config.is_restored && !store_move_mark_restored(store->db, err)) ||
	    !store_restore_log_away(store->audit_path, away, err))
		return false;
	log_warning(
	    "the database lacks entry %lld, which the audit log ended with: it is in %s beside it now",
	    (long long)end.seq, away);
	return true;
}

static bool
open_database(struct store *store, struct err *err)
{
	static const char count_outbox[] = "SELECT COUNT(*) FROM effect WHERE (kind = ''"
#define EFFECT(name, performer, word, result, lane, outbox, ...) STORE_OR_##outbox(word)
#include "types/effect.def"
					   ")";
	const char *copy_of = store->config.no_copy || db_is_url(store->path) ? NULL : store->path;
	bool check = ended_uncleanly(store->path);

	store->db = db_open(store->path, 0, err);
	if (store->db == NULL)
		return false;
	if (store->config.fence != NULL)
		db_set_fence(store->db, &store->config.fence->fence);
	if ((check && !check_database(store->db, err)) ||
	    !store_schema_migrate(store->db, copy_of, store_schema_newest(), err) ||
	    !store_move_check(
		store->db, store->config.is_moved_back, store->config.is_restored, err))
		return err_wrap(err, "%s", db_is_url(store->path) ? "DATABASE_URL" : store->path);
	if (!store_audit_head(store->db, &store->mark.audit, err) ||
	    !store_ids_read(store->db, &store->mark.ids, err) || !move_log(store, err) ||
	    (store->config.installation != NULL &&
		!store_ids_installation(store->db, store->config.installation, err)))
		return false;
	if (store->config.last_run != NULL)
		*store->config.last_run = store->mark.ids.last[STORE_ID_RUN];
	store->mark.audit_seen = store->mark.audit.seq; /* the start looks at what is there */
	return db_one_i64(&store->mark.n_outbox, store->db, err, count_outbox);
}

struct store *
store_open(const struct store_config *config, struct err *err)
{
	struct store *store = mem_new(1, sizeof(*store));
	bool ok;

	store->config = *config;
	store->exported_size = -1;
	store->stale.is_all = true;
	store->are_tokens_stale = true;
	store->are_peers_stale = true;
	store->changed.is_all = true;
	store->path = mem_text(config->path);
	store->audit_path = mem_text(config->audit_path);
	store->environments_path = mem_text(config->environments_path);
	ok = open_database(store, err);
	if (ok && config->poison_path != NULL) {
		store->poison = store_poison_open(config->poison_path, err);
		ok = store->poison != NULL;
	}
	if (ok)
		return store;
	store_close(store);
	return NULL;
}

void
store_close(struct store *store)
{
	struct err err;

	if (store == NULL)
		return;
	if (store->db != NULL && !db_checkpoint(store->db, NULL, &err))
		log_warning("closing the store: %s", err.text); /* done at the next start */
	db_close(store->db);
	store_poison_close(store->poison);
	store_lane_done(store);
	store_names_done(&store->stale);
	store_names_done(&store->changed);
	settings_unref(store->settings);
	free(store->path);
	free(store->audit_path);
	free(store->environments_path);
	free(store);
}

void
store_remember(struct store *store, struct settings *settings, int64_t at)
{
	if (at != 0)
		store->at = at;
	if (settings == NULL || settings == store->settings)
		return;
	settings_unref(store->settings);
	store->settings = settings_ref(settings);
	store->changed.is_all = true;
	store->are_tokens_stale = true;
	store->are_peers_stale = true;
}

/* --- was the end in order? --- */

/* With the number of the last entry of the audit: a program that knows nothing of this row writes
 * another when it starts. */
#define ENDED "ended"

/* In the transaction that hands out what was open: from here on each may be on its way again. */
static bool
mark_doubtful(struct store *store, struct err *err)
{
	int64_t in_order;

	if (!db_one_i64(&in_order, store->db, err,
		"SELECT COUNT(*) FROM counter WHERE name = $1 AND value = $2", DB_TEXT(ENDED),
		DB_I64(store->mark.audit.seq)))
		return false;
	if ((in_order == 0 || store->config.is_restored) &&
	    !store_message_mark_twice(store->db, err))
		return false;
	return db_run(store->db, err, "DELETE FROM counter WHERE name = $1", DB_TEXT(ENDED));
}

/* If it is not there when the next server starts, it was cut off while none ran. */
static bool
name_end(struct store *store, struct err *err)
{
	char head[LIMIT_AUDIT_HEAD];

	audit_chain_short(&store->mark.audit, head);
	return db_run(store->db, err,
	    "INSERT INTO audit_end (id, seq, head) VALUES (1, $1, $2)"
	    " ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, head = excluded.head",
	    DB_I64(store->mark.audit.seq), DB_TEXT(head));
}

bool
store_end(struct store *store, const int64_t *unanswered, size_t n, struct err *err)
{
	bool ok;

	if (!store->is_recovered)
		return true; /* what was said before holds */
	if (db_flush_failed(store->db))
		return err_set(err, ERR_IO, "fsync failed");
	ok = db_begin(store->db, err);
	for (size_t i = 0; ok && i < n; i++)
		ok = store_message_mark(store->db, unanswered[i], err);
	ok = ok && store_ids_set(store->db, ENDED, store->mark.audit.seq, err) &&
	    name_end(store, err) && db_commit(store->db, err);
	if (!ok)
		db_rollback(store->db);
	return ok;
}

bool
store_recover(struct store *store, struct settings *settings, int64_t at,
    struct queue_list *ret_outcomes, struct err *err)
{
	struct queue_list out = { 0 };
	bool ok;

	store_remember(store, settings, at);
	if (!db_begin(store->db, err))
		return false;
	ok = mark_doubtful(store, err) && store_lane_recover(store, &out, err) &&
	    store_gauges_add(store, &out, err);
	CRASH_POINT(start_recovering);
	/* What the start has read is not needed again so soon: half a megabyte, or it stays. */
	ok = ok && db_shrink(store->db, err) && db_commit(store->db, err);
	if (!ok)
		db_rollback(store->db);
	store_lane_close(store, ok);
	assert(db_idle(store->db));
	if (ok)
		queue_list_append(ret_outcomes, &out);
	store->is_recovered |= ok;
	outcome_free_all(&out);
	return ok;
}
