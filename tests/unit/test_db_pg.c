/* Goal: what db.h promises holds on PostgreSQL, and none of its sentences shows a value.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "lib/db_inside.h"
#include "lib/db_post.h"
#include "lib/err.h"
#include "tests/unit/database_aid.h"
#include "tests/unit/unit.h"

struct scene {
	char url[DATABASE_AID_PATH];
	struct db *db;
	struct err err;
};

static void
set_up(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	database_aid_make("test_db_pg", "db", scene->url);
	scene->db = db_open(scene->url, 0, &scene->err);
	if (scene->db == NULL)
		fail_msg("%s", scene->err.text);
	assert_true(db_script(scene->db,
	    "DROP TABLE IF EXISTS t, schema_version;"
	    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB,"
	    " is_odd INTEGER GENERATED ALWAYS AS (id % 2) VIRTUAL) STRICT",
	    &scene->err));
}

static void
tear_down(struct scene *scene)
{
	assert_true(db_idle(scene->db));
	db_close(scene->db);
	database_aid_remove(scene->url);
}

static bool
insert(struct scene *scene, int64_t id, const char *name)
{
	struct db_value any = { DB_IS_TEXT, 0, name, strlen(name) }; /* also what is no UTF-8 */

	return db_run(
	    scene->db, &scene->err, "INSERT INTO t (id, name) VALUES ($1, $2)", DB_I64(id), any);
}

static int64_t
number(struct scene *scene, const char *sql)
{
	int64_t ret = -1;

	if (!db_one_i64(&ret, scene->db, &scene->err, sql))
		fail_msg("%s", scene->err.text);
	return ret;
}

static void
values_come_back_as_they_were(struct scene *scene)
{
	static const char text[] = "d'r\\b \xC3\xA4 \"$1\" ?";
	static const uint8_t bytes[] = { 0, 255, '\\', 0 };
	struct db_rows rows;
	size_t size;

	assert_true(
	    db_run(scene->db, &scene->err, "INSERT INTO t (name, id, body) VALUES ($2, $1, $3)",
		DB_I64(INT64_MIN), DB_TEXT(text), DB_BLOB(bytes, sizeof(bytes))));
	assert_int_equal(db_changes(scene->db), 1);
	/* The same statement, one value of another kind. */
	for (int64_t id = 1; id <= 2; id++)
		assert_true(db_run(scene->db, &scene->err,
		    "INSERT INTO t (name, id, body) VALUES ($2, $1, $3)", DB_I64(id), DB_NULL,
		    id == 1 ? DB_NULL : DB_BLOB("", 0)));
	assert_true(db_query(&rows, scene->db, &scene->err,
	    "SELECT id, name, body FROM t WHERE id <> ? ORDER BY id", DB_I64(7)));
	assert_false(db_rows_writes(&rows));
	assert_true(db_next(&rows));
	assert_true(db_col_i64(&rows, 0) == INT64_MIN);
	assert_string_equal(db_col_text(&rows, 1), text);
	assert_memory_equal(db_col_blob(&rows, 2, &size), bytes, sizeof(bytes));
	assert_int_equal(size, sizeof(bytes));
	assert_true(db_next(&rows));
	assert_null(db_col_text(&rows, 1));
	assert_true(db_col_is_null(&rows, 2));
	assert_null(db_col_blob(&rows, 2, &size));
	assert_true(db_next(&rows));
	assert_non_null(db_col_blob(&rows, 2, &size));
	assert_int_equal(size, 0);
	assert_false(db_next(&rows));
	assert_true(db_rows_end(&rows, &scene->err));
}

static void
numbers_are_read_by_their_type(struct scene *scene)
{
	assert_true(insert(scene, 123456789012345, "a") && insert(scene, -99999999, "b"));
	assert_true(number(scene, "SELECT SUM(id) FROM t") == 123456689012346);
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t WHERE id < 0"), -99999999);
	assert_int_equal(number(scene, "SELECT SUM(id - id) FROM t"), 0);
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t WHERE id = 3"), 0); /* NULL */
	assert_int_equal(number(scene, "SELECT -7"), -7);
	assert_int_equal(number(scene, "SELECT EXISTS (SELECT 1 FROM t)"), 1);
	assert_int_equal(number(scene, "SELECT name = 'a' FROM t ORDER BY name DESC LIMIT 1"), 0);
	assert_int_equal(number(scene, "SELECT SUM(is_odd) FROM t"), 0);
	assert_false(db_one_i64(&(int64_t){ 0 }, scene->db, &scene->err, "SELECT 1 LIMIT 0"));
	assert_int_equal(scene->err.code, ERR_MISSING);
}

