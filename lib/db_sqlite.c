/* db_sqlite.c - SQLite with every safety setting on, statements kept by their text.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "lib/db_inside.h"
#include "lib/err.h"
#include "lib/mem.h"

#define PAGE_SIZE	4096 /* a delivery dirties a page of each of two random indexes */
#define CACHE_KIB	1024 /* pages in memory: idle memory stays low */
#define BUSY_TIMEOUT_MS 50
#define WAL_LIMIT	16777216
#define VALUE_MAX	(64 * 1024 * 1024) /* the largest text or blob */

struct cached {
	char *sql; /* NULL: free slot */
	sqlite3_stmt *stmt;
	bool in_use;
};

struct sqlite {
	struct db db;
	sqlite3 *handle;
	struct cached cache[DB_CACHE_SLOTS];
};

static struct sqlite *
of(const struct db *db)
{
	return (struct sqlite *)(uintptr_t)db;
}

/* --- errors --- */

enum err_code
db_code_of(int rc, int errno_value)
{
	switch (rc & 0xFF) {
	case SQLITE_FULL:
		return ERR_FULL;
	case SQLITE_IOERR:
		return errno_value == ENOSPC || errno_value == EDQUOT ? ERR_FULL : ERR_IO;
	case SQLITE_CONSTRAINT:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CONFIG;
	case SQLITE_NOMEM: /* a decision that failed for it would lose its event's work */
		mem_abort();
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	default:
		return ERR_IO;
	}
}

static bool
is_flush_failure(int rc)
{
	return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC ||
	    rc == SQLITE_IOERR_TRUNCATE || rc == SQLITE_IOERR_CLOSE;
}

static void
note_failure(struct sqlite *db, int rc)
{
	if (is_flush_failure(rc))
		db->db.flush_failed = true;
}

/* The SQL is a constant of the program and may be shown; its values may not.  SQLite calls many a
 * full disk an I/O error. */
static bool
fail(struct sqlite *db, struct err *err, int rc, const char *sql)
{
	enum err_code code = db_code_of(rc, sqlite3_system_errno(db->handle));

	note_failure(db, rc);
	(void)err_set(err, code, "database: %s%s: %.100s", sqlite3_errmsg(db->handle),
	    code == ERR_FULL ? ": make room on its disk" : "", sql);
	return db_fails(err);
}

/* --- opening --- */

static bool
exec(struct sqlite *db, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || fail(db, err, rc, sql);
}

/* The first column of the first row of a PRAGMA must be `want`. */
static bool
pragma_gives(struct sqlite *db, const char *sql, const char *want, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	const char *got;

	if (!db_query(&rows, &db->db, err, sql))
		return false;
	got = db_next(&rows) ? db_col_text(&rows, 0) : NULL;
	if (got == NULL && rows.failure != 0)
		return db_rows_end(&rows, err);
	if (got == NULL || strcmp(got, want) != 0) {
		(void)err_set(err, ERR_CONFIG, "database: %s gave %s, not %s", sql,
		    got == NULL ? "nothing" : got, want);
		return db_fails(err);
	}
	while (db_next(&rows)) /* to its end: a flush that fails is reported there */
		continue;
	return db_rows_end(&rows, err);
}

static bool
harden(struct sqlite *db, struct err *err)
{
	sqlite3 *h = db->handle;

	(void)sqlite3_extended_result_codes(h, 1); /* always OK */
	(void)sqlite3_limit(h, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	(void)sqlite3_limit(h, SQLITE_LIMIT_ATTACHED, 0);
	if (sqlite3_db_config(h, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DML, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
	    sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL) != SQLITE_OK ||
	    /* Else one whose value could choose a partial index is planned anew for each value. */
	    sqlite3_db_config(h, SQLITE_DBCONFIG_ENABLE_QPSG, 1, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(h, BUSY_TIMEOUT_MS) != SQLITE_OK)
		return err_set(err, ERR_CONFIG, "this SQLite lacks a safety setting");
	return true;
}

#define STRINGIFY(x)  STRINGIFY_(x)
#define STRINGIFY_(x) #x

static bool
configure(struct sqlite *db, bool read_only, struct err *err)
{
	if (!harden(db, err) || !exec(db, "PRAGMA cell_size_check = ON", err) ||
	    !exec(db, "PRAGMA temp_store = MEMORY", err) ||
	    !exec(db, "PRAGMA cache_size = -" STRINGIFY(CACHE_KIB), err) ||
	    !exec(db, "PRAGMA mmap_size = 0", err)) /* an I/O error there is a SIGBUS */
		return false;
	if (read_only)
		return exec(db, "PRAGMA query_only = ON", err);
	if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &(int){ 1 }) !=
	    SQLITE_OK)
		return err_set(err, ERR_CONFIG, "this SQLite cannot keep the names of its log");
	if (!exec(db, "PRAGMA page_size = " STRINGIFY(PAGE_SIZE), err) ||
	    !pragma_gives(db, "PRAGMA journal_mode = WAL", "wal", err) ||
	    !exec(db, "PRAGMA synchronous = FULL", err) ||
	    !exec(db, "PRAGMA wal_autocheckpoint = 0", err) ||
	    !exec(db, "PRAGMA journal_size_limit = " STRINGIFY(WAL_LIMIT), err) ||
	    !pragma_gives(db, "PRAGMA synchronous", "2", err))
		return false;
	return true;
}

