/* command_line.c - the button "New line": the same nonce with a ts of now.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "commands/commands.h"
#include "decide/approval/decide_ready.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"

void
command_line(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;

	row_deployment_get(tx, request_number(request, "work"), &work);
	if (!decide_may(tx, update, POLICY_TALK, ""))
		return;
	if (work.id == 0 || !decide_sees(tx, update->person, deployment_target_here(&work))) {
		decide_expired(tx, update);
	} else if (work.state != DEPLOY_AWAITING_APPROVAL) {
		decide_toastf(tx, update, false, "#%" PRId64 " is %s: nothing is left to approve.",
		    work.id, deploy_flow_word(work.state));
	} else {
		decide_ready_send(tx, &update->address, &work);
		decide_toastf(tx, update, false, "A line of now.");
	}
}
