/* row_drain.c - drains: runs that end what an ended deployment has left running.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_drain.h"

#include "store/store_inside.h"

TX_READER(read_drain, struct drain, TX_I64(run), TX_I64(deployment), TX_I64(since), TX_TEXT(commit),
    TX_SOURCE(source))

/* What drains is what was live before, or what was rolled back. */
#define OPEN \
	"SELECT run.id, work.id," \
	" CASE WHEN work.ended_at <> 0 THEN work.ended_at ELSE run.ordered_at END," \
	" CASE WHEN state = 'ROLLED_BACK' THEN commit_id ELSE previous END," \
	" CASE WHEN state = 'ROLLED_BACK' THEN source ELSE previous_source END" /* In order. */ \
	" FROM run INDEXED BY run_drain CROSS JOIN work ON work.id = run.deployment" \
	" WHERE run.program = 'drain' AND run.ended_at = 0" \
	" AND environment = $1"

struct drain
row_drain_open(struct tx *tx, const char *environment)
{
	return tx_first(tx, struct drain, read_drain,
	    OPEN " AND work.drains <> 0 ORDER BY run.id DESC LIMIT 1", DB_TEXT(environment));
}

struct drain
row_drain_tail(struct tx *tx, const char *environment)
{
	return tx_first(tx, struct drain, read_drain, OPEN " ORDER BY run.id DESC LIMIT 1",
	    DB_TEXT(environment));
}

int64_t
row_drain_count_open(struct tx *tx)
{
	return tx_number(tx,
	    "SELECT COUNT(*) FROM run INDEXED BY run_drain"
	    " WHERE program = 'drain' AND ended_at = 0");
}

int64_t
row_drain_count_of(struct tx *tx, int64_t deployment)
{
	return tx_number(tx, "SELECT COUNT(*) FROM run WHERE deployment = $1 AND program = 'drain'",
	    DB_I64(deployment));
}

bool
row_drain_is(struct tx *tx, int64_t run)
{
	return tx_number(tx, "SELECT COUNT(*) FROM run WHERE id = $1 AND program = 'drain'",
		   DB_I64(run)) > 0;
}
