/* command_seen.c - somebody has seen that an environment was rolled back, or is down.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/tell/decide_nag.h"
#include "decide/decide_reply.h"
#include "store/row_deployment.h"

void
command_seen(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;

	row_deployment_get(tx, request_number(request, "work"), &work);
	/* It changes nothing there: no code of a second factor is asked for. */
	if (!decide_is_allowed(tx, update->person, POLICY_ROLLBACK, work.environment)) {
		decide_deny(tx, update, POLICY_ROLLBACK, work.environment, "seen",
		    "who has seen it needs the grant rollback");
		return;
	}
	if (decide_nag_seen(tx, update, &work))
		decide_toastf(tx, update, false, "Seen: nobody is reminded any more.");
	else
		decide_expired(tx, update);
}
