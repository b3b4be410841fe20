/* db_pg_pipe.c - statements on their way to PostgreSQL, prepared by their text, and their answers.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <endian.h>

#include "lib/db_pg_columns.h"
#include "lib/db_pg_inside.h"
#include "lib/db_sql.h"
#include "lib/mem.h"
#include "lib/text.h"

#define PARAMETERS_MAX 100

/* --- errors --- */

/* By classes: https://www.postgresql.org/docs/15/errcodes-appendix.html */
static enum err_code
code_of(const char *state)
{
	if (strcmp(state, "53100") == 0)
		return ERR_FULL;
	if (text_starts(state, "23"))
		return ERR_BUSY;
	if (text_starts(state, "22") || text_starts(state, "54"))
		return ERR_LIMIT;
	if (text_starts(state, "42") || text_starts(state, "3D") || text_starts(state, "3F"))
		return ERR_CONFIG;
	return ERR_IO;
}

/* What PostgreSQL says in its first sentence.  A value may stand in quotes where one is refused,
 * and in DETAIL, which is never read. */
static void
say(const char *state, const char *primary, char *out, size_t room)
{
	bool may_be_value = text_starts(state, "22") || text_starts(state, "23");
	bool in_quotes = false;
	size_t n = 0;

	for (const char *c = primary; *c != '\0' && n + 1 < room; c++) {
		if (*c == '"')
			in_quotes = !in_quotes;
		if (!may_be_value || !in_quotes || *c == '"')
			out[n++] = *c;
	}
	out[n] = '\0';
}

bool
db_pg_fail(struct err *err, const PGresult *res, const char *sql)
{
	const char *state = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *primary = res == NULL ? NULL : PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	char said[160] = "";

	if (state == NULL || primary == NULL) {
		(void)err_set(err, ERR_IO, "database: PostgreSQL's connection is cut: %.100s", sql);
		return db_fails(err);
	}
	say(state, primary, said, sizeof(said));
	(void)err_set(err, code_of(state), "database: %s %s%s: %.100s", state, said,
	    code_of(state) == ERR_FULL ? ": make room on its disk" : "", sql);
	return db_fails(err);
}

