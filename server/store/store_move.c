/* store_move.c - opens both, looks whether nobody has them, copies, compares, marks.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_move.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/db_load.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/audit_verify.h"
#include "store/leader.h"
#include "store/store_foreign.h"
#include "store/store_inside.h"
#include "store/store_restore.h"
#include "types/peers.h"

#define COLUMNS_MAX 99
#define PAGE	    "1000" /* rows of PostgreSQL in memory */

/* Rows of `counter`: wall ms; the epoch that a file was brought. */
#define MOVED	 "moved"
#define RESTORED "restored"
#define EPOCH	 "epoch"

struct ends {
	const struct store_move *move;
	struct db *from, *to;
	bool is_to_server; /* `to` is PostgreSQL, and `from` a file; else it is the reverse */
	int64_t n;	   /* rows that `to` had, but for counters; then: that were copied */
};

static void
ends_done(struct ends *ends)
{
	if (ends->from != NULL)
		db_rollback(ends->from);
	if (ends->to != NULL)
		db_rollback(ends->to);
	db_close(ends->from);
	db_close(ends->to);
}

/* --- the marks --- */

static bool
read_counter(struct db *db, const char *word, int64_t *ret, struct err *err)
{
	return db_one_i64(ret, db, err,
	    "SELECT COALESCE(MAX(value), 0) FROM counter WHERE name = $1", DB_TEXT(word));
}

bool
store_move_at(struct db *db, int64_t *ret, struct err *err)
{
	return read_counter(db, MOVED, ret, err);
}

bool
store_move_check(struct db *db, bool is_moved_back, bool is_restored, struct err *err)
{
	char at[TEXT_TIME_SIZE];
	int64_t moved, restored;

	if (!read_counter(db, MOVED, &moved, err) || !read_counter(db, RESTORED, &restored, err))
		return false;
	if (moved != 0 && !is_moved_back)
		return err_set(err, ERR_CONFIG,
		    "it was copied to another database at %s, which is served since: use that one, or start on this one as it was then: `deploybot serve --moved-back`",
		    text_time(at, moved));
	return restored == 0 || is_restored ||
	    err_set(err, ERR_CONFIG,
		"it was made of a backup: the first start is `deploybot serve --restored`");
}

bool
store_move_spent(struct db *db, int64_t now_s, struct err *err)
{
	return db_run(db, err, "UPDATE counter SET value = MAX(value + 1, $2) WHERE name = $1",
		   DB_TEXT(EPOCH), DB_I64(now_s)) &&
	    db_run(db, err, "DELETE FROM counter WHERE name = $1 OR name = $2", DB_TEXT(MOVED),
		DB_TEXT(RESTORED));
}

bool
store_move_mark_restored(struct db *db, struct err *err)
{
	bool ok = db_begin(db, err) && store_ids_set(db, RESTORED, 1, err) && db_commit(db, err);

	if (!ok)
		db_rollback(db);
	return ok;
}

/* --- tables --- */

/* As the schema of the one that is SQLite's has them, but for columns that are computed; types: of
 * each column I, T or B, and its place in the key. */
struct table {
	const char *name, *columns, *keys, *types;
};

typedef bool table_fn(struct ends *ends, const struct table *table, struct err *err);

/* sign 1: whoever refers to a row comes behind it; -1: before it. */
static bool
each_table(struct ends *ends, int sign, table_fn *act, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, ends->is_to_server ? ends->from : ends->to, err,
		"SELECT m.name, (SELECT group_concat(name, ', ') FROM (SELECT name"
		" FROM pragma_table_xinfo(m.name) WHERE hidden = 0 ORDER BY cid)),"
		" (SELECT group_concat(name, ', ') FROM (SELECT name"
		" FROM pragma_table_xinfo(m.name) WHERE pk > 0 ORDER BY pk)),"
		" (SELECT group_concat(substr(type, 1, 1) || pk, '') FROM (SELECT type, pk"
		" FROM pragma_table_xinfo(m.name) WHERE hidden = 0 ORDER BY cid))"
		" FROM sqlite_master AS m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
		" ORDER BY $1 * EXISTS (SELECT 1 FROM pragma_foreign_key_list(m.name)), m.rowid",
		DB_I64(sign)))
		return false;
	while (db_next(&rows)) {
		const struct table table = { db_col_text(&rows, 0), db_col_text(&rows, 1),
			db_col_text(&rows, 2), db_col_text(&rows, 3) };

		if (!act(ends, &table, err))
			return err_wrap(err, "table %s", table.name);
	}
	return db_rows_end(&rows, err);
}