static int
on_commit(void *ctx, UNUSED sqlite3 *handle, const char *name, int pages)
{
	struct sqlite *db = ctx;

	(void)name; /* there is but "main" */
	db->db.log_pages = pages;
	return SQLITE_OK;
}

/* As SQLite reads it: what means something in a URI is escaped.  False: it is too long. */
static bool
immutable_uri(const char *path, char *out, size_t room)
{
	size_t n = (size_t)snprintf(out, room, "file:");

	for (const char *c = path; *c != '\0' && n + 4 < room; c++)
		n += (size_t)snprintf(
		    out + n, room - n, strchr("%?#", *c) != NULL ? "%%%02X" : "%c", *c);
	return n + sizeof("?immutable=1") <= room &&
	    snprintf(out + n, room - n, "?immutable=1") > 0;
}

static int
open_path(struct sqlite *db, const char *path, unsigned flags)
{
	bool read_only = (flags & DB_READ_ONLY) != 0;
	int how = (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	char log[PATH_MAX], uri[3 * PATH_MAX];
	struct stat st;

	if ((flags & DB_COPY) == 0 || access(path, F_OK) != 0 ||
	    snprintf(log, sizeof(log), "%s-wal", path) >= (int)sizeof(log) ||
	    (stat(log, &st) == 0 && st.st_size > 0) || !immutable_uri(path, uri, sizeof(uri)))
		return sqlite3_open_v2(path, &db->handle, how, NULL);
	return sqlite3_open_v2(uri, &db->handle, how | SQLITE_OPEN_URI, NULL);
}

static bool
open_handle(struct sqlite *db, const char *path, unsigned flags, struct err *err)
{
	bool read_only = (flags & DB_READ_ONLY) != 0;
	int rc, how = read_only ? R_OK : R_OK | W_OK;

	/* In this process a second descriptor of the file must never be closed once SQLite has
	 * it open: that would drop its locks. */
	if (!read_only && !db_files_prepare(path, err))
		return false;
	rc = open_path(db, path, flags);
	/* Where there is no descriptor to read and write, SQLite tries to read alone: it would
	 * be open, and refuse every change for as long as it is. */
	if (rc == SQLITE_OK && !read_only && sqlite3_db_readonly(db->handle, "main") != 0)
		return err_set(err, ERR_IO,
		    "opening %s: it can be read, but not written: mount it writable, or give it to user %u",
		    path, (unsigned)geteuid());
	if (rc == SQLITE_OK && !configure(db, read_only, err))
		return err_wrap(err, "%s", path);
	if (rc == SQLITE_OK) {
		(void)sqlite3_wal_hook(db->handle, on_commit, db); /* gives the one before */
		return read_only || db_files_keep(path, err);
	}
	if (db->handle == NULL)
		mem_abort();
	if ((rc & 0xFF) == SQLITE_CANTOPEN && access(path, F_OK) != 0)
		return err_set(err, ERR_MISSING, "there is no database %s", path);
	if ((rc & 0xFF) == SQLITE_CANTOPEN && access(path, how) != 0 && errno == EACCES)
		return err_set(err, ERR_DENIED, "opening %s: user %u may not%s", path,
		    (unsigned)geteuid(), read_only ? "" : ": chown it to that user");
	return err_set(err, db_code_of(rc, sqlite3_system_errno(db->handle)), "opening %s: %s",
	    path, sqlite3_errmsg(db->handle));
}

static void
close_db(struct db *base)
{
	struct sqlite *db = of(base);
	int rc;

	for (size_t i = 0; i < DB_CACHE_SLOTS; i++) {
		assert(!db->cache[i].in_use);
		(void)sqlite3_finalize(db->cache[i].stmt); /* repeats an old failure */
		free(db->cache[i].sql);
	}
	rc = sqlite3_close(db->handle);
	assert(rc == SQLITE_OK); /* else a statement is still open */
	(void)rc;
	free(db);
}

/* --- statements --- */

static sqlite3_stmt *
prepare(struct sqlite *db, const char *sql, unsigned flags, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *rest = NULL;
	int rc = sqlite3_prepare_v3(db->handle, sql, -1, flags, &stmt, &rest);

	if (rc != SQLITE_OK)
		return ERR_NULL(fail(db, err, rc, sql));
	assert(stmt != NULL && *rest == '\0'); /* one statement, and not none */
	return stmt;
}

/* The slot that holds sql, else a free one, else NULL. */
static struct cached *
find_slot(struct sqlite *db, const char *sql)
{
	size_t hash = db_hash(sql);

	for (size_t i = 0; i < DB_CACHE_PROBES; i++) {
		struct cached *slot = &db->cache[(hash + i) & (DB_CACHE_SLOTS - 1)];

		if (slot->sql == NULL || strcmp(slot->sql, sql) == 0)
			return slot;
	}
	return NULL;
}

/* A statement ready to bind: the kept one, or, when that is in use, one of its own. */
static bool
acquire(struct sqlite *db, const char *sql, struct db_rows *ret, struct err *err)
{
	struct cached *slot = find_slot(db, sql);
	bool keep = slot != NULL && slot->sql == NULL;

	if (slot != NULL && slot->sql != NULL && !slot->in_use) {
		slot->in_use = true;
		db->db.in_use++;
		ret->cursor = slot->stmt;
		ret->cached = slot;
		return true;
	}
	ret->cursor = prepare(db, sql, keep ? SQLITE_PREPARE_PERSISTENT : 0, err);
	if (ret->cursor == NULL)
		return false;
	db->db.in_use++;
	if (keep) {
		*slot = (struct cached){ mem_text(sql), ret->cursor, true };
		ret->cached = slot;
	}
	return true;
}

static void
release(struct db_rows *rows)
{
	struct cached *slot = rows->cached;

	(void)sqlite3_reset(rows->cursor); /* repeats a failure that was reported already */
	if (slot != NULL) {
		(void)sqlite3_clear_bindings(rows->cursor); /* always OK */
		assert(slot->stmt == rows->cursor && slot->in_use);
		slot->in_use = false;
	} else {
		(void)sqlite3_finalize(rows->cursor);
	}
	rows->cursor = NULL;
	rows->db->in_use--;
}

static int
bind_one(sqlite3_stmt *stmt, int index, const struct db_value *given)
{
	struct db_value mended = *given, *v = &mended;
	char *own = db_mend(v);

	switch (v->type) {
	case DB_IS_I64:
		return sqlite3_bind_int64(stmt, index, v->number);
	case DB_IS_TEXT:
		return sqlite3_bind_text64(
		    stmt, index, v->data, v->size, own == NULL ? SQLITE_STATIC : free, SQLITE_UTF8);
	case DB_IS_BLOB:
		return sqlite3_bind_blob64(stmt, index, v->data, v->size, SQLITE_STATIC);
	case DB_IS_NULL:
		break;
	}
	return sqlite3_bind_null(stmt, index);
}

static bool
bind_all(struct db_rows *rows, const struct db_value values[], size_t count, struct err *err)
{
	sqlite3_stmt *stmt = rows->cursor;
	const int all = sqlite3_bind_parameter_count(stmt);
	int parameters = all, index, rc;

	assert(count < 100);
	for (size_t i = 0; i < count; i++) {
		const unsigned n = (unsigned)i + 1;
		const char tens = (char)('0' + n / 10), ones = (char)('0' + n % 10);
		const char one[] = { '$', ones, '\0' }, two[] = { '$', tens, ones, '\0' };

		index = (int)n <= all && sqlite3_bind_parameter_name(stmt, (int)n) == NULL ?
		    (int)n /* ? */ :
		    sqlite3_bind_parameter_index(stmt, n < 10 ? one : two);
		assert(index != 0); /* a value that the SQL does not name */
		rc = bind_one(stmt, index, &values[i]);
		if (rc != SQLITE_OK)
			return fail(of(rows->db), err, rc, sqlite3_sql(stmt));
		parameters--;
	}
	assert(parameters == 0); /* a name without a value */
	return true;
}

static bool
query(struct db_rows *rows, struct db *db, struct err *err, const struct db_sql *sql)
{
	if (!acquire(of(db), sql->text, rows, err))
		return false;
	if (!bind_all(rows, sql->values, sql->count, err)) {
		release(rows);
		return false;
	}
	return true;
}

static bool
writes(const struct db_rows *rows)
{
	return sqlite3_stmt_readonly(rows->cursor) == 0;
}

static bool
next(struct db_rows *rows)
{
	int rc = sqlite3_step(rows->cursor);

	if (rc == SQLITE_ROW)
		return true;
	if (rc == SQLITE_DONE)
		release(rows); /* at once: a statement on a row pins the WAL */
	else
		rows->failure = rc;
	return false;
}

static void
note(struct db_rows *rows, struct err *err)
{
	(void)fail(of(rows->db), err, rows->failure, sqlite3_sql(rows->cursor));
}

static int64_t
changes(const struct db *db)
{
	return sqlite3_changes64(of(db)->handle);
}

static int64_t
col_i64(const struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->cursor, column);
}

