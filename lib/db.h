/* db.h - one connection to SQLite or PostgreSQL, statements by their text, values by name.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * One thread owns a connection.  Prepared statements are kept by their SQL text, so write the
 * text as a constant.  Parameters are $1 … $n and bound by name: the n-th value is $n wherever
 * it stands in the text; or each is a ?, for texts that a table makes.
 *
 *	if (!db_run(db, err, "UPDATE run SET ended = $2 WHERE id = $1", DB_I64(id), DB_I64(at)))
 *		return false;
 *
 *	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
 *	if (!db_query(&rows, db, err, "SELECT id, name FROM run WHERE state = $1", DB_TEXT("up")))
 *		return false;
 *	while (db_next(&rows))
 *		use(db_col_i64(&rows, 0), db_col_text(&rows, 1));
 *	return db_rows_end(&rows, err);
 *
 * The SQL is what both engines understand, but for a few words of SQLite that lib/db_sql.h
 * translates.
 *
 * Error codes: a full disk ERR_FULL; a constraint ERR_BUSY; a damaged file or one that is no
 * database ERR_CONFIG; a value too big ERR_LIMIT; all else ERR_IO.
 */
#pragma once

#include "lib/base.h"

struct db;

enum db_type { DB_IS_NULL, DB_IS_I64, DB_IS_TEXT, DB_IS_BLOB };

struct db_value {
	enum db_type type;
	int64_t number;
	const void *data; /* borrowed until the call (db_run) or db_rows_end (db_query) returns */
	size_t size;
};

#define DB_NULL	      ((struct db_value){ DB_IS_NULL, 0, NULL, 0 })
#define DB_I64(v)     ((struct db_value){ DB_IS_I64, (int64_t)(v), NULL, 0 })
#define DB_TEXT(s)    db_text(s) /* NULL becomes SQL NULL */
#define DB_BLOB(p, n) db_blob((p), (n))
struct db_value db_text(const char *text);
struct db_value db_blob(const void *data, size_t size);

/*
 * `path` is a file of SQLite or a URL of PostgreSQL (lib/db_url.h).
 *
 * A file is opened, or created (mode 0600), in WAL mode with synchronous=FULL; that it took the
 * settings is checked.  Nothing is checkpointed inside a commit: call db_checkpoint.
 *
 * A URL is what libpq reads; a session ends where it is cut, and db_begin() makes the next one.
 * https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING
 */
#define DB_READ_ONLY 1u /* must be there; changes nothing, creates nothing but -shm */
/* Besides: a copy, which nobody has open.  Where no log (-wal) stands beside it nothing is created
 * either, so that it may be where nothing can be written. */
#define DB_COPY 2u
MUST_USE struct db *db_open(const char *path, unsigned flags, struct err *err);

/* Takes NULL.  Finalizes all statements; no row may be open. */
void db_close(struct db *db);
DEFINE_FREEP(struct db, db_close)

/* Runs one statement to its end; rows it returns are dropped. */
#define db_run(db, err, ...) db_run_sql(db, err, DB_SQL(__VA_ARGS__))
/* Starts a query. */
#define db_query(rows, db, err, ...) db_query_sql(rows, db, err, DB_SQL(__VA_ARGS__))
/* The first column of the only row; ERR_MISSING when there is none.  NULL counts as 0. */
#define db_one_i64(ret, db, err, ...) db_one_i64_sql(ret, db, err, DB_SQL(__VA_ARGS__))

/* A statement and what stands for its parameters. */
struct db_sql {
	const char *text;
	const struct db_value *values;
	size_t count;
};
MUST_USE bool db_run_sql(struct db *db, struct err *err, const struct db_sql *sql);

struct db_rows {
	struct db *db;
	void *cursor; /* the engine's; NULL when ended */
	void *cached; /* its slot; NULL: of its own */
	int at;	      /* the engine's */
	int failure;  /* the engine's code, 0 when none */
};
MUST_USE bool db_query_sql(
    struct db_rows *rows, struct db *db, struct err *err, const struct db_sql *sql);
MUST_USE bool db_one_i64_sql(
    int64_t *ret, struct db *db, struct err *err, const struct db_sql *sql);

/* Does the statement write? */
bool db_rows_writes(const struct db_rows *rows);

/* True: at a row.  False: no more, or a failure that db_rows_end reports. */
MUST_USE bool db_next(struct db_rows *rows);

/* Ends the query, at any row.  False when a db_next failed. */
MUST_USE bool db_rows_end(struct db_rows *rows, struct err *err);

/* As db_rows_end for CLEANUP: does nothing when it has ended (or was never begun, all zero). */
void db_rows_close(struct db_rows *rows);

/* Columns from 0.  Text and blob are borrowed until the next db_next or db_rows_end; text that is
 * NULL in SQL is NULL. */
int64_t db_col_i64(const struct db_rows *rows, int column);
const char *db_col_text(const struct db_rows *rows, int column);
const void *db_col_blob(const struct db_rows *rows, int column, size_t *ret_size);
bool db_col_is_null(const struct db_rows *rows, int column);

/* Several statements separated by ';' without parameters: for migrations. */
MUST_USE bool db_script(struct db *db, const char *sql, struct err *err);

int64_t db_changes(const struct db *db); /* rows changed by the last db_run */

/* BEGIN IMMEDIATE … COMMIT.  A failed commit is rolled back before it returns. */
MUST_USE bool db_begin(struct db *db, struct err *err);
MUST_USE bool db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db); /* nothing when the engine has already rolled back */
bool db_in_transaction(const struct db *db);

/* One level of savepoint inside a transaction.  Rolling back also releases it; false when the
 * transaction itself is gone. */
MUST_USE bool db_savepoint(struct db *db, struct err *err);
MUST_USE bool db_release(struct db *db, struct err *err);
MUST_USE bool db_rollback_to(struct db *db, struct err *err);

/* True when no statement stands on a row: assert it after each batch, an open row pins the WAL. */
bool db_idle(const struct db *db);

/* --- how db_run(db, err, sql, values…) becomes a struct db_sql; up to 24 values --- */
#define DB_SQL(...) \
	DB_NTH(__VA_ARGS__, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, \
	    DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, \
	    DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_WITH, DB_BARE, 0) \
	(__VA_ARGS__)
#define DB_NTH(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, \
    a18, a19, a20, a21, a22, a23, a24, name, ...) \
	name
#define DB_BARE(text) &(const struct db_sql) { text, NULL, 0 }
#define DB_WITH(text, ...) \
	&(const struct db_sql) \
	{ \
		text, (const struct db_value[]){ __VA_ARGS__ }, \
		    sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value) \
	}
