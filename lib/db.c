/* db.c - what both engines have in common: statements, transactions, values.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db.h"

#include "lib/clean.h"
#include "lib/db_inside.h"
#include "lib/db_load.h"
#include "lib/mem.h"
#include "lib/text.h"

bool
db_fails(struct err *err)
{
	if (err != NULL)
		err->is_of_database = true;
	return false;
}

size_t
db_hash(const char *sql)
{
	return (size_t)((uint64_t)(uintptr_t)sql * UINT64_C(11400714819323198485) >> 32);
}

void
db_close(struct db *db)
{
	if (db != NULL)
		db->engine->close(db);
}

/* --- statements --- */

bool
db_query_sql(struct db_rows *rows, struct db *db, struct err *err, const struct db_sql *sql)
{
	*rows = (struct db_rows){ .db = db };
	if (!db->engine->query(rows, db, err, sql))
		return false;
	if (db->fence != NULL && db_in_transaction(db))
		db->fence->answered(db->fence->ctx);
	return true;
}

bool
db_rows_writes(const struct db_rows *rows)
{
	return rows->cursor != NULL && rows->db->engine->writes(rows);
}

bool
db_next(struct db_rows *rows)
{
	return rows->cursor != NULL && rows->failure == 0 && rows->db->engine->next(rows);
}

bool
db_rows_end(struct db_rows *rows, struct err *err)
{
	if (rows->failure != 0)
		rows->db->engine->note(rows, err);
	if (rows->cursor != NULL)
		rows->db->engine->release(rows);
	return rows->failure == 0;
}

void
db_rows_close(struct db_rows *rows)
{
	if (rows->cursor != NULL)
		(void)!db_rows_end(rows, NULL);
}

bool
db_run_sql(struct db *db, struct err *err, const struct db_sql *sql)
{
	struct db_rows rows;

	db->changes = 0;
	if (!db_query_sql(&rows, db, err, sql))
		return false;
	while (db_next(&rows))
		continue;
	if (!db_rows_end(&rows, err))
		return false;
	db->changes = db->engine->changes(db);
	return true;
}

bool
db_post_sql(struct db *db, struct err *err, const struct db_sql *sql)
{
	return db->engine->post == NULL ? db_run_sql(db, err, sql) : db->engine->post(db, err, sql);
}

bool
db_settle(struct db *db, struct err *err)
{
	if (db->engine->settle == NULL)
		return true;
	if (!db->engine->settle(db, err))
		return false;
	db->changes = db->engine->changes(db);
	return true;
}

bool
db_one_i64_sql(int64_t *ret, struct db *db, struct err *err, const struct db_sql *sql)
{
	struct db_rows rows;
	bool found;
	int64_t value;

	if (!db_query_sql(&rows, db, err, sql))
		return false;
	found = db_next(&rows);
	value = found ? db_col_i64(&rows, 0) : 0;
	if (!db_rows_end(&rows, err))
		return false;
	if (!found) {
		(void)err_set(err, ERR_MISSING, "database: no such row: %.100s", sql->text);
		return db_fails(err);
	}
	*ret = value;
	return true;
}

int64_t
db_col_i64(const struct db_rows *rows, int column)
{
	return rows->db->engine->i64(rows, column);
}

const char *
db_col_text(const struct db_rows *rows, int column)
{
	return rows->db->engine->text(rows, column);
}

const void *
db_col_blob(const struct db_rows *rows, int column, size_t *ret_size)
{
	return rows->db->engine->blob(rows, column, ret_size);
}

bool
db_col_is_null(const struct db_rows *rows, int column)
{
	return rows->db->engine->is_null(rows, column);
}

/* How many bytes of a letter stand there whose last ones were cut off; 0: it is none. */
static size_t
cut_letter(const char *at, size_t size)
{
	const unsigned char lead = (unsigned char)*at;
	size_t whole = lead < 0xc2 || lead > 0xf4 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	size_t n = 1;

	while (n < size && n < whole && ((unsigned char)at[n] & 0xc0) == 0x80)
		n++;
	return n < whole ? n : 0;
}

char *
db_mend(struct db_value *v)
{
	const char *text = v->data;
	char *own;
	size_t used = 0;

	if (v->type != DB_IS_TEXT || clean_is_utf8(text, v->size))
		return NULL;
	own = mem_alloc(v->size + 1);
	for (size_t at = 0, n; at < v->size; at += n) {
		uint32_t code;

		n = text_decode(text + at, v->size - at, &code);
		if (n > 0) {
			memcpy(own + used, text + at, n);
			used += n;
			continue;
		}
		n = cut_letter(text + at, v->size - at);
#ifdef DEPLOYBOT_CRASH_POINTS
		assert(n > 0); /* where other bytes are let in is a bug, which ends a test */
#endif
		if (n == 0) {
			own[used++] = '?';
			n = 1;
		}
	}
	own[used] = '\0';
	v->data = own;
	v->size = used;
	return own;
}

