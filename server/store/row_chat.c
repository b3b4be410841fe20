/* row_chat.c - groups that became supergroups: the id that each has now.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_chat.h"

#include "store/store_inside.h"

/* Telegram gives a group a new id once in its life. */
void
row_chat_move(struct tx *tx, int64_t old_chat, int64_t new_chat)
{
	(void)tx_run(tx,
	    "INSERT INTO moved_chat (old, new) VALUES ($1, $2)"
	    " ON CONFLICT (old) DO UPDATE SET new = $2",
	    DB_I64(old_chat), DB_I64(new_chat)); /* sticky */
}

int64_t
row_chat_now(struct tx *tx, int64_t chat)
{
	int64_t now = tx_number(tx, "SELECT new FROM moved_chat WHERE old = $1", DB_I64(chat));

	return now == 0 ? chat : now;
}

int64_t
row_chat_before(struct tx *tx, int64_t chat)
{
	return tx_number(tx, "SELECT old FROM moved_chat WHERE new = $1", DB_I64(chat));
}

int64_t
row_chat_moved(struct db *db, int64_t chat)
{
	int64_t moved = 0;

	return db != NULL &&
		db_one_i64(
		    &moved, db, NULL, "SELECT new FROM moved_chat WHERE old = $1", DB_I64(chat)) ?
	    moved :
	    0;
}

bool
row_chat_note_private(struct tx *tx, int64_t person)
{
	bool was_refused = row_chat_is_refused(tx, person);

	(void)tx_run(tx,
	    "INSERT INTO private_chat (person, at) VALUES ($1, $2) ON CONFLICT (person) DO UPDATE"
	    " SET at = $2, refused_at = 0",
	    DB_I64(person), DB_I64(tx->at)); /* sticky */
	return was_refused;
}

bool
row_chat_note_refused(struct tx *tx, int64_t person, int64_t ordered_at)
{
	return tx_changes(tx,
		   "INSERT INTO private_chat (person, at, refused_at) VALUES ($1, 0, $2)"
		   " ON CONFLICT (person) DO UPDATE SET refused_at = $2"
		   " WHERE private_chat.at <= $3",
		   DB_I64(person), DB_I64(tx->at), DB_I64(ordered_at)) > 0;
}

bool
row_chat_is_refused(struct tx *tx, int64_t chat)
{
	return chat > 0 &&
	    tx_number(tx, "SELECT refused_at FROM private_chat WHERE person = $1", DB_I64(chat)) !=
	    0;
}

bool
row_chat_has_private(struct tx *tx, int64_t person)
{
	return tx_number(tx, "SELECT at FROM private_chat WHERE person = $1", DB_I64(person)) != 0;
}

bool
row_chat_can_write(struct db *db, int64_t person)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	return db == NULL ||
	    !db_query(&rows, db, NULL,
		"SELECT at FROM private_chat WHERE person = $1 AND at <> 0 AND refused_at = 0",
		DB_I64(person)) ||
	    db_next(&rows);
}
