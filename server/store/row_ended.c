/* row_ended.c - ends of roles, and of who had them, that have come.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_ended.h"

#include "store/store_inside.h"

void
row_ended_add(struct tx *tx, const struct role *role, int64_t person, int64_t until)
{
	(void)tx_run(tx,
	    "INSERT INTO ended (application, role, person, until) VALUES ($1, $2, $3, $4)"
	    " ON CONFLICT DO NOTHING",
	    DB_TEXT(role->application), DB_TEXT(role->name), DB_I64(person),
	    DB_I64(until)); /* sticky */
}

bool
row_ended_has(struct tx *tx, const struct role *role, int64_t person, int64_t until)
{
	return tx_number(tx,
		   "SELECT COUNT(*) FROM ended WHERE application = $1 AND role = $2"
		   " AND person IN (0, $3) AND until = $4",
		   DB_TEXT(role->application), DB_TEXT(role->name), DB_I64(person),
		   DB_I64(until)) != 0;
}

void
row_ended_rename(struct tx *tx, const char *from, const char *to)
{
	(void)tx_run(tx,
	    "INSERT INTO ended (application, role, person, until)"
	    " SELECT $2, role, person, until FROM ended WHERE application = $1"
	    " ON CONFLICT DO NOTHING",
	    DB_TEXT(from), DB_TEXT(to)); /* sticky */
}

bool
row_ended_by_upgrade(struct tx *tx)
{
	return tx_changes(tx, "DELETE FROM counter WHERE name = 'rights_lost'") == 1;
}
