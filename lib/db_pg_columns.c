/* db_pg_columns.c - values out of PostgreSQL's binary results.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_pg_columns.h"

#include <arpa/inet.h>
#include <endian.h>

#include "lib/db_libpq.h"

bool
db_pg_is_null(const struct db_rows *rows, int column)
{
	return PQgetisnull(rows->cursor, rows->at, column) != 0;
}

/* The sum of bigints: digits of 10,000, the first one's weight, a sign.
 * https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c#L1060 */
static int64_t
whole_number(const unsigned char *at, int size)
{
	int n = at[0] << 8 | at[1], weight = (int16_t)(at[2] << 8 | at[3]);
	bool is_negative = (at[4] << 8 | at[5]) == 0x4000;
	int64_t sum = 0;

	assert(size == 8 + 2 * n && weight < 5);
	for (int i = 0; i <= weight; i++)
		sum = sum * 10000 + (i < n ? at[8 + 2 * i] << 8 | at[9 + 2 * i] : 0);
	return is_negative ? -sum : sum;
}

int64_t
db_pg_i64(const struct db_rows *rows, int column)
{
	const unsigned char *at = (const unsigned char *)PQgetvalue(rows->cursor, rows->at, column);
	int size = PQgetlength(rows->cursor, rows->at, column);
	uint64_t wide;
	uint32_t narrow;

	if (db_pg_is_null(rows, column))
		return 0;
	switch (PQftype(rows->cursor, column)) {
	case OID_BOOL:
		return at[0];
	case OID_I64:
		memcpy(&wide, at, sizeof(wide));
		return (int64_t)be64toh(wide);
	case OID_I32:
		memcpy(&narrow, at, sizeof(narrow));
		return (int32_t)ntohl(narrow);
	case OID_NUMERIC:
		return whole_number(at, size);
	default:
		assert(false); /* a column that is no number */
		return 0;
	}
}

/* libpq writes a NUL behind each. */
const char *
db_pg_text(const struct db_rows *rows, int column)
{
	if (db_pg_is_null(rows, column))
		return NULL;
	assert(PQftype(rows->cursor, column) == OID_TEXT);
	return PQgetvalue(rows->cursor, rows->at, column);
}

const void *
db_pg_blob(const struct db_rows *rows, int column, size_t *ret_size)
{
	*ret_size = (size_t)PQgetlength(rows->cursor, rows->at, column);
	return db_pg_is_null(rows, column) ? NULL : PQgetvalue(rows->cursor, rows->at, column);
}
