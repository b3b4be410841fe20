/* Goal: a database is the same in the other engine and back, and what would be lost is refused.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_move.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/db_upkeep.h"
#include "lib/mem.h"
#include "store/leader.h"
#include "store/row_audit.h"
#include "store/row_runner.h"
#include "store/store_backup.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

/* Its store is made on a file, and another stands in PostgreSQL, which has nothing. */
struct world {
	struct store_aid aid;
	char file[128], other[128];
	const char *url;
	struct store_moved moved;
};

static void
act_audit(struct tx *tx, void *arg)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = AUDIT_CODE_DENIED, .user = arg, .environment = "staging", .outcome = "no" },
	    NULL);
}

static void
change(struct world *w, const char *path, const char *sql)
{
	struct db *db = db_open(path, 0, &w->aid.err);

	if (db == NULL || !db_script(db, sql, &w->aid.err))
		fail_msg("%s: %s", sql, w->aid.err.text);
	db_close(db);
}

static int64_t
number(struct world *w, const char *path, const char *sql)
{
	struct db *db = db_open(path, DB_READ_ONLY, &w->aid.err);
	int64_t ret = -1;

	if (db == NULL || !db_one_i64(&ret, db, &w->aid.err, sql))
		fail_msg("%s: %s", sql, w->aid.err.text);
	db_close(db);
	return ret;
}

/* --- every table has rows --- */

/* A number that a check of 0 and 1 takes, or a large one; a text of many bytes; 32 bytes. */
static struct db_value
value_for(char type, int row, size_t i, char text[48])
{
	if (type == 'I')
		return DB_I64(row < 2 ? row : INT64_C(1) << (40 + i % 20));
	memset(text, 'a' + row, 32);
	if (type == 'B')
		return DB_BLOB(text, 32);
	(void)snprintf(text, 48, "%d \xc3\xa9\xf0\x9f\x8d\x8e'\"\\ %zu", row, i);
	return DB_TEXT(row == 0 ? "" : text);
}

static bool
insert(struct world *w, struct db *db, const struct db_rows *table, int row)
{
	CLEANUP(buf_done) struct buf sql = buf_make(65536);
	struct db_value values[100];
	char texts[100][48];
	const char *types = db_col_text(table, 2);
	size_t n = strlen(types);

	buf_addf(
	    &sql, "INSERT INTO %s (%s) VALUES (", db_col_text(table, 0), db_col_text(table, 1));
	for (size_t i = 0; i < n; i++) {
		values[i] = value_for(types[i], row, i, texts[i]);
		buf_adds(&sql, i + 1 < n ? "?, " : "?)");
	}
	return db_run_sql(db, &w->aid.err, &(const struct db_sql){ buf_text(&sql), values, n });
}

/* The audit has real entries. */
static void
fill(struct world *w)
{
	struct db *db = db_open(w->file, 0, &w->aid.err);
	struct db_rows tables = { 0 };
	int n_tables = 0;

	assert_non_null(db);
	assert_true(db_query(&tables, db, &w->aid.err,
	    "SELECT m.name, group_concat(x.name, ', '), group_concat(substr(x.type, 1, 1), '')"
	    " FROM sqlite_master m CROSS JOIN pragma_table_xinfo(m.name) x"
	    " WHERE m.type = 'table' AND x.hidden = 0 AND m.name <> 'audit'"
	    " AND m.name NOT LIKE 'sqlite%'"
	    " GROUP BY m.name ORDER BY m.name = 'run', m.name"));
	for (; db_next(&tables); n_tables++)
		for (int n = 0, row = 0; n == 0 || row < 3; row++) {
			assert_in_range(row, 0, 5);
			n += insert(w, db, &tables, row);
		}
	assert_true(db_rows_end(&tables, &w->aid.err));
	assert_in_range(n_tables, 67, 200);
	db_close(db);
	change(w, w->file, "UPDATE run SET runner = 'local' WHERE id = 1");
}

