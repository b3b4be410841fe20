/* db_pg.c - PostgreSQL behind db.h: one session, statements prepared by their text.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A statement runs when it is asked for, and db_next() walks what came.  Parameters and results
 * travel in binary: https://www.postgresql.org/docs/15/libpq-exec.html
 */
#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/db_inside.h"
#include "lib/db_libpq.h"
#include "lib/db_sql.h"
#include "lib/db_url.h"
#include "lib/mem.h"
#include "lib/text.h"

#define PARAMETERS_MAX 100

/* Types by their number in pg_type, which never changes. */
enum oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_I64 = 20,
	OID_I32 = 23,
	OID_TEXT = 25,
	OID_NUMERIC = 1700,
};

struct prepared {
	const char *sql; /* NULL: free slot */
	char *text;	 /* what stood there: a text that a table made may have moved */
	uint64_t types;	 /* of the values that it was prepared for */
};

struct pg {
	struct db db;
	PGconn *conn;
	char *url;
	bool read_only;
	bool is_loading;
	bool is_warned; /* a notice came; of those below a warning none does */
	int64_t changes;
	struct prepared prepared[DB_CACHE_SLOTS];
};

static struct pg *
of(const struct db *db)
{
	return (struct pg *)(uintptr_t)db;
}

/* --- errors --- */

/* By classes: https://www.postgresql.org/docs/15/errcodes-appendix.html */
static enum err_code
code_of(const char *state)
{
	if (strcmp(state, "53100") == 0)
		return ERR_FULL;
	if (text_starts(state, "23"))
		return ERR_BUSY;
	if (text_starts(state, "22") || text_starts(state, "54"))
		return ERR_LIMIT;
	if (text_starts(state, "42") || text_starts(state, "3D") || text_starts(state, "3F"))
		return ERR_CONFIG;
	return ERR_IO;
}

/* What PostgreSQL says in its first sentence.  A value may stand in quotes where one is refused,
 * and in DETAIL, which is never read. */
static void
say(const char *state, const char *primary, char *out, size_t room)
{
	bool may_be_value = text_starts(state, "22") || text_starts(state, "23");
	bool in_quotes = false;
	size_t n = 0;

	for (const char *c = primary; *c != '\0' && n + 1 < room; c++) {
		if (*c == '"')
			in_quotes = !in_quotes;
		if (!may_be_value || !in_quotes || *c == '"')
			out[n++] = *c;
	}
	out[n] = '\0';
}

static bool
fail(struct err *err, const PGresult *res, const char *sql)
{
	const char *state = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *primary = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	char said[160] = "";

	if (state == NULL || primary == NULL) {
		(void)err_set(err, ERR_IO, "database: PostgreSQL's connection is cut: %.100s", sql);
		return db_fails(err);
	}
	say(state, primary, said, sizeof(said));
	(void)err_set(err, code_of(state), "database: %s %s%s: %.100s", state, said,
	    code_of(state) == ERR_FULL ? ": make room on its disk" : "", sql);
	return db_fails(err);
}

/* --- opening --- */

/* libpq would write them to stderr, with what they are about. */
static void
take_notice(void *ctx, UNUSED const PGresult *res)
{
	((struct pg *)ctx)->is_warned = true;
}

