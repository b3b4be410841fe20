/* command_logout.c - /logout: ends one's login by a token.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_session.h"

void
command_logout(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	if (!decide_may_as(tx, update, POLICY_GREET, "", "logout"))
		return;
	(void)decide_sendf(tx, &update->address,
	    decide_session_leave(tx, update) ? "🔐 Logged out: only your own roles count now." :
					       "🔐 You are not logged in.");
}