static bool
count(struct db *db, const struct table *table, int64_t *ret, struct err *err)
{
	CLEANUP(freep) char *sql = mem_textf("SELECT COUNT(*) FROM %s", table->name);

	return db_one_i64(ret, db, err, sql);
}

/* A new one has counters. */
static bool
empty_table(struct ends *ends, const struct table *table, struct err *err)
{
	CLEANUP(freep) char *sql = mem_textf("DELETE FROM %s", table->name);
	int64_t n;

	if (!count(ends->to, table, &n, err))
		return false;
	ends->n += strcmp(table->name, "counter") == 0 ? 0 : n;
	return db_run(ends->to, err, sql);
}

/* --- the rows of one --- */

struct copy {
	struct ends *ends;
	const struct table *table;
	const char *into; /* "table (a, b)" */
	struct db_sql insert;
};

static bool
is_taken(const struct db_value *value)
{
	return value->type != DB_IS_TEXT ||
	    (memchr(value->data, '\0', value->size) == NULL &&
		clean_is_utf8(value->data, value->size));
}

/* What the audit says is hashed as it is. */
static bool
refuse_row(const struct copy *c, const struct db_value values[], struct err *err)
{
	CLEANUP(buf_done) struct buf key = buf_make(4096);
	char text[64];

	for (size_t i = 0; i < c->insert.count; i++)
		if (c->table->types[2 * i + 1] == '0')
			continue;
		else if (values[i].type == DB_IS_I64)
			buf_addf(&key, " %" PRId64, values[i].number);
		else
			buf_addf(&key, " %s",
			    clean_line(text, sizeof(text), values[i].data, values[i].size));
	return err_set(err, ERR_INVALID,
	    "row%s has a NUL in a text, or what is no UTF-8: PostgreSQL takes neither%s",
	    buf_text(&key),
	    strcmp(c->table->name, "audit") == 0 ? ", and what the audit says is not changed" :
						   "; with --clean it becomes ?");
}

/* A text in the value's place, of the heap. */
static char *
clean_value(struct db_value *value)
{
	char *text = mem_new(value->size + 1, 1);

	memcpy(text, value->data, value->size);
	for (size_t i = 0; i < value->size; i++)
		text[i] = text[i] == '\0' ? '?' : text[i];
	clean_bytes(text);
	value->data = text;
	return text;
}

static struct db_value
value_of(const struct db_rows *rows, int column, char type)
{
	struct db_value value = { type == 'T' ? DB_IS_TEXT : DB_IS_BLOB, 0, NULL, 0 };

	if (db_col_is_null(rows, column))
		return DB_NULL;
	if (type == 'I')
		return DB_I64(db_col_i64(rows, column));
	value.data = db_col_blob(rows, column, &value.size);
	if (value.data == NULL)
		value.data = "";
	return value;
}

static bool
copy_row(struct copy *c, const struct db_rows *row, struct err *err)
{
	bool cleans = c->ends->move->cleans && strcmp(c->table->name, "audit") != 0;
	struct db_value values[COLUMNS_MAX];
	char *cleaned[COLUMNS_MAX] = { 0 };
	bool ok = true;

	for (size_t i = 0; i < c->insert.count; i++)
		values[i] = value_of(row, (int)i, c->table->types[2 * i]);
	for (size_t i = 0; ok && c->ends->is_to_server && i < c->insert.count; i++)
		if (!is_taken(&values[i]) && (ok = cleans || refuse_row(c, values, err)))
			cleaned[i] = clean_value(&values[i]);
	c->insert.values = values;
	ok = ok && db_load(c->ends->to, c->into, &c->insert, err);
	for (size_t i = 0; i < c->insert.count; i++)
		free(cleaned[i]);
	c->ends->n += ok;
	return ok;
}

/* PostgreSQL gives all rows of a query at once, and those of a cursor page by page. */
static bool
copy_rows(struct copy *c, struct err *err)
{
	const struct table *table = c->table;
	struct ends *ends = c->ends;
	CLEANUP(freep)
	char *select =
	    mem_textf("SELECT %s FROM %s ORDER BY %s", table->columns, table->name, table->keys);
	CLEANUP(freep)
	char *declare = mem_textf("DECLARE rows_of_%s CURSOR FOR %s", table->name, select);
	CLEANUP(freep) char *fetch = mem_textf("FETCH " PAGE " FROM rows_of_%s", table->name);
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	int64_t before;

	if (!ends->is_to_server && !db_run(ends->from, err, declare))
		return false;
	do {
		before = ends->n;
		if (!db_query(&rows, ends->from, err, ends->is_to_server ? select : fetch))
			return false;
		while (db_next(&rows))
			if (!copy_row(c, &rows, err))
				return false;
		if (!db_rows_end(&rows, err))
			return false;
	} while (!ends->is_to_server && ends->n > before);
	return db_load(ends->to, c->into, NULL, err);
}

