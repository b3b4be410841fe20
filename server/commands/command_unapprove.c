/* command_unapprove.c - what "Withdraw my approval" stands for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/approval/decide_approval.h"

void
command_unapprove(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF];
	struct deployment work;

	decide_approval_work(tx, update, request, rest, &work);
	if (work.id != 0)
		decide_approval_withdraw(tx, update, &work);
}
