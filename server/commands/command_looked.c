/* command_looked.c - what runs in an environment is known again: somebody has looked.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/work/decide_unknown.h"
#include "store/row_environment.h"

void
command_looked(struct tx *tx, const struct update *update, const struct request *request)
{
	if (!decide_may_called(tx, update, POLICY_ROLLBACK, request->target, "start queue"))
		return;
	if (row_environment_get(tx, request->target, &(struct environment){ 0 })->unknown_since ==
	    0) {
		decide_expired(tx, update);
		return;
	}
	decide_looked(tx, update, request->target);
	decide_toastf(tx, update, false, "Deployments to %s go on.", request->target);
}
