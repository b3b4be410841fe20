/* row_pin.c - the summaries that chats keep pinned, and the health that stands in them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_pin.h"

#include "store/store_inside.h"

TX_READER(read_pin, struct pin, TX_I64(chat), TX_I64(message), TX_I64(pinned), TX_I64(timer),
    TX_I64(due), TX_I64(shown_at), TX_I64(tried_at), TX_FLAG(is_notified))

struct pin
row_pin_get(struct tx *tx, int64_t chat)
{
	struct pin pin = { .chat = chat };

	(void)tx_read(tx, read_pin, &pin, 1,
	    "SELECT chat, message, pinned, timer, due, shown_at, tried_at, is_told FROM pin"
	    " WHERE chat = $1",
	    DB_I64(chat)); /* sticky */
	return pin;
}

void
row_pin_put(struct tx *tx, const struct pin *pin)
{
	(void)tx_run(tx,
	    "INSERT INTO pin (chat, message, pinned, timer, due, shown_at, tried_at,"
	    " is_told) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (chat) DO UPDATE SET"
	    " message = $2, pinned = $3, timer = $4, due = $5, shown_at = $6, tried_at = $7,"
	    " is_told = $8",
	    DB_I64(pin->chat), DB_I64(pin->message), DB_I64(pin->pinned), DB_I64(pin->timer),
	    DB_I64(pin->due), DB_I64(pin->shown_at), DB_I64(pin->tried_at),
	    DB_I64(pin->is_notified)); /* sticky */
}

void
row_pin_remove(struct tx *tx, int64_t chat)
{
	(void)tx_run(tx, "DELETE FROM pin WHERE chat = $1", DB_I64(chat)); /* sticky */
}

int64_t
row_pin_of_message(struct tx *tx, int64_t message)
{
	return tx_number(
	    tx, "SELECT chat FROM pin WHERE message = $1 AND message <> 0", DB_I64(message));
}

bool
row_pin_next(struct tx *tx, int64_t *chat)
{
	int64_t next;

	if (tx_read(tx, tx_read_number, &next, 1,
		"SELECT chat FROM pin WHERE chat > $1 ORDER BY chat LIMIT 1", DB_I64(*chat)) == 0)
		return false;
	*chat = next;
	return true;
}

const char *
row_pin_changed(const struct tx *tx, size_t i)
{
	const struct store_names *changed = &tx->store->changed;

	return i < changed->n ? changed->names[i] : NULL;
}

void
row_pin_set_health(struct tx *tx, const char *environment, const struct probe_finding *finding)
{
	(void)tx_run(tx,
	    "INSERT INTO health (environment, is_healthy, commit_id, at) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT (environment) DO UPDATE SET is_healthy = $2, commit_id = $3, at = $4",
	    DB_TEXT(environment), DB_I64(finding->is_healthy), DB_TEXT(finding->commit),
	    DB_I64(tx->at)); /* sticky */
}

TX_READER(read_health, struct probe_finding, TX_FLAG(is_healthy), TX_TEXT(commit))

bool
row_pin_health(struct tx *tx, const char *environment, int64_t since, struct probe_finding *ret)
{
	return tx_read(tx, read_health, ret, 1,
		   "SELECT is_healthy, commit_id FROM health WHERE environment = $1 AND at >= $2",
		   DB_TEXT(environment), DB_I64(since)) > 0;
}