/* All rows of all tables that the file's schema has, but for the counters that a move sets. */
static char *
dump(struct world *w, const char *path)
{
	CLEANUP(buf_done) struct buf out = buf_make(1048576);
	struct db *schema = db_open(w->file, DB_READ_ONLY, &w->aid.err);
	struct db *db = db_open(path, DB_READ_ONLY, &w->aid.err);
	struct db_rows tables = { 0 }, rows = { 0 };

	assert_true(schema != NULL && db != NULL);
	assert_true(db_query(&tables, schema, &w->aid.err,
	    "SELECT 'SELECT ' || group_concat(x.name, ', ') || ' FROM ' || m.name ||"
	    " CASE m.name WHEN 'counter' THEN ' WHERE name NOT IN (''moved'', ''epoch'')' ELSE ''"
	    " END || ' ORDER BY 1, ' || min(2, count(*)), group_concat(substr(x.type, 1, 1), '')"
	    " FROM sqlite_master m CROSS JOIN pragma_table_xinfo(m.name) x"
	    " WHERE m.type = 'table' AND x.hidden = 0 AND m.name NOT LIKE 'sqlite%'"
	    " GROUP BY m.name ORDER BY m.name"));
	while (db_next(&tables)) {
		const char *types = db_col_text(&tables, 1);

		buf_addf(&out, "%s\n", db_col_text(&tables, 0));
		if (!db_query(&rows, db, &w->aid.err, db_col_text(&tables, 0)))
			fail_msg("%s", w->aid.err.text);
		while (db_next(&rows))
			for (int i = 0; types[i] != '\0'; i++) {
				size_t size = 0;
				const void *data = types[i] == 'I' || db_col_is_null(&rows, i) ?
				    NULL :
				    db_col_blob(&rows, i, &size);

				if (types[i] == 'I' && !db_col_is_null(&rows, i))
					buf_addf(&out, "%" PRId64 "|", db_col_i64(&rows, i));
				else
					buf_addf(
					    &out, "%s", db_col_is_null(&rows, i) ? "NULL|" : "'");
				buf_add(&out, data == NULL ? "" : data, size);
				buf_adds(&out, types[i + 1] == '\0' ? "\n" : "|");
			}
		assert_true(db_rows_end(&rows, &w->aid.err));
	}
	assert_true(db_rows_end(&tables, &w->aid.err));
	db_close(db);
	db_close(schema);
	return buf_take(&out);
}

static void
expect_same(struct world *w, const char *one, const char *other)
{
	CLEANUP(freep) char *left = dump(w, one), *right = dump(w, other);

	assert_string_equal(left, right);
}

/* --- */

static bool
moves(struct world *w, const char *from, const char *to)
{
	const struct store_move move = {
		.from = from,
		.to = to,
		.server_name = "server-a",
		.is_backup = from == w->other,
	};

	return store_move(&move, &w->moved, &w->aid.err);
}

static void
must_move(struct world *w, const char *from, const char *to)
{
	if (!moves(w, from, to))
		fail_msg("%s", w->aid.err.text);
}

static void
expect_refused(
    struct world *w, const char *from, const char *to, enum err_code code, const char *why)
{
	assert_false(moves(w, from, to));
	if (strstr(w->aid.err.text, why) == NULL)
		fail_msg("%s", w->aid.err.text);
	assert_int_equal(w->aid.err.code, code);
}

static void
set_up(struct world *w)
{
	*w = (struct world){ 0 };
	store_aid_open(&w->aid, NULL, NULL, NULL);
	w->url = w->aid.path;
	(void)snprintf(w->file, sizeof(w->file), "%s/deploybot.db", w->aid.folder);
	(void)snprintf(w->other, sizeof(w->other), "%s/other.db", w->aid.folder);
	w->aid.config.path = w->file;
	store_aid_reopen(&w->aid);
	for (int i = 0; i < 3; i++)
		store_aid_act(&w->aid, act_audit, (char[]){ "telegram:1" });
	store_close(TAKE(w->aid.store));
	change(w, w->url, "DROP TABLE IF EXISTS leader");
}

static void
tear_down(struct world *w)
{
	change(w, w->url, "DROP TABLE IF EXISTS leader");
	store_aid_close(&w->aid);
}

