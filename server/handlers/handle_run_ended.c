/* handle_run_ended.c - the exit record: the only thing that ends a run.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <signal.h>

#include "decide/queue/decide_binding.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_drain.h"
#include "decide/work/decide_left.h"
#include "decide/audit/decide_logs.h"
#include "decide/queue/decide_queue.h"
#include "decide/who/decide_manifest.h"
#include "decide/work/decide_unknown.h"
#include "decide/work/decide_waves.h"
#include "deployment/run_verdict.h"
#include "handlers/handlers.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_drain.h"
#include "store/row_run.h"
#include "store/row_runner.h"
#include "types/peers.h"

/* Which process was the main one is not flushed: after a power cut the record of a lost run says
 * that its gate was never opened, of one that was at work.  That it was seen at its gate stands in
 * its row, before any go.  Whether it said `==> release` is not flushed either, so a lost run
 * counts as released.  Only of one that began a migration the record is taken: from then on each
 * such step is flushed, in a draft, and killed in its migration it has released nothing. */
static struct run_ended *
with_what_is_known(struct tx *tx, const struct run_ended *told, struct run_ended *ret)
{
	*ret = *told;
	if (ret->lost && row_run_was_started(tx, ret->run)) {
		ret->gate_opened = true;
		ret->released |= !ret->migration;
	}
	if (ret->lost || ret->folder_gone) { /* nothing says how it exited: not with 0 */
		ret->exit_status = -1;
		ret->signal_number = SIGKILL;
	}
	if (run_verdict_never_began(ret)) { /* nothing exited: said of a rollback in its end */
		ret->exit_status = -1;
		ret->signal_number = 0;
	}
	return ret;
}

static void
doubt_environment(struct tx *tx, const struct deployment *deployment, const char *detail)
{
	char why[LIMIT_LINE];

	text_setf(why, "run %" PRId64 " of %s: %.180s", deployment->run,
	    commit_name_here(COMMIT_OF(deployment)), detail);
	decide_unknown_left(tx, deployment, why);
}

/* A person said that it is waited for no longer: how it ended is written down, and no more. */
static void
log_abandoned(struct tx *tx, const struct run_ended *ended)
{
	if (row_runner_has_abandoned(tx, ended->run))
		tx_log(tx, LOG_LEVEL_WARNING,
		    "run %" PRId64 ", which was abandoned, ended with %d: %s", ended->run,
		    ended->signal_number != 0 ? 128 + ended->signal_number : ended->exit_status,
		    ended->detail);
}

/* The agent that had its run; NULL: none had. */
static const char *
agent_of(struct tx *tx, const struct deployment *deployment, char runner[LIMIT_RUNNER])
{
	return peer_of_host(row_runner_of(tx, deployment->run, runner));
}

/* What it had begun is no process of this machine. */
static void
describe_lost(struct tx *tx, const struct deployment *deployment, const struct run_ended *ended,
    struct run_verdict *verdict)
{
	char runner[LIMIT_RUNNER];
	const char *agent = ended->lost ? agent_of(tx, deployment, runner) : NULL;

	if (ended->lost && agent == NULL && strcmp(runner, RUNNER_LOCAL) != 0 && runner[0] != '\0')
		text_setf(verdict->detail,
		    "it was killed; all that it had started on the machine of the runner %s was ended",
		    runner);
	if (agent != NULL && !run_verdict_is_unknown(ended))
		text_setf(verdict->detail,
		    "%s's agent was killed, and has stopped its unit: what that had done is not known",
		    agent);
}

/* At an agent, or a remote runner, nothing is begun again: that would be late, and that it never
 * began is said by whoever owns the connection.  What another server never let go is begun here. */
