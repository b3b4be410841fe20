/* store_rows.c - table by table, row by row, and counted at both ends.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/clean.h"
#include "lib/db_load.h"
#include "lib/err.h"
#include "lib/mem.h"

/* --- which tables there are --- */

static const char list_tables[] =
	"SELECT m.name,"
	" (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_xinfo(m.name)"
	" WHERE hidden = 0 ORDER BY cid)),"
	" (SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_xinfo(m.name)"
	" WHERE pk > 0 ORDER BY pk)),"
	" (SELECT group_concat(substr(type, 1, 1) || pk, '') FROM (SELECT type, pk"
	" FROM pragma_table_xinfo(m.name) WHERE hidden = 0 ORDER BY cid))"
	" FROM sqlite_master AS m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
	" ORDER BY EXISTS (SELECT 1 FROM pragma_foreign_key_list(m.name)), m.rowid";

bool
store_rows_list(struct store_rows *rows, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows found = { 0 };

	if (!db_query(&found, rows->is_to_server ? rows->from : rows->to, err, list_tables))
		return false;
	while (db_next(&found)) {
		struct store_table table = { mem_text(db_col_text(&found, 0)),
			mem_text(db_col_text(&found, 1)), mem_text(db_col_text(&found, 2)),
			mem_text(db_col_text(&found, 3)), 0 };

		table.n_columns = strlen(table.types) / 2;
		rows->tables = mem_grow(rows->tables, rows->n + 1, sizeof(table));
		rows->tables[rows->n++] = table;
	}
	return db_rows_end(&found, err);
}

void
store_rows_done(struct store_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free(rows->tables[i].name);
		free(rows->tables[i].columns);
		free(rows->tables[i].keys);
		free(rows->tables[i].types);
	}
	free(TAKE(rows->tables));
	rows->n = 0;
}

static bool
count(struct db *db, const struct store_table *table, int64_t *ret, struct err *err)
{
	CLEANUP(freep) char *sql = mem_textf("SELECT COUNT(*) FROM %s", table->name);

	return db_one_i64(ret, db, err, sql);
}

/* A new one has counters. */
bool
store_rows_is_new(struct store_rows *rows, bool *ret, struct err *err)
{
	int64_t n = 0;

	for (size_t i = 0; n == 0 && i < rows->n; i++)
		if (strcmp(rows->tables[i].name, "counter") != 0 &&
		    !count(rows->to, &rows->tables[i], &n, err))
			return false;
	*ret = n == 0;
	return true;
}

/* --- the rows of one --- */

struct walk {
	const struct store_rows *all;
	const struct store_table *table;
	struct db_rows rows;
	char *select;	/* of SQLite all rows, of PostgreSQL the next page */
	int64_t n, n_page;
	char *cleaned[DB_LOAD_COLUMNS]; /* texts of this row */
};

static void
forget_row(struct walk *w)
{
	for (size_t i = 0; i < w->table->n_columns; i++)
		free(TAKE(w->cleaned[i]));
}

static void
walk_done(struct walk *w)
{
	db_rows_close(&w->rows);
	forget_row(w);
	free(w->select);
}

/* PostgreSQL gives a query's rows at once, and a cursor's page by page. */
static bool
walk_begin(struct walk *w, struct err *err)
{
	struct db *from = w->all->from;

	w->select = mem_textf("SELECT %s FROM %s ORDER BY %s", w->table->columns, w->table->name,
	    w->table->keys);
	if (!w->all->is_to_server) {
		CLEANUP(freep) char *declare =
		    mem_textf("DECLARE %s_rows CURSOR FOR %s", w->table->name, w->select);

		if (!db_run(from, err, declare))
			return false;
		free(w->select);
		w->select = mem_textf("FETCH 1000 FROM %s_rows", w->table->name);
	}
	return db_query(&w->rows, from, err, w->select);
}

/* "audit 12", "button 3f2a", "work_shown 7/12". */
static void
name_row(const struct walk *w, const struct db_value *values, char *out, size_t room)
{
	size_t n = (size_t)snprintf(out, room, "%s ", w->table->name);
	char sign[2] = "", text[40];

	for (size_t i = 0; i < w->table->n_columns; i++) {
		if (w->table->types[2 * i + 1] == '0')
			continue;
		if (values[i].type == DB_IS_I64)
			(void)snprintf(text, sizeof(text), "%" PRId64, values[i].number);
		else
			(void)clean_line(text, sizeof(text), values[i].data, values[i].size);
		if (n < room)
			n += (size_t)snprintf(out + n, room - n, "%s%s", sign, text);
		sign[0] = '/';
	}
}

