/* db_pg_inside.h - what the files of PostgreSQL share; nobody else includes it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db_inside.h"
#include "lib/db_pg_reads.h"

struct prepared {
	const char *sql; /* NULL: free slot */
	char *text;	 /* what stood there: a text that a table made may have moved */
	uint64_t types;	 /* of the values that it was prepared for */
};

#define SENT_MOST 64 /* their answers wait in the kernel's buffers: nobody waits for the other */

/* Sent, and not answered yet. */
struct sent {
	char sql[104];		 /* how it begins */
	struct prepared *made;	 /* by it; NULL: it runs */
	struct db_pg_read *read; /* that is asked for again; NULL: none */
};

struct pg {
	struct db db;
	PGconn *conn;
	char *url;
	bool read_only;
	bool is_loading;
	bool is_warned; /* a notice came; of those below a warning none does */
	int64_t changes;
	struct prepared prepared[DB_CACHE_SLOTS];
	struct sent sent[SENT_MOST];
	size_t n_sent;
	struct db_pg_reads reads; /* of a transaction that may write */
};

/* Has the statement done its work? */
bool db_pg_is_fine(const PGresult *res);

/* *err says what came of the statement; res NULL: the connection is cut.  False. */
bool db_pg_fail(struct err *err, const PGresult *res, const char *sql);

/* It is to be prepared anew. */
void db_pg_forget(struct prepared *slot);

/* Sends the statement behind those that were, in one pipeline; what fails is known when it is
 * answered.  Where it is prepared, or NULL.
 * https://www.postgresql.org/docs/15/libpq-pipeline-mode.html */
const struct prepared *db_pg_send(struct pg *pg, const struct db_sql *sql);

/* The same of one without values, which is not prepared: whoever looks on knows it by its text. */
void db_pg_send_bare(struct pg *pg, const char *sql);

/* What was read and is stale, but for one: it is known behind the same trip. */
void db_pg_send_again(struct pg *pg, const struct db_pg_read *but);

/* Waits for the answers to all that was sent: the last one, or the first that failed; NULL: the
 * connection is cut.  *ret_sql: whose answer it is, valid until the next one is sent. */
PGresult *db_pg_receive_any(struct pg *pg, const char **ret_sql);

/* The same; NULL and *err: one of them has failed. */
PGresult *db_pg_receive(struct pg *pg, struct err *err);
