/* handle_run_ended.c - the exit record: the only thing that ends a run.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_deployment.h"
#include "deployment/run_verdict.h"
#include "handlers/handlers.h"
#include "lib/text.h"

void
handle_run_ended(struct tx *tx, const struct event *event)
{
	const struct run_ended *ended = &event->u.run_ended;
	struct deployment deployment = row_deployment_of_run(tx, ended->run);
	struct run_verdict verdict;

	if (!row_run_is_open(tx, ended->run))
		return;
	row_run_ended(tx, ended);
	if (deployment.id == 0 || deployment.run != ended->run)
		return;
	verdict = run_verdict(&deployment, ended, DECIDE_ATTEMPTS_MAX);
	if (deployment.state != DEPLOY_ROLLING_BACK) {
		deployment.is_touched = verdict.is_touched;
		deployment.has_no_way_back |= ended->no_way_back;
	}
	if (verdict.why != DEPLOY_WHY_NONE)
		deployment.why = verdict.why;
	if (verdict.detail[0] != '\0')
		(void)text_copy(deployment.detail, sizeof(deployment.detail), verdict.detail);
	(void)decide_step(tx, &deployment, verdict.event, NULL);
}
