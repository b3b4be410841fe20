/* command_pause.c - /pause <environment>: what bakes there waits for a person, and stays as it is.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_deployment_bake.h"
#include "commands/commands.h"
#include "decide/decide_reply.h"
#include "decide/question/decide_where.h"
#include "decide/queue/decide_queue.h"
#include "decide/tell/decide_bake_buttons.h"
#include "decide/work/decide_bake_said.h"
#include "store/row_deployment.h"

static void
say(struct tx *tx, const struct update *update, const struct deployment *work)
{
	bool is_paused = work->state == DEPLOY_PAUSED;
	const char *when = is_paused ? "" : " when its script has ended well";

	if (update->kind == UPDATE_PRESS && !decide_is_answered(update))
		decide_toastf(tx, update, false, "Paused%s.", when);
	else
		(void)decide_send_firstf(tx, &update->address,
		    is_paused ? FIRST_PAUSED : FIRST_PAUSES, work->environment, "%s.", when);
}

static void
say_already(struct tx *tx, const struct update *update, const struct deployment *work)
{
	struct message as = { .address = update->address, .is_silent = true, .is_answer = true };
	const struct chat_clock clock = decide_clock(tx, work->environment);
	struct chat_text text = CHAT_TEXT_EMPTY;
	struct chat_paused paused;

	(void)decide_bake_paused(tx, work, &paused);
	if (update->kind == UPDATE_PRESS && !decide_is_answered(update)) {
		decide_toastf(tx, update, true, "Paused already: %s", paused.bake.why);
		return;
	}
	decide_answer_no(tx, update);
	chat_first(&text, FIRST_PAUSED_ALREADY, work->environment);
	chat_deployment_paused(&text, work, &paused, &clock, tx->at);
	decide_bake_buttons(tx, work, update->address.chat, &as.buttons);
	(void)decide_send_as(tx, &as, &text);
}

/* Why there is nothing that a pause could take the place of. */
static void
say_no(struct tx *tx, const struct update *update, const struct deployment *work, const char *name)
{
	struct chat_text text = CHAT_TEXT_EMPTY;

	decide_answer_no(tx, update);
	chat_first(&text, FIRST_NOT_PAUSED, name);
	if (work->id == 0)
		chat_text_add(&text, ": nothing is in progress there");
	else if (!deployment_may_be_cancelled(work))
		chat_text_add(&text, ": it is %s", deploy_flow_word(work->state));
	else if (work->waves > 0)
		chat_text_add(&text,
		    ": wave %d of %d is the last, and nothing follows that could be paused",
		    work->wave, work->waves);
	else
		chat_text_add(&text, ": nothing follows its script that could be paused");
	if (work->id != 0 && deployment_may_be_cancelled(work))
		chat_text_add(&text, "; " MARK_CODE "/cancel %s" MARK_CODE " stops it", name);
	chat_text_add(&text, ".");
	(void)decide_send(tx, &update->address, &text);
}

void
command_pause(struct tx *tx, const struct update *update, const struct request *request)
{
	char name[LIMIT_ENVIRONMENT];
	struct deployment work;

	if (!decide_where_open(tx, update, POLICY_ROLLBACK, request, name))
		return;
	row_deployment_active(tx, name, &work);
	if (!decide_bake_is_meant(tx, update, request, &work))
		return;
	if (decide_bake_wants(tx, update, &work, DECIDE_BAKE_PAUSE)) {
		say(tx, update, &work);
		decide_queue(tx, name); /* what waits for it says so */
	} else if (work.state == DEPLOY_PAUSED) {
		say_already(tx, update, &work);
	} else {
		say_no(tx, update, &work, name);
	}
}
