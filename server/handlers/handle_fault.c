/* handle_fault.c - the handler of a result failed: what hung on it must still end.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "decide/decide_deployment.h"
#include "decide/decide_push.h"
#include "handlers/handlers.h"
#include "lib/log.h"

void
handle_fault(struct tx *tx, const struct event *event)
{
	const struct fault *fault = &event->u.fault;
	struct deployment deployment;

	log_error("deployment %" PRId64 ": the result of %s could not be handled: %s",
	    fault->subject, effect_name((enum effect_kind)fault->kind), fault->reason);
	if (fault->kind == EFFECT_ASK && fault->subject == 0)
		decide_poll_later(tx);
	if (fault->subject == 0 ||
	    (fault->kind != EFFECT_RUN && fault->kind != EFFECT_PROBE && fault->kind != EFFECT_ASK))
		return;
	deployment = row_deployment_get(tx, fault->subject);
	if (fault->kind == EFFECT_ASK && deployment.state != DEPLOY_REQUESTED)
		return;
	decide_give_up(tx, &deployment, fault->reason);
}
