/* row_shown.c - the messages that show something of a work, and are edited when that is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_shown.h"

#include "store/store_inside.h"

void
row_shown_add(struct tx *tx, int64_t work, int64_t message, const char *why)
{
	(void)tx_run(tx,
	    "INSERT INTO work_shown (work, message, why) VALUES ($1, $2, $3)"
	    " ON CONFLICT DO NOTHING",
	    DB_I64(work), DB_I64(message), DB_TEXT(why)); /* sticky */
}

size_t
row_shown_list(struct tx *tx, int64_t work, const char *why, int64_t ret[ROW_SHOWN_MAX])
{
	return tx_read(tx, tx_read_number, ret, ROW_SHOWN_MAX,
	    "SELECT message FROM work_shown WHERE work = $1 AND why = $3"
	    " ORDER BY message LIMIT $2",
	    DB_I64(work), DB_I64(ROW_SHOWN_MAX), DB_TEXT(why));
}

size_t
row_shown_works(struct tx *tx, int64_t message, const char *why, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT work FROM work_shown WHERE message = $1 AND why = $3 ORDER BY work LIMIT $2",
	    DB_I64(message), DB_I64(max), DB_TEXT(why));
}

void
row_shown_clear(struct tx *tx, int64_t work, const char *why)
{
	(void)tx_run(tx, "DELETE FROM work_shown WHERE work = $1 AND why = $2", DB_I64(work),
	    DB_TEXT(why)); /* sticky */
}