static bool
copy_table(struct ends *ends, const struct table *table, struct err *err)
{
	CLEANUP(freep) char *into = mem_textf("%s (%s)", table->name, table->columns);
	CLEANUP(buf_done) struct buf sql = buf_make(65536);
	struct copy c = { ends, table, into, { .count = strlen(table->types) / 2 } };
	int64_t here, there;

	assert(c.insert.count <= COLUMNS_MAX);
	buf_addf(&sql, "INSERT INTO %s VALUES (?", into);
	for (size_t i = 1; i < c.insert.count; i++)
		buf_adds(&sql, ", ?");
	buf_adds(&sql, ")");
	c.insert.text = buf_text(&sql);
	return copy_rows(&c, err) && count(ends->from, table, &here, err) &&
	    count(ends->to, table, &there, err) &&
	    (here == there ||
		err_set(err, ERR_IO, "FROM has %" PRId64 " rows, and %" PRId64 " were copied", here,
		    there));
}

/* --- the two ends --- */

/* The tables of a program that knows other ones cannot be listed by this one's. */
static bool
check_version(struct db *db, const char *which, struct err *err)
{
	int64_t version;

	if (!store_restore_knows(db, which, err) || !db_user_version(db, &version, err))
		return false;
	return version == store_schema_newest() ||
	    err_set(err, ERR_CONFIG,
		"%s has version %" PRId64 " and this program %" PRId64
		": it is none of deploybot's, or one that this program has to be started on once",
		which, version, store_schema_newest());
}

/* What is read is of one moment, however long that takes.  The lock of the leader's row keeps
 * whoever stands by from leading meanwhile; a backup needs none. */
