/* db_pg_reads.h - what a transaction has read it knows until it writes there.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A decision asks the same of its rows in several rooms, and over a network each answer is a round
 * trip.  An answer is kept by its statement's text and values.  A statement that writes into a
 * table that the text names makes it stale, and db_pg.c asks for it again behind what is sent next:
 * so a repeated read is no trip of its own, whatever was written between.  Nothing outlives the
 * transaction.
 */
#pragma once

#include "lib/db.h"
#include "lib/db_libpq.h"

#define DB_PG_READS_MOST  256
#define DB_PG_READS_VALUES 16 /* of a statement that is foreseen */
#define DB_PG_READS_VAIN  4 /* then it is not any more */
#define DB_PG_READS_BYTES 262144 /* as libpq counts, 2 KB for a small one; more is not kept */

struct db_pg_read {
	PGresult *res; /* NULL: stale */
	char *key;     /* the text, and behind it what the values are */
	size_t key_size;
	struct db_sql sql;	 /* within the key */
	struct db_value *values; /* sql.values, owned */
	const void *prepared;	 /* the caller's */
	size_t users;		 /* the list is one of them */
	unsigned n_vain;	 /* times that it was asked for again since it was used */
};

struct db_pg_reads {
	struct db_pg_read *at[DB_PG_READS_MOST];
	size_t count, bytes;
};

/* What is known of this statement, stale or not; borrowed.  NULL: nothing. */
MUST_USE struct db_pg_read *db_pg_reads_find(struct db_pg_reads *reads, const struct db_sql *sql);

/* Takes the result of a SELECT that has been prepared; NULL: it is none, or has no room, and
 * nothing is taken. */
MUST_USE struct db_pg_read *db_pg_reads_keep(struct db_pg_reads *reads, const struct db_sql *sql,
    const void *prepared, PGresult *res);

/* Whoever asks one thing of a second environment, or deployment, asks all else of it that they
 * asked of the first: adds stale reads of that. */
void db_pg_reads_foresee(struct db_pg_reads *reads, const struct db_sql *sql);

/* A stale one is known again: takes the result. */
void db_pg_reads_renew(struct db_pg_reads *reads, struct db_pg_read *read, PGresult *res);

/* Ends one use, which whoever walks through the result has begun by users++. */
void db_pg_reads_unref(struct db_pg_read *read);

/* Before a statement runs that may write: what it may change is stale. */
void db_pg_reads_written(struct db_pg_reads *reads, const char *sql);

/* Forgets all. */
void db_pg_reads_drop(struct db_pg_reads *reads);
