/* decide_record.c - what the audit, the log and the metrics get of a deployment's step.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/audit/decide_record.h"

#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "store/row_approval.h"
#include "store/row_audit.h"
#include "store/row_host_list.h"
#include "store/row_opa.h"

#define NOTHING AUDIT_CODE_COUNT

static enum audit_code
code_of_action(enum deploy_state state, enum deploy_state from)
{
	if (state == DEPLOY_RUNNING)
		return from == DEPLOY_QUEUED ? AUDIT_CODE_ACTION_STARTED : NOTHING;
	if (deploy_flow_class(state) != DEPLOY_CLASS_FINAL)
		return NOTHING;
	if (state == DEPLOY_DONE)
		return AUDIT_CODE_ACTION_COMPLETED;
	return state == DEPLOY_FAILED ? AUDIT_CODE_ACTION_FAILED : AUDIT_CODE_ACTION_NOT_DONE;
}

static enum audit_code
audit_code(const struct deployment *deployment, enum deploy_state from)
{
	bool is_rollback = deployment_is_rollback(deployment);

	if (deployment_is_action(deployment))
		return code_of_action(deployment->state, from);
	switch (deployment->state) {
	case DEPLOY_RUNNING:
		return from == DEPLOY_BAKING || from == DEPLOY_PAUSED ? AUDIT_CODE_WAVE_STARTED :
		    from != DEPLOY_QUEUED			      ? NOTHING :
		    is_rollback ? AUDIT_CODE_ROLLBACK_STARTED :
				  AUDIT_CODE_DEPLOY_STARTED;
	case DEPLOY_ROLLING_BACK:
		return from != DEPLOY_ROLLING_BACK ? AUDIT_CODE_AUTO_ROLLBACK_STARTED : NOTHING;
	case DEPLOY_LIVE:
		return is_rollback ? AUDIT_CODE_ROLLBACK_COMPLETED : AUDIT_CODE_DEPLOY_SUCCESS;
	case DEPLOY_ROLLED_BACK:
		return AUDIT_CODE_AUTO_ROLLBACK_COMPLETED;
	case DEPLOY_ROLLBACK_FAILED:
		return AUDIT_CODE_AUTO_ROLLBACK_FAILED;
	case DEPLOY_FAILED:
		return is_rollback ? AUDIT_CODE_ROLLBACK_FAILED : AUDIT_CODE_DEPLOY_FAILED;
	case DEPLOY_REFUSED:
	case DEPLOY_CANCELLED:
	case DEPLOY_EXPIRED:
	case DEPLOY_SUPERSEDED:
		return is_rollback ? AUDIT_CODE_ROLLBACK_NOT_DONE : AUDIT_CODE_DEPLOY_NOT_DONE;
	default:
		return NOTHING;
	}
}

/* Whatever becomes of what passed the approvals, or of root's. */
static enum audit_severity
at_least(const struct deployment *deployment)
{
	return deployment_is_emergency(deployment) ? AUDIT_HIGH :
						     decide_severity(deployment->requested_by);
}

/* The ids of who approved, as they stand in the audit. */
static const char *
approvers(struct tx *tx, const struct deployment *deployment, char out[LIMIT_LINE])
{
	struct approval all[NEEDS_APPROVALS_MAX];
	size_t n = row_approval_list(tx, deployment->id, all), used = 0;
	char user[PRINCIPAL_TEXT];

	out[0] = '\0';
	for (size_t i = 0; i < n && used + 1 < LIMIT_LINE; i++)
		used += (size_t)snprintf(out + used, LIMIT_LINE - used, "%s%s", i > 0 ? ", " : "",
		    decide_user(tx, all[i].person, user)); /* cut is fine */
	return out;
}

/* What it says where it names a person is a fact of its own, by their id. */
static const char *
detail_of(const struct deployment *deployment, char out[LIMIT_LINE])
{
	bool names_canceller =
	    deployment->why == DEPLOY_WHY_CANCELLED && deployment->cancelled_by != 0;
	bool names_starter =
	    deployment->state == DEPLOY_SUPERSEDED && deployment_is_by_request(deployment);

	return names_canceller || names_starter ? "" : deployment_detail(deployment, out);
}

const char *
decide_record_trigger(const struct deployment *deployment)
{
	return deployment_is_of_rule(deployment)	   ? "github" :
	    principal_is_hook(deployment->requested_by)	   ? "hook" :
	    principal_is_program(deployment->requested_by) ? "workflow" :
							     trigger_word(deployment->trigger);
}

/* Which of its waves, and how many hosts that has. */
static void
find_wave(struct tx *tx, const struct deployment *deployment, char wave[LIMIT_LINE],
    char hosts[LIMIT_LINE])
{
	wave[0] = hosts[0] = '\0';
	if (deployment->waves == 0)
		return;
	(void)snprintf(wave, LIMIT_LINE, "%d/%d", deployment->wave, deployment->waves);
	(void)snprintf(hosts, LIMIT_LINE, "%" PRId64, row_host_count(tx, deployment).of_wave);
}

/* state: the one that it says. */
static void
add_entry(struct tx *tx, const struct deployment *deployment, enum audit_code code,
    enum deploy_state state, const char *detail)
{
	const char *facts[] = { "trigger", decide_record_trigger(deployment), "why",
		deploy_flow_why_word(deployment->why), "detail", detail,
		deployment_is_action(deployment) ? "action" : "previous",
		deployment_is_action(deployment) ? deployment->action : deployment->previous, NULL,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL, NULL, NULL, NULL, NULL, NULL };
	char user[PRINCIPAL_TEXT];
	char approved[LIMIT_LINE], wave[LIMIT_LINE], hosts[LIMIT_LINE];
	size_t n = 8;
	struct opa_row opa = { .decision = "" };

