/* row_press.c - by which token somebody asked for some work, confirmed or reviewed it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_press.h"

#include "lib/column.h"
#include "store/row_token.h"
#include "store/store_inside.h"

static const char *const words[] = { PRESS_ACTS(COLUMN_SECOND) };

void
row_press_add(struct tx *tx, int64_t work, enum press_act act, int64_t person)
{
	int64_t token = row_token_acting(tx, person);

	if (act == PRESS_CONFIRM)
		(void)tx_run(tx, "DELETE FROM press WHERE work = $1 AND act = $2", DB_I64(work),
		    DB_TEXT(words[act])); /* sticky */
	if (token != 0)
		(void)tx_run(tx,
		    "INSERT INTO press (work, act, person, token) VALUES ($1, $2, $3, $4)"
		    " ON CONFLICT DO NOTHING",
		    DB_I64(work), DB_TEXT(words[act]), DB_I64(person), DB_I64(token)); /* sticky */
}

void
row_press_share(struct tx *tx, int64_t from, int64_t to)
{
	(void)tx_run(tx,
	    "INSERT INTO press (work, act, person, token)"
	    " SELECT CAST($2 AS INTEGER), 'request', person, token FROM press"
	    " WHERE work = $1 AND act <> 'review' ON CONFLICT DO NOTHING",
	    DB_I64(from), DB_I64(to)); /* sticky */
}

TX_READER(read_press, struct press, TX_I64(person), TX_I64(account), TX_I64(maker), TX_TEXT(name),
    TX_TEXT(by))

size_t
row_press_list(struct tx *tx, int64_t work, struct press ret[ROW_PRESSES])
{
	return tx_read(tx, read_press, ret, ROW_PRESSES,
	    "SELECT p.person, COALESCE(t.person, 0), COALESCE(t.made_by, 0), COALESCE(t.name, ''),"
	    " COALESCE(t.by_name, '') FROM press p LEFT JOIN token t ON t.id = p.token"
	    " WHERE p.work = $1 AND p.act <> 'review' ORDER BY p.act, p.person, p.token LIMIT $2",
	    DB_I64(work), DB_I64(ROW_PRESSES));
}
