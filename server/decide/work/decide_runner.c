/* decide_runner.c - a runner is disconnected or back, and a run that nobody waits for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_runner.h"

#include <inttypes.h>

#include "decide/decide_reply.h"
#include "decide/tell/decide_tell.h"
#include "decide/work/decide_end.h"
#include "decide/work/decide_unknown.h"
#include "lib/text.h"
#include "settings/checks/settings_runners.h"
#include "store/row_effect.h"
#include "store/row_queue.h"
#include "store/row_run.h"
#include "store/row_runner.h"
#include "store/row_runner_name.h"

/* decide_tell() reads since when. */
static void
tell_all(struct tx *tx, const char *name)
{
	struct deployment deployment;

	for (int64_t run = 0; (run = row_runner_next_run(tx, name, run)) != 0 && !tx->failed;) {
		row_deployment_of_run(tx, run, &deployment);
		if (deployment.id != 0 && deployment.run == run) /* a drain's has no message */
			decide_tell(tx, &deployment, NULL);
	}
}

void
decide_runner_gone(struct tx *tx, const char *name)
{
	row_runner_set_gone(tx, name);
	tell_all(tx, name);
}

void
decide_runner_hello(struct tx *tx, const char *name, int64_t highest)
{
	const struct settings *s = tx->settings;

	if (!row_runner_skip_to(tx, highest)) { /* before anything is ordered there */
		tx_log(tx, LOG_LEVEL_ERROR,
		    "the runner %s has a folder of run %" PRId64
		    ", which no run of here can be: nothing is ordered there",
		    name, highest);
		row_runner_set_gone(tx, name);
		return;
	}
	if (!row_runner_set_connected(tx, name))
		return;
	tell_all(tx, name);
	for (size_t i = 0; i < s->environment_count; i++)
		if (strcmp(s->environments[i].runner, name) == 0)
			row_queue_look(tx, s->environments[i].name);
}

void
decide_runners_started(struct tx *tx)
{
	char name[LIMIT_RUNNER];

	for (size_t at = 0; settings_next_runner(tx->settings, &at, name);)
		row_runner_set_gone(tx, name);
	memset(name, 0, sizeof(name));
	while (row_runner_name_next(tx, name))
		decide_runner_gone(tx, name);
}

static void
audit(struct tx *tx, const struct deployment *deployment, const struct update *update)
{
	char run[24];

	text_setf(run, "%" PRId64, deployment->run);
	decide_audit_request(tx, deployment, update->person, AUDIT_CODE_RUN_ABANDONED, "abandoned",
	    (const char *const[]){ "run", run, "state", deploy_flow_word(deployment->state), "name",
		update->name, NULL });
}

void
decide_abandon(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	char why[LIMIT_LINE], runner[LIMIT_RUNNER];
	const char *agent = peer_of_host(row_runner_of(tx, deployment->run, runner));

	audit(tx, deployment, update);
	row_runner_abandon(tx, deployment->run);
	if (!row_run_was_started(tx, deployment->run))
		(void)row_effect_order(tx,
		    &(struct effect){ .kind = EFFECT_STOP_RUN,
			.subject = deployment->id,
			.u.stop_run.run = deployment->run });
	text_setf(why,
	    "abandoned by %.80s while %s%s was disconnected: what it did, or still does, is not known",
	    update->name, agent != NULL ? agent : "its runner", agent != NULL ? "'s agent" : "");
	if (!deployment_is_action(deployment)) /* before what follows from its being free */
		decide_unknown_left(tx, deployment, why);
	decide_ends_unknown(tx, deployment, why);
}
