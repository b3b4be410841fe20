/* store_move.c - opens both, looks whether nobody has them, copies, compares, marks.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_move.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_verify.h"
#include "store/leader.h"
#include "store/store_inside.h"
#include "store/store_restore.h"
#include "store/store_rows.h"
#include "types/peers.h"

/* Rows of `counter`: wall ms; the epoch that a file was brought. */
#define MOVED	 "moved"
#define RESTORED "restored"
#define EPOCH	 "epoch"

static bool
read_counter(struct db *db, const char *word, int64_t *ret, struct err *err)
{
	return db_one_i64(ret, db, err,
	    "SELECT COALESCE(MAX(value), 0) FROM counter WHERE name = $1", DB_TEXT(word));
}

bool
store_move_check(struct db *db, bool is_moved_back, bool is_restored, struct err *err)
{
	char at[TEXT_TIME_SIZE];
	int64_t moved, restored;

	if (!read_counter(db, MOVED, &moved, err) || !read_counter(db, RESTORED, &restored, err))
		return false;
	if (moved != 0 && !is_moved_back)
		return err_set(err, ERR_CONFIG,
		    "this database was copied to another one at %s, and that one is served since: change DATABASE_URL, or go back to what was known then by `deploybot serve --moved-back`",
		    text_time(at, moved));
	if (restored != 0 && !is_restored)
		return err_set(err, ERR_CONFIG,
		    "this database was made of a backup: the first start is `deploybot serve --restored`");
	return true;
}

bool
store_move_spent(struct db *db, struct err *err)
{
	return db_run(db, err, "DELETE FROM counter WHERE name = $1 OR name = $2", DB_TEXT(MOVED),
	    DB_TEXT(RESTORED));
}

/* --- the two ends --- */

/* The tables of a program that knows other ones cannot be listed by this one's. */
static bool
check_version(struct db *db, const char *which, struct err *err)
{
	int64_t version;

	if (!store_restore_knows(db, which, err) || !db_user_version(db, &version, err))
		return false;
	if (version == 0)
		return err_set(err, ERR_CONFIG, "%s is no database of deploybot", which);
	return version == store_schema_newest() ||
	    err_set(err, ERR_CONFIG,
		"%s has version %" PRId64
		", and this program's is %" PRId64 ": start this deploybot on it once",
		which, version, store_schema_newest());
}

/* The lock of the row keeps whoever stands by from leading until this transaction ends. */
static bool
check_nobody_leads(struct db *db, const char *which, struct err *err)
{
	struct leader leader;
	int64_t epoch;

	if (!db_one_i64(&epoch, db, err, "SELECT epoch FROM leader FOR UPDATE") ||
	    !leader_read(db, &leader, err))
		return false;
	return leader.holder[0] == '\0' || leader.left_ms < 0 ||
	    err_set(err, ERR_BUSY,
		"%s leads on %s (epoch %" PRId64 "): stop each deploybot of that database first",
		leader.holder, which, epoch);
}

