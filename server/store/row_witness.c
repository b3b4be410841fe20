/* row_witness.c - rows of the audit's witness.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_witness.h"

#include "lib/text.h"
#include "store/store_inside.h"
#include "types/settings.h"

#define COLUMNS \
	"place, confirmed, head, confirmed_at, ordered_at, last, last_head, tries, failing_since," \
	" is_late, detail, removed"

TX_READER(read_row, struct witness_row, TX_TEXT(place), TX_I64(confirmed), TX_TEXT(head),
    TX_I64(confirmed_at), TX_I64(ordered_at), TX_I64(last), TX_TEXT(last_head), TX_I64(tries),
    TX_I64(failing_since), TX_FLAG(is_late), TX_TEXT(detail), TX_I64(removed))

struct witness_row
row_witness_of(struct tx *tx, const char *place)
{
	struct witness_row row = { 0 };

	if (place[0] == '\0')
		return row;
	(void)tx_read(tx, read_row, &row, 1,
	    "SELECT " COLUMNS " FROM audit_witness WHERE place = $1", DB_TEXT(place));
	text_set(row.place, place);
	return row;
}

struct witness_row
row_witness_get(struct tx *tx)
{
	char place[WITNESS_PLACE];

	witness_place(tx->settings, place);
	return row_witness_of(tx, place);
}

void
row_witness_save(struct tx *tx, const struct witness_row *row)
{
	assert(row->place[0] != '\0');
	(void)tx_run(tx,
	    "INSERT INTO audit_witness (" COLUMNS
	    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (place)"
	    " DO UPDATE SET confirmed = $2, head = $3, confirmed_at = $4, ordered_at = $5, last = $6,"
	    " last_head = $7, tries = $8, failing_since = $9, is_late = $10, detail = $11, removed = $12",
	    DB_TEXT(row->place), DB_I64(row->confirmed), DB_TEXT(row->head),
	    DB_I64(row->confirmed_at), DB_I64(row->ordered_at), DB_I64(row->last),
	    DB_TEXT(row->last_head), DB_I64(row->tries), DB_I64(row->failing_since),
	    DB_I64(row->is_late), DB_TEXT(row->detail), DB_I64(row->removed)); /* sticky */
	tx->store->is_outside_changed = true;
	if (tx->store->removable != 0 && row->removed >= tx->store->removable)
		tx->store->pruned_at = 0; /* they go when this is committed */
}

int64_t
row_witness_removable(const struct tx *tx, int64_t *ret_first)
{
	*ret_first = tx->store->removable_first;
	return tx->store->removable;
}

bool
store_witness_confirmed(struct store *store, int64_t *ret, int64_t *ret_removed, struct err *err)
{
	char place[WITNESS_PLACE] = "";

	if (store->settings != NULL)
		witness_place(store->settings, place);
	return db_one_i64(ret, store->db, err,
		   "SELECT coalesce(max(confirmed), 0) FROM audit_witness WHERE place = $1",
		   DB_TEXT(place)) &&
	    db_one_i64(ret_removed, store->db, err,
		"SELECT coalesce(max(removed), 0) FROM audit_witness WHERE place = $1",
		DB_TEXT(place));
}

bool
store_witness_waiting(struct store *store, struct gauges *ret, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	char place[WITNESS_PLACE] = "";

	if (store->settings != NULL)
		witness_place(store->settings, place);
	ret->has_witness = place[0] != '\0';
	if (!ret->has_witness)
		return true;
	if (!db_query(&rows, store->db, err,
		"SELECT seq, at FROM audit WHERE seq = 1 + coalesce((SELECT confirmed FROM"
		" audit_witness WHERE place = $1), 0)",
		DB_TEXT(place)))
		return false;
	if (db_next(&rows)) {
		ret->unwitnessed = store->mark.audit.seq - db_col_i64(&rows, 0) + 1;
		ret->unwitnessed_since = db_col_i64(&rows, 1);
	}
	return db_rows_end(&rows, err);
}

int64_t
row_witness_lag(struct tx *tx)
{
	struct gauges waiting = { 0 };

	if (tx->failed)
		return 0;
	if (!store_witness_waiting(tx->store, &waiting, &tx->err)) {
		tx->failed = true;
		return 0;
	}
	return waiting.unwitnessed_since == 0 || waiting.unwitnessed_since > tx->at ?
	    0 :
	    tx->at - waiting.unwitnessed_since;
}

bool
row_witness_is_late(struct tx *tx)
{
	return tx->settings != NULL && tx->settings->audit_witness_max_ms != 0 &&
	    row_witness_lag(tx) > tx->settings->audit_witness_max_ms;
}

int64_t
row_witness_log_last(const struct tx *tx)
{
	return tx->store->log_last;
}
