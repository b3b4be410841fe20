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
	struct db_rows rows = { 0 };
	size_t n = 0;

	if (!tx_query(&rows, tx, /* for all reasons at once: most decisions ask for several */
		"SELECT message, why FROM work_shown WHERE work = $1 ORDER BY message",
		DB_I64(work)))
		return 0;
	while (db_next(&rows))
		if (n < ROW_SHOWN_MAX && strcmp(db_col_text(&rows, 1), why) == 0)
			ret[n++] = db_col_i64(&rows, 0);
	return tx_end(tx, &rows) ? n : 0;
}

int64_t
row_shown_in(struct tx *tx, int64_t work, int64_t chat, const char *why)
{
	return tx_number(tx,
	    "SELECT COALESCE(MIN(s.message), 0) FROM work_shown s"
	    " WHERE s.work = $1 AND s.why = $3 AND EXISTS"
	    " (SELECT 1 FROM message m WHERE m.id = s.message AND m.chat = $2)",
	    DB_I64(work), DB_I64(chat), DB_TEXT(why));
}

int64_t
row_shown_beside(struct tx *tx, int64_t message, const char *beside, int64_t chat, const char *why)
{
	int64_t found = 0;

	(void)tx_read(tx, tx_read_number, &found, 1,
	    "SELECT m.id FROM work_shown b JOIN work_shown s ON s.work = b.work"
	    " JOIN message m ON m.id = s.message"
	    " WHERE b.message = $1 AND b.why = $2 AND m.chat = $3 AND s.why IN ($2, $4)"
	    " ORDER BY CASE WHEN s.why = $2 THEN 0 ELSE 1 END, m.id LIMIT 1",
	    DB_I64(message), DB_TEXT(beside), DB_I64(chat), DB_TEXT(why)); /* sticky */
	return found;
}

size_t
row_shown_works(struct tx *tx, int64_t message, const char *why, int64_t *ret, size_t max)
{
	return tx_read(tx, tx_read_number, ret, max,
	    "SELECT work FROM work_shown WHERE message = $1 AND why = $3 ORDER BY work LIMIT $2",
	    DB_I64(message), DB_I64(max), DB_TEXT(why));
}

void
row_shown_is(struct tx *tx, int64_t work, int64_t message, const char *why)
{
	(void)tx_run(tx, "UPDATE work_shown SET why = $3 WHERE work = $1 AND message = $2",
	    DB_I64(work), DB_I64(message), DB_TEXT(why)); /* sticky */
}

void
row_shown_become(struct tx *tx, int64_t work, const char *from, const char *why)
{
	(void)tx_run(tx, "UPDATE work_shown SET why = $3 WHERE work = $1 AND why = $2",
	    DB_I64(work), DB_TEXT(from), DB_TEXT(why)); /* sticky */
}

void
row_shown_drop(struct tx *tx, int64_t message)
{
	(void)tx_run(tx, "DELETE FROM work_shown WHERE message = $1", DB_I64(message)); /* sticky */
}

void
row_shown_clear(struct tx *tx, int64_t work, const char *why)
{
	(void)tx_run(tx, "DELETE FROM work_shown WHERE work = $1 AND why = $2", DB_I64(work),
	    DB_TEXT(why)); /* sticky */
}

void
row_shown_clear_asking(struct tx *tx, int64_t work)
{
	(void)tx_run(tx, "DELETE FROM work_shown WHERE work = $1 AND why IN ('approver', 'line')",
	    DB_I64(work)); /* sticky */
}
