/* store_move.h - the whole database into the other engine, and which of the two is served then.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct db;

struct store_move {
	const char *from, *to; /* a file and a URL, in either order */
	/* Rows of PostgreSQL call its runner so, which a file calls local; NULL: they stay as they
	 * are, and a server may go on. */
	const char *server_name;
	bool is_backup; /* a copy is made, or taken: `from` is only read, and served as before */
	bool cleans;	/* what PostgreSQL does not take of a text becomes '?' */
};

struct store_moved {
	int64_t rows, entries; /* of the audit */
	char head[LIMIT_AUDIT_HEAD];
};

/*
 * Copies all rows in one transaction at `to`, whose tables are made where there are none, and looks
 * whether as many are there, and the same audit.  A table is copied as soon as the schema has it.
 * Then `from` is marked: no server starts on it.  A `to` that was marked so itself, and knows
 * nothing that `from` does not, is written over; one with other rows is refused, and what a server
 * leads.  The caller has the lock of the file's folder.  False: both are what they were, but where
 * *err says that the mark alone is missing.
 */
bool store_move(const struct store_move *move, struct store_moved *ret, struct err *err) MUST_USE;

/* Of a URL, as db_backup() of a file. */
bool store_move_backup(const char *url, const char *file, struct err *err) MUST_USE;

/* Wall ms at which it was copied to another one, which is served since; 0: it was not. */
bool store_move_at(struct db *db, int64_t *ret, struct err *err) MUST_USE;

/*
 * May a server start on it?  ERR_CONFIG: it was moved to another, or was made of a backup, which
 * *err says.  The two flags are whoever starts it knowing that.
 */
bool
store_move_check(struct db *db, bool is_moved_back, bool is_restored, struct err *err) MUST_USE;
/* From now on a start of that database says --restored, until one has decided.  In a transaction of
 * its own. */
bool store_move_mark_restored(struct db *db, struct err *err) MUST_USE;
/* In the transaction of such a start's first decision: the marks go, and an epoch that was brought
 * is now_s, seconds since 1970, or higher, as runners know those of since. */
bool store_move_spent(struct db *db, int64_t now_s, struct err *err) MUST_USE;
