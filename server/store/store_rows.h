/* store_rows.h - the tables of a database, as they are copied into one of the other engine.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Which tables there are, their columns and their keys, says the schema of the two that is
 * SQLite's: a new table is copied without a word here.  Left out are columns that are computed,
 * and what is no table of the schema (leader).
 */
#pragma once

#include "lib/db.h"

struct store_table {
	char *name;
	char *columns;	   /* "a, b" */
	char *keys;	   /* those of its primary key, in their order */
	char *types;	   /* two characters of each column: I, T or B, and its place in the key */
	size_t n_columns;
};

struct store_rows {
	struct db *from, *to;
	bool is_to_server; /* `to` is PostgreSQL, and `from` a file; else it is the other way round */
	bool cleans;	   /* what PostgreSQL does not take becomes '?' */
	size_t n;
	struct store_table *tables; /* whoever refers to a row stands behind it */
};

/* Both have the tables.  Fills the list; the caller calls store_rows_done(). */
bool store_rows_list(struct store_rows *rows, struct err *err) MUST_USE;
void store_rows_done(struct store_rows *rows);

/* Has `to` no row but those that a new one has? */
bool store_rows_is_new(struct store_rows *rows, bool *ret, struct err *err) MUST_USE;

/*
 * Each in a transaction of the caller's: what `to` has goes, and gets all rows of `from`, in the
 * order of their keys; as many are there then as here.  *ret: how many.  ERR_INVALID: a text that
 * PostgreSQL does not take, by its table and key.
 */
bool store_rows_copy(struct store_rows *rows, int64_t *ret, struct err *err) MUST_USE;
