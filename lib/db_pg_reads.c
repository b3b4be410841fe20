/* db_pg_reads.c - answers of one transaction, by text and values, dropped by tables.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_pg_reads.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"

void
db_pg_reads_unref(struct db_pg_read *read)
{
	if (--read->users > 0)
		return;
	PQclear(read->res);
	free(read->values);
	free(read->key);
	free(read);
}

/* False: it is too long to be one. */
static bool
make_key(struct buf *key, const struct db_sql *sql)
{
	buf_add(key, sql->text, strlen(sql->text) + 1);
	for (size_t i = 0; i < sql->count; i++) {
		const struct db_value *v = &sql->values[i];

		buf_add(key, &v->type, sizeof(v->type));
		buf_add(key, &v->number, sizeof(v->number));
		buf_add(key, &v->size, sizeof(v->size));
		buf_add(key, v->data, v->size);
	}
	return !buf_failed(key);
}

/* The statement as its key has it. */
static void
point_into_key(struct db_pg_read *read, const struct db_sql *sql)
{
	const char *at = read->key + strlen(read->key) + 1;

	read->values = mem_new(sql->count + 1, sizeof(*read->values));
	for (size_t i = 0; i < sql->count; i++) {
		at += sizeof(sql->values->type) + sizeof(sql->values->number) + sizeof(size_t);
		read->values[i] = sql->values[i];
		if (sql->values[i].data != NULL)
			read->values[i].data = at;
		at += sql->values[i].size;
	}
	read->sql = (struct db_sql){ read->key, read->values, sql->count };
}

struct db_pg_read *
db_pg_reads_find(struct db_pg_reads *reads, const struct db_sql *sql)
{
	CLEANUP(buf_done) struct buf key = buf_make(DB_PG_READS_BYTES);

	if (reads->count == 0 || !make_key(&key, sql))
		return NULL;
	for (size_t i = 0; i < reads->count; i++) {
		struct db_pg_read *read = reads->at[i];

		if (read->key_size == key.size && memcmp(read->key, key.data, key.size) == 0)
			return read;
	}
	return NULL;
}

/* A stale one; NULL: there is no room. */
static struct db_pg_read *
add(struct db_pg_reads *reads, const struct db_sql *sql, const void *prepared)
{
	CLEANUP(buf_done) struct buf key = buf_make(DB_PG_READS_BYTES);
	struct db_pg_read *read;

	if (reads->count == COUNT(reads->at) || !make_key(&key, sql))
		return NULL;
	read = mem_new(1, sizeof(*read));
	*read = (struct db_pg_read){ .key_size = key.size, .prepared = prepared, .users = 1 };
	read->key = TAKE(key.data);
	point_into_key(read, sql);
	reads->at[reads->count++] = read;
	return read;
}

/* The same again does no harm, and says the same. */
static bool
is_kept(const char *sql)
{
	return text_starts(sql, "SELECT ") && strstr(sql, "UPDATE") == NULL &&
	    strstr(sql, "clock_timestamp") == NULL;
}

struct db_pg_read *
db_pg_reads_keep(
    struct db_pg_reads *reads, const struct db_sql *sql, const void *prepared, PGresult *res)
{
	struct db_pg_read *read;

	if (reads->bytes + PQresultMemorySize(res) > DB_PG_READS_BYTES || prepared == NULL ||
	    !is_kept(sql->text) || (read = add(reads, sql, prepared)) == NULL)
		return NULL;
	db_pg_reads_renew(reads, read, res);
	return read;
}

