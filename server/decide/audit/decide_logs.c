/* decide_logs.c - which logs of runs go, and orders their end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_logs.h"

#include "store/row_effect.h"
#include "store/row_retention.h"
#include "store/row_runner.h"

#define PURGE_MAX 256 /* folders in one round */

/* Agents keep so many folders, and remove them themselves. */
static void
purge(struct tx *tx, int64_t run)
{
	struct effect effect = { .kind = EFFECT_PURGE_RUN, .u.purge_run.run = run };

	if (peer_of_host(row_runner_of(tx, run, effect.u.purge_run.runner)) == NULL)
		(void)row_effect_order(tx, &effect);
}

static bool
purge_all(struct tx *tx, const int64_t runs[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		purge(tx, runs[i]);
	return n == PURGE_MAX;
}

bool
decide_logs_keep(struct tx *tx)
{
	int64_t runs[PURGE_MAX];

	return purge_all(
	    tx, runs, row_retention_purge_runs(tx, tx->settings->run_logs_keep, runs, PURGE_MAX));
}

bool
decide_logs_total(struct tx *tx)
{
	int64_t runs[PURGE_MAX];

	return purge_all(
	    tx, runs, row_retention_purge_total(tx, tx->settings->run_logs_total, runs, PURGE_MAX));
}
