/* db_pg.c - PostgreSQL behind db.h: one session, its transactions and its rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * What was posted and a statement that is asked for are one round trip, and db_next() walks what
 * came.  Parameters and results travel in binary:
 * https://www.postgresql.org/docs/15/libpq-exec.html
 */
#include <endian.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/db_libpq.h"
#include "lib/db_pg_columns.h"
#include "lib/db_pg_inside.h"
#include "lib/db_sql.h"
#include "lib/db_url.h"
#include "lib/mem.h"
#include "lib/text.h"

static struct pg *
of(const struct db *db)
{
	return (struct pg *)(uintptr_t)db;
}

/* --- opening --- */

/* libpq would write them to stderr, with what they are about. */
static void
take_notice(void *ctx, UNUSED const PGresult *res)
{
	((struct pg *)ctx)->is_warned = true;
}

static bool
settle(struct db *db, struct err *err)
{
	struct pg *pg = of(db);
	PGresult *res;

	if (pg->n_sent == 0)
		return true;
	res = db_pg_receive(pg, err);
	if (res != NULL)
		pg->changes = strtoll(PQcmdTuples(res), NULL, 10);
	PQclear(res);
	return res != NULL;
}

/* Several statements without parameters. */
static bool
exec(struct pg *pg, const char *sql, struct err *err)
{
	PGresult *res;
	bool ok;

	if (!settle(&pg->db, err))
		return false;
	res = PQexec(pg->conn, sql);
	ok = db_pg_is_fine(res) || db_pg_fail(err, res, sql);
	PQclear(res);
	return ok;
}

/* A statement is planned once, whatever its values, and never by a scan, as its table may be empty
 * then.  Who waits for a lock, or stops within a transaction, keeps nobody for long.  All else is
 * as the database has it. */
static bool
set_up(struct pg *pg, struct err *err)
{
	static const char settings[] =
	    "SET client_min_messages = warning; SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan; SET lock_timeout = '1s'; SET idle_in_transaction_session_timeout = '2s'; SET standard_conforming_strings = on";
	/* A commit that is answered is on disk, whatever the database does for others. */
	static const char durable[] = "SELECT set_config('synchronous_commit', 'on', false)"
				      " WHERE current_setting('synchronous_commit') = 'off'";
	/* Whoever only reads keeps nobody waiting, and may walk through a long file in between. */
	static const char reads[] =
	    "SET default_transaction_read_only = on; SET idle_in_transaction_session_timeout = '60s'";
	const char *encoding = PQparameterStatus(pg->conn, "server_encoding");

	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return err_set(err, ERR_CONFIG,
		    "the database %s is encoded in %s: make one with ENCODING 'UTF8'",
		    PQdb(pg->conn), encoding == NULL ? "what it does not say" : encoding);
	return exec(pg, settings, err) && exec(pg, durable, err) &&
	    (!pg->read_only || exec(pg, reads, err));
}

static void
forget_session(struct pg *pg)
{
	for (size_t i = 0; i < DB_CACHE_SLOTS; i++)
		db_pg_forget(&pg->prepared[i]);
	db_pg_reads_drop(&pg->reads);
	pg->n_sent = 0;
	PQfinish(pg->conn);
	pg->conn = NULL;
}

/* The URL's own words win over those that stand before it. */
static bool
connect_to(struct pg *pg, struct err *err)
{
	static const char *const keys[] = { "connect_timeout", "tcp_user_timeout",
		"keepalives_idle", "keepalives_interval", "keepalives_count",
		"target_session_attrs", "fallback_application_name", "client_encoding", "dbname",
		NULL };
	const char *const values[] = { "3", "3000", "1", "1", "3",
		pg->read_only ? "any" : "read-write", "deploybot", "UTF8", pg->url, NULL };
	char why[160];

	forget_session(pg);
	pg->conn = PQconnectdbParams(keys, values, 1);
	if (pg->conn == NULL)
		mem_abort();
	(void)PQsetNoticeReceiver(pg->conn, take_notice, pg);
	if (PQstatus(pg->conn) == CONNECTION_OK && set_up(pg, err))
		return true;
	if (PQstatus(pg->conn) != CONNECTION_OK) {
		(void)text_copy(why, sizeof(why), PQerrorMessage(pg->conn)); /* cut */
		why[strcspn(why, "\n")] = '\0';
		(void)err_set(err, ERR_IO, "connecting to the database: %s", why);
		(void)db_fails(err);
	}
	forget_session(pg); /* none that was not set up */
	return false;
}

