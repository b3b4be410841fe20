/* db_load.h - all rows of a table at once, from whoever has them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db.h"

#define DB_LOAD_COLUMNS 99

/* The next row's values, borrowed until the next call; *ret_is_there false: it was the last. */
typedef bool db_load_next(
    void *ctx, struct db_value values[DB_LOAD_COLUMNS], bool *ret_is_there, struct err *err);

struct db_load {
	const char *table, *columns; /* "a, b" */
	size_t n_columns;
	db_load_next *next;
	void *ctx;
};

/* Inside a transaction.  PostgreSQL takes them by COPY, without an answer to each. */
bool db_load(struct db *db, const struct db_load *load, struct err *err) MUST_USE;
