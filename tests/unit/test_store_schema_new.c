/* Goal: a new database is made at once, and is what all migrations make.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "schema_aid.h"

#include "lib/buf.h"
#include "store/store_inside.h"

#define TEXT_MAX 65536

/* One column a line. */
static void
add_statement(struct buf *text, const char *sql)
{
	bool is_table = strncmp(sql, "CREATE TABLE", 12) == 0;
	int depth = 0;

	for (const char *c = sql; *c != '\0'; c++) {
		depth += (*c == '(') - (*c == ')');
		if (is_table && *c == ' ' && depth == 1 && (c[-1] == ',' || c[-1] == '('))
			buf_add(text, "\n", 1);
		buf_add(text, c, 1);
	}
	buf_add(text, ";\n", 2);
}

/* As SQL, what the migrations have made. */
static void
write_schema(struct store_aid *aid, struct db *db, const char *path)
{
	static const char statements[] =
	    "SELECT sql FROM (SELECT sql, rowid AS n FROM sqlite_master"
	    " WHERE sql IS NOT NULL AND name <> 'sqlite_sequence'"
	    " UNION ALL SELECT 'INSERT INTO counter (name, value) VALUES (''' || name || ''', '"
	    " || value || ')', 1000000 FROM counter) ORDER BY n, sql";
	struct db_rows rows = { 0 };
	struct buf text;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	buf_init(&text, TEXT_MAX);
	buf_addf(&text,
	    "-- store_schema.sql - all migrations at once, for a new database; test_store_schema_new writes it\n"
	    "-- SPDX-License-Identifier: ISC\n");
	assert_true(db_query(&rows, db, &aid->err, statements));
	while (db_next(&rows))
		add_statement(&text, db_col_text(&rows, 0));
	assert_true(db_rows_end(&rows, &aid->err));
	assert_true(fputs(buf_text(&text), file) >= 0);
	assert_int_equal(fclose(file), 0);
	buf_done(&text);
}

/* Of one row; the caller frees it. */
static char *
text_of(struct store_aid *aid, struct db *db, const char *sql)
{
	struct db_rows rows = { 0 };
	char *copy;

	assert_true(db_query(&rows, db, &aid->err, sql));
	assert_true(db_next(&rows));
	copy = strdup(db_col_text(&rows, 0));
	assert_non_null(copy);
	assert_false(db_next(&rows));
	assert_true(db_rows_end(&rows, &aid->err));
	return copy;
}

static void
expect_same_rows(struct store_aid *aid, struct db *one, struct db *other)
{
	static const char counters[] =
	    "SELECT group_concat(line, ',') FROM (SELECT name || '=' || value AS line FROM counter"
	    " ORDER BY 1)";
	struct db_rows tables = { 0 };
	char *left = text_of(aid, one, counters), *right = text_of(aid, other, counters);
	int64_t n, m;

	assert_string_equal(left, right);
	free(left);
	free(right);
	assert_true(db_query(
	    &tables, one, &aid->err, "SELECT name FROM sqlite_master WHERE type = 'table'"));
	while (db_next(&tables)) {
		char count[160];

		(void)snprintf(
		    count, sizeof(count), "SELECT COUNT(*) FROM %s", db_col_text(&tables, 0));
		assert_true(db_one_i64(&n, one, &aid->err, count));
		assert_true(db_one_i64(&m, other, &aid->err, count));
		assert_int_equal(n, m);
	}
	assert_true(db_rows_end(&tables, &aid->err));
}

/* A folder alone: whose file is of before cannot open a store. */
static int
make_folder(void **state)
{
	static struct store_aid aid;
	const char *address = getenv("TMPDIR");

	aid = (struct store_aid){ 0 };
	(void)snprintf(
	    aid.folder, sizeof(aid.folder), "%s/schema.XXXXXX", address == NULL ? "/tmp" : address);
	assert_non_null(mkdtemp(aid.folder));
	*state = &aid;
	return 0;
}

/* Whoever adds a migration has the file written anew, whose diff shows what it makes. */
TEST_WITH(a_new_database_is_what_all_migrations_make, make_folder, schema_aid_teardown)
{
	struct store_aid *aid = *state;
	const char *path = getenv("SCHEMA_SQL");
	struct db *migrated = schema_aid_fresh(aid, "migrated", 1), *fresh;

	if (!store_schema_migrate(migrated, NULL, store_schema_newest(), &aid->err))
		fail_msg("%s", aid->err.text);
	if (path != NULL) {
		write_schema(aid, migrated, path);
		db_close(migrated);
		return;
	}
	fresh = schema_aid_fresh(aid, "new", store_schema_newest());
	assert_int_equal(schema_aid_version(aid, fresh), store_schema_newest());
	expect_same_rows(aid, migrated, fresh);
	schema_aid_expect_same(aid, migrated, fresh,
	    "SCHEMA_SQL=server/store/store_schema.sql build/test/tests/test_store_schema_new all_migrations_make");
}

/* SQLite reads all tables anew for each column that is added to one: a start would take 60 ms more.
 * No migration has the lines of the file. */
TEST_WITH(a_new_database_runs_no_migration, make_folder, schema_aid_teardown)
{
	struct store_aid *aid = *state;
	struct db *fresh = schema_aid_fresh(aid, "new", store_schema_newest());
	int64_t n;

	assert_true(db_one_i64(&n, fresh, &aid->err,
	    "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND instr(sql, char(10)) = 0"
	    " AND name <> 'sqlite_sequence'"));
	assert_int_equal(n, 0);
	db_close(fresh);
}
