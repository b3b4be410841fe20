/* command_give.c - a button of /queue: gives one's own place to a person further back.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/queue/decide_give.h"
#include "decide/queue/decide_queue.h"
#include "decide/decide_reply.h"
#include "lib/text.h"

void
command_give(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment mine;
	struct deployment other;
	struct request queue;

	row_deployment_get(tx, request_number(request, "work"), &mine);
	row_deployment_get(tx, request_get_number(request, "to"), &other);
	if (!decide_may(tx, update, POLICY_TALK, mine.environment))
		return;
	if (mine.requested_by != update->person || !decide_give(tx, &mine, &other)) {
		decide_expired(tx, update);
		return;
	}
	decide_queues(tx);
	decide_toastf(tx, update, false, "%.*s has your place.",
	    (int)text_cut(other.requester, strlen(other.requester), 40), other.requester);
	queue = request_of("queue", request_text(request, "of"));
	queue.message = request->message;
	command_queue(tx, update, &queue);
}
