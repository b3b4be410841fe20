/* database_aid.c - schemas of one PostgreSQL in the place of files, used again by the next test.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "tests/unit/database_aid.h"

#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/db_upkeep.h"
#include "store/store_inside.h"

#define SCHEMAS_MAX 16
#define SCHEMA_NAME 48

/* Each is made once: an empty database takes longer than most tests. */
static struct schema {
	char name[SCHEMA_NAME]; /* "": none yet */
	char url[DATABASE_AID_PATH];
	char *
	    columns; /* of each table, as "name|column, column\n", but for those that it computes */
	int64_t n_columns;
	bool is_used;
} schemas[SCHEMAS_MAX];

static void
must(bool ok, const struct err *err)
{
	if (ok)
		return;
	(void)fprintf(stderr, "a test's database: %s\n", err->text);
	abort();
}

bool
database_aid_is_server(void)
{
	return getenv("TEST_DATABASE") != NULL;
}

bool
database_aid_again(void)
{
	char program[PATH_MAX] = "";
	int status;
	pid_t pid;

	(void)!readlink("/proc/self/exe", program, sizeof(program) - 1);
	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)execl("tests/tools/with_postgresql.sh", "with_postgresql.sh", program, NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static struct schema *
schema_of(const char *url)
{
	for (size_t i = 0; i < SCHEMAS_MAX; i++)
		if (strcmp(schemas[i].url, url) == 0)
			return &schemas[i];
	abort();
}

#define COLUMNS \
	"SELECT c.table_name || '|' || string_agg(quote_ident(c.column_name), ', ')" \
	" FROM information_schema.columns c WHERE c.table_schema = $1" \
	" AND c.is_generated = 'NEVER' AND c.table_name NOT IN ('schema_version', 'baseline')" \
	" GROUP BY c.table_name"

static char *
list_columns(struct db *db, const char *name)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	struct buf columns = buf_make(65536);
	struct err err;

	must(db_query(&rows, db, &err, COLUMNS, DB_TEXT(name)), &err);
	while (db_next(&rows))
		buf_addf(&columns, "%s\n", db_col_text(&rows, 0));
	return buf_take(&columns);
}

static int64_t
count_columns(struct db *db)
{
	int64_t n;
	struct err err;

	must(
	    db_one_i64(&n, db, &err,
		"SELECT COUNT(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
		" WHERE c.relnamespace = to_regnamespace(current_schema()) AND NOT a.attisdropped"),
	    &err);
	return n;
}

/* What a new database has besides its tables stands in `baseline`. */
static void
create(struct schema *schema, size_t n)
{
	const char *server = getenv("TEST_DATABASE");
	struct err err;
	CLEANUP(db_closep) struct db *outside = db_open(server, 0, &err), *db = NULL;
	char sql[192];

	(void)snprintf(schema->name, sizeof(schema->name), "test_%d_%zu", (int)getpid(), n);
	(void)snprintf(schema->url, sizeof(schema->url), "%s&options=-csearch_path%%3D%s,public",
	    server, schema->name);
	(void)snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS %s CASCADE; CREATE SCHEMA %s",
	    schema->name, schema->name);
	must(outside != NULL && db_script(outside, sql, &err), &err);
	db = db_open(schema->url, 0, &err);
	must(db != NULL && store_schema_migrate(db, NULL, store_schema_newest(), &err) &&
		db_script(db, "CREATE TABLE baseline AS SELECT * FROM counter", &err),
	    &err);
	free(schema->columns);
	schema->columns = list_columns(db, schema->name);
	schema->n_columns = count_columns(db);
}

/* With the rows of another schema; NULL: with what a new database has.  False: its tables are not
 * what they were. */