static void
refuses(struct scene *scene, enum err_code code, const char *state, bool ok)
{
	assert_false(ok);
	assert_true(scene->err.is_of_database);
	if (strstr(scene->err.text, state) == NULL)
		fail_msg("%s", scene->err.text);
	assert_null(strstr(scene->err.text, "hunter2"));
	assert_int_equal(scene->err.code, code);
}

static void
no_sentence_shows_a_value(struct scene *scene)
{
	struct db *db = scene->db;
	struct err *err = &scene->err;

	assert_true(insert(scene, 1, "hunter2"));
	refuses(scene, ERR_BUSY, " 23505 ", insert(scene, 2, "hunter2"));
	assert_true(insert(scene, 3,
	    "a\xc3"
	    "b\xe2\x82")); /* letters that were cut are dropped */
	assert_int_equal(number(scene, "SELECT COUNT(*) FROM t WHERE name = 'ab'"), 1);
	refuses(scene, ERR_LIMIT, " 22P02 ",
	    db_run(db, err, "UPDATE t SET id = CAST($1 AS BIGINT)", DB_TEXT("hunter2")));
	refuses(scene, ERR_CONFIG, " 42P01 ", db_run(db, err, "DELETE FROM nothing"));
	refuses(scene, ERR_CONFIG, " 42601 ", db_script(db, "DROP", err));
	assert_int_equal(number(scene, "SELECT COUNT(*) FROM t"), 2);
}

static void
a_savepoint_loses_only_its_own(struct scene *scene)
{
	struct db *db = scene->db;
	struct err *err = &scene->err;

	assert_false(db_in_transaction(db));
	assert_true(db_begin(db, err) && insert(scene, 1, "a") && db_savepoint(db, err));
	assert_true(insert(scene, 2, "b"));
	assert_false(insert(scene, 3, "a"));
	assert_false(insert(scene, 4, "d")); /* the transaction has failed as a whole */
	assert_true(db_in_transaction(db) && db_rollback_to(db, err));
	assert_true(db_savepoint(db, err) && insert(scene, 5, "e") && db_release(db, err));
	assert_true(db_commit(db, err));
	assert_false(db_in_transaction(db));
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t"), 6);
	assert_true(db_begin(db, err) && insert(scene, 6, "f"));
	db_rollback(db);
	assert_true(db_begin(db, err));
	assert_false(insert(scene, 7, "a"));
	assert_false(db_commit(db, err)); /* to which it answers ROLLBACK */
	assert_false(db_in_transaction(db));
	assert_int_equal(number(scene, "SELECT COUNT(*) FROM t"), 2);
}

/* From a second session, as an administrator does it. */
static void
cut(struct scene *scene)
{
	CLEANUP(db_closep) struct db *other = db_open(scene->url, 0, &scene->err);
	int64_t pid = number(scene, "SELECT pg_backend_pid()"), n;

	assert_non_null(other);
	assert_true(db_one_i64(&n, other, &scene->err,
	    "SELECT pg_terminate_backend(CAST($1 AS INT), 5000)", DB_I64(pid)));
	assert_int_equal(n, 1);
}

static void
a_session_that_was_cut_is_made_anew(struct scene *scene)
{
	struct db *db = scene->db;

	for (int i = 0; i < 2; i++) {
		assert_true(db_begin(db, &scene->err) && insert(scene, 1, "a"));
		cut(scene);
		refuses(scene, ERR_IO, "database: ", insert(scene, 2, "b"));
		assert_false(db_in_transaction(db));
		assert_false(db_commit(db, &scene->err));
		assert_int_equal(scene->err.code, ERR_IO);
	}
	assert_true(db_begin(db, &scene->err) && insert(scene, 3, "c"));
	assert_true(db_commit(db, &scene->err));
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t"), 3);
}

