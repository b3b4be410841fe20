/* command_confirm.c - the answer to a question: goes on with a deployment, or leaves it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/who/decide_allowed.h"
#include "decide/queue/decide_barrier.h"
#include "decide/factor/decide_factor_state.h"
#include "decide/factor/decide_lacks.h"
#include "decide/question/decide_question.h"
#include "decide/queue/decide_queue.h"
#include "decide/decide_reply.h"

/* A step back past a barrier is a rollback, whatever word asked for it. */
static bool
may_go_past(struct tx *tx, const struct update *update, const struct deployment *deployment)
{
	if (decide_is_allowed(tx, update->person, POLICY_ROLLBACK, deployment->environment))
		return deployment_is_emergency(deployment) || /* its code was given before */
		    !decide_lacks_factor(tx, update, POLICY_ROLLBACK, deployment->environment);
	decide_deny(tx, update, POLICY_ROLLBACK, deployment->environment, "rollback",
	    "it rolls back past a barrier, and who confirms that needs the grant rollback");
	return false;
}

static void
proceed(struct tx *tx, const struct update *update, struct deployment *deployment)
{
	bool is_anothers = deployment->requested_by != update->person;
	char requester[PRINCIPAL_TEXT], detail[LIMIT_LINE];
	struct barrier past[BARRIERS_SHOWN];
	bool is_past = decide_list_past(tx, deployment, past) > 0;

	if (is_past && !may_go_past(tx, update, deployment))
		return;
	(void)decide_requester(tx, deployment, requester);
	decide_audit_request(tx, deployment, update->person,
	    deployment_is_action(deployment) ? AUDIT_CODE_ACTION_CONFIRMED :
					       AUDIT_CODE_DEPLOY_CONFIRMED,
	    "confirmed",
	    (const char *const[]){ "name", update->name,
		is_past		? "past" :
		    is_anothers ? "requested_by" :
				  NULL,
		is_past ? past[0].reason : requester,
		is_past && is_anothers ? "requested_by" : NULL, requester, NULL });
	if (deployment->state == DEPLOY_QUEUED) {
		decide_queue_confirm(tx, deployment, update);
	} else if (!decide_confirm(tx, deployment, update)) {
		decide_toastf(tx, update, false, "Confirmed.");
		return;
	}
	row_deployment_get(tx, deployment->id, deployment); /* its turn may have come */
	if (deployment_is_asked(deployment)) {
		decide_toastf(tx, update, true, "It has changed: look again.");
	} else if (deployment->state == DEPLOY_REFUSED) {
		decide_answer_no(tx, update);
		decide_toastf(
		    tx, update, true, "Refused: %s.", deployment_detail(deployment, detail));
	} else {
		decide_toastf(tx, update, false,
		    deployment->state == DEPLOY_AWAITING_APPROVAL ? "It awaits approval now." :
			deployment->state == DEPLOY_QUEUED	  ? "Queued." :
								    "Started.");
	}
}

void
command_confirm(struct tx *tx, const struct update *update, const struct request *request)
{
	struct deployment deployment;
	char answer[LIMIT_REF];

	row_deployment_get(tx, request_number(request, "work"), &deployment);
	decide_factor_set_work(tx, deployment.id);
	if (!decide_may_answer(tx, update, &deployment))
		return;
	if (strcmp(request_get(request, "answer", answer), "yes") == 0)
		proceed(tx, update, &deployment);
	else
		decide_press_cancel(tx, update, &deployment);
}