static void
every_row_of_every_table_is_there_and_comes_back(struct world *w)
{
	fill(w);
	must_move(w, w->file, w->url);
	assert_int_equal(w->moved.entries, 3);
	assert_int_equal(
	    number(w, w->url, "SELECT COUNT(*) FROM run WHERE runner = 'server-a'"), 1);
	change(w, w->url, "UPDATE run SET runner = 'local' WHERE runner = 'server-a'");
	expect_same(w, w->file, w->url);
	change(w, w->url, "UPDATE run SET runner = 'server-a' WHERE runner = 'local'");
	must_move(w, w->url, w->other);
	expect_same(w, w->file, w->other);
}

/* "local" of one server is a name of two, also where an effect has it. */
static void
a_run_keeps_its_runner(struct world *w)
{
	static const char of[] =
	    "SELECT COUNT(*) FROM effect WHERE body = '{\"run\":\"7\",\"runner\":\"%s\"}'";
	char sql[160];

	change(w, w->file,
	    "INSERT INTO effect (id, kind, subject, body, due, at) VALUES"
	    " (7, 'forget', 0, '{\"run\":\"7\",\"runner\":\"local\"}', 0, 0);"
	    "INSERT INTO runner VALUES ('local', 5)");
	must_move(w, w->file, w->url);
	(void)snprintf(sql, sizeof(sql), of, "server-a");
	assert_int_equal(number(w, w->url, sql), 1);
	assert_int_equal(
	    number(w, w->url, "SELECT gone_at FROM runner WHERE name = 'server-a'"), 5);
	must_move(w, w->url, w->other);
	(void)snprintf(sql, sizeof(sql), of, "local");
	assert_int_equal(number(w, w->other, sql), 1);
	assert_int_equal(number(w, w->other, "SELECT gone_at FROM runner WHERE name = 'local'"), 5);
}

/* More than one page of a cursor, and more than one piece of a COPY. */
static void
many_rows_come_in_their_order(struct world *w)
{
	change(w, w->file,
	    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
	    " INSERT INTO past (id, deployment, commit_id, reason) SELECT i, i % 7, 'c' || i, printf('%.200c', 'x') FROM n");
	must_move(w, w->file, w->url);
	must_move(w, w->url, w->other);
	expect_same(w, w->file, w->other);
}

/* What nobody would miss at once: one is dropped on its way, one is changed. */
static void
a_row_that_is_left_out_or_changed_is_noticed(struct world *w)
{
	static const char drop[] =
	    "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
	    " 'BEGIN IF NEW.id = ''b2'' THEN RETURN NULL; END IF; RETURN NEW; END';"
	    "CREATE TRIGGER spoil BEFORE INSERT ON button FOR EACH ROW EXECUTE FUNCTION spoil()";
	static const char spoil[] =
	    "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
	    " 'BEGIN NEW.outcome = ''ok''; RETURN NEW; END';"
	    "CREATE TRIGGER spoil BEFORE INSERT ON audit FOR EACH ROW WHEN (NEW.seq = 2)"
	    " EXECUTE FUNCTION spoil()";

	change(w, w->file,
	    "INSERT INTO button VALUES ('b1', 1, 1, '', '', '', 0, 0, 0, 0, 0),"
	    " ('b2', 1, 1, '', '', '', 0, 0, 0, 0, 0)");
	change(w, w->url, drop);
	expect_refused(
	    w, w->file, w->url, ERR_IO, "table button: FROM has 2 rows, and 1 were copied");
	change(w, w->url, "DROP FUNCTION spoil() CASCADE");
	change(w, w->url, spoil);
	expect_refused(w, w->file, w->url, ERR_INVALID, "TO: the database: entry 3 does not");
	change(w, w->url, "DROP FUNCTION spoil() CASCADE");
	assert_int_equal(number(w, w->url, "SELECT COUNT(*) FROM button"), 0);
	must_move(w, w->file, w->url); /* nothing of it was marked or kept */
}

/* --- which one is served --- */

/* As EVENT_STARTED does. */
static void
act_started(struct tx *tx, UNUSED void *arg)
{
	row_runner_outrun(tx);
}

