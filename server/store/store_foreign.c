/* store_foreign.c - looks for tables that deploybot has not made.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_foreign.h"

#include "lib/db.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"

/* NULL where there are none.  What an extension brings is nobody's. */
static const char foreign[] =
    "SELECT current_database() || ' has tables that are not deploybot''s ('"
    " || string_agg(t.name, ', ' ORDER BY t.name) || ')' FROM"
    " (SELECT CAST(c.relname AS TEXT) AS name FROM pg_class AS c"
    " JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_schema()"
    " WHERE c.relkind IN ('r', 'p', 'f')"
    " AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')"
    " AND NOT EXISTS (SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid"
    " AND ((c.relname = 'leader' AND a.attname = 'epoch')"
    " OR (c.relname = 'server' AND a.attname = 'marks'))) ORDER BY 1 LIMIT 4) AS t";

bool
store_foreign_check(struct db *db, int64_t *ret_version, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };

	if (!db_user_version(db, ret_version, err))
		return false;
	if (*ret_version != 0)
		return true;
	if (!db_query(&rows, db, err, foreign))
		return false;
	if (db_next(&rows) && !db_col_is_null(&rows, 0))
		return err_set(err, ERR_CONFIG, "the database %.170s: is DATABASE_URL right?",
		    db_col_text(&rows, 0));
	return db_rows_end(&rows, err);
}
