/* command_live.c - /live <environment>: somebody has seen enough of what bakes there.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/work/decide_bake_said.h"
#include "lib/text.h"
#include "store/row_deployment.h"

/* Of several waves it ends the bake of one. */
static void
say(struct tx *tx, const struct update *update, const struct deployment *work)
{
	bool is_press = update->kind == UPDATE_PRESS && !decide_is_answered(update);
	char wave[LIMIT_LINE] = "it is live.";

	if (work->state == DEPLOY_PAUSED)
		text_set(wave, "it is paused: its message says what keeps it.");
	else if (work->state == DEPLOY_BAKING) /* a slot, or OPA's answer, is waited for */
		text_set(wave, "the next wave begins as soon as it may.");
	else if (work->state != DEPLOY_LIVE)
		text_setf(wave, "wave %d of %d begins.", work->wave, work->waves);
	if (is_press)
		decide_toastf(tx, update, false, "Its bake is over: %s", wave);
	else
		(void)decide_send_firstf(
		    tx, &update->address, FIRST_BAKE_ENDED, work->environment, ": %s", wave);
}

/* The button stands for that work, whatever bakes there when it is pressed. */
static void
press(struct tx *tx, const struct update *update, int64_t id)
{
	struct deployment work;

	row_deployment_get(tx, id, &work);
	if (!decide_may(tx, update, POLICY_DEPLOY, work.environment))
		return;
	if (decide_bake_wants(tx, update, &work, DECIDE_BAKE_LIVE))
		say(tx, update, &work);
	else
		decide_expired(tx, update);
}

void
command_live(struct tx *tx, const struct update *update, const struct request *request)
{
	int64_t id = update->kind == UPDATE_PRESS ? request_number(request, "work") : 0;
	char name[LIMIT_ENVIRONMENT];
	struct deployment work;

	if (id != 0) {
		press(tx, update, id);
		return;
	}
	if (!decide_where_open(tx, update, POLICY_DEPLOY, request, name))
		return;
	row_deployment_active(tx, name, &work);
	if (decide_bake_wants(tx, update, &work, DECIDE_BAKE_LIVE)) {
		say(tx, update, &work);
		return;
	}
	decide_answer_no(tx, update);
	(void)decide_send_firstf(tx, &update->address, FIRST_NOT_BAKING, name, "%s",
	    work.state == DEPLOY_PAUSED ? ": it is paused, and goes on with /resume." :
					  ": nothing is watched there before it is live.");
}
