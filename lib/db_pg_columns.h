/* db_pg_columns.h - what a row of PostgreSQL has, as db.h gives it.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Results travel in binary: https://www.postgresql.org/docs/15/protocol-overview.html
 */
#pragma once

#include "lib/db.h"

/* Types by their number in pg_type, which never changes. */
enum oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_I64 = 20,
	OID_I32 = 23,
	OID_TEXT = 25,
	OID_NUMERIC = 1700,
};

/* rows->cursor is a PGresult, rows->at the row in it; see db_col_i64() and those beside it. */
bool db_pg_is_null(const struct db_rows *rows, int column);
int64_t db_pg_i64(const struct db_rows *rows, int column);
const char *db_pg_text(const struct db_rows *rows, int column);
const void *db_pg_blob(const struct db_rows *rows, int column, size_t *ret_size);