static void
more_statements_than_the_cache_holds_work_too(struct scene *scene)
{
	char sql[64];

	for (int i = 0; i < 1500; i++) { /* at one address */
		(void)snprintf(sql, sizeof(sql), "SELECT %d", i);
		assert_int_equal(number(scene, sql), i);
	}
}

static void
who_only_reads_changes_nothing(struct scene *scene)
{
	CLEANUP(db_closep) struct db *db = db_open(scene->url, DB_READ_ONLY, &scene->err);
	int64_t n;

	assert_true(insert(scene, 1, "a"));
	assert_non_null(db);
	assert_true(db_one_i64(&n, db, &scene->err, "SELECT COUNT(*) FROM t"));
	assert_int_equal(n, 1);
	refuses(scene, ERR_IO, " 25006 ", db_run(db, &scene->err, "DELETE FROM t"));
}

static void
a_snapshot_is_of_one_moment(struct scene *scene)
{
	CLEANUP(db_closep) struct db *db = db_open(scene->url, DB_READ_ONLY, &scene->err);
	int64_t n;

	assert_true(insert(scene, 1, "a"));
	assert_true(db_snapshot(db, &scene->err));
	for (int64_t more = 2; more <= 3; more++) {
		assert_true(db_one_i64(&n, db, &scene->err, "SELECT COUNT(*) FROM t"));
		assert_int_equal(n, 1);
		assert_true(insert(scene, more, more == 2 ? "b" : "c"));
	}
	db_rollback(db);
	assert_true(db_one_i64(&n, db, &scene->err, "SELECT COUNT(*) FROM t"));
	assert_int_equal(n, 3);
}

static void
a_version_stays(struct scene *scene)
{
	int64_t version = 7, n = 0;

	assert_true(db_user_version(scene->db, &version, &scene->err));
	assert_int_equal(version, 0);
	for (int64_t to = 3; to <= 4; to++)
		assert_true(db_set_user_version(scene->db, to, &scene->err));
	assert_true(db_user_version(scene->db, &version, &scene->err));
	assert_int_equal(version, 4);
	assert_true(db_has(scene->db, "t", "name", &n, &scene->err) && n == 1);
	assert_true(db_has(scene->db, "t", "nobody", &n, &scene->err) && n == 0);
	assert_true(db_has(scene->db, "nothing", NULL, &n, &scene->err) && n == 0);
}

static void
a_url_that_is_none_is_named_without_its_password(struct scene *scene)
{
	static const struct {
		const char *url;
		enum err_code code;
	} urls[] = {
		{ "postgres://bot:hunter2@x@127.0.0.1:1/d", ERR_CONFIG },
		{ "postgres://bot:hunter2/d@[::1", ERR_CONFIG },
		{ "postgres://bot:hunter2/x@h/d", ERR_CONFIG },
		{ "postgres://bot:1/hunter2@h/d", ERR_CONFIG },
		{ "postgres://bot:hunter2/d", ERR_CONFIG },
		{ "postgres://bot:hunter2%zz@h/d", ERR_CONFIG },
		{ "postgres://bot:hunter2@127.0.0.1:1/d?sslmode=never", ERR_IO },
		{ "postgres://bot:hunter2@127.0.0.1:1/d", ERR_IO },
		{ "postgresql://bot:hunter2@/d?host=/nowhere", ERR_IO },
	};

	for (size_t i = 0; i < COUNT(urls); i++) {
		assert_null(db_open(urls[i].url, 0, &scene->err));
		assert_null(strstr(scene->err.text, "hunter2"));
		assert_int_equal(scene->err.code, urls[i].code);
	}
}

static void
a_database_in_another_encoding_is_refused(struct scene *scene)
{
	const char *name = strstr(scene->url, "/postgres?");
	char url[DATABASE_AID_PATH];

	assert_true(db_script(scene->db, "DROP DATABASE IF EXISTS ascii", &scene->err));
	assert_true(db_script(scene->db,
	    "CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'",
	    &scene->err));
	(void)snprintf(url, sizeof(url), "%.*s/ascii?%s", (int)(name - scene->url), scene->url,
	    strchr(name, '?') + 1);
	assert_null(db_open(url, 0, &scene->err));
	assert_int_equal(scene->err.code, ERR_CONFIG);
	assert_non_null(strstr(scene->err.text, "SQL_ASCII: make one with ENCODING 'UTF8'"));
}

