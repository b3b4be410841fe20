/* decide_record.c - what the audit, the log and the metrics hear of a deployment's step.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_record.h"

#include <inttypes.h>

#include "decide/decide_reply.h"
#include "store/row_audit.h"

static const char *
audit_word_of_action(enum deploy_state state, enum deploy_state from)
{
	if (state == DEPLOY_RUNNING)
		return from == DEPLOY_QUEUED ? "action_started" : NULL;
	if (deploy_flow_class(state) != DEPLOY_CLASS_FINAL)
		return NULL;
	return state == DEPLOY_DONE ? "action_completed" : "action_failed";
}

static const char *
audit_action(const struct deployment *deployment, enum deploy_state from)
{
	if (deployment_is_action(deployment))
		return audit_word_of_action(deployment->state, from);
	switch (deployment->state) {
	case DEPLOY_RUNNING:
		return from != DEPLOY_QUEUED	       ? NULL :
		    deployment_is_rollback(deployment) ? "rollback_started" :
							 "deploy_started";
	case DEPLOY_ROLLING_BACK:
		return from != DEPLOY_ROLLING_BACK ? "rollback_started" : NULL;
	case DEPLOY_LIVE:
		return deployment_is_rollback(deployment) ? "rollback_completed" : "deploy_success";
	case DEPLOY_ROLLED_BACK:
		return "auto_rollback_completed";
	case DEPLOY_ROLLBACK_FAILED:
		return "auto_rollback_failed";
	case DEPLOY_FAILED:
	case DEPLOY_REFUSED:
	case DEPLOY_CANCELLED:
	case DEPLOY_EXPIRED:
	case DEPLOY_SUPERSEDED:
		return deployment_is_rollback(deployment) ? "rollback_failed" : "deploy_failed";
	default:
		return NULL;
	}
}

static const char *
audit_severity(enum deploy_state state)
{
	if (state == DEPLOY_FAILED || state == DEPLOY_ROLLED_BACK || state == DEPLOY_ROLLING_BACK)
		return "warning";
	return state == DEPLOY_ROLLBACK_FAILED ? "alert" : "info";
}

static void
add_entry(struct tx *tx, const struct deployment *deployment, const char *action)
{
	char user[PRINCIPAL_TEXT];

	row_audit_add(tx,
	    &(struct audit_entry){
		.action = action,
		.user = deployment->requested_by != 0 ?
		    decide_user(tx, deployment->requested_by, user) :
		    deployment->requester,
		.environment = deployment->environment,
		.commit = deployment->commit,
		.outcome = deploy_flow_word(deployment->state),
		.severity =
		    decide_severity(deployment->requested_by, audit_severity(deployment->state)),
		.deployment = deployment->id,
	    },
	    (const char *const[]){ "trigger", trigger_word(deployment->trigger), "why",
		deploy_flow_why_word(deployment->why), "detail", deployment->detail, "previous",
		deployment->previous, "name", deployment->requester,
		deployment->image[0] != '\0' ? "image" : NULL, deployment->image, NULL });
}

void
decide_record_step(struct tx *tx, const struct deployment *deployment, enum deploy_state from)
{
	const char *action = audit_action(deployment, from);

	if (action == NULL)
		return;
	if (deployment->state == DEPLOY_ROLLING_BACK)
		add_entry(tx, deployment, "deploy_failed");
	add_entry(tx, deployment, action);
}

void
decide_record_end(struct tx *tx, const struct deployment *deployment)
{
	char outcome[LIMIT_ENVIRONMENT];
	double seconds = 0;

	if (deployment_is_action(deployment)) /* those have a counter of their own */
		return;
	deployment_outcome_label(deployment->state, outcome);
	if (deployment->started_at > 0)
		seconds = (double)(deployment->ended_at - deployment->started_at) / 1000;
	tx_count_metric(tx, INCREMENT_DEPLOYMENT, deployment->environment,
	    trigger_word(deployment->trigger), outcome, seconds);
}

void
decide_record_log(struct tx *tx, const struct deployment *deployment, enum deploy_state from,
    enum deploy_event event)
{
	const char *severity = audit_severity(deployment->state);
	/* Of a rollback that failed the detail is its own, and the word is what it was for. */
	const char *why = deployment->state == DEPLOY_ROLLBACK_FAILED ?
	    "" :
	    deploy_flow_why_word(deployment->why);
	bool is_refused = deployment->state == DEPLOY_REFUSED;
	bool is_bad = strcmp(severity, "info") != 0;
	bool has_reason = (is_bad || is_refused) && deployment->detail[0] != '\0';

	tx_log(tx,
	    strcmp(severity, "alert") == 0 ? LOG_LEVEL_ERROR :
		is_bad			   ? LOG_LEVEL_WARNING :
					     LOG_LEVEL_INFO,
	    "deployment %" PRId64 ": %s → %s on %s (%s%s%.7s)%s%s%s%s", deployment->id,
	    deploy_flow_name(from), deploy_flow_name(deployment->state),
	    deploy_flow_event_name(event), deployment->environment,
	    deployment->commit[0] != '\0' ? " " : "", deployment->commit,
	    is_bad && why[0] != '\0' ? ": " : "", is_bad ? why : "", has_reason ? ": " : "",
	    has_reason ? deployment->detail : "");
}
