/* Goal: values go where their name stands, failures have a kind.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_upkeep.h"

#include <sys/wait.h>
#include <signal.h>

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/path.h"
#include "unit.h"

struct chat_address {
	char folder[64];
	char path[96];
	struct db *db;
};

static int
set_up(void **state)
{
	struct chat_address *p = calloc(1, sizeof(*p));
	struct err err;

	(void)snprintf(p->folder, sizeof(p->folder), "/tmp/test_db.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	(void)snprintf(p->path, sizeof(p->path), "%s/db", p->folder);
	p->db = db_open(p->path, 0, &err);
	if (p->db == NULL)
		fail_msg("%s", err.text);
	assert_true(db_script(p->db,
	    "CREATE TABLE t(id INTEGER PRIMARY KEY AUTOINCREMENT, "
	    "name TEXT UNIQUE, n INTEGER, body BLOB) STRICT;",
	    &err));
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	struct chat_address *p = *state;
	char path[128];

	db_close(p->db);
	for (size_t i = 0; i < COUNT(files); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", p->path, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(p->folder);
	free(p);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct chat_address *p, set_up, tear_down)

TEST_WITH(values_are_bound_by_name_wherever_they_stand, set_up, tear_down)
{
	struct db *db = ((struct chat_address *)*state)->db;
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct err err;
	size_t size;

	assert_true(db_run(db, &err, "INSERT INTO t(n, name, body) VALUES($2, $1, $3)",
	    DB_TEXT("one"), DB_I64(7), DB_BLOB("a\0b", 3)));
	assert_true(db_run(db, &err, "INSERT INTO t(name, n, body) VALUES($1, $2, $3)",
	    DB_TEXT(NULL), DB_NULL, DB_BLOB("", 0)));
	assert_true(db_query(&rows, db, &err, "SELECT id, name, n, body FROM t ORDER BY id"));
	assert_true(db_next(&rows));
	assert_string_equal(db_col_text(&rows, 1), "one");
	assert_int_equal(db_col_i64(&rows, 2), 7);
	assert_memory_equal(db_col_blob(&rows, 3, &size), "a\0b", 3);
	assert_int_equal(size, 3);
	assert_true(db_next(&rows));
	assert_null(db_col_text(&rows, 1));
	assert_true(db_col_is_null(&rows, 2));
	assert_false(db_col_is_null(&rows, 3));
	assert_false(db_idle(db));
	assert_false(db_next(&rows));
	assert_true(db_idle(db));
	assert_true(db_rows_end(&rows, &err));
}

TEST_WITH(the_same_statement_can_run_inside_itself, set_up, tear_down)
{
	const char *sql = "SELECT id FROM t WHERE id >= $1 ORDER BY id";
	struct db *db = ((struct chat_address *)*state)->db;
	struct db_rows outer, inner;
	int seen = 0;

	for (int i = 0; i < 3; i++)
		assert_true(db_run(db, NULL, "INSERT INTO t(n) VALUES($1)", DB_I64(i)));
	assert_true(db_query(&outer, db, NULL, sql, DB_I64(1)));
	while (db_next(&outer)) {
		assert_true(db_query(&inner, db, NULL, sql, DB_I64(db_col_i64(&outer, 0))));
		while (db_next(&inner))
			seen++;
		assert_true(db_rows_end(&inner, NULL));
	}
	assert_true(db_rows_end(&outer, NULL));
	assert_int_equal(seen, 3 + 2 + 1);
	assert_true(db_idle(db));
}

TEST_WITH(a_statement_is_planned_once_whatever_its_values, set_up, tear_down)
{
	static const char sql[] = "SELECT id FROM t WHERE body = $1 AND n = $2";
	struct db *db = ((struct chat_address *)*state)->db;
	struct db_rows rows;
	int anew = 0;

	assert_true(db_script(db, "CREATE INDEX ones ON t (body) WHERE n = 1", NULL));
	for (int i = 0; i < 4; i++) {
		assert_true(db_query(&rows, db, NULL, sql, DB_TEXT("a"), DB_I64(i)));
		anew += sqlite3_stmt_status(rows.cursor, SQLITE_STMTSTATUS_REPREPARE, 0);
		assert_false(db_next(&rows));
		assert_true(db_rows_end(&rows, NULL));
	}
	assert_int_equal(anew, 0);
}

TEST_WITH(more_statements_than_the_cache_holds_work_too, set_up, tear_down)
{
	struct db *db = ((struct chat_address *)*state)->db;
	char sql[64];
	int64_t value;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 600; i++) {
			(void)snprintf(sql, sizeof(sql), "SELECT %d + $1", i);
			assert_true(db_one_i64(&value, db, NULL, sql, DB_I64(1)));
			assert_int_equal(value, i + 1);
		}
}

TEST_WITH(a_rollback_leaves_nothing_and_a_savepoint_loses_only_its_own, set_up, tear_down)
{
	struct db *db = ((struct chat_address *)*state)->db;
	int64_t count;

	assert_true(db_begin(db, NULL));
	assert_true(db_in_transaction(db));
	assert_true(db_run(db, NULL, "INSERT INTO t(n) VALUES(1)"));
	assert_true(db_savepoint(db, NULL));
	assert_true(db_run(db, NULL, "INSERT INTO t(n) VALUES(2)"));
	assert_int_equal(db_changes(db), 1);
	assert_true(db_rollback_to(db, NULL));
	assert_true(db_savepoint(db, NULL));
	assert_true(db_release(db, NULL));
	assert_true(db_commit(db, NULL));
	assert_true(db_one_i64(&count, db, NULL, "SELECT count(*) FROM t"));
	assert_int_equal(count, 1);
	assert_true(db_begin(db, NULL));
	assert_true(db_run(db, NULL, "DELETE FROM t"));
	db_rollback(db);
	db_rollback(db);
	assert_true(db_one_i64(&count, db, NULL, "SELECT count(*) FROM t"));
	assert_int_equal(count, 1);
	assert_false(db_rollback_to(db, NULL));
}

SCENE_TEST(failures_have_their_kind)
{
	struct err err;
	int64_t value;
	FILE *junk;
	char path[128];

	assert_true(db_run(p->db, &err, "INSERT INTO t(name) VALUES('x')"));
	assert_false(db_run(p->db, &err, "INSERT INTO t(name) VALUES('x')"));
	assert_int_equal(err.code, ERR_BUSY);
	assert_false(db_one_i64(&value, p->db, &err, "SELECT id FROM t WHERE name = 'y'"));
	assert_int_equal(err.code, ERR_MISSING);
	assert_false(db_run(p->db, &err, "SELECT nonsense FROM t"));
	assert_int_equal(err.code, ERR_IO);
	(void)snprintf(path, sizeof(path), "%s/none", p->folder);
	assert_null(db_open(path, DB_READ_ONLY, &err));
	assert_int_equal(err.code, ERR_MISSING);
	(void)snprintf(path, sizeof(path), "%s/junk", p->folder);
	junk = fopen(path, "w");
	assert_non_null(junk);
	for (int i = 0; i < 4096; i++)
		(void)fputs("this is no database", junk);
	assert_int_equal(fclose(junk), 0);
	assert_null(db_open(path, 0, &err));
	assert_int_equal(err.code, ERR_CONFIG);
	assert_int_equal(unlink(path), 0);
	assert_false(db_flush_failed(p->db));
}

TEST_WITH(a_full_database_is_told_apart_and_recovers, set_up, tear_down)
{
	struct db *db = ((struct chat_address *)*state)->db;
	struct err err = { 0 };
	int64_t pages, ignored;

	assert_true(db_one_i64(&pages, db, &err, "PRAGMA page_count"));
	assert_true(db_one_i64(&ignored, db, &err, "PRAGMA max_page_count = 6"));
	assert_true(db_begin(db, &err));
	while (db_run(db, &err, "INSERT INTO t(body) VALUES(zeroblob(8000))"))
		continue;
	assert_int_equal(err.code, ERR_FULL);
	db_rollback(db);
	assert_false(db_in_transaction(db));
	assert_true(db_one_i64(&ignored, db, &err, "PRAGMA max_page_count = 100000"));
	assert_true(db_run(db, &err, "INSERT INTO t(body) VALUES(zeroblob(8000))"));
}

SCENE_TEST(the_file_is_private_and_read_only_changes_nothing)
{
	struct db *reader;
	struct stat st;
	struct err err;
	int64_t count;
	int left;

	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(db_run(p->db, NULL, "INSERT INTO t(n) VALUES(1)"));
	assert_in_range(db_log_pages(p->db), 1, 16);
	assert_true(db_checkpoint(p->db, &left, &err));
	assert_int_equal(left, 0);
	assert_int_equal(db_log_pages(p->db), 0);
	reader = db_open(p->path, DB_READ_ONLY, &err);
	assert_non_null(reader);
	assert_true(db_one_i64(&count, reader, &err, "SELECT count(*) FROM t"));
	assert_int_equal(count, 1);
	assert_false(db_run(reader, &err, "DELETE FROM t"));
	assert_true(db_snapshot(reader, &err));
	assert_true(db_one_i64(&count, reader, &err, "SELECT count(*) FROM t"));
	assert_true(db_run(p->db, NULL, "INSERT INTO t(n) VALUES(2)"));
	assert_true(db_one_i64(&count, reader, &err, "SELECT count(*) FROM t"));
	assert_int_equal(count, 1);
	db_rollback(reader);
	assert_true(db_one_i64(&count, reader, &err, "SELECT count(*) FROM t"));
	assert_int_equal(count, 2);
	db_close(reader);
	assert_true(db_quick_check(p->db, NULL, &err));
	assert_true(db_set_user_version(p->db, 12, &err));
	assert_true(db_user_version(p->db, &count, &err));
	assert_int_equal(count, 12);
}

static off_t
size_of_log(const struct chat_address *p)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s-wal", p->path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* What somebody reads for long is not copied behind them, and no checkpoint waits for them. */
SCENE_TEST(the_log_that_a_reader_holds_back_shrinks_when_the_reader_has_gone)
{
	sqlite3 *reader;
	struct err err;
	off_t held;
	int left;

	assert_int_equal(sqlite3_open_v2(p->path, &reader, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM t", NULL, NULL, NULL), SQLITE_OK);
	for (int i = 0; i < 40; i++) {
		assert_true(db_run(p->db, &err, "INSERT INTO t(body) VALUES(zeroblob(1000000))"));
		assert_true(db_checkpoint(p->db, &left, &err));
		assert_true(left > 0);
	}
	held = size_of_log(p);
	assert_in_range(held, 40000000, 50000000);
	assert_int_equal(sqlite3_close(reader), SQLITE_OK);
	assert_true(db_checkpoint(p->db, &left, &err));
	assert_int_equal(left, 0);
	assert_true(db_run(p->db, &err, "INSERT INTO t(n) VALUES(1)"));
	assert_in_range(size_of_log(p), 1, held / 2);
	for (int i = 0; i < 100; i++) {
		assert_true(db_run(p->db, &err, "INSERT INTO t(body) VALUES(zeroblob(100000))"));
		assert_true(db_checkpoint(p->db, &left, &err));
	}
	assert_in_range(size_of_log(p), 1, held / 2);
}

/* Writes over the middle of a table's root page, as a disk that lies would. */
static void
damage(const char *path, int64_t page)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	char rubbish[1024];

	assert_true(fd >= 0);
	memset(rubbish, 0xA5, sizeof(rubbish));
	assert_int_equal(
	    pwrite(fd, rubbish, sizeof(rubbish), (off_t)((page - 1) * 4096)), sizeof(rubbish));
	assert_int_equal(close(fd), 0);
}

SCENE_TEST(a_damaged_table_is_found_and_its_neighbour_is_well)
{
	int64_t page, pages;
	struct err err;

	assert_true(db_script(p->db, "CREATE TABLE u(n INTEGER); INSERT INTO u VALUES(1)", &err));
	assert_true(db_run(p->db, &err, "INSERT INTO t(n) VALUES(1)"));
	assert_true(
	    db_one_i64(&page, p->db, &err, "SELECT rootpage FROM sqlite_schema WHERE name = 'u'"));
	assert_true(db_page_count(p->db, &pages, &err));
	assert_in_range(pages, page, 16);
	assert_true(db_checkpoint(p->db, NULL, &err));
	db_close(TAKE(p->db));
	damage(p->path, page);
	p->db = db_open(p->path, 0, &err);
	assert_non_null(p->db);
	assert_true(db_quick_check(p->db, "t", &err));
	assert_false(db_quick_check(p->db, "u", &err));
	assert_int_equal(err.code, ERR_CONFIG);
}

/* Found by the simulation without memory: a row was read as an empty one, and acted on. */
SCENE_TEST(a_value_without_memory_ends_the_program)
{
	char *large = calloc(1, 100000);
	struct db_rows rows;
	struct err err;
	int status;
	pid_t pid;

	assert_non_null(large);
	assert_true(db_query(&rows, p->db, &err, "SELECT $1", DB_BLOB(large, 100000)));
	assert_true(db_next(&rows));
	pid = fork();
	if (pid == 0) {
		(void)sqlite3_hard_heap_limit64(sqlite3_memory_used());
		(void)db_col_text(&rows, 0); /* needs room for its end */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_true(db_rows_end(&rows, &err));
	free(large);
}
