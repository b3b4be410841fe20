/* decide_end.c - a deployment is cancelled, given up, or its folder is gone.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_end.h"

#include "decide/work/decide_deployment.h"
#include "decide/work/decide_gate.h"
#include "decide/work/decide_waves.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_host.h"
#include "store/row_host_list.h"
#include "store/row_run.h"

/* The entries of its end name who asked for it: who wanted it ended may be somebody else. */
static void
audit_cancel(struct tx *tx, const struct deployment *deployment, const struct update *update)
{
	decide_audit_request(tx, deployment, update->person, AUDIT_CODE_CANCEL_REQUESTED,
	    "requested",
	    (const char *const[]){
		"state", deploy_flow_word(deployment->state), "name", update->name, NULL });
}

/* An action has nothing to roll back, and needs no release for that. */
static bool
has_rollback(const struct deployment *deployment)
{
	return deployment_is_action(deployment) || deployment_can_roll_back(deployment);
}

/* In waves, and no host was touched. */
static bool
has_nothing_to_roll_back(struct tx *tx, const struct deployment *work)
{
	return work->state == DEPLOY_PAUSED && work->waves > 0 &&
	    row_host_count(tx, work).touched == 0;
}

static bool
is_unstoppable(const struct deployment *deployment)
{
	return deployment_is_action(deployment) && !deployment_can_be_stopped(deployment) &&
	    deploy_flow_class(deployment->state) == DEPLOY_CLASS_ACTIVE;
}

bool
decide_cancel(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	const enum deploy_why why = deployment->why;
	const int64_t by = deployment->cancelled_by;
	char detail[LIMIT_LINE];
	enum deploy_event event = deployment_is_rollback(deployment) ? DEPLOY_ON_CANCEL_ROLLBACK :
	    is_unstoppable(deployment)		     ? DEPLOY_ON_CANCEL_UNSTOPPABLE :
	    has_nothing_to_roll_back(tx, deployment) ? DEPLOY_ON_LEAVE :
	    has_rollback(deployment)		     ? DEPLOY_ON_CANCEL :
						       DEPLOY_ON_CANCEL_NO_ROLLBACK;

	memcpy(detail, deployment->detail, sizeof(detail));
	audit_cancel(tx, deployment, update);
	if (deployment_is_gate(deployment) && deployment->state == DEPLOY_STOPPING) {
		decide_gate_free(tx, deployment->id);
		row_deployment_get(tx, deployment->id, deployment);
		return true;
	}
	deployment->why = DEPLOY_WHY_CANCELLED;
	deployment->cancelled_by = update->person;
	text_setf(deployment->detail, "by %s", update->name);
	if (decide_step(tx, deployment, event, NULL))
		return true;
	deployment->why = why; /* nothing was done: it is as it was */
	deployment->cancelled_by = by;
	memcpy(deployment->detail, detail, sizeof(detail));
	return false;
}

/* No exit record will come, or it could not be read: its log is kept as long as any other. */
static void
end_run(struct tx *tx, int64_t run)
{
	if (row_run_is_open(tx, run))
		row_run_ended(tx, &(struct run_ended){ .run = run, .exit_status = -1 });
}

/* Why it is rolled back stays said. */
static void
give_reason(struct deployment *deployment, const char *reason)
{
	if (deployment->state == DEPLOY_ROLLING_BACK ||
	    deployment->state == DEPLOY_VERIFYING_ROLLBACK) {
		deployment_add_rollback_failure(deployment, ROLLBACK_ITSELF, reason);
		return;
	}
	deployment->why = DEPLOY_WHY_INTERRUPTED;
	text_set(deployment->detail, reason);
}

void
decide_give_up(struct tx *tx, struct deployment *deployment, const char *reason)
{
	bool can_roll_back = has_rollback(deployment);
	enum deploy_event event;

	give_reason(deployment, reason);
	switch (deploy_flow_class(deployment->state)) {
	case DEPLOY_CLASS_OPEN:
	case DEPLOY_CLASS_QUEUED:
		event = DEPLOY_ON_REFUSE;
		break;
	case DEPLOY_CLASS_ACTIVE:
		if (deployment_is_baking(deployment)) {
			event = can_roll_back ? DEPLOY_ON_CANCEL : DEPLOY_ON_CANCEL_NO_ROLLBACK;
		} else if (deployment->state == DEPLOY_VERIFYING ||
		    deployment->state == DEPLOY_VERIFYING_ROLLBACK) {
			event =
			    can_roll_back ? DEPLOY_ON_UNHEALTHY : DEPLOY_ON_UNHEALTHY_NO_ROLLBACK;
		} else if (deployment_migration(deployment) != MIGRATION_NONE &&
		    !deployment->target_changed) {
			end_run(tx, deployment->run);
			event = DEPLOY_ON_MIGRATION_FAILED;
		} else {
			deployment->target_changed = true; /* nobody knows */
			end_run(tx, deployment->run);
			event = can_roll_back ? DEPLOY_ON_SCRIPT_FAILED :
						DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK;
		}
		break;
	default:
		return;
	}
	(void)decide_step(tx, deployment, event, NULL);
}

static bool
end_unknown(struct tx *tx, struct deployment *deployment, const char *reason)
{
	if (deploy_flow_class(deployment->state) != DEPLOY_CLASS_ACTIVE)
		return false;
	give_reason(deployment, reason);
	deployment->target_changed = true; /* nobody knows */
	end_run(tx, deployment->run);
	return true;
}

void
decide_folder_gone(struct tx *tx, struct deployment *deployment, const char *reason)
{
	if (end_unknown(tx, deployment, reason) && !decide_waves_gone(tx, deployment))
		(void)decide_step(tx, deployment, DEPLOY_ON_FOLDER_GONE, NULL);
}

void
decide_ends_unknown(struct tx *tx, struct deployment *deployment, const char *reason)
{
	if (!end_unknown(tx, deployment, reason))
		return;
	if (deployment->waves > 0)
		row_host_gone(tx, deployment, deployment->run);
	(void)decide_step(tx, deployment, DEPLOY_ON_FOLDER_GONE, NULL);
}
