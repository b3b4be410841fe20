/* command_approve.c - /approve <number>: one of those who let some work start says yes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"

#include "decide/approval/decide_approval.h"
#include "decide/factor/decide_pad_shown.h"
#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"

/* On a machine nothing was shown that would have changed since: a yes to what was asked anew says
 * which question it has read.  A code is for one question anyway. */
static bool
is_of_what_was_read(struct tx *tx, const struct update *update, const struct deployment *work)
{
	const char *read = tx->event->kind == EVENT_API ? tx->event->u.api->shown : NULL;
	CLEANUP(freep) char *text = NULL;
	char shown[API_SHOWN];

	if (read == NULL || work->changed[0] == '\0' || work->state != DEPLOY_AWAITING_APPROVAL ||
	    tx->factor_of == update->person ||
	    strcmp(decide_pad_digest(tx, work->id, shown), read) == 0)
		return true;
	if (!decide_may_approve(tx, update, work))
		return false;
	tx->answer.work = work->id;
	decide_refusef(tx, 409, "It was asked anew: nothing was approved. It asks now:");
	text = decide_tell_text(tx, work, update->person);
	if (text != NULL)
		decide_answer(tx, text);
	return false;
}

void
command_approve(struct tx *tx, const struct update *update, const struct request *request)
{
	char rest[LIMIT_REF];
	struct deployment work;

	decide_approval_work(tx, update, request, rest, &work);
	if (work.id != 0 && is_of_what_was_read(tx, update, &work))
		decide_approve(tx, update, &work, request_number(request, "work") == 0);
}
