/* command_approve.c - /approve <number>: one of those who let some work start says yes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_approval.h"

void
command_approve(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF];
	struct deployment work = decide_approval_work(tx, update, request, rest);

	if (work.id != 0)
		decide_approve(tx, update, &work, request_number(request, "work") == 0);
}
