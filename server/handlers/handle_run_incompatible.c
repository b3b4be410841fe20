/* handle_run_incompatible.c - a supervisor of another version is not understood: its chat is notified.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/tell/decide_tell.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_run.h"

#define NOTE \
	"started by another version of deploybot: it keeps running, and its steps are shown at its end"

void
handle_run_incompatible(struct tx *tx, const struct event *event)
{
	struct deployment deployment;

	row_deployment_of_run(tx, event->u.run_started.run, &deployment);
	if (deployment.id == 0 || deployment.run != event->u.run_started.run ||
	    !row_run_is_open(tx, deployment.run))
		return;
	text_set(deployment.note, NOTE);
	row_deployment_save(tx, &deployment);
	decide_tell(tx, &deployment, NULL);
}
