/* handle_run_started.c - a script waits at its gate: written down, and the answer opens it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "handlers/handlers.h"
#include "store/row_deployment.h"

#define GO	200
#define NO_GO	409	/* its run was ended before it began: the gate stays shut */

void
handle_run_started(struct tx *tx, const struct event *event)
{
	const struct run_started *started = &event->u.run_started;

	if (!row_run_is_open(tx, started->run)) {
		tx->answer.status = NO_GO;
		return;
	}
	row_run_started(tx, started);
	tx->answer.status = row_deployment_of_run(tx, started->run).state == DEPLOY_STOPPING ? NO_GO : GO;
}
