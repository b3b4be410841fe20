/* row_drain.c - drains: runs that end what an ended deployment has left running.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_drain.h"

#include "store/store_inside.h"

static void
read_drain(const struct db_rows *rows, void *out)
{
	struct drain *ret = out;

	ret->run = db_col_i64(rows, 0);
	ret->deployment = db_col_i64(rows, 1);
	ret->since = db_col_i64(rows, 2);
	tx_text(rows, 3, ret->commit, sizeof(ret->commit));
}

/* What drains is what was live before, or what was rolled back. */
struct drain
row_drain_open(struct tx *tx, const char *environment)
{
	struct drain drain = { 0 };

	(void)tx_read(tx, read_drain, &drain, 1,
	    "SELECT run.id, work.id, work.ended_at,"
	    " CASE WHEN state = 'ROLLED_BACK' THEN commit_id ELSE previous END"
	    " FROM run INDEXED BY run_drain JOIN work ON work.id = run.deployment"
	    " WHERE run.program = 'drain' AND run.ended_at = 0 AND environment = $1"
	    " ORDER BY run.id DESC LIMIT 1",
	    DB_TEXT(environment)); /* sticky */
	return drain;
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
