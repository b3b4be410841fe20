/* row_action.c - what only work that is an action has: by whom, asked of whom, as it was shown.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_action.h"

#include "store/store_inside.h"

#define COLUMNS "executor, is_requested, shown_settings, shown_touches"

TX_READER(read_action, struct action_row, TX_TEXT(executor), TX_FLAG(is_requested),
    TX_TEXT(shown_settings), TX_TEXT(shown_touches))

struct action_row
row_action_get(struct tx *tx, int64_t work)
{
	return tx_first(tx, struct action_row, read_action,
	    "SELECT " COLUMNS " FROM work_action WHERE work = $1", DB_I64(work));
}

void
row_action_set(struct tx *tx, int64_t work, const struct action_row *action)
{
	(void)tx_run(tx,
	    "INSERT INTO work_action (work, " COLUMNS ") VALUES ($1, $2, $3, $4, $5)"
	    " ON CONFLICT (work) DO UPDATE SET (" COLUMNS ") = ($2, $3, $4, $5)",
	    DB_I64(work), DB_TEXT(action->executor), DB_I64(action->is_requested),
	    DB_TEXT(action->shown_settings), DB_TEXT(action->shown_touches)); /* sticky */
}