static void
close_db(struct db *db)
{
	struct pg *pg = of(db);

	assert(db->in_use == 0);
	forget_session(pg);
	if (pg->url != NULL)
		explicit_bzero(pg->url, strlen(pg->url));
	free(pg->url);
	free(pg);
}

static bool
post(struct db *db, struct err *err, const struct db_sql *sql)
{
	struct pg *pg = of(db);

	if (pg->conn == NULL)
		return db_pg_fail(err, NULL, sql->text);
	db_pg_reads_written(&pg->reads, sql->text);
	(void)db_pg_send(pg, sql);
	return pg->n_sent + 4 <= SENT_MOST || settle(db, err);
}

static bool
in_transaction(const struct db *db)
{
	PGTransactionStatusType status = PQtransactionStatus(of(db)->conn);

	return of(db)->n_sent > 0 || status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

/* What a statement that goes back finds was sent before it may have failed: that is its end. */
static void
before(struct pg *pg, const char *sql)
{
	db_pg_reads_written(&pg->reads, sql);
	if (pg->n_sent > 0 && text_starts(sql, "ROLLBACK"))
		(void)!settle(&pg->db, NULL);
}

static PGresult *
ask(struct pg *pg, const struct db_sql *sql, struct db_pg_read **read, struct err *err)
{
	const struct prepared *slot;
	PGresult *res;

	before(pg, sql->text);
	slot = db_pg_send(pg, sql);
	if (*read == NULL) {
		db_pg_reads_foresee(&pg->reads, sql);
		*read = db_pg_reads_find(&pg->reads, sql); /* it may be among them */
	}
	db_pg_send_again(pg, *read);
	res = db_pg_receive(pg, err);
	if (res == NULL)
		return NULL;
	pg->changes = strtoll(PQcmdTuples(res), NULL, 10);
	if (*read != NULL)
		db_pg_reads_renew(&pg->reads, *read, res);
	else if (!pg->read_only && in_transaction(&pg->db))
		*read = db_pg_reads_keep(&pg->reads, sql, slot, res);
	return res;
}

#ifdef DEPLOYBOT_CRASH_POINTS
/* What is kept is what the database says: what writes unseen ends a test. */
static void
check_kept(struct pg *pg, const PGresult *kept, const struct db_sql *sql)
{
	struct err err;
	PGresult *now;

	if (pg->n_sent > 0) /* what fails in it is not to be known sooner */
		return;
	pg->db.n_trips--;
	(void)db_pg_send(pg, sql);
	now = db_pg_receive(pg, &err);
	for (int i = 0; now != NULL && i < PQntuples(now) * PQnfields(now); i++) {
		int row = i / PQnfields(now), column = i % PQnfields(now);
		int size = PQgetlength(now, row, column);

		assert(PQntuples(now) == PQntuples(kept) &&
		    size == PQgetlength(kept, row, column) &&
		    memcmp(PQgetvalue(now, row, column), PQgetvalue(kept, row, column),
			(size_t)size) == 0);
	}
	PQclear(now);
}
#endif

static bool
query(struct db_rows *rows, struct db *db, struct err *err, const struct db_sql *sql)
{
	struct pg *pg = of(db);
	struct db_pg_read *read = db_pg_reads_find(&pg->reads, sql);

	if (pg->conn == NULL)
		return db_pg_fail(err, NULL, sql->text);
	rows->cursor = read != NULL && read->res != NULL ? read->res : ask(pg, sql, &read, err);
	if (rows->cursor == NULL)
		return false;
#ifdef DEPLOYBOT_CRASH_POINTS
	if (read != NULL)
		check_kept(pg, rows->cursor, sql);
#endif
	if (read != NULL) {
		read->users++;
		read->n_vain = 0;
	}
	rows->cached = read;
	rows->at = -1;
	db->in_use++;
	return true;
}

static void
release(struct db_rows *rows)
{
	PGresult *res = TAKE(rows->cursor);

	if (rows->cached != NULL)
		db_pg_reads_unref(rows->cached);
	else
		PQclear(res);
	rows->db->in_use--;
}

static bool
next(struct db_rows *rows)
{
	if (++rows->at < PQntuples(rows->cursor))
		return true;
	release(rows);
	return false;
}

static bool
writes(const struct db_rows *rows)
{
	return !text_starts(PQcmdStatus(rows->cursor), "SELECT");
}

static int64_t
changes(const struct db *db)
{
	return of(db)->changes;
}

/* --- many rows --- */

#define LOAD_MAX 268435456 /* bytes of a row */

static void
add_big_endian(struct buf *out, uint64_t number, size_t size)
{
	uint64_t wire = htobe64(number);

	buf_add(out, (const char *)&wire + sizeof(wire) - size, size);
}

static void
add_value(struct buf *out, const struct db_value *value)
{
	bool is_number = value->type == DB_IS_I64;
	size_t size = is_number ? sizeof(uint64_t) : value->size;

	add_big_endian(out, value->type == DB_IS_NULL ? UINT64_MAX : size, 4);
	if (is_number)
		add_big_endian(out, (uint64_t)value->number, size);
	else if (value->type != DB_IS_NULL)
		buf_add(out, value->data, size);
}

static bool
load_begin(struct pg *pg, const char *into, struct buf *out, struct err *err)
{
	static const char head[19] = "PGCOPY\n\377\r\n"; /* and zeros */
	CLEANUP(freep) char *sql = mem_textf("COPY %s FROM STDIN (FORMAT binary)", into);
	PGresult *res;

	if (!settle(&pg->db, err))
		return false;
	db_pg_reads_drop(&pg->reads);
	res = PQexec(pg->conn, sql);
	pg->is_loading = PQresultStatus(res) == PGRES_COPY_IN || db_pg_fail(err, res, sql);
	PQclear(res);
	buf_add(out, head, sizeof(head));
	return pg->is_loading;
}

static bool
load_end(struct pg *pg, const char *into, struct err *err)
{
	bool ok = true;
	PGresult *res;

	pg->is_loading = false;
	(void)PQputCopyEnd(pg->conn, NULL); /* what follows says it */
	while ((res = PQgetResult(pg->conn)) != NULL) {
		ok = ok && (PQresultStatus(res) == PGRES_COMMAND_OK || db_pg_fail(err, res, into));
		PQclear(res);
	}
	return ok;
}

/* https://www.postgresql.org/docs/15/sql-copy.html#id-1.9.3.55.9.4 */
static bool
load(struct db *db, const char *into, const struct db_sql *row, struct err *err)
{
	CLEANUP(buf_done) struct buf out = buf_make(LOAD_MAX);
	struct pg *pg = of(db);

	if (!pg->is_loading && !load_begin(pg, into, &out, err))
		return false;
	add_big_endian(&out, row == NULL ? UINT64_MAX : row->count, 2);
	for (size_t i = 0; row != NULL && i < row->count; i++) {
		struct db_value v = row->values[i];
		UNUSED CLEANUP(freep) char *own = db_mend(&v);

		add_value(&out, &v);
	}
	if (!buf_check(&out, err))
		return false;
	if (PQputCopyData(pg->conn, out.data, (int)out.size) != 1)
		return db_pg_fail(err, NULL, into);
	return row != NULL || load_end(pg, into, err);
}

/* --- transactions --- */

/* Compares as SQLite's of that name does what is ASCII, as names of repositories are. */
static const char nocase[] = "CREATE COLLATION nocase"
			     " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)";

static bool
script(struct db *db, const char *sql, struct err *err)
{
	CLEANUP(freep) char *text = db_sql_translate(sql, true);
	int64_t there;

	if (!db_one_i64(&there, db, err, "SELECT to_regcollation('nocase') IS NOT NULL") ||
	    (there == 0 && !exec(of(db), nocase, err)))
		return false;
	db_pg_reads_drop(&of(db)->reads);
	return exec(of(db), text, err);
}

static bool
begin(struct db *db, struct err *err)
{
	struct pg *pg = of(db);

	if (PQstatus(pg->conn) != CONNECTION_OK && !connect_to(pg, err))
		return db_fails(err);
	db_pg_reads_drop(&pg->reads);
	return db_post(db, err, "BEGIN");
}

/* Nothing of it is there: the session lives, and the error is not of one that ends or of a wait. */
static bool
is_refused(const struct pg *pg, const PGresult *res)
{
	static const char *const others[] = { "08", "57", "58", "XX" };
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

	if (state == NULL || PQstatus(pg->conn) != CONNECTION_OK)
		return false;
	for (size_t i = 0; i < COUNT(others); i++)
		if (text_starts(state, others[i]))
			return false;
	return true;
}

/* What a transaction that has failed answers to COMMIT is ROLLBACK, without an error; one that is
 * not on the second machine, and is given up waiting for, COMMIT with a warning.
 * https://www.postgresql.org/docs/15/warm-standby.html#SYNCHRONOUS-REPLICATION */
static enum db_outcome
commit(struct db *db, struct err *err)
{
	struct pg *pg = of(db);
	enum db_outcome outcome = DB_DONE;
	const char *sql;
	PGresult *res;

	pg->is_warned = false;
	db_pg_send_bare(pg, "COMMIT");
	res = db_pg_receive_any(pg, &sql);
	if (!db_pg_is_fine(res)) {
		(void)db_pg_fail(err, res, sql);
		outcome = is_refused(pg, res) ? DB_NOT_DONE : DB_UNKNOWN;
	} else if (strcmp(PQcmdStatus(res), "COMMIT") != 0) {
		(void)err_set(err, ERR_IO, "database: a statement of the transaction has failed");
		outcome = DB_NOT_DONE;
	} else if (pg->is_warned) {
		(void)err_set(err, ERR_IO, "database: COMMIT was answered with a warning");
		outcome = DB_UNKNOWN;
	}
	PQclear(res);
	if (outcome != DB_DONE)
		(void)db_fails(err);
	return outcome;
}

/* --- upkeep --- */

static bool
version(struct db *db, int64_t *ret, struct err *err)
{
	int64_t there;

	*ret = 0;
	if (!db_has(db, "schema_version", NULL, &there, err))
		return false;
	return there == 0 || db_one_i64(ret, db, err, "SELECT version FROM schema_version");
}

static bool
set_version(struct db *db, int64_t to, struct err *err)
{
	return exec(of(db),
		   "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL);"
		   " DELETE FROM schema_version",
		   err) &&
	    db_run(db, err, "INSERT INTO schema_version (version) VALUES ($1)", DB_I64(to));
}

static const struct db_engine engine = {
	.close = close_db,
	.query = query,
	.post = post,
	.settle = settle,
	.next = next,
	.release = release,
	.writes = writes,
	.changes = changes,
	.i64 = db_pg_i64,
	.text = db_pg_text,
	.blob = db_pg_blob,
	.is_null = db_pg_is_null,
	.script = script,
	.load = load,
	.in_transaction = in_transaction,
	.begin = begin,
	.commit = commit,
	.snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.count_columns = "SELECT COUNT(*) FROM pg_attribute WHERE attrelid = to_regclass($1)"
			 " AND attnum > 0 AND NOT attisdropped AND ($2 = '' OR attname = $2)",
	.version = version,
	.set_version = set_version,
};

struct db *
db_pg_open(const char *url, unsigned flags, struct err *err)
{
	struct pg *pg;

	if (!db_url_check(url, err))
		return NULL;
	pg = mem_new(1, sizeof(*pg));
	pg->db.engine = &engine;
	pg->url = mem_text(url);
	pg->read_only = (flags & DB_READ_ONLY) != 0;
	if (connect_to(pg, err))
		return &pg->db;
	close_db(&pg->db);
	return NULL;
}