static bool
is_taken(const struct db_value *value)
{
	return value->type != DB_IS_TEXT ||
	    (memchr(value->data, '\0', value->size) == NULL &&
		clean_is_utf8(value->data, value->size));
}

/* What the audit says is hashed as it is. */
static bool
clean_value(struct walk *w, struct db_value *values, size_t i, struct err *err)
{
	bool is_audit = strcmp(w->table->name, "audit") == 0;
	char row[160];

	if (!w->all->cleans || is_audit) {
		name_row(w, values, row, sizeof(row));
		return err_set(err, ERR_INVALID,
		    "%s: a text has a NUL or is no UTF-8, and PostgreSQL takes neither%s", row,
		    is_audit ? "; what the audit says is not changed" :
			       ": with --clean it becomes ?");
	}
	w->cleaned[i] = mem_new(values[i].size + 1, 1);
	memcpy(w->cleaned[i], values[i].data, values[i].size);
	for (char *c = w->cleaned[i]; c < w->cleaned[i] + values[i].size; c++)
		if (*c == '\0')
			*c = '?';
	clean_bytes(w->cleaned[i]);
	values[i].data = w->cleaned[i];
	return true;
}

static struct db_value
value_of(const struct walk *w, int i)
{
	struct db_value value = DB_NULL;

	if (db_col_is_null(&w->rows, i))
		return value;
	if (w->table->types[2 * i] == 'I')
		return DB_I64(db_col_i64(&w->rows, i));
	value.data = db_col_blob(&w->rows, i, &value.size);
	value.type = w->table->types[2 * i] == 'T' ? DB_IS_TEXT : DB_IS_BLOB;
	if (value.data == NULL)
		value.data = "";
	return value;
}

/* At the next row, of the next page where this one has no more. */
static bool
step(struct walk *w, bool *ret_is_there, struct err *err)
{
	while (!(*ret_is_there = db_next(&w->rows))) {
		if (!db_rows_end(&w->rows, err))
			return false;
		if (w->all->is_to_server || w->n_page == 0)
			return true;
		w->n_page = 0;
		if (!db_query(&w->rows, w->all->from, err, w->select))
			return false;
	}
	w->n_page++;
	w->n++;
	return true;
}

static bool
next_row(void *ctx, struct db_value values[DB_LOAD_COLUMNS], bool *ret_is_there, struct err *err)
{
	struct walk *w = ctx;

	forget_row(w);
	if (!step(w, ret_is_there, err))
		return false;
	for (size_t i = 0; *ret_is_there && i < w->table->n_columns; i++)
		values[i] = value_of(w, (int)i);
	for (size_t i = 0; *ret_is_there && w->all->is_to_server && i < w->table->n_columns; i++)
		if (!is_taken(&values[i]) && !clean_value(w, values, i, err))
			return false;
	return true;
}

static bool
copy_table(struct store_rows *rows, const struct store_table *table, int64_t *ret, struct err *err)
{
	CLEANUP(walk_done) struct walk w = { .all = rows, .table = table };
	const struct db_load load = { table->name, table->columns, table->n_columns, next_row, &w };
	int64_t here, there;

	if (!walk_begin(&w, err) || !db_load(rows->to, &load, err) ||
	    !count(rows->from, table, &here, err) || !count(rows->to, table, &there, err))
		return err_wrap(err, "%s", table->name);
	*ret += w.n;
	return (here == there && here == w.n) ||
	    err_set(err, ERR_IO, "%s has %" PRId64 " rows, and %" PRId64 " were copied",
		table->name, here, there);
}

bool
store_rows_copy(struct store_rows *rows, int64_t *ret, struct err *err)
{
	*ret = 0;
	for (size_t i = rows->n; i-- > 0;) {
		CLEANUP(freep) char *sql = mem_textf("DELETE FROM %s", rows->tables[i].name);

		if (!db_run(rows->to, err, sql))
			return false;
	}
	for (size_t i = 0; i < rows->n; i++)
		if (!copy_table(rows, &rows->tables[i], ret, err))
			return false;
	return true;
}
