/* handle_run_step.c - a script said `==> name`.  Side: store. */
/* SPDX-License-Identifier: ISC */

#include "decide/tell/decide_tell.h"
#include "store/row_environment.h"
#include "store/row_run.h"
#include "handlers/handlers.h"

/* Where the database knows a release it is that one, and no other, that is rolled back to. */
static void
take_previous(struct tx *tx, struct deployment *deployment, const char *step)
{
	struct environment environment;

	if (row_environment_get(tx, deployment->environment, &environment)->current.id == 0)
		deployment_take_previous(deployment, step);
}

void
handle_run_step(struct tx *tx, const struct event *event)
{
	const struct run_step *step = &event->u.run_step;
	const char *removed = deployment_removed(step->name);
	struct deployment deployment;

	if (!row_run_is_open(tx, step->run) || !row_step_add(tx, step))
		return;
	row_deployment_of_run(tx, step->run, &deployment);
	if (removed != NULL)
		row_release_removed(tx, deployment.environment, removed);
	if (deployment.run != step->run)
		return;
	if (deployment.state != DEPLOY_ROLLING_BACK) {
		take_previous(tx, &deployment, step->name);
		deployment_take_migration(&deployment, step->name);
		deployment.target_changed |= strcmp(step->name, "release") == 0;
		deployment.cannot_roll_back |= strcmp(step->name, "no-rollback") == 0;
		deployment_take_image(&deployment, step->image);
		row_deployment_save(tx, &deployment);
	}
	decide_tell(tx, &deployment, NULL);
}
