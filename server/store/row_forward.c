/* row_forward.c - rows of who collected the audit's entries in versions before.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_forward.h"

#include "store/store_inside.h"

#define TAKEN (-1) /* as `tries`, which counted failures */

TX_READER(read_row, struct forward_row, TX_TEXT(place), TX_I64(sent))

bool
row_forward_take(struct tx *tx, struct forward_row *ret)
{
	return tx_read(tx, read_row, ret, 1,
		   "SELECT place, sent FROM audit_forward WHERE tries <> $1 ORDER BY place LIMIT 1",
		   DB_I64(TAKEN)) == 1 &&
	    tx_run(tx, "UPDATE audit_forward SET tries = $1, is_out = 0 WHERE place = $2",
		DB_I64(TAKEN), DB_TEXT(ret->place));
}
