/* command_resume.c - /resume <environment>: what is paused there goes on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/queue/decide_queue.h"
#include "decide/work/decide_bake_said.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_run.h"

/* Somebody was faster, or nothing is paused there. */
static void
say_no(struct tx *tx, const struct update *update, const struct deployment *work, const char *name)
{
	bool goes_on = work->state == DEPLOY_RUNNING || work->state == DEPLOY_VERIFYING ||
	    work->state == DEPLOY_BAKING;
	const struct run_times run = row_run_times(tx, goes_on ? work->run : 0);
	char age[TEXT_DURATION_SIZE], line[LIMIT_LINE] = "there is nothing to go on with";

	if (work->id != 0)
		text_setf(line, "%s: it is %s",
		    goes_on ? "it goes on already" : "not paused any more",
		    deploy_flow_word(work->state));
	if (goes_on && work->state != DEPLOY_BAKING && run.started_at != 0)
		text_setf(line, "it goes on already, its run began %s ago",
		    text_age(age, tx->at - run.started_at));
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update)) {
		decide_toast_firstf(tx, update, true, FIRST_IS_NOT_PAUSED, name, ": %s.", line);
		return;
	}
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_IS_NOT_PAUSED, name, ": %s.", line);
}

void
command_resume(struct tx *tx, const struct update *update, const struct request *request)
{
	char name[LIMIT_ENVIRONMENT];
	struct deployment work;

	if (!decide_where_open(tx, update, POLICY_ROLLBACK, request, name))
		return;
	row_deployment_active(tx, name, &work);
	if (!decide_bake_is_meant(tx, update, request, &work))
		return;
	if (!decide_bake_wants(tx, update, &work, DECIDE_BAKE_RESUME)) {
		say_no(tx, update, &work, name);
		return;
	}
	decide_queue(tx, name); /* what waits for it says so */
	if (work.state == DEPLOY_PAUSED) {
		decide_answer_no(tx, update);
		(void)decide_send_firstf(tx, &update->address, FIRST_STAYS_PAUSED, name,
		    ": its message says what keeps it.");
	} else if (update->kind == UPDATE_PRESS && !decide_is_answered(update)) {
		decide_toastf(tx, update, false, work.waves > 0 ? "It goes on." : "It bakes on.");
	} else {
		(void)decide_send_firstf(tx, &update->address, FIRST_RESUMES, name, "%s",
		    work.waves > 0 ? ": it goes on with its waves." :
				     ": it is watched for what is left of its bake.");
	}
}