	decide_audit_fact(facts, &n, "image", deployment->image);
	decide_audit_fact(facts, &n, "confirmed_by",
	    deployment_confirmer(deployment)[0] == '\0' ?
		"" :
		decide_user_here(tx, deployment->confirmed_by));
	decide_audit_fact(facts, &n, "approved_by",
	    deployment->approvers[0] == '\0' ? "" : approvers(tx, deployment, approved));
	decide_audit_fact(facts, &n, "cancelled_by",
	    deployment->why != DEPLOY_WHY_CANCELLED || deployment->cancelled_by == 0 ?
		"" :
		decide_user_here(tx, deployment->cancelled_by));
	decide_audit_fact(facts, &n, "emergency", deployment->exempt.emergency);
	decide_audit_fact(facts, &n, "without", deployment->without);
	/* What may ship it: once, where it starts. */
	decide_audit_fact(facts, &n, "binding", state == DEPLOY_RUNNING ? deployment->binding : "");
	if (state == DEPLOY_RUNNING || state == DEPLOY_PAUSED) {
		find_wave(tx, deployment, wave, hosts);
		decide_audit_fact(facts, &n, "wave", wave);
		decide_audit_fact(facts, &n, "hosts", hosts);
	}
	if (tx->settings->opa.url != NULL && (state == DEPLOY_RUNNING || state == DEPLOY_REFUSED))
		row_opa_get(tx, deployment->id, &opa);
	decide_audit_fact(facts, &n, "decision_id", opa.decision);
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = code,
		.user = decide_requester(tx, deployment, user),
		.environment = deployment->environment,
		.source = deployment->source,
		.commit = deployment->commit,
		.outcome = deploy_flow_word(state),
		.at_least = at_least(deployment),
		.deployment = deployment->id,
	    },
	    facts);
}

void
decide_record_step(struct tx *tx, const struct deployment *deployment, enum deploy_state from)
{
	enum audit_code code = audit_code(deployment, from);
	char line[LIMIT_LINE];
	const char *detail = detail_of(deployment, line);

	if (code == NOTHING)
		return;
	if (deployment->state == DEPLOY_ROLLING_BACK)
		add_entry(tx, deployment, AUDIT_CODE_DEPLOY_FAILED, deployment->state, detail);
	add_entry(tx, deployment, code, deployment->state, detail);
}

void
decide_record_pause(struct tx *tx, const struct deployment *deployment, const char *why)
{
	add_entry(tx, deployment, AUDIT_CODE_DEPLOY_PAUSED, DEPLOY_PAUSED,
	    deployment->why == DEPLOY_WHY_CANCELLED ? "" : why);
}

void
decide_record_end(struct tx *tx, const struct deployment *deployment)
{
	char outcome[LIMIT_ENVIRONMENT];
	double seconds = 0;

	deployment_outcome_label(deployment->state, outcome);
	if (deployment_is_action(deployment)) { /* those have a counter of their own */
		tx_count_metric(tx, INCREMENT_ACTION, deployment_target_here(deployment),
		    deployment->action, outcome, 0);
		return;
	}
	if (deployment->started_at > 0)
		seconds = (double)(deployment->ended_at - deployment->started_at) / 1000;
	if (!deployment_is_rollback(deployment) && /* refused, cancelled: nothing changed */
	    (deployment->state == DEPLOY_LIVE || deployment->target_changed))
		tx_count_metric(tx, INCREMENT_CHANGE, deployment->environment,
		    deployment->state == DEPLOY_LIVE ? "live" : "failed", "", 1);
	tx_count_metric(tx, INCREMENT_DEPLOYMENT, deployment->environment,
	    trigger_word(deployment->trigger), outcome, seconds);
}

void
decide_record_log(struct tx *tx, const struct deployment *deployment, enum deploy_state from,
    enum deploy_event event)
{
	enum deploy_state state = deployment->state;
	const char *why = deploy_flow_why_word(deployment->why);
	bool is_refused = deployment->state == DEPLOY_REFUSED;
	bool is_bad = state == DEPLOY_FAILED || state == DEPLOY_ROLLED_BACK ||
	    state == DEPLOY_ROLLING_BACK || state == DEPLOY_ROLLBACK_FAILED;
	bool has_reason = (is_bad || is_refused) && deployment->detail[0] != '\0';
	char detail[LIMIT_LINE];

	tx_log(tx,
	    state == DEPLOY_ROLLBACK_FAILED ? LOG_LEVEL_ERROR :
		is_bad			    ? LOG_LEVEL_WARNING :
					      LOG_LEVEL_INFO,
	    "deployment %" PRId64 ": %s → %s on %s (%s%s%s)%s%s%s%s", deployment->id,
	    deploy_flow_name(from), deploy_flow_name(deployment->state),
	    deploy_flow_event_name(event), deployment->environment,
	    deployment->commit[0] != '\0' ? " " : "", commit_name_here(COMMIT_OF(deployment)),
	    is_bad && why[0] != '\0' ? ": " : "", is_bad ? why : "", has_reason ? ": " : "",
	    has_reason ? deployment_detail(deployment, detail) : "");
}