/* --- what waits, and what is known --- */

static bool
post(struct scene *scene, int64_t id, const char *name)
{
	return db_post(scene->db, &scene->err, "INSERT INTO t (id, name) VALUES ($1, $2)",
	    DB_I64(id), DB_TEXT(name));
}

static void
begins(struct scene *scene)
{
	if (!db_begin(scene->db, &scene->err))
		fail_msg("%s", scene->err.text);
}

static void
what_was_posted_fails_where_it_is_answered(struct scene *scene)
{
	int64_t trips, n;

	begins(scene);
	assert_true(db_savepoint(scene->db, &scene->err));
	trips = scene->db->n_trips;
	assert_true(post(scene, 1, "one") && post(scene, 2, "two") && post(scene, 1, "again"));
	assert_int_equal(scene->db->n_trips, trips);
	assert_true(db_in_transaction(scene->db));
	assert_false(db_one_i64(&n, scene->db, &scene->err, "SELECT COUNT(*) FROM t"));
	assert_int_equal(scene->db->n_trips, trips + 1);
	assert_int_equal(scene->err.code, ERR_BUSY);
	assert_non_null(strstr(scene->err.text, "INSERT INTO t"));
	assert_true(db_rollback_to(scene->db, &scene->err));
	assert_true(post(scene, 3, "three"));
	assert_true(db_settle(scene->db, &scene->err));
	assert_int_equal(db_changes(scene->db), 1);
	assert_true(db_commit(scene->db, &scene->err));
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t"), 3);
}

static void
what_was_posted_and_fails_is_not_committed(struct scene *scene)
{
	begins(scene);
	assert_true(post(scene, 1, "one") && post(scene, 1, "again"));
	assert_false(db_commit(scene->db, &scene->err));
	assert_int_equal(scene->err.code, ERR_BUSY);
	assert_false(db_in_transaction(scene->db));
	assert_int_equal(number(scene, "SELECT COUNT(*) FROM t"), 0);
	begins(scene);
	assert_true(post(scene, 1, "one") && post(scene, 1, "again"));
	db_rollback(scene->db);
	assert_false(db_in_transaction(scene->db));
	begins(scene);
	assert_true(post(scene, 1, "one") && post(scene, 1, "again"));
	assert_true(db_post(scene->db, &scene->err, "SAVEPOINT one"));
	assert_false(db_rollback_to(scene->db, &scene->err));
	db_rollback(scene->db);
}

static void
more_is_posted_than_waits(struct scene *scene)
{
	begins(scene);
	for (int64_t id = 0; id < 500; id++)
		assert_true(post(scene, id, NULL));
	assert_true(db_commit(scene->db, &scene->err));
	assert_int_equal(number(scene, "SELECT COUNT(*) FROM t"), 500);
}

/* The rows that have the name, and how many trips that was. */
static int64_t
named(struct scene *scene, const char *name, int64_t *ret_trips)
{
	int64_t trips = scene->db->n_trips, n = -1;

	if (!db_one_i64(&n, scene->db, &scene->err, "SELECT COUNT(*) FROM t WHERE name = $1",
		DB_TEXT(name)))
		fail_msg("%s", scene->err.text);
	*ret_trips = scene->db->n_trips - trips;
	return n;
}