static void
expect_opens(struct world *w, const char *path, bool moved_back, bool restored, const char *why)
{
	struct store *store;

	w->aid.config.path = path;
	w->aid.config.is_moved_back = moved_back;
	w->aid.config.is_restored = restored;
	store = store_open(&w->aid.config, &w->aid.err);
	if (why == NULL && store == NULL)
		fail_msg("%s", w->aid.err.text);
	if (why != NULL && (store != NULL || strstr(w->aid.err.text, why) == NULL))
		fail_msg("%s", store != NULL ? "it opens" : w->aid.err.text);
	if (store != NULL)
		assert_true(store_recover(
		    store, w->aid.settings, STORE_AID_AT, &w->aid.outcomes, &w->aid.err));
	w->aid.store = store;
	if (store != NULL && (moved_back || restored))
		store_aid_act(&w->aid, act_started, NULL);
	store_close(TAKE(w->aid.store));
}

static void
no_server_starts_on_what_was_moved_until_it_is_told_so(struct world *w)
{
	must_move(w, w->file, w->url);
	expect_opens(w, w->file, false, false, "copied to another database");
	expect_opens(w, w->file, false, true, "--moved-back");
	expect_opens(w, w->url, false, false, NULL);
	expect_refused(w, w->file, w->other, ERR_INVALID, "one of the two");
	expect_opens(w, w->file, true, false, NULL);
	expect_opens(w, w->file, false, false, NULL); /* once */
}

/* The same command back, though the file is still there: all that it knows came along. */
static void
what_was_moved_is_written_over_by_what_it_became(struct world *w)
{
	must_move(w, w->file, w->url);
	change(w, w->url, "INSERT INTO runner VALUES ('far', 9)");
	must_move(w, w->url, w->file);
	assert_int_equal(number(w, w->file, "SELECT COUNT(*) FROM runner"), 1);
	expect_opens(w, w->file, false, false, NULL);
	expect_opens(w, w->url, false, false, "copied to another database");
}

/* An upgrade came between: the file that is still there is of the program before. */
static void
what_was_moved_before_an_upgrade_is_written_over_too(struct world *w)
{
	struct db *db;

	must_move(w, w->file, w->url);
	assert_int_equal(unlink(w->file), 0);
	db = db_open(w->file, 0, &w->aid.err);
	assert_non_null(db);
	assert_true(store_schema_migrate(db, NULL, store_schema_newest() - 1, &w->aid.err));
	db_close(db);
	expect_refused(w, w->url, w->file, ERR_CONFIG, "TO has version");
	change(w, w->file, "INSERT INTO counter VALUES ('moved', 1)");
	must_move(w, w->url, w->file);
	expect_opens(w, w->file, false, false, NULL);
}

/* Somebody decided on it since: its history is another one. */
static void
but_not_what_has_a_history_of_its_own(struct world *w)
{
	must_move(w, w->file, w->url);
	w->aid.config.path = w->file;
	w->aid.config.is_moved_back = true;
	store_aid_reopen(&w->aid);
	store_aid_act(&w->aid, act_started, NULL);
	store_aid_act(&w->aid, act_audit, (char[]){ "telegram:2" });
	store_close(TAKE(w->aid.store));
	expect_refused(w, w->url, w->file, ERR_BUSY, "TO has rows");
	change(w, w->file, "INSERT INTO counter VALUES ('moved', 1)");
	expect_refused(w, w->url, w->file, ERR_BUSY, "TO has rows");
}

static void
a_backup_is_started_on_as_one(struct world *w)
{
	struct store_backup made;

	assert_true(store_backup(w->file, w->other, &made, &w->aid.err));
	must_move(w, w->other, w->url);
	expect_opens(w, w->url, false, false, "serve --restored");
	expect_opens(w, w->url, false, true, NULL);
	expect_opens(w, w->url, false, false, NULL);
	expect_opens(w, w->file, false, false, NULL); /* a backup of it marks nothing */
}

/* One format: of PostgreSQL as of a file, and back into either. */
static void
a_backup_of_postgresql_is_a_file_of_sqlite(struct world *w)
{
	static const char *const beside[] = { "-wal", "-shm", "-journal", ".partial",
		".partial-wal", ".partial-shm", ".partial-journal" };
	struct store_backup made;
	char path[160];

	fill(w);
	must_move(w, w->file, w->url);
	if (!store_backup_by(store_move_backup, w->url, w->other, &made, &w->aid.err))
		fail_msg("%s", w->aid.err.text);
	assert_int_equal(made.entries, 3);
	assert_in_range(made.size, 100000, 1000000);
	for (size_t i = 0; i < COUNT(beside); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", w->other, beside[i]);
		assert_int_not_equal(access(path, F_OK), 0);
	}
	expect_same(w, w->url, w->other);
	expect_opens(w, w->url, false, false, NULL); /* a server goes on */
	assert_false(store_backup_by(store_move_backup, w->url, w->other, &made, &w->aid.err));
	assert_int_equal(w->aid.err.code, ERR_BUSY);
}

