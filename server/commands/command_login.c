/* command_login.c - /login <token>: a role besides one's own, for a while.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_login.h"
#include "decide/decide_reply.h"

void
command_login(struct tx *tx, const struct update *update, const struct request *request)
{
	(void)request; /* its words were taken out: update->token */
	if (!decide_may(tx, update, POLICY_GREET, ""))
		return;
	if (!update->is_private || update->address.chat == 0)
		(void)decide_sendf(tx, &update->address,
		    "🔑 Not logged in: write " MARK_CODE "/login <token>" MARK_CODE
		    " in our private chat. A token that others have seen is no token any more: have it revoked.");
	else if (update->token[0] == '\0')
		(void)decide_sendf(tx, &update->address,
		    "Usage: " MARK_CODE "/login <token>" MARK_CODE
		    ", with a token that an admin has made: deploybot token add");
	else
		decide_login(tx, update);
}