static bool
fill(const struct schema *schema, const struct schema *from)
{
	struct err err;
	CLEANUP(db_closep) struct db *db = db_open(schema->url, 0, &err);
	CLEANUP(buf_done) struct buf script = buf_make(1048576);
	const char *at = schema->columns, *end;

	must(db != NULL, &err);
	if (count_columns(db) != schema->n_columns) /* a test has made a table another one */
		return false;
	must(db_set_user_version(db, store_schema_newest(), &err), &err);
	/* Whoever refers to a row may go behind it. */
	buf_adds(&script, "BEGIN; SET LOCAL session_replication_role = replica;");
	for (; *at != '\0'; at = end + 1) {
		int table = (int)strcspn(at, "|");

		end = strchr(at, '\n');
		buf_addf(&script, "DELETE FROM %.*s;", table, at);
		if (from != NULL)
			buf_addf(&script, "INSERT INTO %.*s (%.*s) SELECT %.*s FROM %s.%.*s;",
			    table, at, (int)(end - at) - table - 1, at + table + 1,
			    (int)(end - at) - table - 1, at + table + 1, from->name, table, at);
	}
	buf_adds(&script,
	    from != NULL ? "COMMIT" : "INSERT INTO counter SELECT * FROM baseline; COMMIT");
	must(db_script(db, buf_text(&script), &err), &err);
	return true;
}

void
database_aid_make(const char *folder, const char *name, char out[DATABASE_AID_PATH])
{
	size_t i = 0;

	if (!database_aid_is_server()) {
		(void)snprintf(out, DATABASE_AID_PATH, "%s/%s", folder, name);
		return;
	}
	while (i < SCHEMAS_MAX && schemas[i].is_used)
		i++;
	assert(i < SCHEMAS_MAX);
	if (schemas[i].name[0] == '\0' || !fill(&schemas[i], NULL))
		create(&schemas[i], i);
	schemas[i].is_used = true;
	(void)snprintf(out, DATABASE_AID_PATH, "%s", schemas[i].url);
}

/* One of them is what each batch writes. */
#define REFUSE_ROWS_OF(table) \
	";CREATE CONSTRAINT TRIGGER refuse AFTER INSERT OR UPDATE ON " table \
	" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()"
#define REFUSE \
	"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS" \
	" 'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END'" REFUSE_ROWS_OF("counter") \
	    REFUSE_ROWS_OF("audit")

void
database_aid_refuse(const char *database, bool commits)
{
	struct err err;
	CLEANUP(db_closep) struct db *db = db_open(database, 0, &err);

	must(db != NULL && db_script(db, commits ? REFUSE : "DROP FUNCTION refuse() CASCADE", &err),
	    &err);
}

#define TABLES_OF_A_FILE \
	"SELECT m.name, group_concat('quote(' || i.name || ')', ' || ''|'' || ') AS line" \
	" FROM sqlite_master m JOIN pragma_table_info(m.name) i WHERE m.type = 'table'" \
	" AND m.name <> 'sqlite_sequence' GROUP BY m.name"

#define TABLES_OF_A_SCHEMA \
	"SELECT CAST(c.table_name AS TEXT) AS name, string_agg('quote(' || c.column_name || ')'," \
	" ' || ''|'' || ' ORDER BY c.ordinal_position) AS line FROM information_schema.columns c" \
	" WHERE c.table_schema = current_schema() AND c.is_generated = 'NEVER'" \
	" AND c.table_name NOT IN ('schema_version', 'baseline') GROUP BY c.table_name"

const char *
database_aid_sql(const char *format)
{
	static char sql[1024];
	const char *at = strstr(format, "%s");

	assert(at != NULL);
	(void)snprintf(sql, sizeof(sql), "%.*s%s%s", (int)(at - format), format,
	    database_aid_is_server() ? TABLES_OF_A_SCHEMA : TABLES_OF_A_FILE, at + 2);
	return sql;
}

void
database_aid_copy(const char *from, const char *to)
{
	(void)fill(schema_of(to), schema_of(from)); /* none has changed */
}

void
database_aid_remove(const char *database)
{
	if (database_aid_is_server())
		schema_of(database)->is_used = false;
}