struct db_value
db_text(const char *text)
{
	if (text == NULL)
		return DB_NULL;
	return (struct db_value){ DB_IS_TEXT, 0, text, strlen(text) };
}

struct db_value
db_blob(const void *data, size_t size)
{
	if (data == NULL && size > 0)
		return DB_NULL;
	/* SQLite takes a NULL pointer for NULL, and this is an empty blob. */
	return (struct db_value){ DB_IS_BLOB, 0, data == NULL ? "" : data, size };
}

bool
db_script(struct db *db, const char *sql, struct err *err)
{
	return db->engine->script(db, sql, err);
}

int64_t
db_changes(const struct db *db)
{
	return db->changes;
}

/* --- transactions --- */

bool
db_in_transaction(const struct db *db)
{
	return db->engine->in_transaction(db);
}

bool
db_begin_bare(struct db *db, struct err *err)
{
	return db->engine->begin(db, err);
}

enum db_outcome
db_commit_bare(struct db *db, struct err *err)
{
	enum db_outcome outcome = db->engine->commit(db, err);

	if (outcome != DB_DONE)
		db_rollback(db);
	return outcome;
}

bool
db_begin(struct db *db, struct err *err)
{
	if (!db_begin_bare(db, err))
		return false;
	if (db->fence == NULL || db->fence->enter(db->fence->ctx, db, err))
		return true;
	db_rollback(db);
	return false;
}

bool
db_commit(struct db *db, struct err *err)
{
	enum db_outcome outcome;

	if (db->fence == NULL)
		return db_commit_bare(db, err) == DB_DONE;
	if (!db->fence->stay(db->fence->ctx, db, err)) {
		db_rollback(db);
		return false;
	}
	outcome = db_commit_bare(db, err);
	if (outcome == DB_UNKNOWN)
		return db->fence->resolve(db->fence->ctx, db, err);
	if (outcome == DB_DONE)
		db->fence->leave(db->fence->ctx);
	return outcome == DB_DONE;
}

void
db_set_fence(struct db *db, const struct db_fence *fence)
{
	db->fence = fence;
}

void
db_rollback(struct db *db)
{
	/* After SQLITE_FULL and its kin SQLite has done it; a failing ROLLBACK leaves nothing
	 * more to be done, and no transaction. */
	if (db_in_transaction(db))
		(void)!db_run(db, NULL, "ROLLBACK");
}

bool
db_savepoint(struct db *db, struct err *err)
{
	return db_post(db, err, "SAVEPOINT one");
}

bool
db_release(struct db *db, struct err *err)
{
	return db_run(db, err, "RELEASE one");
}

bool
db_rollback_to(struct db *db, struct err *err)
{
	if (!db_in_transaction(db)) {
		(void)err_set(err, ERR_IO, "database: the transaction is gone");
		return db_fails(err);
	}
	return db_run(db, err, "ROLLBACK TO one") && db_post(db, err, "RELEASE one");
}

bool
db_idle(const struct db *db)
{
	return db->in_use == 0;
}

/* --- upkeep --- */

bool
db_checkpoint(struct db *db, int *ret_left, struct err *err)
{
	if (ret_left != NULL)
		*ret_left = 0;
	return db->engine->checkpoint == NULL || db->engine->checkpoint(db, ret_left, err);
}

int
db_log_pages(const struct db *db)
{
	return db->log_pages;
}

bool
db_flush_failed(const struct db *db)
{
	return db->flush_failed;
}

bool
db_has(struct db *db, const char *table, const char *column, int64_t *ret, struct err *err)
{
	return db_one_i64(ret, db, err, db->engine->count_columns, DB_TEXT(table),
	    DB_TEXT(column == NULL ? "" : column));
}

bool
db_snapshot(struct db *db, struct err *err)
{
	return db_run_sql(db, err, &(struct db_sql){ .text = db->engine->snapshot });
}

bool
db_user_version(struct db *db, int64_t *ret, struct err *err)
{
	return db->engine->version(db, ret, err);
}

bool
db_set_user_version(struct db *db, int64_t version, struct err *err)
{
	return db->engine->set_version(db, version, err);
}

bool
db_quick_check(struct db *db, const char *table, struct err *err)
{
	return db->engine->check == NULL || db->engine->check(db, table, err);
}

bool
db_page_count(struct db *db, int64_t *ret, struct err *err)
{
	*ret = 0;
	return db->engine->pages == NULL || db->engine->pages(db, ret, err);
}

bool
db_load(struct db *db, const char *into, const struct db_sql *row, struct err *err)
{
	if (db->engine->load != NULL)
		return db->engine->load(db, into, row, err);
	return row == NULL || db_run_sql(db, err, row);
}

bool
db_shrink(struct db *db, struct err *err)
{
	return db->engine->shrink == NULL || db->engine->shrink(db, err);
}
