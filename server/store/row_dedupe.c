/* row_dedupe.c - what came from outside is noted once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_dedupe.h"

#include "store/store_inside.h"

#define DIGEST 32

/* Under another id it has the same digest. */
static bool
take_again(struct tx *tx, const char *source, const char *key, const uint8_t *digest)
{
	return tx_changes(tx,
		   "UPDATE inbox SET is_given_up = 0, at = $4 WHERE is_given_up <> 0 AND seq IN"
		   " (SELECT seq FROM inbox WHERE source = $1 AND id = $2 UNION"
		   " SELECT seq FROM inbox WHERE source = $1 AND digest IS NOT NULL AND digest = $3)",
		   DB_TEXT(source), DB_TEXT(key),
		   digest == NULL ? DB_NULL : DB_BLOB(digest, DIGEST), DB_I64(tx->at)) > 0;
}

bool
row_dedupe_add(struct tx *tx, const char *source, const char *key, const uint8_t *digest)
{
	if (tx_changes(tx,
		"INSERT INTO inbox (seq, source, id, digest, at) VALUES ($1, $2, $3, $4, $5)"
		" ON CONFLICT DO NOTHING",
		DB_I64(tx_next_id(tx, STORE_ID_INBOX)), DB_TEXT(source), DB_TEXT(key),
		digest == NULL ? DB_NULL : DB_BLOB(digest, DIGEST), DB_I64(tx->at)) == 1)
		return true;
	tx->store->mark.ids.last[STORE_ID_INBOX]--; /* or each duplicate would be a write */
	return take_again(tx, source, key, digest);
}

void
row_dedupe_give_up(struct tx *tx, const char *source, const char *key)
{
	(void)tx_run(tx, "UPDATE inbox SET is_given_up = 1 WHERE source = $1 AND id = $2",
	    DB_TEXT(source), DB_TEXT(key)); /* sticky */
}