bool
db_pg_is_fine(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

void
db_pg_forget(struct prepared *slot)
{
	free(slot->text);
	*slot = (struct prepared){ 0 };
}

/* --- statements --- */

struct bound {
	Oid types[PARAMETERS_MAX];
	const char *data[PARAMETERS_MAX];
	int sizes[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	uint64_t wire[PARAMETERS_MAX];
	char *own[PARAMETERS_MAX];
	size_t count;
	uint64_t hash; /* of the types */
};

static void
bound_done(struct bound *bound)
{
	for (size_t i = 0; i < bound->count; i++)
		free(bound->own[i]);
}

static void
bind_all(struct bound *bound, const struct db_sql *sql)
{
	static const Oid types[] = { [DB_IS_I64] = OID_I64,
		[DB_IS_TEXT] = OID_TEXT,
		[DB_IS_BLOB] = OID_BYTEA,
		[DB_IS_NULL] = 0 };

	assert(sql->count < PARAMETERS_MAX);
	bound->hash = 1;
	bound->count = sql->count;
	for (size_t i = 0; i < sql->count; i++) {
		struct db_value mended = sql->values[i], *v = &mended;
		bool is_number = v->type == DB_IS_I64;

		bound->own[i] = db_mend(v);
		bound->types[i] = types[v->type];
		bound->wire[i] = htobe64((uint64_t)v->number);
		bound->data[i] = v->type == DB_IS_NULL ? NULL :
		    is_number			       ? (const char *)&bound->wire[i] :
							 v->data;
		bound->sizes[i] = is_number ? (int)sizeof(uint64_t) : (int)v->size;
		bound->formats[i] = 1;
		bound->hash = bound->hash * 31 + bound->types[i];
	}
}

/* Where the statement is, or is to be, prepared; NULL: there is no room for it. */
static struct prepared *
find_slot(struct pg *pg, const struct db_sql *sql, const struct bound *bound)
{
	size_t hash = db_hash(sql->text) + (size_t)bound->hash;

	for (size_t i = 0; i < DB_CACHE_PROBES; i++) {
		struct prepared *slot = &pg->prepared[(hash + i) & (DB_CACHE_SLOTS - 1)];

		if (slot->sql == NULL ||
		    (slot->sql == sql->text && slot->types == bound->hash &&
			strcmp(slot->text, sql->text) == 0))
			return slot;
	}
	return NULL;
}

static struct sent *
note_sent(struct pg *pg, const char *sql)
{
	struct sent *sent = &pg->sent[pg->n_sent++];

	*sent = (struct sent){ 0 };
	text_set(sent->sql, sql);
	return sent;
}

static void
send_prepared(struct pg *pg, const struct prepared *slot, const struct bound *bound)
{
	char name[32];

	text_setf(name, "s%zu", (size_t)(slot - pg->prepared));
	(void)PQsendQueryPrepared(
	    pg->conn, name, (int)bound->count, bound->data, bound->sizes, bound->formats, 1);
}

static void
send_prepare(
    struct pg *pg, struct prepared *slot, const struct db_sql *sql, const struct bound *bound)
{
	CLEANUP(freep) char *text = db_sql_translate(sql->text, false);
	char name[32];

	text_setf(name, "s%zu", (size_t)(slot - pg->prepared));
	*slot = (struct prepared){ sql->text, mem_text(sql->text), bound->hash };
	note_sent(pg, sql->text)->made = slot;
	(void)PQsendPrepare(pg->conn, name, text, (int)bound->count, bound->types);
}

const struct prepared *
db_pg_send(struct pg *pg, const struct db_sql *sql)
{
	CLEANUP(bound_done) struct bound bound;
	CLEANUP(freep) char *text = NULL;
	struct prepared *slot;

	bind_all(&bound, sql);
	slot = find_slot(pg, sql, &bound);
	(void)PQenterPipelineMode(pg->conn);
	if (slot != NULL && slot->sql == NULL)
		send_prepare(pg, slot, sql, &bound);
	(void)note_sent(pg, sql->text);
	if (slot != NULL) {
		send_prepared(pg, slot, &bound);
		return slot;
	}
	text = db_sql_translate(sql->text, false);
	(void)PQsendQueryParams(pg->conn, text, (int)bound.count, bound.types, bound.data,
	    bound.sizes, bound.formats, 1);
	return NULL;
}

void
db_pg_send_bare(struct pg *pg, const char *sql)
{
	(void)PQenterPipelineMode(pg->conn);
	(void)note_sent(pg, sql);
	(void)PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
}

void
db_pg_send_again(struct pg *pg, const struct db_pg_read *but)
{
	for (size_t i = 0; i < pg->reads.count && pg->n_sent + 4 <= SENT_MOST; i++) {
		struct db_pg_read *read = pg->reads.at[i];
		CLEANUP(bound_done) struct bound bound;

		bound.count = 0;
		if (read->res != NULL || read == but)
			continue;
		bind_all(&bound, &read->sql);
		(void)PQenterPipelineMode(pg->conn);
		note_sent(pg, read->sql.text)->read = read;
		send_prepared(pg, read->prepared, &bound);
	}
}

/* Of what was sent the last result, or the first that failed, is kept in *ret. */
static void
take(struct pg *pg, const struct sent *sent, PGresult *one, PGresult **ret, const char **ret_sql)
{
	if (sent->made != NULL && !db_pg_is_fine(one))
		db_pg_forget(sent->made);
	if (sent->read != NULL && db_pg_is_fine(one)) {
		if (pg->reads.bytes < DB_PG_READS_BYTES)
			db_pg_reads_renew(&pg->reads, sent->read, one);
		else
			PQclear(one);
		sent->read->n_vain++;
	} else if (*ret_sql == NULL || db_pg_is_fine(*ret)) {
		PQclear(*ret);
		*ret = one;
		*ret_sql = sent->sql;
	} else {
		PQclear(one);
	}
}

PGresult *
db_pg_receive_any(struct pg *pg, const char **ret_sql)
{
	PGresult *res = NULL;

	*ret_sql = NULL;
	pg->db.n_trips++;
	(void)PQpipelineSync(pg->conn);
	for (size_t i = 0; i < pg->n_sent; i++) {
		PGresult *one = PQgetResult(pg->conn);

		if (one != NULL)
			PQclear(PQgetResult(pg->conn)); /* NULL: the end of this one */
		take(pg, &pg->sent[i], one, &res, ret_sql);
	}
	PQclear(PQgetResult(pg->conn)); /* the pipeline's end */
	pg->n_sent = 0;
	(void)PQexitPipelineMode(pg->conn);
	return res;
}

PGresult *
db_pg_receive(struct pg *pg, struct err *err)
{
	const char *sql;
	PGresult *res = db_pg_receive_any(pg, &sql);

	if (db_pg_is_fine(res))
		return res;
	(void)db_pg_fail(err, res, sql);
	PQclear(res);
	return NULL;
}
