/* row_hold_repeat.c - what one person repeats of locks and freezes: counted for a minute.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_hold_repeat.h"

#include "store/store_inside.h"

bool
row_hold_repeat_count(struct tx *tx, const struct hold_repeat *repeat)
{
	const struct hold *hold = &repeat->hold;

	if (!tx_run(tx,
		"UPDATE hold_repeat SET first_at ="
		" CASE WHEN n <> 0 THEN first_at ELSE $9 END, last_at = $9, n = n + 1,"
		" by_name = $5, until_at = $6, reason = $7 WHERE person = $1 AND chat = $2"
		" AND action = $3 AND target = $4 AND principal = $8",
		DB_I64(repeat->person), DB_I64(repeat->chat), DB_TEXT(repeat->action),
		DB_TEXT(hold->target), DB_TEXT(hold->by), DB_I64(hold->until),
		DB_TEXT(hold->reason), DB_TEXT(repeat->principal), DB_I64(tx->at)) ||
	    tx_changed(tx) > 0)
		return true;
	(void)tx_run(tx,
	    "INSERT INTO hold_repeat (person, chat, action, target, by_name, until_at, reason, n,"
	    " due, principal) VALUES ($1, $2, $3, $4, $5, $6, $7,"
	    " CASE WHEN $2 <> 0 THEN 1 ELSE 0 END, $8, $9)",
	    DB_I64(repeat->person), DB_I64(repeat->chat), DB_TEXT(repeat->action),
	    DB_TEXT(hold->target), DB_TEXT(hold->by), DB_I64(hold->until), DB_TEXT(hold->reason),
	    DB_I64(tx->at + ROW_HOLD_REPEAT_MS), DB_TEXT(repeat->principal)); /* sticky */
	return repeat->chat != 0;
}

TX_READER(read_repeat, struct hold_repeat, TX_I64(person), TX_I64(chat), TX_TEXT(action),
    TX_TEXT(hold.target), TX_TEXT(hold.by), TX_I64(hold.until), TX_TEXT(hold.reason), TX_I64(n),
    TX_I64(due), TX_TEXT(principal), TX_I64(first_at), TX_I64(last_at))

bool
row_hold_repeat_take(struct tx *tx, struct hold_repeat *ret)
{
	return tx_read(tx, read_repeat, ret, 1,
		   "SELECT person, chat, action, target, by_name, until_at, reason, n, due,"
		   " principal, first_at, last_at FROM hold_repeat WHERE due <= $1 OR due > $2 LIMIT 1",
		   DB_I64(tx->at), DB_I64(tx->at + ROW_HOLD_REPEAT_MS)) > 0 &&
	    tx_run(tx,
		"DELETE FROM hold_repeat WHERE person = $1 AND chat = $2 AND action = $3"
		" AND target = $4 AND principal = $5",
		DB_I64(ret->person), DB_I64(ret->chat), DB_TEXT(ret->action),
		DB_TEXT(ret->hold.target), DB_TEXT(ret->principal));
}

int64_t
row_hold_repeat_due(struct tx *tx)
{
	return tx_number(tx, "SELECT coalesce(min(due), 0) FROM hold_repeat");
}