static struct run_verdict
judge(struct tx *tx, const struct deployment *deployment, const struct run_ended *ended)
{
	char runner[LIMIT_RUNNER];
	bool is_there = strcmp(row_runner_of(tx, deployment->run, runner), RUNNER_LOCAL) != 0 &&
	    !settings_is_servers_runner(tx->settings, runner);
	struct run_verdict verdict =
	    run_verdict(deployment, ended, is_there ? 1 : DECIDE_ATTEMPTS_MAX);

	describe_lost(tx, deployment, ended, &verdict);
	return verdict;
}

/* An agent's list may be newer than what it said when it connected. */
static void
bind_anew(struct tx *tx, struct deployment *deployment, const char *list)
{
	char runner[LIMIT_RUNNER], identity[CRYPTO_CA_IDENTITY];
	const char *agent = agent_of(tx, deployment, runner);

	if (agent != NULL && list != NULL && !peer_is_manifest(list))
		list = NULL;
	if (agent != NULL && list != NULL)
		decide_manifest_said(tx, peer_identity(agent, identity), list);
	decide_binding_changed(tx, deployment, list);
}

static void
follow(struct tx *tx, struct deployment *deployment, const struct run_ended *ended,
    struct run_verdict *verdict)
{
	if (decide_waves_cut(tx, deployment, ended, verdict))
		return;
	if (verdict->event == DEPLOY_ON_CHANGED && decide_is_replaced(tx, deployment))
		verdict->event = DEPLOY_ON_SUPERSEDE;
	else if (verdict->event == DEPLOY_ON_CHANGED)
		bind_anew(tx, deployment, ended->binding);
	if (verdict->event == DEPLOY_ON_SCRIPT_OK_UNPROBED && deployment->state == DEPLOY_RUNNING)
		decide_waves_passed(tx, deployment, verdict->event);
	else
		(void)decide_step(tx, deployment, verdict->event, NULL);
}

void
handle_run_ended(struct tx *tx, const struct event *event)
{
	struct run_ended ended;
	struct deployment deployment;
	struct run_verdict verdict;

	with_what_is_known(tx, &event->u.run_ended, &ended);
	row_deployment_of_run(tx, ended.run, &deployment);
	if (!row_run_is_open(tx, ended.run)) {
		log_abandoned(tx, &ended);
		return;
	}
	row_run_ended(tx, &ended);
	(void)decide_logs_total(tx); /* what stays goes with the daily clean-up */
	if (row_drain_is(tx, ended.run)) {
		decide_drain_ended(tx, &deployment, &ended);
		return;
	}
	if (deployment.id == 0 || deployment.run != ended.run)
		return;
	if (deployment_is_action(&deployment) || ended.exit_status != 0)
		row_run_set_tail(tx, ended.run, ended.tail);
	if (ended.application_log[0] != '\0')
		row_run_set_application_log(tx, ended.run, ended.application_log);
	if (ended.warnings.said != 0)
		row_run_set_warnings(tx, ended.run, &ended.warnings);
	deployment.drains |= ended.drains;
	if (run_verdict_is_success(&ended))
		decide_left_urls(tx, &deployment);
	decide_waves_judge(tx, &deployment, &ended);
	verdict = judge(tx, &deployment, &ended);
	if (deployment.state != DEPLOY_ROLLING_BACK) {
		if (ended.migration)
			deployment_take_migration(&deployment, "migrate");
		deployment.target_changed = verdict.target_changed;
		deployment.cannot_roll_back |= ended.no_rollback;
		deployment_take_image(&deployment, ended.image);
	}
	if (verdict.why != DEPLOY_WHY_NONE)
		deployment.why = verdict.why;
	if (verdict.detail[0] != '\0' && deployment.state == DEPLOY_ROLLING_BACK)
		deployment_add_rollback_failure(&deployment, ROLLBACK_ITSELF, verdict.detail);
	else if (verdict.detail[0] != '\0')
		text_set(deployment.detail, verdict.detail);
	if (run_verdict_is_unknown(&ended) &&
	    !deployment_is_action(
		&deployment)) /* before what follows from the environment's being free */
		doubt_environment(tx, &deployment, verdict.detail);
	follow(tx, &deployment, &ended, &verdict);
}
