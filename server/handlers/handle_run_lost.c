/* handle_run_lost.c - a supervisor was killed: what it started is being ended, and is waited for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_deployment.h"
#include "decide/tell/decide_tell.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "store/row_run.h"

/* What stands there must still be true when it has ended. */
static void
say_lost(const struct run_lost *lost, char ret[LIMIT_LINE])
{
	char text[LIMIT_LINE + 64];

	if (lost->stuck[0] == '\0')
		text_setf(text, "it was killed; ending what it started");
	else
		text_setf(text, "it was killed, and %s", lost->stuck);
	(void)text_copy(ret, LIMIT_LINE, text);
}

void
handle_run_lost(struct tx *tx, const struct event *event)
{
	const struct run_lost *lost = &event->u.run_lost;
	struct deployment deployment;

	row_deployment_of_run(tx, lost->run, &deployment);
	if (deployment.id == 0 || deployment.run != lost->run)
		return;
	if (deployment.state == DEPLOY_RUNNING) {
		deployment.why = DEPLOY_WHY_INTERRUPTED;
		say_lost(lost, deployment.detail);
		(void)decide_step(tx, &deployment, DEPLOY_ON_LOST, NULL);
	} else if (lost->stuck[0] != '\0' && row_run_is_open(tx, deployment.run)) {
		/* Cancelled or rolled back, and why stands there: this is why it takes so long. */
		say_lost(lost, deployment.note);
		row_deployment_save(tx, &deployment);
		decide_tell(tx, &deployment, NULL);
	}
}