/* --- what is refused --- */

static void
what_a_server_leads_is_left_alone(struct world *w)
{
	struct leader self = { .holder = "server-b", .folder = "there" };
	struct db *db = db_open(w->url, 0, &w->aid.err);
	bool leads;

	assert_true(db != NULL && leader_make(db, &w->aid.err));
	assert_true(leader_take(db, false, &self, &leads, &w->aid.err) && leads);
	expect_refused(w, w->file, w->url, ERR_BUSY, "server-b leads on TO (epoch 1)");
	assert_true(leader_give_up(db, self.epoch, &w->aid.err));
	must_move(w, w->file, w->url);
	assert_true(leader_take(db, false, &self, &leads, &w->aid.err) && leads);
	expect_refused(w, w->url, w->other, ERR_BUSY, "server-b leads on FROM (epoch 2)");
	change(w, w->url, "UPDATE leader SET renewed = renewed - 5000");
	must_move(w, w->url, w->other); /* it is dead */
	db_close(db);
}

/* Runners refuse what is older than they have seen, also behind a year with a file. */
static void
the_epoch_comes_along(struct world *w)
{
	static const char epoch[] = "SELECT value FROM counter WHERE name = 'epoch'";

	must_move(w, w->file, w->url);
	change(w, w->url, "UPDATE leader SET epoch = 17");
	must_move(w, w->url, w->file);
	assert_int_equal(number(w, w->file, epoch), 18); /* nor does who was paused there lead */
	change(w, w->url, "UPDATE leader SET epoch = 3");
	must_move(w, w->file, w->url);
	assert_int_equal(number(w, w->url, "SELECT epoch FROM leader"), 18);
	change(w, w->url, "UPDATE leader SET epoch = 20");
	must_move(w, w->url, w->file);
	must_move(w, w->file, w->url);
	assert_int_equal(number(w, w->url, "SELECT epoch FROM leader"), 21);
	expect_opens(w, w->file, true, false, NULL); /* runners know those of since */
	assert_true(number(w, w->file, epoch) >= STORE_AID_AT / 1000);
	change(w, w->file, "UPDATE counter SET value = 3000000000 WHERE name = 'epoch'");
	expect_opens(w, w->file, false, true, NULL); /* a copy, of whenever */
	assert_true(number(w, w->file, epoch) == 3000000001);
	expect_opens(w, w->file, false, false, NULL);
	assert_true(number(w, w->file, epoch) == 3000000001);
}

static void
what_has_rows_is_left_alone(struct world *w)
{
	change(w, w->url, "INSERT INTO claim VALUES ('here', 1)");
	expect_refused(w, w->file, w->url, ERR_BUSY, "TO has rows");
	assert_int_equal(number(w, w->url, "SELECT COUNT(*) FROM claim"), 1);
	expect_opens(w, w->file, false, false, NULL);
}

static void
only_todays_version_is_copied(struct world *w)
{
	struct db *db;

	change(w, w->file, "PRAGMA user_version = 29");
	expect_refused(w, w->file, w->url, ERR_CONFIG, "FROM has version 29");
	change(w, w->file, "PRAGMA user_version = 1000");
	expect_refused(w, w->file, w->url, ERR_CONFIG, "FROM has version 1000");
	change(w, w->file, "PRAGMA user_version = 0");
	expect_refused(w, w->file, w->url, ERR_CONFIG, "FROM has version 0");
	db = db_open(w->file, 0, &w->aid.err);
	assert_true(db != NULL && db_set_user_version(db, store_schema_newest(), &w->aid.err));
	db_close(db);
	change(w, w->url, "UPDATE schema_version SET version = 29");
	expect_refused(w, w->file, w->url, ERR_CONFIG, "TO has version 29");
	change(w, w->url, "UPDATE schema_version SET version = 1000");
	expect_refused(w, w->file, w->url, ERR_CONFIG, "TO has version 1000");
	db = db_open(w->url, 0, &w->aid.err);
	assert_true(db != NULL && db_set_user_version(db, store_schema_newest(), &w->aid.err));
	db_close(db);
	(void)unlink(w->file);
	expect_refused(w, w->file, w->url, ERR_MISSING, "No such file");
	assert_int_not_equal(access(w->file, F_OK), 0);
}

