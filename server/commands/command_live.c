/* command_live.c - somebody has seen enough of a release that bakes: it is live.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/work/decide_bake_said.h"
#include "store/row_deployment.h"

void
command_live(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;

	row_deployment_get(tx, request_number(request, "work"), &work);
	if (!decide_may(tx, update, POLICY_DEPLOY, work.environment))
		return;
	if (decide_bake_wants(tx, update, &work, DECIDE_BAKE_LIVE))
		decide_toastf(tx, update, false, "It is live.");
	else
		decide_expired(tx, update);
}
