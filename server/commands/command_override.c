/* command_override.c - a reply with a reason, by which a freeze is passed; it has no button.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"

void
command_override(struct tx *tx, const struct update *update, const struct request *request)
{
	if (decide_may(tx, update, POLICY_FREEZE, request->target))
		decide_toastf(tx, update, true,
		    "Reply to this message with the reason: then %s is deployed to.",
		    request->target);
}
