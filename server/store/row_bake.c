/* row_bake.c - how far the bake of some work is, and what Prometheus has said of it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_bake.h"

#include "store/store_inside.h"

#define COLUMNS \
	"work, measured_at, began_at, length_ms, left_ms, counted_at, is_prolonged, is_to_pause," \
	" why, is_cut"

TX_READER(read_bake, struct bake, TX_I64(work), TX_I64(measured_at), TX_I64(began_at),
    TX_I64(length_ms), TX_I64(left_ms), TX_I64(counted_at), TX_FLAG(is_prolonged),
    TX_FLAG(is_to_pause), TX_TEXT(why), TX_FLAG(is_cut))

struct bake *
row_bake_get(struct tx *tx, int64_t work, struct bake *ret)
{
	*ret = tx_first(tx, struct bake, read_bake, "SELECT " COLUMNS " FROM bake WHERE work = $1",
	    DB_I64(work));
	return ret;
}

void
row_bake_set(struct tx *tx, const struct bake *row)
{
	(void)tx_run(tx,
	    "INSERT INTO bake (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
	    " ON CONFLICT (work) DO UPDATE SET measured_at = $2, began_at = $3, length_ms = $4,"
	    " left_ms = $5, counted_at = $6, is_prolonged = $7, is_to_pause = $8, why = $9, is_cut = $10",
	    DB_I64(row->work), DB_I64(row->measured_at), DB_I64(row->began_at),
	    DB_I64(row->length_ms), DB_I64(row->left_ms), DB_I64(row->counted_at),
	    DB_I64(row->is_prolonged), DB_I64(row->is_to_pause), DB_TEXT(row->why),
	    DB_I64(row->is_cut)); /* sticky */
}

TX_READER(read_value, struct bake_value, TX_TEXT(name), TX_TEXT(was), TX_FLAG(is_exempt),
    TX_TEXT(value), TX_TEXT(limit), TX_FLAG(is_firing))

size_t
row_bake_list(struct tx *tx, int64_t work, struct bake_value ret[LIMIT_BAKE_QUERIES])
{
	return tx_read(tx, read_value, ret, LIMIT_BAKE_QUERIES,
	    "SELECT name, was, is_exempt, value, threshold, is_firing FROM bake_value"
	    " WHERE work = $1 ORDER BY nth LIMIT $2",
	    DB_I64(work), DB_I64(LIMIT_BAKE_QUERIES));
}

void
row_bake_set_list(struct tx *tx, int64_t work, const struct bake_value *values, size_t n)
{
	(void)tx_run(tx, "DELETE FROM bake_value WHERE work = $1", DB_I64(work)); /* sticky */
	for (size_t i = 0; i < n; i++)
		(void)tx_run(tx,
		    "INSERT INTO bake_value (work, nth, name, was, is_exempt, value, threshold,"
		    " is_firing) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		    DB_I64(work), DB_I64(i), DB_TEXT(values[i].name), DB_TEXT(values[i].was),
		    DB_I64(values[i].is_exempt), DB_TEXT(values[i].value), DB_TEXT(values[i].limit),
		    DB_I64(values[i].is_firing)); /* sticky */
}
