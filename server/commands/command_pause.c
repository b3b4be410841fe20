/* command_pause.c - /pause <environment>: what bakes there waits for a person, and stays as it is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_bake_said.h"
#include "store/row_deployment.h"

static void
say(struct tx *tx, const struct update *update, const struct deployment *work)
{
	const char *when = work->state == DEPLOY_PAUSED ? "" : " when its script has ended well";

	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toastf(tx, update, false, "Paused%s.", when);
	else
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_PAUSES, work->environment, "%s.", when);
}

void
command_pause(struct tx *tx, const struct update *update, const struct request *request)
{
	char name[LIMIT_ENVIRONMENT];
	struct deployment work;

	if (!decide_where_open(tx, update, POLICY_ROLLBACK, request, name))
		return;
	row_deployment_active(tx, name, &work);
	if (!decide_bake_is_meant(tx, update, request, &work))
		return;
	if (decide_bake_wants(tx, update, &work, DECIDE_BAKE_PAUSE)) {
		say(tx, update, &work);
		return;
	}
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_NOT_PAUSED, name,
	    ": nothing bakes there (<ENV>_BAKE); " MARK_CODE "/cancel %s" MARK_CODE
	    " stops what is in progress.",
	    name);
}