/* Else a row would be read as an empty one, and acted on. */
static void
end_without_memory(const struct db_rows *rows)
{
	if (sqlite3_errcode(of(rows->db)->handle) == SQLITE_NOMEM)
		mem_abort();
}

static const char *
col_text(const struct db_rows *rows, int column)
{
	const char *text = (const char *)sqlite3_column_text(rows->cursor, column);

	if (text == NULL)
		end_without_memory(rows);
	return text;
}

static const void *
col_blob(const struct db_rows *rows, int column, size_t *ret_size)
{
	const void *data = sqlite3_column_blob(rows->cursor, column);

	if (data == NULL)
		end_without_memory(rows);
	*ret_size = (size_t)sqlite3_column_bytes(rows->cursor, column);
	return data;
}

static bool
col_is_null(const struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->cursor, column) == SQLITE_NULL;
}

static bool
script(struct db *db, const char *sql, struct err *err)
{
	return exec(of(db), sql, err);
}

/* --- transactions --- */

static bool
in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(of(db)->handle) == 0;
}

static bool
begin(struct db *db, struct err *err)
{
	return db_run(db, err, "BEGIN IMMEDIATE");
}

static enum db_outcome
commit(struct db *db, struct err *err)
{
	return db_run(db, err, "COMMIT") ? DB_DONE : DB_NOT_DONE;
}

