/* row_dedupe.c - what came from outside is noted once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_dedupe.h"

#include "store/store_inside.h"

#define DIGEST 32

bool
row_dedupe_add(struct tx *tx, const char *source, const char *key, const uint8_t *digest)
{
	return tx_run(tx,
		   "INSERT INTO inbox (source, id, digest, at) VALUES ($1, $2, $3, $4)"
		   " ON CONFLICT DO NOTHING",
		   DB_TEXT(source), DB_TEXT(key),
		   digest == NULL ? DB_NULL : DB_BLOB(digest, DIGEST), DB_I64(tx->at)) &&
	    db_changes(tx->db) == 1;
}

void
row_dedupe_remove(struct tx *tx, const char *source, const char *key)
{
	(void)tx_run(tx, "DELETE FROM inbox WHERE source = $1 AND id = $2", DB_TEXT(source),
	    DB_TEXT(key)); /* sticky */
}
