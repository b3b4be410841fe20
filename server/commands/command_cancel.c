/* command_cancel.c - /cancel <environment>: ends what is in progress, or what is queued.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_reply.h"

/* Before git has answered only the ref is known, and that is what they typed. */
static void
say_cancelling(struct tx *tx, const struct update *update, const struct deployment *deployment,
    bool is_waited_for)
{
	struct chat_text text;

	chat_text_init(&text);
	chat_text_add(&text, "✋ %s: cancelling ", deployment->environment);
	if (deployment->commit[0] != '\0')
		chat_text_commit(&text, "", deployment->commit);
	else
		chat_text_code(&text, "", deployment->ref);
	chat_text_add(&text, ".%s",
	    is_waited_for ? " The queued deployment starts next; /cancel again cancels it too." :
			    "");
	(void)decide_send(tx, &update->address, &text);
}

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
		(void)decide_sendf(tx, &update->address, "Nothing to cancel in %s.", name);
		return;
	}
	if (!decide_cancel(tx, &deployment, update)) {
		(void)decide_sendf(tx, &update->address,
		    "%s is %s: that cannot be cancelled; it ends by itself.", name,
		    deploy_flow_word(deployment.state));
		return;
	}
	say_cancelling(tx, update, &deployment, queued.id != 0 && queued.id != deployment.id);
}
