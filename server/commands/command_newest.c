/* command_newest.c - "Ask for the newest instead": a push that awaits approvals gives way.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/work/decide_deployment.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_deployment.h"

void
command_newest(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;

	row_deployment_get(tx, request_number(request, "work"), &work);
	if (!decide_may(tx, update, POLICY_CONFIRM, work.environment))
		return;
	if (work.state != DEPLOY_AWAITING_APPROVAL) {
		decide_expired(tx, update);
		return;
	}
	decide_audit_request(tx, &work, update->person, AUDIT_CODE_DEPLOY_APPROVAL, "replaced",
	    (const char *const[]){ "name", update->name, NULL });
	text_setf(work.detail, "the newest is asked for, by %.72s", update->name);
	work.why = DEPLOY_WHY_ELSEWHERE;
	(void)decide_step(tx, &work, DEPLOY_ON_SUPERSEDE, NULL);
	decide_toastf(tx, update, false, "The newest is asked for.");
}