static void
what_was_read_is_known_until_its_table_is_written(struct scene *scene)
{
	int64_t trips;

	assert_true(db_script(scene->db,
	    "DROP TABLE IF EXISTS t_other; CREATE TABLE t_other (id INTEGER)", &scene->err));
	begins(scene);
	assert_int_equal(named(scene, "one", &trips), 0);
	assert_true(
	    db_post(scene->db, &scene->err, "INSERT INTO t_other (id) VALUES ($1)", DB_I64(1)));
	assert_int_equal(named(scene, "one", &trips), 0);
	assert_int_equal(trips, 0);
	assert_true(post(scene, 1, "one"));
	assert_int_equal(named(scene, "one", &trips), 1);
	assert_int_equal(trips, 1);
	assert_true(db_savepoint(scene->db, &scene->err));
	assert_true(db_post(scene->db, &scene->err, "UPDATE t SET name = NULL WHERE id = 1"));
	/* It is asked for again with what follows. */
	(void)number(scene, "SELECT 1 FROM t");
	assert_int_equal(named(scene, "one", &trips), 0);
	assert_int_equal(trips, 0);
	assert_true(db_rollback_to(scene->db, &scene->err));
	assert_int_equal(named(scene, "one", &trips), 1);
	assert_true(db_commit(scene->db, &scene->err));
	begins(scene);
	assert_int_equal(named(scene, "one", &trips), 1);
	assert_int_equal(trips, 1);
	db_rollback(scene->db);
}

static void
who_walks_through_rows_writes_into_their_table(struct scene *scene)
{
	struct db_rows rows = { 0 };

	for (int64_t id = 1; id <= 3; id++)
		assert_true(insert(scene, id, &"abc"[id - 1]));
	begins(scene);
	assert_true(db_query(&rows, scene->db, &scene->err, "SELECT id FROM t ORDER BY id"));
	for (int64_t id = 1; db_next(&rows); id++) {
		assert_int_equal(db_col_i64(&rows, 0), id);
		assert_true(db_run(
		    scene->db, &scene->err, "UPDATE t SET id = id + 10 WHERE id = $1", DB_I64(id)));
	}
	assert_true(db_rows_end(&rows, &scene->err));
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t"), 36);
	assert_true(db_commit(scene->db, &scene->err));
}

static int64_t
longest(struct scene *scene, const char *name)
{
	int64_t n = -1;

	if (!db_one_i64(&n, scene->db, &scene->err,
		"SELECT COALESCE(MAX(id), 0) FROM t WHERE id > $1 AND name = $2", DB_I64(0),
		DB_TEXT(name)))
		fail_msg("%s", scene->err.text);
	return n;
}

/* All of a second environment is one trip. */
static void
what_is_asked_of_one_is_asked_of_others(struct scene *scene)
{
	int64_t trips, before;

	assert_true(insert(scene, 1, "one") && insert(scene, 2, "two"));
	begins(scene);
	assert_int_equal(named(scene, "one", &trips), 1);
	assert_int_equal(longest(scene, "one"), 1);
	assert_int_equal(named(scene, "two", &trips), 1);
	assert_int_equal(trips, 1);
	before = scene->db->n_trips;
	assert_int_equal(longest(scene, "two"), 2);
	assert_int_equal(scene->db->n_trips, before);
	/* What writes is done when it is asked for, and not again. */
	assert_true(db_run(
	    scene->db, &scene->err, "DELETE FROM t WHERE name = $1 RETURNING id", DB_TEXT("one")));
	assert_true(insert(scene, 3, "one"));
	assert_int_equal(named(scene, "one", &trips), 1);
	assert_true(db_commit(scene->db, &scene->err));
	assert_int_equal(number(scene, "SELECT SUM(id) FROM t"), 5);
}

TEST(what_db_h_promises_holds_there)
{
	static void (*const tests[])(struct scene *) = {
		values_come_back_as_they_were,
		numbers_are_read_by_their_type,
		no_sentence_shows_a_value,
		a_savepoint_loses_only_its_own,
		a_session_that_was_cut_is_made_anew,
		more_statements_than_the_cache_holds_work_too,
		who_only_reads_changes_nothing,
		a_snapshot_is_of_one_moment,
		a_version_stays,
		a_url_that_is_none_is_named_without_its_password,
		a_database_in_another_encoding_is_refused,
		what_was_posted_fails_where_it_is_answered,
		what_was_posted_and_fails_is_not_committed,
		more_is_posted_than_waits,
		what_was_read_is_known_until_its_table_is_written,
		who_walks_through_rows_writes_into_their_table,
		what_is_asked_of_one_is_asked_of_others,
	};
	struct scene scene;

	if (!database_aid_is_server()) {
		assert_true(database_aid_again());
		return;
	}
	for (size_t i = 0; i < COUNT(tests); i++) {
		set_up(&scene);
		tests[i](&scene);
		tear_down(&scene);
	}
}
