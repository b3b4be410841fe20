/* command_enrol.c - [Confirm] under a second factor that somebody has made in the chat.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/factor/decide_factor_own.h"

void
command_enrol(struct tx *tx, const struct update *update, const struct request *request)
{
	decide_factor_own_confirm(
	    tx, update, request_get_number(request, "person"), request_get_number(request, "made"));
}