/* --- upkeep --- */

static bool
checkpoint(struct db *db, int *ret_left, struct err *err)
{
	int frames = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(
	    of(db)->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &done);

	if (rc != SQLITE_OK)
		return fail(of(db), err, rc, "checkpoint");
	db->log_pages = frames - done;
	if (ret_left != NULL)
		*ret_left = frames - done;
	return true;
}

static bool
version(struct db *db, int64_t *ret, struct err *err)
{
	return db_one_i64(ret, db, err, "PRAGMA user_version");
}

static bool
set_version(struct db *db, int64_t to, struct err *err)
{
	char sql[64]; /* a PRAGMA takes no parameters */

	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", (int)to);
	return exec(of(db), sql, err);
}

static bool
check(struct db *db, const char *table, struct err *err)
{
	char sql[96]; /* a PRAGMA takes no parameters */

	if (table == NULL)
		return pragma_gives(of(db), "PRAGMA quick_check(1)", "ok", err);
	assert(strspn(table, "abcdefghijklmnopqrstuvwxyz_") == strlen(table) && strlen(table) < 64);
	(void)snprintf(sql, sizeof(sql), "PRAGMA quick_check(%s)", table);
	return pragma_gives(of(db), sql, "ok", err);
}

static bool
pages(struct db *db, int64_t *ret, struct err *err)
{
	return db_one_i64(ret, db, err, "PRAGMA page_count");
}

static bool
shrink(struct db *db, struct err *err)
{
	return exec(of(db), "PRAGMA shrink_memory", err);
}

static const struct db_engine engine = {
	.close = close_db,
	.query = query,
	.next = next,
	.note = note,
	.release = release,
	.writes = writes,
	.changes = changes,
	.i64 = col_i64,
	.text = col_text,
	.blob = col_blob,
	.is_null = col_is_null,
	.script = script,
	.in_transaction = in_transaction,
	.begin = begin,
	.commit = commit,
	.snapshot = "BEGIN",
	.count_columns = "SELECT COUNT(*) FROM pragma_table_info($1) WHERE $2 = '' OR name = $2",
	.version = version,
	.set_version = set_version,
	.checkpoint = checkpoint,
	.check = check,
	.shrink = shrink,
	.pages = pages,
};

struct db *
db_sqlite_open(const char *path, unsigned flags, struct err *err)
{
	struct sqlite *db = mem_new(1, sizeof(*db));

	db->db.engine = &engine;
	if (open_handle(db, path, flags, err))
		return &db->db;
	close_db(&db->db);
	return NULL;
}
