/* command_cancel.c - /cancel <environment>: ends what is under way, or what waits.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_reply.h"

void
command_cancel(struct tx *tx, const struct update *update, const struct chat_command *command)
{
	const char *name = command->argument[0];
	struct deployment deployment, queued;

	if (decide_where(tx, update, POLICY_CANCEL, name) == NULL)
		return;
	deployment = row_deployment_active(tx, name);
	queued = row_deployment_queued(tx, name);
	if (deployment.id == 0)
		deployment = queued;
	if (deployment.id == 0)
		deployment = row_deployment_asking(tx, name);
	if (deployment.id == 0) {
		(void)decide_sayf(tx, &update->place, "Nothing is under way in %s.", name);
		return;
	}
	if (!decide_cancel(tx, &deployment, update)) {
		(void)decide_sayf(tx, &update->place,
		    "%s is %s: that cannot be cancelled; it ends by itself.", name,
		    deploy_flow_word(deployment.state));
		return;
	}
	(void)decide_sayf(tx, &update->place, "✋ %s: cancelling " MARK_CODE "%.7s" MARK_CODE ".%s",
	    name, deployment.commit,
	    queued.id != 0 && queued.id != deployment.id ?
		" What waits behind it starts next; /cancel once more ends that too." :
		"");
}
