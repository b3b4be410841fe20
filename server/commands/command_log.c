/* command_log.c - sends the log of a run.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "chat/chat_deployment.h"
#include "commands/commands.h"
#include "decide/view/decide_application_log.h"
#include "decide/decide_reply.h"
#include "decide/who/decide_agent.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_run.h"
#include "store/row_runner.h"

static void
add_head(
    struct tx *tx, const struct deployment *work, int64_t run, struct effect_document *document)
{
	bool is_good = row_run_end(tx, run) == RUN_SUCCEEDED && !deployment_is_action(work);
	struct step steps[LIMIT_STEPS];
	char tail[LIMIT_TAIL] = "";
	const struct chat_log log = {
		.work = work,
		.run = run,
		.is_back = work->program == PROGRAM_DEPLOY &&
		    run == row_run_newest(tx, work->id, PROGRAM_ROLLBACK),
		.times = row_run_times(tx, run),
		.health = is_good ? row_run_tail(tx, run, tail) : tail,
		.steps = steps,
		.n_steps = row_step_list(tx, run, steps, LIMIT_STEPS),
	};

	if (!chat_log_head(&log, document->head, sizeof(document->head)))
		tx_fail(tx, ERR_LIMIT, "the head of a log is too long");
}

void
command_log(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t run = request_number(request, "run");
	struct deployment deployment;
	struct effect effect = { .kind = EFFECT_DOCUMENT };
	struct effect_document *document = &effect.u.document;
	char elsewhere[LIMIT_LINE];
	const char *where;
	const char *what;
	int size;

	row_deployment_of_run(tx, run, &deployment);
	where = deployment_target_here(&deployment);
	what = deployment_is_action(&deployment) ? deployment.action : deployment.commit;
	size = deployment_is_action(&deployment) ? ACTION_NAME : 7;
	if (!decide_may(tx, update, POLICY_LOG, where))
		return;
	if (decide_agent_log(tx, &deployment, run, document->runner, elsewhere) != NULL) {
		decide_toastf(tx, update, true, "%s", elsewhere);
		return;
	}
	if (row_runner_named(tx, document->runner).at != 0) {
		decide_toastf(tx, update, true,
		    "The log is at the runner %s, disconnected: press again when it is back; there it is /var/lib/deploybot-remote-runner/runs/%jd/log",
		    document->runner, (intmax_t)run);
		return;
	}
	effect.subject = deployment.id;
	document->address = update->address;
	if ((row_run_may_have_application_log(tx, run) ||
		(deployment.state != DEPLOY_LIVE && decide_tail_is_private(tx, &deployment))) &&
	    !decide_shows_application_log(tx, deployment.environment, update->address.chat))
		document->address = (struct chat_address){ .chat = update->person };
	add_head(tx, &deployment, run, document);
	document->run = run;
	text_setf(document->file_name, "%.52s-%.*s-%" PRId64 ".log", where, size, what, run);
	text_setf(document->caption, "Log of %s %.*s", where, size, what);
	(void)row_effect_order(tx, &effect);
	decide_toastf(tx, update, false, "%s",
	    document->address.chat == update->address.chat ?
		"Sending the log." :
		"It may have what the application logged, and comes in private. If nothing comes, write /start to me there first.");
}
