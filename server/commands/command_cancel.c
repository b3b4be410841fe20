/* command_cancel.c - /cancel <environment>: ends what is in progress, or what is queued.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_deployment.h"
#include "decide/decide_question.h"
#include "decide/decide_reply.h"
#include "decide/decide_where.h"
#include "store/row_environment.h"

/* Before git has answered only the ref is known, and that is what they typed. */
static void
say_cancelling(struct tx *tx, const struct update *update, const struct deployment *deployment,
    bool is_waited_for)
{
	struct chat_text text;

	chat_text_init(&text);
	chat_text_add(&text, "✋ %s: cancelling ", deployment->environment);
	if (deployment->commit[0] != '\0')
		chat_text_commit(&text, "", deployment->commit);
	else
		chat_text_code(&text, "", deployment->ref);
	chat_text_add(&text, ".%s",
	    is_waited_for ? " The queued deployment starts next; /cancel again cancels it too." :
			    "");
	(void)decide_send(tx, &update->address, &text);
}

/* Whoever may ask for it may cancel their own that has not begun. */
static bool
is_own_place(const struct update *update, const struct deployment *deployment)
{
	return deployment->trigger == TRIGGER_CHAT && deployment->requested_by == update->person &&
	    (deployment->state == DEPLOY_REQUESTED || deployment->state == DEPLOY_QUEUED);
}

/* One that a button stands for. */
static void
cancel_work(struct tx *tx, const struct update *update, int64_t work)
{
	struct deployment deployment = row_deployment_get(tx, work);

	enum policy_action action =
	    is_own_place(update, &deployment) ? decide_action_of(&deployment) : POLICY_CANCEL;

	if (decide_may(tx, update, action, deployment.environment))
		decide_press_cancel(tx, update, &deployment);
}

/* What waits for the end of a lock or freeze: its head stays seen, and nothing deploys it. */
static void
drop_push(struct tx *tx, const struct update *update, const struct environment *environment)
{
	char user[PRINCIPAL_TEXT];
	struct chat_text text;

	row_environment_set_waiting(tx, environment->name, "");
	row_audit_add(tx,
	    &(struct audit_entry){
		.action = "cancel_requested",
		.user = decide_user(tx, update->person, user),
		.environment = environment->name,
		.commit = environment->seen_commit,
		.outcome = "requested",
		.severity = decide_severity(update->person, "info"),
	    },
	    (const char *const[]){ "state", "waits", "name", update->name, NULL });
	chat_text_init(&text);
	chat_text_add(&text, "✋ " MARK_BOLD "%s" MARK_BOLD, environment->name);
	chat_text_commit(&text, ": push dropped: ", environment->seen_commit);
	chat_text_add(&text,
	    "\nNothing deploys it by itself: " MARK_CODE "/deploy %s" MARK_CODE
	    ", or the next push.",
	    environment->name);
	(void)decide_send(tx, &update->address, &text);
}

static void
cancel_in(struct tx *tx, const struct update *update, const char *name)
{
	struct environment environment = row_environment_get(tx, name);
	struct deployment deployment, queued;

	deployment = row_deployment_active(tx, name);
	queued = row_deployment_queued(tx, name);
	if (deployment.id == 0)
		deployment = queued;
	if (deployment.id == 0)
		deployment = row_deployment_asking(tx, name);
	if (deployment.id == 0 && environment_push_waits(&environment)) {
		drop_push(tx, update, &environment);
		return;
	}
	if (deployment.id == 0) {
		decide_answer_no(tx, update);
		(void)decide_sendf(tx, &update->address, "Nothing to cancel in %s.", name);
		return;
	}
	if (!decide_cancel(tx, &deployment, update)) {
		decide_answer_no(tx, update);
		(void)decide_sendf(tx, &update->address,
		    "%s is %s: that cannot be cancelled; it ends by itself.", name,
		    deploy_flow_word(deployment.state));
		return;
	}
	say_cancelling(tx, update, &deployment, queued.id != 0 && queued.id != deployment.id);
}

void
command_cancel(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t work = update->kind == UPDATE_PRESS ? request_number(request, "work") : 0;
	char name[LIMIT_ENVIRONMENT];

	if (work != 0) {
		cancel_work(tx, update, work);
		return;
	}
	if (decide_where_open(tx, update, POLICY_CANCEL, request, name))
		cancel_in(tx, update, name);
}
