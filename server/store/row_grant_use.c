/* row_grant_use.c - when each person last did what; written once a day at most.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_grant_use.h"

#include "lib/array.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define DAY_MS (24 * 3600 * INT64_C(1000))

void
row_grant_use_begin(struct tx *tx)
{
	(void)tx_say(tx,
	    "INSERT INTO grant_use (person, action, at) VALUES (0, '', $1) ON CONFLICT DO NOTHING",
	    DB_I64(tx->at)); /* sticky */
}

void
row_grant_use_note(struct tx *tx, int64_t person, const char *action)
{
	(void)tx_say(tx,
	    "INSERT INTO grant_use (person, action, at) VALUES ($1, $2, $3)"
	    " ON CONFLICT (person, action) DO UPDATE SET at = $3"
	    " WHERE grant_use.at < $3 - $4",
	    DB_I64(person), DB_TEXT(action), DB_I64(tx->at), DB_I64(DAY_MS)); /* sticky */
}

/* NULL: *err says why. */
static struct grant_use *
list(struct db *db, size_t *ret_count, struct err *err)
{
	CLEANUP(db_rows_close) struct db_rows rows = { 0 };
	CLEANUP(freep) struct grant_use *uses = NULL;
	size_t n = 0;
	bool good = db_query(&rows, db, err,
	    "SELECT g.person, g.action, g.at, COALESCE(p.application, ''), COALESCE(p.name, '')"
	    " FROM grant_use g LEFT JOIN principal p ON (p.kind = 'hook' AND p.id = $1 - g.person)"
	    " OR (p.kind = 'workflow' AND p.id = $2 - g.person)"
	    " ORDER BY g.person",
	    DB_I64(principal_of_row(PRINCIPAL_HOOK, 0)),
	    DB_I64(principal_of_row(PRINCIPAL_WORKFLOW, 0)));

	while (good && db_next(&rows)) {
		struct grant_use *added = array_add(&uses, &n, sizeof(*added));

		added->person = db_col_i64(&rows, 0);
		text_set(added->action, db_col_text(&rows, 1));
		added->at = db_col_i64(&rows, 2);
		(void)environment_id_text(
		    db_col_text(&rows, 3), db_col_text(&rows, 4), added->program);
	}
	if (good && db_rows_end(&rows, err)) {
		*ret_count = n;
		return uses != NULL ? TAKE(uses) : mem_new(1, sizeof(*uses));
	}
	return NULL;
}

struct grant_use *
row_grant_use_list(struct tx *tx, size_t *ret_count)
{
	struct err err;
	struct grant_use *uses = list(tx->db, ret_count, &err);

	if (uses == NULL)
		tx_fail_with(tx, &err);
	return uses;
}

struct grant_use *
row_grant_use_read(const char *database, size_t *ret_count, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(database, DB_READ_ONLY, err);

	return db == NULL ? NULL : list(db, ret_count, err);
}
