/* command_review.c - /review <number>: somebody has looked at an emergency deployment.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/approval/decide_approval.h"
#include "decide/approval/decide_emergency.h"

void
command_review(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF];
	struct deployment work;

	decide_approval_work(tx, update, request, rest, &work);
	if (work.id != 0)
		decide_emergency_review(tx, update, &work);
}
