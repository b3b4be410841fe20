/* decide_logs.c - which logs of runs go, and orders their end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_logs.h"

#include "store/row_effect.h"
#include "store/row_retention.h"
#include "store/row_runner.h"

#define PURGE_MAX 256 /* folders in one round */

/* Agents keep so many folders, and remove them themselves. */
static bool
is_here(struct tx *tx, int64_t run)
{
	char runner[LIMIT_RUNNER];

	return peer_of_host(row_runner_of(tx, run, runner)) == NULL;
}

static bool
purge_all(struct tx *tx, const int64_t runs[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_here(tx, runs[i]))
			(void)row_effect_order(tx,
			    &(struct effect){
				.kind = EFFECT_PURGE_RUN, .u.purge_run.run = runs[i] });
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
