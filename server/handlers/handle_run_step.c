/* handle_run_step.c - a script said `==> name`.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "decide/decide_tell.h"
#include "handlers/handlers.h"

void
handle_run_step(struct tx *tx, const struct event *event)
{
	const struct run_step *step = &event->u.run_step;
	struct deployment deployment;

	if (!row_run_is_open(tx, step->run) || !row_step_add(tx, step))
		return;
	deployment = row_deployment_of_run(tx, step->run);
	if (deployment.run != step->run)
		return;
	if (deployment.state != DEPLOY_ROLLING_BACK) {
		deployment.target_changed |= strcmp(step->name, "release") == 0;
		deployment.cannot_roll_back |= strcmp(step->name, "no-rollback") == 0;
		deployment_take_image(&deployment, step->image);
		row_deployment_save(tx, &deployment);
	}
	decide_tell(tx, &deployment, NULL);
}