static void
a_damaged_file_is_not_copied(struct world *w)
{
	FILE *file = fopen(w->file, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, 4096 * 5, SEEK_SET), 0);
	for (int i = 0; i < 4096; i++)
		assert_int_not_equal(fputc(0x5a, file), EOF);
	assert_int_equal(fclose(file), 0);
	assert_false(moves(w, w->file, w->url));
	assert_int_equal(number(w, w->url, "SELECT COUNT(*) FROM audit"), 0);
}

static void
a_text_that_postgresql_does_not_take_is_named_or_replaced(struct world *w)
{
	struct store_move move = {
		.from = w->file, .to = w->url, .server_name = "a", .cleans = true
	};

	change(w, w->file,
	    "INSERT INTO question_requester VALUES (1, 2, 3);"
	    "INSERT INTO person_name VALUES ('telegram:7', 'a' || char(0) || 'b', 1);"
	    "INSERT INTO press VALUES (4, CAST(x'41ff42' AS TEXT), 5, 6)");
	expect_refused(
	    w, w->file, w->url, ERR_INVALID, "table person_name: row telegram:7 has a NUL");
	change(w, w->file, "UPDATE person_name SET name = 'ab'");
	expect_refused(w, w->file, w->url, ERR_INVALID, "table press: row 4 AB 5 6 has a NUL");
	change(w, w->file, "UPDATE person_name SET name = 'a' || char(0) || 'b'");
	if (!store_move(&move, &w->moved, &w->aid.err))
		fail_msg("%s", w->aid.err.text);
	assert_int_equal(
	    number(w, w->url, "SELECT COUNT(*) FROM person_name WHERE name = 'a?b'"), 1);
	assert_int_equal(number(w, w->url, "SELECT COUNT(*) FROM press WHERE act = 'A?B'"), 1);
}

static void
what_the_audit_says_is_never_replaced(struct world *w)
{
	struct store_move move = {
		.from = w->file, .to = w->url, .server_name = "a", .cleans = true
	};

	change(w, w->file, "UPDATE audit SET meta = CAST(x'41ff42' AS TEXT) WHERE seq = 2");
	assert_false(store_move(&move, &w->moved, &w->aid.err));
	assert_non_null(strstr(w->aid.err.text, "table audit: row 2 has"));
	assert_non_null(strstr(w->aid.err.text, "and what the audit says is not changed"));
}

TEST(a_database_moves_there_and_back)
{
	static void (*const tests[])(struct world * w) = {
		every_row_of_every_table_is_there_and_comes_back,
		a_run_keeps_its_runner,
		many_rows_come_in_their_order,
		a_row_that_is_left_out_or_changed_is_noticed,
		no_server_starts_on_what_was_moved_until_it_is_told_so,
		what_was_moved_is_written_over_by_what_it_became,
		what_was_moved_before_an_upgrade_is_written_over_too,
		but_not_what_has_a_history_of_its_own,
		a_backup_is_started_on_as_one,
		a_backup_of_postgresql_is_a_file_of_sqlite,
		what_a_server_leads_is_left_alone,
		the_epoch_comes_along,
		what_has_rows_is_left_alone,
		only_todays_version_is_copied,
		a_damaged_file_is_not_copied,
		a_text_that_postgresql_does_not_take_is_named_or_replaced,
		what_the_audit_says_is_never_replaced,
	};
	struct world w;

	if (!database_aid_is_server()) {
		assert_true(database_aid_again());
		return;
	}
	for (size_t i = 0; i < COUNT(tests); i++) {
		set_up(&w);
		tests[i](&w);
		tear_down(&w);
	}
}