/* Several statements without parameters. */
static bool
exec(struct pg *pg, const char *sql, struct err *err)
{
	PGresult *res = PQexec(pg->conn, sql);
	ExecStatusType status = PQresultStatus(res);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || fail(err, res, sql);

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
	for (size_t i = 0; i < DB_CACHE_SLOTS; i++) {
		free(pg->prepared[i].text);
		pg->prepared[i] = (struct prepared){ 0 };
	}
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

/* --- statements --- */

struct bound {
	Oid types[PARAMETERS_MAX];
	const char *data[PARAMETERS_MAX];
	int sizes[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	uint64_t wire[PARAMETERS_MAX];
	char *own[PARAMETERS_MAX];
	size_t count;
	uint64_t hash; /* of the types */
};

static void
bound_done(struct bound *bound)
{
	for (size_t i = 0; i < bound->count; i++)
		free(bound->own[i]);
}

static void
bind_all(struct bound *bound, const struct db_sql *sql)
{
	static const Oid types[] = { [DB_IS_I64] = OID_I64,
		[DB_IS_TEXT] = OID_TEXT,
		[DB_IS_BLOB] = OID_BYTEA,
		[DB_IS_NULL] = 0 };

	assert(sql->count < PARAMETERS_MAX);
	bound->hash = 1;
	bound->count = sql->count;
	for (size_t i = 0; i < sql->count; i++) {
		struct db_value mended = sql->values[i], *v = &mended;
		bool is_number = v->type == DB_IS_I64;

		bound->own[i] = db_mend(v);
		bound->types[i] = types[v->type];
		bound->wire[i] = htobe64((uint64_t)v->number);
		bound->data[i] = v->type == DB_IS_NULL ? NULL :
		    is_number			       ? (const char *)&bound->wire[i] :
							 v->data;
		bound->sizes[i] = is_number ? (int)sizeof(uint64_t) : (int)v->size;
		bound->formats[i] = 1;
		bound->hash = bound->hash * 31 + bound->types[i];
	}
}

/* Prepares the statement in a slot of its own, or gives the one where it is; NULL: there is none,
 * or it is refused, and *ret_res says why. */
static struct prepared *
prepare(struct pg *pg, const struct db_sql *sql, const struct bound *bound, PGresult **ret_res)
{
	size_t hash = db_hash(sql->text) + (size_t)bound->hash;

	for (size_t i = 0; i < DB_CACHE_PROBES; i++) {
		size_t n = (hash + i) & (DB_CACHE_SLOTS - 1);
		struct prepared *slot = &pg->prepared[n];
		CLEANUP(freep) char *text = NULL;
		char name[32];

		if (slot->sql == sql->text && slot->types == bound->hash &&
		    strcmp(slot->text, sql->text) == 0)
			return slot;
		if (slot->sql != NULL)
			continue;
		text = db_sql_translate(sql->text, false);
		(void)snprintf(name, sizeof(name), "s%zu", n);
		*ret_res = PQprepare(pg->conn, name, text, (int)sql->count, bound->types);
		if (PQresultStatus(*ret_res) != PGRES_COMMAND_OK)
			return NULL;
		PQclear(TAKE(*ret_res));
		*slot = (struct prepared){ sql->text, mem_text(sql->text), bound->hash };
		return slot;
	}
	return NULL;
}

static PGresult *
run(struct pg *pg, const struct db_sql *sql)
{
	PGresult *res = NULL;
	CLEANUP(bound_done) struct bound bound;
	struct prepared *slot;
	char name[32];

	bind_all(&bound, sql);
	slot = prepare(pg, sql, &bound, &res);
	if (slot == NULL && res != NULL)
		return res;
	if (slot == NULL) {
		CLEANUP(freep) char *text = db_sql_translate(sql->text, false);

		return PQexecParams(pg->conn, text, (int)sql->count, bound.types, bound.data,
		    bound.sizes, bound.formats, 1);
	}
	(void)snprintf(name, sizeof(name), "s%zu", (size_t)(slot - pg->prepared));
	return PQexecPrepared(
	    pg->conn, name, (int)sql->count, bound.data, bound.sizes, bound.formats, 1);
}

static bool
query(struct db_rows *rows, struct db *db, struct err *err, const struct db_sql *sql)
{
	struct pg *pg = of(db);
	PGresult *res = pg->conn == NULL ? NULL : run(pg, sql);
	ExecStatusType status = PQresultStatus(res);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
		(void)fail(err, res, sql->text);
		PQclear(res);
		return false;
	}
	pg->changes = strtoll(PQcmdTuples(res), NULL, 10);
	rows->cursor = res;
	rows->at = -1;
	db->in_use++;
	return true;
}

static void
release(struct db_rows *rows)
{
	PQclear(TAKE(rows->cursor));
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

/* --- columns --- */

static bool
col_is_null(const struct db_rows *rows, int column)
{
	return PQgetisnull(rows->cursor, rows->at, column) != 0;
}

/* The sum of bigints: digits of 10,000, the first one's weight, a sign.
 * https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c#L1060 */
static int64_t
whole_number(const unsigned char *at, int size)
{
	int n = at[0] << 8 | at[1], weight = (int16_t)(at[2] << 8 | at[3]);
	bool is_negative = (at[4] << 8 | at[5]) == 0x4000;
	int64_t sum = 0;

	assert(size == 8 + 2 * n && weight < 5);
	for (int i = 0; i <= weight; i++)
		sum = sum * 10000 + (i < n ? at[8 + 2 * i] << 8 | at[9 + 2 * i] : 0);
	return is_negative ? -sum : sum;
}

static int64_t
col_i64(const struct db_rows *rows, int column)
{
	const unsigned char *at = (const unsigned char *)PQgetvalue(rows->cursor, rows->at, column);
	int size = PQgetlength(rows->cursor, rows->at, column);
	uint64_t wide;
	uint32_t narrow;

	if (col_is_null(rows, column))
		return 0;
	switch (PQftype(rows->cursor, column)) {
	case OID_BOOL:
		return at[0];
	case OID_I64:
		memcpy(&wide, at, sizeof(wide));
		return (int64_t)be64toh(wide);
	case OID_I32:
		memcpy(&narrow, at, sizeof(narrow));
		return (int32_t)ntohl(narrow);
	case OID_NUMERIC:
		return whole_number(at, size);
	default:
		assert(false); /* a column that is no number */
		return 0;
	}
}

/* libpq writes a NUL behind each. */
static const char *
col_text(const struct db_rows *rows, int column)
{
	if (col_is_null(rows, column))
		return NULL;
	assert(PQftype(rows->cursor, column) == OID_TEXT);
	return PQgetvalue(rows->cursor, rows->at, column);
}

static const void *
col_blob(const struct db_rows *rows, int column, size_t *ret_size)
{
	*ret_size = (size_t)PQgetlength(rows->cursor, rows->at, column);
	return col_is_null(rows, column) ? NULL : PQgetvalue(rows->cursor, rows->at, column);
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
	PGresult *res = PQexec(pg->conn, sql);

	pg->is_loading = PQresultStatus(res) == PGRES_COPY_IN || fail(err, res, sql);
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
		ok = ok && (PQresultStatus(res) == PGRES_COMMAND_OK || fail(err, res, into));
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
		return fail(err, NULL, into);
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
	return exec(of(db), text, err);
}

static bool
in_transaction(const struct db *db)
{
	PGTransactionStatusType status = PQtransactionStatus(of(db)->conn);

	return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

static bool
begin(struct db *db, struct err *err)
{
	struct pg *pg = of(db);

	if (PQstatus(pg->conn) != CONNECTION_OK && !connect_to(pg, err))
		return db_fails(err);
	return db_run(db, err, "BEGIN");
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
	PGresult *res;

	pg->is_warned = false;
	res = PQexec(pg->conn, "COMMIT");
	if (PQresultStatus(res) != PGRES_COMMAND_OK) {
		(void)fail(err, res, "COMMIT");
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
	.next = next,
	.release = release,
	.writes = writes,
	.changes = changes,
	.i64 = col_i64,
	.text = col_text,
	.blob = col_blob,
	.is_null = col_is_null,
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