static bool
begin(const struct ends *ends, struct db *db, bool is_server, struct err *err)
{
	const char *which = ends->is_to_server ? "TO" : "FROM";
	bool locks = is_server && ends->move->server_name != NULL;
	struct leader leader;

	if ((locks && !leader_make(db, err)) || !db_run(db, err, "BEGIN") ||
	    (is_server &&
		(!db_run(db, err, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ") ||
		    !db_run(db, err, "SET LOCAL idle_in_transaction_session_timeout = 0"))))
		return false;
	if (!locks)
		return true;
	if (!db_run(db, err, "SELECT epoch FROM leader FOR UPDATE") ||
	    !leader_read(db, &leader, err))
		return false;
	return leader.holder[0] == '\0' || leader.left_ms < 0 ||
	    strcmp(leader.holder, LEADER_MOVED) == 0 ||
	    err_set(err, ERR_BUSY,
		"%s leads on %s (epoch %" PRId64 "): stop each deploybot of that database first",
		leader.holder, which, leader.epoch);
}

/* Of one that was moved before an upgrade they are an older program's: it is written over. */
static bool
make_tables(struct db *db, int64_t version, struct err *err)
{
	int64_t moved = 0;

	if (version != 0 && version < store_schema_newest() &&
	    !read_counter(db, MOVED, &moved, err))
		return false;
	return (version != 0 && moved == 0) ||
	    store_schema_migrate(db, NULL, store_schema_newest(), err);
}

static bool
open_both(struct ends *ends, struct err *err)
{
	const struct store_move *move = ends->move;
	int64_t version;

	ends->is_to_server = db_is_url(move->to);
	if (ends->is_to_server == db_is_url(move->from))
		return err_set(err, ERR_INVALID,
		    "one of the two is a file of SQLite, and the other a URL of PostgreSQL");
	if (ends->is_to_server && access(move->from, R_OK) != 0) /* it would be made */
		return err_errno(err, ERR_MISSING, errno, "%s", move->from);
	ends->from = db_open(move->from, move->is_backup ? DB_READ_ONLY | DB_COPY : 0, err);
	if (ends->from == NULL || !check_version(ends->from, "FROM", err) ||
	    !db_quick_check(ends->from, NULL, err))
		return false;
	ends->to = db_open(move->to, 0, err);
	return ends->to != NULL &&
	    (ends->is_to_server ? store_foreign_check : db_user_version)(ends->to, &version, err) &&
	    make_tables(ends->to, version, err) && check_version(ends->to, "TO", err) &&
	    begin(ends, ends->from, !ends->is_to_server, err) &&
	    begin(ends, ends->to, ends->is_to_server, err);
}

/* --- what differs --- */

/* Whoever leads next is behind each epoch that a runner has seen. */
static bool
bring_epoch(const struct ends *ends, struct err *err)
{
	int64_t epoch;

	if (ends->is_to_server)
		return db_run(ends->to, err,
		    "UPDATE leader SET epoch = MAX(epoch, (SELECT COALESCE(MAX(value), 0) FROM counter"
		    " WHERE name = $1))",
		    DB_TEXT(EPOCH));
	/* Whoever led there and was only paused, or waits for the row, leads no longer. */
	return (ends->move->is_backup ||
		   db_run(ends->from, err,
		       "UPDATE leader SET epoch = epoch + 1, holder = $1, folder = '',"
		       " renewed = " LEADER_NOW_MS,
		       DB_TEXT(LEADER_MOVED))) &&
	    db_one_i64(&epoch, ends->from, err, "SELECT epoch FROM leader") &&
	    store_ids_set(ends->to, EPOCH, epoch, err);
}

/* A server's own runner is `local` where there is one server, and else has the server's name. */
static bool
rename_runner(const struct ends *ends, struct err *err)
{
	const char *name = ends->move->server_name;
	const struct db_value before = DB_TEXT(ends->is_to_server ? RUNNER_LOCAL : name);
	const struct db_value now = DB_TEXT(ends->is_to_server ? name : RUNNER_LOCAL);

	return name == NULL ||
	    (db_run(ends->to, err, "UPDATE run SET runner = $2 WHERE runner = $1", before, now) &&
		db_run(ends->to, err, "UPDATE runner SET name = $2 WHERE name = $1", before, now) &&
		db_run(ends->to, err,
		    "UPDATE effect SET body = replace(body, '\"runner\":\"' || $1 || '\"',"
		    " '\"runner\":\"' || $2 || '\"') WHERE kind = 'document' OR kind = 'forget'",
		    before, now));
}

/* Was it moved, and stands what it decided last in the other one's history? */
static bool
is_known_here(const struct ends *ends, bool *ret, struct err *err)
{
	struct audit_chain head;
	int64_t moved, same;

	if (!read_counter(ends->to, MOVED, &moved, err) ||
	    !store_audit_head(ends->to, &head, err) ||
	    !db_one_i64(&same, ends->from, err,
		"SELECT COUNT(*) FROM audit WHERE seq = $1 AND hash = $2", DB_I64(head.seq),
		DB_BLOB(head.hash, sizeof(head.hash))))
		return false;
	*ret = moved != 0 && same == 1;
	return true;
}

static bool
verify(const struct ends *ends, struct store_moved *ret, struct err *err)
{
	struct audit_chain here, there;

	if (!audit_verify_rows(ends->from, &here, err))
		return err_wrap(err, "FROM");
	if (!audit_verify_rows(ends->to, &there, err))
		return err_wrap(err, "TO");
	ret->rows = ends->n;
	ret->entries = here.seq;
	audit_chain_short(&here, ret->head);
	return memcmp(here.hash, there.hash, sizeof(here.hash)) == 0 ||
	    err_set(err, ERR_IO, "the audit of TO is not that of FROM");
}

bool
store_move(const struct store_move *move, struct store_moved *ret, struct err *err)
{
	CLEANUP(ends_done) struct ends ends = { .move = move };
	int64_t now = clock_wall_ms();
	bool is_backup = move->is_backup, is_known;

	if (!open_both(&ends, err))
		return false;
	if (!is_backup && !store_move_check(ends.from, false, false, err))
		return err_wrap(err, "FROM");
	if (!is_known_here(&ends, &is_known, err) || !each_table(&ends, -1, empty_table, err))
		return false;
	if (ends.n > 0 && !is_known)
		return err_set(err, ERR_BUSY,
		    "TO has rows: name an empty database, or a file that is not there");
	ends.n = 0;
	if (!each_table(&ends, 1, copy_table, err) || !rename_runner(&ends, err) ||
	    !bring_epoch(&ends, err) || !verify(&ends, ret, err) ||
	    (is_backup && ends.is_to_server && !store_ids_set(ends.to, RESTORED, now, err)) ||
	    !db_commit(ends.to, err))
		return false;
	return is_backup ||
	    (store_ids_set(ends.from, MOVED, now, err) && db_commit(ends.from, err)) ||
	    err_wrap(err, "all of it is at TO, but FROM is not marked as moved: serve TO alone");
}

bool
store_move_backup(const char *url, const char *file, struct err *err)
{
	const struct store_move move = { .from = url, .to = file, .is_backup = true };
	CLEANUP(db_closep) struct db *db = NULL;
	struct store_moved moved;

	return store_move(&move, &moved, err) && (db = db_open(file, 0, err)) != NULL &&
	    db_script(db, "PRAGMA journal_mode = DELETE", err);
}
