/* command_logout.c - /logout: ends one's login by a token, and the console's.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_console.h"
#include "decide/who/decide_session.h"

void
command_logout(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	bool is_left;
	int64_t n;

	if (!decide_may_as(tx, update, POLICY_GREET, "", "logout"))
		return;
	is_left = decide_session_leave(tx, update);
	n = decide_console_leave(tx, update, "at their word");
	(void)decide_sendf(tx, &update->address, "🔐 %s%s",
	    is_left   ? "Logged out: only your own roles count now." :
		n > 0 ? "Logged out." :
			"You are not logged in.",
	    n > 0 ? " Each page of the console that was open as you has ended." : "");
}
