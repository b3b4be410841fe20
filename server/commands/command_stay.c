/* command_stay.c - a release that is paused stays where it is, and is not live.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/work/decide_bake_said.h"
#include "store/row_deployment.h"

void
command_stay(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;

	row_deployment_get(tx, request_number(request, "work"), &work);
	if (!decide_may(tx, update, POLICY_ROLLBACK, work.environment))
		return;
	if (decide_bake_wants(tx, update, &work, DECIDE_BAKE_LEAVE))
		decide_toastf(tx, update, false, "%s",
		    work.waves > 0 ? "It stays: each host keeps what it runs." :
				     "It stays; what is live on record does not run.");
	else
		decide_expired(tx, update);
}
