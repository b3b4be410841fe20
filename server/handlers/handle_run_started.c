/* handle_run_started.c - a script waits at its gate: written down, and the answer opens it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"
#include "store/row_deployment.h"
#include "store/row_drain.h"
#include "store/row_run.h"

#define GO    200
#define NO_GO 409 /* its run was ended before it began: the gate stays shut */

/* Is this the run that its deployment waits for, or its drain? */
static bool
is_awaited(struct tx *tx, int64_t run)
{
	struct deployment deployment;

	row_deployment_of_run(tx, run, &deployment);
	return row_run_is_open(tx, run) &&
	    (row_drain_is(tx, run) ||
		(deployment.run == run &&
		    (deployment.state == DEPLOY_RUNNING ||
			deployment.state == DEPLOY_ROLLING_BACK)));
}

void
handle_run_started(struct tx *tx, const struct event *event)
{
	const struct run_started *started = &event->u.run_started;

	if (row_run_is_open(tx, started->run))
		row_run_started(tx, started);
	tx->answer.status = is_awaited(tx, started->run) ? GO : NO_GO;
}