static bool
is_same(const struct db_value *a, const struct db_value *b)
{
	return a->type == b->type && a->number == b->number && a->size == b->size &&
	    (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

/* What names an environment or a deployment: a text, or the number that stands first. */
static bool
may_name(const struct db_sql *sql, size_t at)
{
	return sql->values[at].type == DB_IS_TEXT || (at == 0 && sql->values[0].type == DB_IS_I64);
}

/* Where the same statement names something else, wherever it names that; count: it is another. */
static size_t
find_other(const struct db_sql *was, const struct db_sql *is)
{
	size_t at = is->count;

	if (was->count != is->count || strcmp(was->text, is->text) != 0)
		return is->count;
	for (size_t i = 0; i < is->count; i++) {
		if (is_same(&was->values[i], &is->values[i]))
			continue;
		if (at == is->count && may_name(is, i) && may_name(was, i))
			at = i;
		else if (at == is->count || !is_same(&was->values[i], &was->values[at]) ||
		    !is_same(&is->values[i], &is->values[at]))
			return is->count;
	}
	return at;
}

/* The same read of something else: another value where it has that one. */
static void
add_alike(struct db_pg_reads *reads, const struct db_pg_read *read, const struct db_value *was,
    const struct db_value *is)
{
	struct db_value values[DB_PG_READS_VALUES];
	const struct db_sql *of = &read->sql, sql = { of->text, values, of->count };
	struct db_pg_read *other;
	bool is_other = false;

	if (sql.count > COUNT(values))
		return;
	for (size_t i = 0; i < sql.count; i++) {
		bool is_named = may_name(of, i) && is_same(&of->values[i], was);

		values[i] = is_named ? *is : of->values[i];
		is_other = is_other || is_named;
	}
	if (!is_other || db_pg_reads_find(reads, &sql) != NULL ||
	    (other = add(reads, &sql, read->prepared)) == NULL)
		return;
	other->n_vain = DB_PG_READS_VAIN; /* it is asked for once */
}

void
db_pg_reads_foresee(struct db_pg_reads *reads, const struct db_sql *sql)
{
	const size_t n = reads->count;
	const struct db_pg_read *like = NULL;
	size_t at = 0;

	for (size_t i = n; i-- > 0 && like == NULL;)
		if ((at = find_other(&reads->at[i]->sql, sql)) < sql->count)
			like = reads->at[i];
	for (size_t i = 0; like != NULL && i < n; i++)
		add_alike(reads, reads->at[i], &like->values[at], &sql->values[at]);
}

void
db_pg_reads_renew(struct db_pg_reads *reads, struct db_pg_read *read, PGresult *res)
{
	assert(read->res == NULL);
	read->res = res;
	reads->bytes += PQresultMemorySize(res);
}

static bool
stands_behind(const char *sql, const char *at, const char *word)
{
	const size_t size = strlen(word);

	return (size_t)(at - sql) >= size && memcmp(at - size, word, size) == 0;
}

/* Does the statement read the table?  Each stands behind one of two words: none of the store's
 * lists them with commas. */
static bool
reads_table(const char *sql, const char *table, size_t size)
{
	for (const char *at = sql; (at = strstr(at, table)) != NULL; at += size)
		if ((stands_behind(sql, at, "FROM ") || stands_behind(sql, at, "JOIN ")) &&
		    !isalnum((unsigned char)at[size]) && at[size] != '_')
			return true;
	return false;
}

/* Behind what stands before the table that a statement writes into; NULL: it may be any. */
static const char *
written_table(const char *sql)
{
	static const char *const writes[] = { "INSERT INTO ", "UPDATE ", "DELETE FROM " };

	for (size_t i = 0; i < COUNT(writes); i++)
		if (text_starts(sql, writes[i]))
			return sql + strlen(writes[i]);
	return NULL;
}

static bool
is_harmless(const char *sql)
{
	return text_starts(sql, "SELECT ") || text_starts(sql, "SAVEPOINT ") ||
	    text_starts(sql, "RELEASE ");
}

/* Whoever walks through it still does; and what is asked for in vain is so only a few times. */
static bool
becomes_stale(struct db_pg_reads *reads, struct db_pg_read *read)
{
	if (read->res != NULL)
		reads->bytes -= PQresultMemorySize(read->res);
	if (read->users > 1 || read->n_vain >= DB_PG_READS_VAIN) {
		db_pg_reads_unref(read);
		return false;
	}
	PQclear(TAKE(read->res));
	return true;
}

void
db_pg_reads_written(struct db_pg_reads *reads, const char *sql)
{
	const char *table = written_table(sql);
	char word[64] = "";
	size_t left = 0;

	if (reads->count == 0 || is_harmless(sql))
		return;
	if (table != NULL)
		(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(table, " ("), table);
	for (size_t i = 0; i < reads->count; i++) {
		struct db_pg_read *read = reads->at[i];

		if ((table != NULL && !reads_table(read->key, word, strlen(word))) ||
		    becomes_stale(reads, read))
			reads->at[left++] = read;
	}
	reads->count = left;
}

void
db_pg_reads_drop(struct db_pg_reads *reads)
{
	for (size_t i = 0; i < reads->count; i++)
		db_pg_reads_unref(reads->at[i]);
	reads->count = reads->bytes = 0;
}
