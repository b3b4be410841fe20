/* command_zone.c - [Restore again] and [Done by hand] of a zone that could not be restored.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/work/decide_cloudflare.h"
#include "decide/decide_reply.h"

void
command_zone(struct tx *tx, const struct update *update, const struct request *request)
{
	char answer[LIMIT_REF];
	bool is_again = strcmp(request_get(request, "answer", answer), "again") == 0;

	if (!decide_may_do(tx, update, "cf-normal", request->target))
		return;
	if (!decide_cloudflare_answer(tx, update, request->target, is_again))
		decide_expired(tx, update);
	else
		decide_toastf(
		    tx, update, false, is_again ? "Restoring again." : "Closed: set by hand.");
}
