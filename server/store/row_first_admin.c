/* row_first_admin.c - the one link for a first admin that may be open, as a row.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_first_admin.h"

#include "store/store_inside.h"

static void
read_link(const struct db_rows *rows, void *out)
{
	struct first_admin_link *link = out;

	tx_text(rows, 0, link->digest, sizeof(link->digest));
	link->until = db_col_i64(rows, 1);
	link->person = db_col_i64(rows, 2);
}

struct first_admin_link
row_first_admin_get(struct tx *tx)
{
	struct first_admin_link link = { 0 };

	(void)tx_read(tx, read_link, &link, 1, "SELECT digest, until, person FROM first_admin");
	return link;
}

void
row_first_admin_put(struct tx *tx, const struct first_admin_link *link)
{
	(void)tx_run(tx, "DELETE FROM first_admin"); /* sticky */
	(void)tx_run(tx, "INSERT INTO first_admin (digest, until, person) VALUES ($1, $2, $3)",
	    DB_TEXT(link->digest), DB_I64(link->until), DB_I64(link->person)); /* sticky */
}
