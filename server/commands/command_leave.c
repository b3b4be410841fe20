/* command_leave.c - a button of /queue: gives up one's own place.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/work/decide_end.h"
#include "decide/queue/decide_queue.h"
#include "decide/decide_reply.h"

void
command_leave(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment work;
	struct request queue;

	row_deployment_get(tx, request_number(request, "work"), &work);
	if (!decide_may(tx, update, POLICY_TALK, work.environment))
		return;
	if (work.state != DEPLOY_QUEUED || work.requested_by != update->person) {
		decide_expired(tx, update);
		return;
	}
	(void)decide_cancel(tx, &work, update);
	decide_queues(tx); /* what is shown is who stands where from now on */
	decide_toastf(tx, update, false, "You left the queue: #%lld.", (long long)work.id);
	queue = request_of("queue", request_text(request, "of"));
	queue.message = request->message;
	command_queue(tx, update, &queue);
}