/* What is read is of one moment, however long that takes. */
static bool
begin(struct db *db, bool is_server, struct err *err)
{
	return db_run(db, err, "BEGIN") &&
	    (!is_server ||
		(db_run(db, err, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ") &&
		    db_run(db, err, "SET LOCAL idle_in_transaction_session_timeout = 0")));
}

struct ends {
	struct store_rows rows;
	bool is_locked; /* nobody may lead, nor have the file */
};

static void
ends_done(struct ends *ends)
{
	struct db *both[] = { ends->rows.from, ends->rows.to };

	store_rows_done(&ends->rows);
	for (size_t i = 0; i < COUNT(both); i++) {
		if (both[i] != NULL)
			db_rollback(both[i]);
		db_close(both[i]);
	}
}

static bool
begin_both(struct ends *ends, struct err *err)
{
	struct store_rows *rows = &ends->rows;
	struct db *server = rows->is_to_server ? rows->to : rows->from;

	if (ends->is_locked && !leader_make(server, err))
		return false;
	return begin(rows->from, !rows->is_to_server, err) &&
	    begin(rows->to, rows->is_to_server, err) &&
	    (!ends->is_locked ||
		check_nobody_leads(server, rows->is_to_server ? "TO" : "FROM", err)) &&
	    store_rows_list(rows, err);
}

static bool
open_both(struct ends *ends, const struct store_move *move, unsigned from_flags, struct err *err)
{
	struct store_rows *rows = &ends->rows;
	int64_t version;

	rows->is_to_server = db_is_url(move->to);
	rows->cleans = move->cleans;
	if (rows->is_to_server == db_is_url(move->from))
		return err_set(err, ERR_INVALID,
		    "one of the two is a file of SQLite, and the other a URL of PostgreSQL");
	if (rows->is_to_server && access(move->from, R_OK) != 0) /* it would be made */
		return err_errno(err, ERR_MISSING, errno, "%s", move->from);
	rows->from = db_open(move->from, from_flags, err);
	if (rows->from == NULL || !check_version(rows->from, "FROM", err))
		return false;
	rows->to = db_open(move->to, 0, err);
	if (rows->to == NULL || !db_user_version(rows->to, &version, err) ||
	    (version == 0 && !store_schema_migrate(rows->to, NULL, store_schema_newest(), err)))
		return err_wrap(err, "TO");
	return check_version(rows->to, "TO", err) && begin_both(ends, err);
}

/* --- what differs --- */

/* Whoever leads next is behind each epoch that a runner has seen. */
static bool
bring_epoch(const struct store_rows *rows, struct err *err)
{
	int64_t epoch;

	if (rows->is_to_server)
		return db_run(rows->to, err,
		    "UPDATE leader SET epoch = MAX(epoch, (SELECT COALESCE(MAX(value), 0) FROM counter"
		    " WHERE name = $1))",
		    DB_TEXT(EPOCH));
	return db_one_i64(&epoch, rows->from, err, "SELECT epoch FROM leader") &&
	    store_ids_set(rows->to, EPOCH, epoch, err);
}

/* A server's own runner is `local` where there is one server, and where there are two has its name. */
static bool
rename_runner(const struct store_rows *rows, const char *server_name, struct err *err)
{
	const char *before = rows->is_to_server ? RUNNER_LOCAL : server_name;
	const char *now = rows->is_to_server ? server_name : RUNNER_LOCAL;

	return db_run(rows->to, err, "UPDATE run SET runner = $2 WHERE runner = $1",
		   DB_TEXT(before), DB_TEXT(now)) &&
	    db_run(rows->to, err, "UPDATE runner SET name = $2 WHERE name = $1", DB_TEXT(before),
		DB_TEXT(now)) &&
	    db_run(rows->to, err,
		"UPDATE effect SET body = replace(body, '\"runner\":\"' || $1 || '\"',"
		" '\"runner\":\"' || $2 || '\"') WHERE kind = 'document' OR kind = 'forget'",
		DB_TEXT(before), DB_TEXT(now));
}

static bool
verify(const struct store_rows *rows, struct store_moved *ret, struct err *err)
{
	struct audit_chain here, there;

	if (!audit_verify_rows(rows->from, &here, err))
		return err_wrap(err, "FROM");
	if (!audit_verify_rows(rows->to, &there, err))
		return err_wrap(err, "TO");
	if (memcmp(here.hash, there.hash, sizeof(here.hash)) != 0)
		return err_set(err, ERR_IO, "the audit at TO is not that of FROM");
	ret->entries = here.seq;
	audit_chain_short(&here, ret->head);
	return true;
}

/* --- may it be written over? --- */

/* It was moved, and what it decided last is in the other one's history. */
static bool
is_known_here(const struct store_rows *rows, bool *ret, struct err *err)
{
	struct audit_chain head;
	int64_t moved, same;

	if (!read_counter(rows->to, MOVED, &moved, err) ||
	    !store_audit_head(rows->to, &head, err) ||
	    !db_one_i64(&same, rows->from, err,
		"SELECT COUNT(*) FROM audit WHERE seq = $1 AND hash = $2", DB_I64(head.seq),
		DB_BLOB(head.hash, sizeof(head.hash))))
		return false;
	*ret = moved != 0 && same == 1;
	return true;
}

static bool
check_ends(struct store_rows *rows, struct err *err)
{
	int64_t moved;
	bool is_new, is_known;

	if (!read_counter(rows->from, MOVED, &moved, err) ||
	    !store_rows_is_new(rows, &is_new, err) || !is_known_here(rows, &is_known, err))
		return false;
	if (moved != 0)
		return err_set(err, ERR_CONFIG,
		    "FROM was copied to another database before, and is not served since");
	return is_new || is_known ||
	    err_set(err, ERR_BUSY, "TO has rows: name an empty database, or a file that is not there");
}

/* --- all of it --- */

bool
store_move(const struct store_move *move, struct store_moved *ret, struct err *err)
{
	CLEANUP(ends_done) struct ends ends = { .is_locked = true };
	struct store_rows *rows = &ends.rows;
	int64_t now = clock_wall_ms();

	if (!open_both(&ends, move, move->is_backup ? DB_READ_ONLY | DB_COPY : 0, err) ||
	    !check_ends(rows, err) || !store_rows_copy(rows, &ret->rows, err) ||
	    !rename_runner(rows, move->server_name, err) || !bring_epoch(rows, err) ||
	    (move->is_backup && !store_ids_set(rows->to, RESTORED, now, err)) ||
	    !verify(rows, ret, err) || !db_commit(rows->to, err))
		return false;
	return move->is_backup ||
	    (store_ids_set(rows->from, MOVED, now, err) && db_commit(rows->from, err)) ||
	    err_wrap(err, "all of it is at TO, but FROM is not marked as moved: serve TO alone");
}

bool
store_move_backup(const char *url, const char *file, struct err *err)
{
	const struct store_move move = { .from = url, .to = file };
	CLEANUP(ends_done) struct ends ends = { 0 };
	struct store_rows *rows = &ends.rows;
	int64_t n;

	return open_both(&ends, &move, DB_READ_ONLY, err) && store_rows_copy(rows, &n, err) &&
	    bring_epoch(rows, err) && db_commit(rows->to, err) &&
	    db_run(rows->to, err, "PRAGMA journal_mode = DELETE");
}
