/* command_console.c - /console: a link that logs in to the page, once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_console.h"

void
command_console(struct tx *tx, const struct update *update, UNUSED const struct request *request)
{
	if (decide_may(tx, update, POLICY_TALK, ""))
		decide_console_link(tx, update);
}
