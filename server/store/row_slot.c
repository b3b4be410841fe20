/* row_slot.c - how much runs at once, of all and of each application, and who is next.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_slot.h"

#include <stdio.h>

#include "store/row_queue.h"
#include "store/store_inside.h"
#include "types/settings.h"

#define ACTIVE \
	"work INDEXED BY work_active WHERE " STORE_IS_ACTIVE \
	" AND program <> 'rollback' AND is_read = 0 AND action <> 'open-gate'" \
	" AND state <> 'PAUSED'"
/* Nothing runs of what bakes; but the next slot is that of a wave which waits for one. */
#define RUNS	 ACTIVE " AND state <> 'BAKING'"
#define HAS_SLOT ACTIVE " AND (state <> 'BAKING' OR waits_for = '" ROW_QUEUE_SLOT "')"

int64_t
row_slot_count(struct tx *tx)
{
	return tx_number(tx, "SELECT COUNT(*) FROM " HAS_SLOT);
}

static const char *
application_of(const char *environment, char ret[LIMIT_ENVIRONMENT])
{
	const char *end = strchr(environment, '/');

	(void)snprintf(ret, LIMIT_ENVIRONMENT, "%.*s", end == NULL ? 0 : (int)(end - environment),
	    environment);
	return ret;
}

int64_t
row_slot_count_of(struct tx *tx, const char *environment)
{
	char application[LIMIT_ENVIRONMENT];

	return tx_number(tx, "SELECT COUNT(*) FROM " HAS_SLOT " AND application = $1",
	    DB_TEXT(application_of(environment, application)));
}

static bool
are_all_below(struct tx *tx)
{
	const int most = tx->settings->runs_max;

	return most == 0 || row_slot_count(tx) < most;
}

static bool
are_its_below(struct tx *tx, const char *environment)
{
	const int most = tx->settings->application_runs_max;

	return most == 0 || row_slot_count_of(tx, environment) < most;
}

bool
row_slot_is_free(struct tx *tx, const char *environment)
{
	return are_all_below(tx) && are_its_below(tx, environment);
}

bool
row_slot_is_free_for_wave(struct tx *tx, const char *environment)
{
	const int all = tx->settings->runs_max, its = tx->settings->application_runs_max;
	char application[LIMIT_ENVIRONMENT];

	return (all == 0 || tx_number(tx, "SELECT COUNT(*) FROM " RUNS) < all) &&
	    (its == 0 ||
		tx_number(tx, "SELECT COUNT(*) FROM " RUNS " AND application = $1",
		    DB_TEXT(application_of(environment, application))) < its);
}

bool
row_slot_is_contended(struct tx *tx, const char *environment)
{
	return tx_number(tx,
		   "SELECT EXISTS (SELECT 1 FROM work INDEXED BY work_waits WHERE"
		   " state = 'QUEUED' AND waits_for <> '' AND waits_for IN ($2, $3)"
		   " AND environment <> $1)",
		   DB_TEXT(environment), DB_TEXT(ROW_QUEUE_LOOK), DB_TEXT(ROW_QUEUE_SLOT)) != 0;
}

/* Whose turn it is among those that wait, of applications below that number; false: nobody's. */
static bool
find_next(struct tx *tx, int64_t most, char ret_environment[LIMIT_ENVIRONMENT])
{
	/* clang-format off */
	static const char next[] =
	    "SELECT environment FROM work INDEXED BY work_waits LEFT JOIN (SELECT application AS its, COUNT(*) AS n FROM "
	    HAS_SLOT
	    " GROUP BY application) AS slots ON its = application WHERE state = 'QUEUED' AND waits_for <> '' AND waits_for = '"
	    ROW_QUEUE_SLOT
	    "' AND ($1 = 0 OR COALESCE(n, 0) < $1) ORDER BY emergency = '', COALESCE(n, 0), place LIMIT 1";
	/* clang-format on */

	return tx_read_sql(tx, tx_read_environment, ret_environment, LIMIT_ENVIRONMENT, 1,
		   DB_SQL(next, DB_I64(most))) > 0;
}

bool
row_slot_next(struct tx *tx, char ret_environment[LIMIT_ENVIRONMENT])
{
	if (tx_number(tx,
		"SELECT EXISTS (SELECT 1 FROM work INDEXED BY work_waits"
		" WHERE state = 'QUEUED' AND waits_for <> '' AND waits_for = $1)",
		DB_TEXT(ROW_QUEUE_SLOT)) == 0 ||
	    !are_all_below(tx) ||
	    !find_next(tx, tx->settings->application_runs_max, ret_environment))
		return false;
	(void)tx_run(tx,
	    "UPDATE work INDEXED BY work_queued SET waits_for = '' WHERE environment = $1"
	    " AND state = 'QUEUED' AND waits_for = $2",
	    DB_TEXT(ret_environment), DB_TEXT(ROW_QUEUE_SLOT)); /* sticky */
	return true;
}
