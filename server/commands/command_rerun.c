/* command_rerun.c - the button of a pipeline that has failed: its failed jobs run again, as new work.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/work/decide_do.h"

void
command_rerun(struct tx *tx, const struct update *update, const struct request *request)
{
	decide_do_rerun(tx, update, request_number(request, "work"));
}
