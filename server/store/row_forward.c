/* row_forward.c - rows of who collects the audit's entries.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_forward.h"

#include "lib/text.h"
#include "store/store_inside.h"
#include "types/settings.h"

#define COLUMNS "place, sent, tried_at, is_out, tries, detail"

TX_READER(read_row, struct forward_row, TX_TEXT(place), TX_I64(sent), TX_I64(tried_at),
    TX_FLAG(is_out), TX_I64(tries), TX_TEXT(detail))

struct forward_row
row_forward_of(struct tx *tx, const char *place)
{
	struct forward_row row = { 0 };

	if (place[0] == '\0')
		return row;
	(void)tx_read(tx, read_row, &row, 1,
	    "SELECT " COLUMNS " FROM audit_forward WHERE place = $1", DB_TEXT(place));
	(void)text_copy(row.place, sizeof(row.place), place);
	return row;
}

struct forward_row
row_forward_get(struct tx *tx, enum forward_to to)
{
	char place[FORWARD_PLACE];

	forward_place(tx->settings, to, place);
	return row_forward_of(tx, place);
}

void
row_forward_save(struct tx *tx, const struct forward_row *row)
{
	assert(row->place[0] != '\0');
	(void)tx_run(tx, "REPLACE INTO audit_forward (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)",
	    DB_TEXT(row->place), DB_I64(row->sent), DB_I64(row->tried_at), DB_I64(row->is_out),
	    DB_I64(row->tries), DB_TEXT(row->detail)); /* sticky */
	tx->store->is_outside_changed = true;
}

bool
store_first_waiting(struct store *store, const char *sql, const char *place, int64_t *ret_n,
    int64_t *ret_since, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_query(&rows, store->db, err, sql, DB_TEXT(place)))
		return false;
	if (db_next(&rows)) {
		*ret_n = store->mark.audit.seq - db_col_i64(&rows, 0) + 1;
		*ret_since = db_col_i64(&rows, 1);
	}
	return db_rows_end(&rows, err);
}

bool
store_forward_waiting(struct store *store, struct gauges *ret, struct err *err)
{
	for (enum forward_to to = 0; to < FORWARD_COUNT; to++) {
		char place[FORWARD_PLACE] = "";

		if (store->settings != NULL)
			forward_place(store->settings, to, place);
		ret->forwards[to] = place[0] != '\0';
		if (ret->forwards[to] &&
		    !store_first_waiting(store,
			"SELECT seq, at FROM audit WHERE seq = 1 + coalesce((SELECT sent FROM"
			" audit_forward WHERE place = $1), 0)",
			place, &ret->unforwarded[to], &ret->unforwarded_since[to], err))
			return false;
	}
	return true;
}
