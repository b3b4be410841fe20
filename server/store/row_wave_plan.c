/* row_wave_plan.c - which host is in which wave, of work that is asked about: what was shown.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_wave_plan.h"

#include "store/store_inside.h"

void
row_wave_plan_set(struct tx *tx, int64_t work, const char *hosts)
{
	(void)tx_run(tx,
	    "INSERT INTO wave_plan (work, hosts) VALUES ($1, $2)"
	    " ON CONFLICT (work) DO UPDATE SET hosts = $2",
	    DB_I64(work), DB_TEXT(hosts)); /* sticky */
}

void
row_wave_plan_drop(struct tx *tx, int64_t work)
{
	(void)tx_run(tx, "DELETE FROM wave_plan WHERE work = $1", DB_I64(work)); /* sticky */
}

const char *
row_wave_plan_get(struct tx *tx, int64_t work, char ret[LIMIT_RUN_HOSTS])
{
	return tx_first_text(
	    tx, ret, LIMIT_RUN_HOSTS, "SELECT hosts FROM wave_plan WHERE work = $1", DB_I64(work));
}

void
row_wave_plan_doubt(struct tx *tx, const struct deployment *work)
{
	(void)tx_run(tx,
	    "UPDATE host SET state = 'unknown', detail = 'the last work here failed'"
	    " WHERE environment = $1 AND plan = $2 AND work <> $2",
	    DB_TEXT(work->environment), DB_I64(work->id)); /* sticky */
}
