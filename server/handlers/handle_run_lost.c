/* handle_run_lost.c - a keeper was killed: what it started is being ended, and is waited for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_deployment.h"
#include "handlers/handlers.h"
#include "lib/text.h"

void
handle_run_lost(struct tx *tx, const struct event *event)
{
	struct deployment deployment = row_deployment_of_run(tx, event->u.run_started.run);

	if (deployment.id == 0 || deployment.run != event->u.run_started.run ||
	    deployment.state != DEPLOY_RUNNING)
		return;
	deployment.why = DEPLOY_WHY_INTERRUPTED;
	(void)text_copy(deployment.detail, sizeof(deployment.detail),
	    "its keeper was killed; ending what it started");
	(void)decide_step(tx, &deployment, DEPLOY_ON_LOST, NULL);
}
