/* decide_drain.c - the tail of a deployment: what it replaced ends when its connections have.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_drain.h"

#include <inttypes.h>
#include <string.h>

#include "decide/tell/decide_tell.h"
#include "decide/work/decide_wave_plan.h"
#include "deployment/run_verdict.h"
#include "lib/text.h"
#include "store/row_audit.h"
#include "store/row_drain.h"
#include "store/row_effect.h"
#include "store/row_host.h"
#include "store/row_run.h"
#include "store/row_runner.h"

#define ATTEMPTS_MAX 3

static void
audit(struct tx *tx, const struct deployment *deployment, enum audit_code code, const char *outcome,
    const char *detail)
{
	row_audit_add(tx,
	    &(struct audit_entry){
		.code = code,
		.user = "system",
		.environment = deployment->environment,
		.source = deployment->source,
		.commit = deployment->commit,
		.outcome = outcome,
		.deployment = deployment->id,
	    },
	    (const char *const[]){ "detail", detail, NULL });
}

/* It is said where the deployment is, behind what is noted there, and rings nowhere: what is live
 * is healthy. */
static void
warn(struct tx *tx, struct deployment *deployment, bool began, const char *why)
{
	const char *how = began ? "was cut off" : "did not begin";
	const char *what = deployment->state == DEPLOY_ROLLED_BACK ? "rolled-back" : "old";
	char before[sizeof(deployment->note)];

	if (!deployment->drains) {
		tx_log(tx, LOG_LEVEL_WARNING,
		    "deployment %" PRId64 " in %s: the clean-up %s: %s; the next one continues it",
		    deployment->id, deployment->environment, how, why);
		return;
	}
	text_set(before, deployment->note);
	text_setf(deployment->note,
	    "%.100s%sthe %s release may still run: stopping it %s (%.*s); the next release ends it",
	    before, before[0] == '\0' ? "" : "; ", what, how, before[0] == '\0' ? 120 : 60, why);
	row_deployment_save(tx, deployment);
	decide_tell(tx, deployment, NULL);
	tx_log(tx, LOG_LEVEL_WARNING, "deployment %" PRId64 " in %s: the drain %s: %s",
	    deployment->id, deployment->environment, how, why);
	audit(tx, deployment, AUDIT_CODE_DRAIN_CUT, began ? "cut" : "not begun", why);
}

/* What serves now, as a release: what was brought up, or what came back. */
static void
order(struct tx *tx, const struct deployment *deployment)
{
	bool is_back = deployment->state == DEPLOY_ROLLED_BACK;
	struct effect effect = { .kind = EFFECT_RUN, .subject = deployment->id };
	struct effect_run *run = &effect.u.run;
	char runner[LIMIT_RUNNER];

	run->run = row_run_add(tx, deployment->id, PROGRAM_DRAIN,
	    row_runner_of(tx, deployment->run, runner)); /* where what it ends was begun */
	run->program = PROGRAM_DRAIN;
	run->deployment = deployment->id;
	run->deadline_s = LIMIT_DRAIN_S;
	text_set(run->without, deployment->without);
	(void)text_copy(run->environment, LIMIT_ENVIRONMENT, deployment->environment);
	run->source = is_back ? deployment->previous_source : deployment->source;
	(void)text_copy(
	    run->commit, LIMIT_COMMIT, is_back ? deployment->previous : deployment->commit);
	(void)text_copy(
	    run->image, LIMIT_IMAGE, is_back ? deployment->previous_image : deployment->image);
	/* A host that failed serves on with what it had. */
	if ((deployment->waves > 0 || decide_wave_rolls_agents_back(tx, deployment)) &&
	    row_host_order_drain(tx, deployment, run->run) == 0)
		row_run_ended(tx, &(struct run_ended){ .run = run->run, .exit_status = -1 });
	else
		(void)row_effect_order(tx, &effect);
}

/* Lost with a step beyond LIMIT_STEPS, it is the next deployment's.  No rollback's run says it. */
static bool
has_to_clean(struct tx *tx, const struct deployment *deployment)
{
	struct step steps[LIMIT_STEPS];
	size_t n = row_step_list(tx, deployment->run, steps, LIMIT_STEPS);

	while (n > 0 && strcmp(steps[n - 1].name, DEPLOYMENT_CLEAN_LATER) != 0)
		n--;
	return n > 0;
}

void
decide_drain(struct tx *tx, struct deployment *deployment)
{
	struct drain before = row_drain_tail(tx, deployment->environment);

	if (!deployment->drains && !has_to_clean(tx, deployment))
		return;
	if (before.run != 0)
		(void)row_effect_order(tx,
		    &(struct effect){ .kind = EFFECT_STOP_RUN,
			.subject = before.deployment,
			.u.stop_run.run = before.run });
	if (row_drain_count_open(tx) >= ROW_DRAINS_MAX) {
		warn(tx, deployment, false, "too many drains are in progress");
		return;
	}
	if (deployment->drains)
		audit(tx, deployment, AUDIT_CODE_DRAIN_STARTED, "started", "");
	order(tx, deployment);
}

/* That it did not run at all, or that its supervisor was killed, says nothing against it. */
static bool
is_worth_another(struct tx *tx, const struct deployment *deployment, const struct run_ended *ended)
{
	struct drain newer = row_drain_tail(tx, deployment->environment);

	return !ended->refused && !ended->folder_gone && !ended->ended_on_request &&
	    (!ended->gate_opened || ended->lost) && newer.run == 0 &&
	    row_drain_count_of(tx, deployment->id) < ATTEMPTS_MAX + deployment->waves;
}

void
decide_drain_ended(struct tx *tx, struct deployment *deployment, const struct run_ended *ended)
{
	char why[LIMIT_LINE];

	if (is_worth_another(tx, deployment, ended)) {
		order(tx, deployment);
	} else if (ended->ended_on_request || run_verdict_is_success(ended)) {
		if (deployment->drains)
			audit(tx, deployment, AUDIT_CODE_DRAIN_COMPLETED,
			    ended->ended_on_request ? "stopped" : "completed", ended->detail);
	} else {
		run_verdict_describe(ended, why);
		warn(tx, deployment, ended->gate_opened, why);
	}
}

void
decide_drain_give_up(struct tx *tx, struct deployment *deployment, int64_t run, const char *reason)
{
	if (!row_run_is_open(tx, run))
		return;
	row_run_ended(tx, &(struct run_ended){ .run = run, .exit_status = -1 });
	warn(tx, deployment, false, reason);
}
