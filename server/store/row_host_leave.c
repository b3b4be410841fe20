/* row_host_leave.c - hosts that the settings name no more: skipped, and gone after a while.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_host_leave.h"

#include "lib/mem.h"
#include "lib/text.h"
#include "store/store_inside.h"

bool
row_host_leave_next(struct tx *tx, char environment[LIMIT_ENVIRONMENT])
{
	return tx_read_sql(tx, tx_read_environment, environment, LIMIT_ENVIRONMENT, 1,
		   DB_SQL("SELECT environment FROM host WHERE environment > $1"
			  " ORDER BY environment LIMIT 1",
		       DB_TEXT(environment))) > 0;
}

#define PAGE 256

struct presence {
	char name[LIMIT_HOST];
	bool has_left;
};
TX_READER(read_presence, struct presence, TX_TEXT(name), TX_FLAG(has_left))

void
row_host_leave(struct tx *tx, const char *environment, const struct settings_items *now)
{
	CLEANUP(freep) struct presence *page = mem_new(PAGE, sizeof(*page));
	char last[LIMIT_HOST] = "";
	size_t n;

	do {
		n = tx_read(tx, read_presence, page, PAGE,
		    "SELECT name, left_at FROM host WHERE environment = $1 AND name > $2"
		    " ORDER BY name LIMIT $3",
		    DB_TEXT(environment), DB_TEXT(last), DB_I64(PAGE));
		for (size_t i = 0; i < n; i++) {
			bool has_left = settings_items_find(now, page[i].name) == now->count;

			text_set(last, page[i].name);
			if (has_left != page[i].has_left)
				(void)tx_run(tx,
				    "UPDATE host SET left_at = $3 WHERE environment = $1"
				    " AND name = $2",
				    DB_TEXT(environment), DB_TEXT(last),
				    DB_I64(has_left ? tx->at : 0)); /* sticky */
		}
	} while (n == PAGE && !tx->failed);
}

void
row_host_move(struct tx *tx, const char *environment, const char *name)
{
	(void)tx_run(tx,
	    "UPDATE host SET state = 'unknown', release = '', image = '', previous = '',"
	    " previous_image = '', detail = 'its agent moved to another machine', at = $3"
	    " WHERE environment = $1 AND name = $2",
	    DB_TEXT(environment), DB_TEXT(name), DB_I64(tx->at)); /* sticky */
	store_names_add(&tx->store->changed, environment);
}

bool
row_host_leave_clear(struct tx *tx, int64_t before, int most)
{
	return tx_changes(tx,
		   "DELETE FROM host WHERE (environment, name) IN (SELECT environment, name"
		   " FROM host INDEXED BY host_left WHERE left_at <> 0 AND left_at < $1 LIMIT $2)",
		   DB_I64(before), DB_I64(most)) == most;
}

int64_t
row_host_leave_skip(struct tx *tx, const struct deployment *work)
{
	(void)tx_run(tx,
	    "UPDATE host SET state = 'unknown', detail = 'it left the settings before its wave'"
	    " WHERE environment = $1 AND plan = $2 AND wave = $3 AND left_at <> 0 AND work <> $2",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(work->wave)); /* sticky */
	return tx_number(tx,
	    "SELECT COUNT(*) FROM host WHERE environment = $1 AND plan = $2 AND wave = $3"
	    " AND left_at = 0",
	    DB_TEXT(work->environment), DB_I64(work->id), DB_I64(work->wave));
}
