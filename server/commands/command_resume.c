/* command_resume.c - /resume <environment>: what is paused there goes on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_bake_said.h"
#include "store/row_deployment.h"

void
command_resume(struct tx *tx, const struct update *update, const struct request *request)
{
	char name[LIMIT_ENVIRONMENT];
	struct deployment work;

	if (!decide_where_open(tx, update, POLICY_ROLLBACK, request, name))
		return;
	row_deployment_active(tx, name, &work);
	if (!decide_bake_is_meant(tx, update, request, &work))
		return;
	if (!decide_bake_wants(tx, update, &work, DECIDE_BAKE_RESUME)) {
		decide_answer_no(tx, update);
		(void)decide_send_firstf(tx, &update->address, FIRST_IS_NOT_PAUSED, name,
		    ": there is nothing to go on with.");
		return;
	}
	if (work.state == DEPLOY_PAUSED) {
		decide_answer_no(tx, update);
		(void)decide_send_firstf(tx, &update->address, FIRST_STAYS_PAUSED, name,
		    ": its message says what keeps it.");
	} else if (update->kind == UPDATE_PRESS && !decide_is_answered(update)) {
		decide_toastf(tx, update, false, work.waves > 0 ? "It goes on." : "It bakes on.");
	} else {
		(void)decide_send_firstf(tx, &update->address, FIRST_RESUMES, name, "%s",
		    work.waves > 0 ? ": it goes on with its waves." :
				     ": it is watched for what is left of its bake.");
	}
}
