/* Goal: every statement of the product is one that both engines understand.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <link.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/db.h"
#include "lib/file.h"
#include "tests/unit/store_aid.h"
#include "tests/unit/unit.h"

#define FILE_MAX 268435456

struct world {
	struct db *db;
	int n, n_refused;
};

/* A table of before, what each engine asks of itself, a table of PostgreSQL alone, and a format. */
static const char *const elsewhere[] = { "FROM deployment", "schema_version", "pragma_",
	"information_schema", "pg_", "to_reg", "baseline", "UPDATE leader", "FROM leader",
	"FROM server", "INTO server", "current_setting", "set_config", "%s" };

/* A migration's ends with a semicolon, and is SQLite's of its time. */
static bool
is_statement(const char *text)
{
	static const char *const verbs[] = { "SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ",
		"WITH ", "REPLACE INTO ", "INSERT OR " };

	if (strlen(text) <= 20 || text[strlen(text) - 1] == ';')
		return false;
	for (size_t i = 0; i < COUNT(elsewhere); i++)
		if (strstr(text, elsewhere[i]) != NULL)
			return false;
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strncmp(text, verbs[i], strlen(verbs[i])) == 0)
			return true;
	return false;
}

/* On PostgreSQL: with the types that it would choose, but that each number that is bound is a
 * bigint. */
#define TYPES \
	"SELECT REPLACE(REPLACE(array_to_string(parameter_types, ', '), 'integer', 'bigint')," \
	" 'boolean', 'bigint') FROM pg_prepared_statements WHERE name = 'one'"

static bool
is_understood_there(struct db *db, const char *text, struct err *err)
{
	CLEANUP(buf_done) struct buf bare = buf_make(65536), typed = buf_make(65536);
	struct db_rows rows;

	buf_addf(&bare, "PREPARE one AS %s", text);
	if (!db_script(db, buf_text(&bare), err))
		return strstr(err->text, " 42P08 ") != NULL; /* what is bound has its type */
	assert_true(db_query(&rows, db, err, TYPES) && db_next(&rows));
	buf_addf(&typed, "DEALLOCATE one; PREPARE one");
	if (db_col_text(&rows, 0)[0] != '\0')
		buf_addf(&typed, " (%s)", db_col_text(&rows, 0));
	buf_addf(&typed, " AS %s; DEALLOCATE one", text);
	return db_rows_end(&rows, err) && db_script(db, buf_text(&typed), err);
}

static bool
is_understood(struct world *w, const char *text, struct err *err)
{
	CLEANUP(buf_done) struct buf sql = buf_make(65536);

	if (database_aid_is_server())
		return is_understood_there(w->db, text, err);
	buf_addf(&sql, "EXPLAIN %s", text);
	return db_script(w->db, buf_text(&sql), err);
}

static void
look_at(struct world *w, const char *text)
{
	struct err err;

	w->n++;
	if (is_understood(w, text, &err))
		return;
	print_error("%s\n    %s\n", err.text, text);
	w->n_refused++;
}

/* The constants of the product, as they stand in the file: its shared library, or this program. */
static int
look_through(struct dl_phdr_info *info, UNUSED size_t size, void *ctx)
{
	const char *name = info->dlpi_name[0] == '\0' ? "/proc/self/exe" : info->dlpi_name;
	CLEANUP(freep) char *file = NULL;
	struct err err;
	size_t n;

	if (info->dlpi_name[0] != '\0' && strstr(name, "libproduct") == NULL)
		return 0;
	file = file_read(name, FILE_MAX, &n, &err);
	assert_non_null(file);
	for (const char *at = file; at < file + n; at += strnlen(at, (size_t)(file + n - at)) + 1)
		if (is_statement(at))
			look_at(ctx, at);
	return 0;
}

TEST(every_statement_is_understood_by_both_engines)
{
	struct store_aid aid;
	struct world w = { 0 };

	store_aid_open(&aid, NULL, NULL, NULL);
	w.db = db_open(aid.path, 0, &aid.err);
	assert_non_null(w.db);
	(void)dl_iterate_phdr(look_through, &w);
	db_close(w.db);
	store_aid_close(&aid);
	assert_in_range(w.n, 300, 2000);
	assert_int_equal(w.n_refused, 0);
	assert_true(database_aid_is_server() || database_aid_again());
}
