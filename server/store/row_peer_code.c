/* row_peer_code.c - codes by which a host enrols, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_peer_code.h"

#include "store/store_inside.h"

#define COLUMNS "identity, digest, secret, until, made_by, by_name, is_move, key"

TX_READER(read_code, struct peer_code, TX_TEXT(identity), TX_TEXT(digest), TX_TEXT(secret),
    TX_I64(until), TX_I64(made_by), TX_TEXT(by), TX_FLAG(is_move), TX_TEXT(key))

struct peer_code
row_peer_code_get(struct tx *tx, const char *digest)
{
	return tx_first(tx, struct peer_code, read_code,
	    "SELECT " COLUMNS " FROM peer_code WHERE digest = $1", DB_TEXT(digest));
}

void
row_peer_code_put(struct tx *tx, const struct peer_code *code)
{
	(void)tx_run(tx, "DELETE FROM peer_code WHERE identity = $1 OR until <= $2",
	    DB_TEXT(code->identity), DB_I64(tx->at)); /* sticky */
	(void)tx_run(tx,
	    "INSERT INTO peer_code (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	    DB_TEXT(code->identity), DB_TEXT(code->digest), DB_TEXT(code->secret),
	    DB_I64(code->until), DB_I64(code->made_by), DB_TEXT(code->by), DB_I64(code->is_move),
	    DB_TEXT(code->key)); /* sticky */
}

bool
row_peer_code_drop(struct tx *tx, const char *identity)
{
	return tx_changes(tx, "DELETE FROM peer_code WHERE identity = $1", DB_TEXT(identity)) != 0;
}
