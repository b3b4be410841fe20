/* db_inside.h - what the db files share; nobody else includes it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db_fence.h"
#include "lib/db_post.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"

/* What a connection is made of besides; each engine's own begins with one.  A function that is NULL
 * has nothing to do there. */
struct db {
	const struct db_engine *engine;
	const struct db_fence *fence; /* NULL: none */
	size_t in_use; /* statements */
	int64_t changes;
	int64_t n_trips; /* to a server */
	bool flush_failed;
	int log_pages;
};

struct db_engine {
	void (*close)(struct db *db);
	bool (*query)(
	    struct db_rows *rows, struct db *db, struct err *err, const struct db_sql *sql);
	bool (*post)(struct db *db, struct err *err, const struct db_sql *sql); /* NULL: run */
	bool (*settle)(struct db *db, struct err *err);
	bool (*next)(struct db_rows *rows);
	void (*note)(struct db_rows *rows, struct err *err); /* says what failed at a row */
	void (*release)(struct db_rows *rows);
	bool (*writes)(const struct db_rows *rows);
	int64_t (*changes)(const struct db *db); /* of the last statement */
	int64_t (*i64)(const struct db_rows *rows, int column);
	const char *(*text)(const struct db_rows *rows, int column);
	const void *(*blob)(const struct db_rows *rows, int column, size_t *ret_size);
	bool (*is_null)(const struct db_rows *rows, int column);
	bool (*script)(struct db *db, const char *sql, struct err *err);
	/* NULL: each row is a statement */
	bool (*load)(
	    struct db *db, const char *into, const struct db_sql *row, struct err *err);
	bool (*in_transaction)(const struct db *db);
	bool (*begin)(struct db *db, struct err *err);
	enum db_outcome (*commit)(struct db *db, struct err *err);
	const char *snapshot;	   /* begins a transaction that reads */
	const char *count_columns; /* of table $1 that are called $2; '': all */
	bool (*version)(struct db *db, int64_t *ret, struct err *err);
	bool (*set_version)(struct db *db, int64_t version, struct err *err);
	bool (*checkpoint)(struct db *db, int *ret_left, struct err *err);
	bool (*check)(struct db *db, const char *table, struct err *err); /* NULL: all */
	bool (*shrink)(struct db *db, struct err *err);
	bool (*pages)(struct db *db, int64_t *ret, struct err *err);
};

struct db *db_sqlite_open(const char *path, unsigned flags, struct err *err) MUST_USE;
struct db *db_pg_open(const char *url, unsigned flags, struct err *err) MUST_USE;

/* PostgreSQL refuses text that is no UTF-8, and SQLite keeps it; a format that cuts makes some.
 * Such text becomes a copy without letters that were cut, and with '?' for other bytes, which the
 * caller frees; NULL: it is as it was. */
char *db_mend(struct db_value *v);

/* Whoever says it in a chat leaves its text out.  False. */
bool db_fails(struct err *err);

/* Statements by the address of their text: most are constants, whose text takes longer to hash than
 * they take to run.  The same text at another address takes a slot of its own. */
size_t db_hash(const char *sql);
#define DB_CACHE_SLOTS	1024 /* a power of two; a store has some 500 statements */
#define DB_CACHE_PROBES 8

/* SQLite's result, and the errno of the call behind it, as one of ours: see db.h. */
enum err_code db_code_of(int rc, int errno_value);

/*
 * Before SQLite opens a database to write: makes its file (mode 0600) where it is missing, and
 * refuses one, or a file beside it, that another user made.  A folder may be others' too, and what
 * stands in a journal or a log is written into the database, whoever wrote it.  Also refused: the
 * log of the database before one that was restored.
 */
bool db_files_prepare(const char *path, struct err *err) MUST_USE;

/* Once it is open with its log no journal is looked for, and SQLite may have taken the empty one
 * away.  Its name stays taken, as those of the log do when it is closed: in a folder where another
 * user may make files he could keep us from starting with one. */
bool db_files_keep(const char *path, struct err *err) MUST_USE;

/* As its header says: 2 with a log (-wal), 1 without one; 0: no database, or not to be read. */
int db_files_version(const char *path);
