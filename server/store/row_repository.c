/* row_repository.c - which number at its forge a repository of some name has shown first.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_repository.h"

#include "store/store_inside.h"

int64_t
row_repository_shown(struct tx *tx, const char *name, int64_t id)
{
	(void)tx_run(tx,
	    "INSERT INTO forge_repository (name, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
	    DB_TEXT(name), DB_I64(id)); /* sticky */
	return tx_number(tx, "SELECT id FROM forge_repository WHERE name = $1", DB_TEXT(name));
}
