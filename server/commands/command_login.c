/* command_login.c - /login <token>: a role besides one's own, for a while.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/who/decide_login.h"
#include "decide/decide_reply.h"

void
command_login(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	/* The words of the request were taken out: update->token. */
	bool is_seen = !update->is_private || update->address.chat == 0;

	if (is_seen && update->token[0] != '\0' && decide_is_stranger(tx, update->person))
		decide_deny(tx, update, POLICY_GREET, "", "login",
		    "a token that others have seen is no token any more, have it revoked");
	else if (!decide_may_as(tx, update, POLICY_GREET, "", "login"))
		return;
	else if (is_seen)
		(void)decide_sendf(tx, &update->address,
		    "🔐 Not logged in: write " MARK_CODE "/login <token>" MARK_CODE
		    " in our private chat. A token that others have seen is no token any more: have it revoked.");
	else if (update->token[0] == '\0')
		(void)decide_sendf(tx, &update->address,
		    "Usage: " MARK_CODE "/login <token>" MARK_CODE
		    ", with a token that an admin has made: deploybot token add");
	else
		decide_login(tx, update);
}
