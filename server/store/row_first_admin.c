/* row_first_admin.c - the one link for a first admin that may be open, as a row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_first_admin.h"

#include "store/store_inside.h"

TX_READER(read_link, struct first_admin_link, TX_TEXT(digest), TX_I64(until), TX_I64(person))

struct first_admin_link
row_first_admin_get(struct tx *tx)
{
	return tx_first(tx, struct first_admin_link, read_link,
	    "SELECT digest, until, person FROM first_admin");
}

void
row_first_admin_put(struct tx *tx, const struct first_admin_link *link)
{
	(void)tx_run(tx, "DELETE FROM first_admin"); /* sticky */
	(void)tx_run(tx, "INSERT INTO first_admin (digest, until, person) VALUES ($1, $2, $3)",
	    DB_TEXT(link->digest), DB_I64(link->until), DB_I64(link->person)); /* sticky */
}
