/* db_fence.h - what stands first in each transaction of a connection, and learns how each ended.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A commit ends in one of three ways.  db_begin() and db_commit() of a connection with a fence ask
 * it about the third: so whoever uses them sees two, and no transaction goes past it.
 */
#pragma once

#include "lib/db.h"

enum db_outcome {
	DB_DONE,     /* it is durable */
	DB_NOT_DONE, /* nothing of it is there */
	DB_UNKNOWN,  /* no answer came, or one with a warning: of PostgreSQL alone */
};

struct db_fence {
	/* The first statement of a transaction; false and *err: it is rolled back. */
	bool (*enter)(void *ctx, struct db *db, struct err *err);
	void (*answered)(void *ctx); /* a statement was, inside a transaction */
	/* The last one before its COMMIT, in the same way. */
	bool (*stay)(void *ctx, struct db *db, struct err *err);
	void (*leave)(void *ctx); /* it is durable */
	/* Behind DB_UNKNOWN: waits until the database says which it was; true: it is durable. */
	bool (*resolve)(void *ctx, struct db *db, struct err *err);
	void *ctx;
};

/* Borrowed for the connection's life. */
void db_set_fence(struct db *db, const struct db_fence *fence);

/* The same without the fence: for whoever is one.  A commit that is not DB_DONE has ended the
 * transaction. */
MUST_USE bool db_begin_bare(struct db *db, struct err *err);
MUST_USE enum db_outcome db_commit_bare(struct db *db, struct err *err);
