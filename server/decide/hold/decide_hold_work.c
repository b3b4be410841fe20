/* decide_hold_work.c - work that locks and freezes keep from starting, and pushes that make none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/hold/decide_hold_work.h"

#include "chat/chat_hold.h"
#include "decide/who/decide_allowed.h"
#include "decide/work/decide_deployment.h"
#include "decide/hold/decide_hold.h"
#include "decide/git/decide_push.h"
#include "decide/decide_reply.h"
#include "lib/text.h"
#include "lib/window.h"
#include "store/row_button.h"
#include "store/row_environment.h"
#include "store/row_exempt.h"
#include "store/row_question.h"
#include "store/row_queue.h"
#include "types/action.h"

/* Nobody began a window: one that was not there when the work was asked for is none that its
 * exception is from, also where the clock was set back into an earlier one. */
static void
date_windows(const struct tx *tx, const struct deployment *work, struct holds *holds)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, work->environment);
	int64_t until;

	for (size_t i = 0; i < holds->n; i++)
		if (holds->at[i].kind == HOLD_WINDOW &&
		    (!windows_have(
			 settings->freeze, settings->of->zone, work->requested_at, &until) ||
			until != holds->at[i].until))
			holds->at[i].at = INT64_MAX;
}

bool
decide_is_held(struct tx *tx, const struct deployment *work)
{
	const struct hold_work facts = {
		.action = deployment_grant(work),
		.requester = deployment_is_by_request(work) ? work->requested_by : 0,
		.restores =
		    deployment_is_action(work) && action_restores(action_row_of(work->action)),
		.confirmer = work->confirmed_by,
		.has_exception = work->exempt.exception[0] != '\0' &&
		    decide_is_allowed(tx, work->requested_by, POLICY_FREEZE, work->environment),
		.excepted_at = work->requested_at,
		.excepted_hold =
		    work->exempt.exception[0] != '\0' ? row_exempt_get(tx, work->id).hold : 0,
	};
	struct holds holds;

	if (deployment_is_read(work))
		return false;
	decide_holds(tx, work->environment, &holds);
	date_windows(tx, work, &holds);
	return hold_decide(&holds, &facts, NULL).verdict != POLICY_ALLOW;
}

/* A push that is held: its head, and who pushed it. */
struct pushed {
	const char *commit, *subject, *by;
	bool is_alone; /* its commit waits, and not the branch's head */
};

/* Once, until the end; each that is dropped by itself, for nothing else will say so. */
static void
note_push(struct tx *tx, const struct environment_settings *settings, const struct hold *hold,
    const struct holds *holds, const struct pushed *push)
{
	const struct chat_hold_words *words = &chat_holds[hold->kind];
	struct environment now;
	bool is_newest;
	bool is_noted;
	struct chat_text text = CHAT_TEXT_EMPTY;

	row_environment_get(tx, settings->name, &now);
	is_newest = strcmp(now.seen_commit, push->commit) == 0;
	is_noted = now.waiting_push[0] != '\0';
	/* A newer one that waits there is of who pushed that. */
	if (!settings->drops_pushes && (is_newest || push->is_alone || !is_noted))
		row_environment_set_waiting(tx, settings->name,
		    is_newest || push->is_alone ? push->by : DECIDE_POLL,
		    push->is_alone ? push->commit : "");
	if (is_noted && !settings->drops_pushes)
		return;
	chat_first(&text, settings->drops_pushes ? words->push_dropped : words->push_waits,
	    settings->name);
	chat_first_commit(&text, push->subject, SOURCE_GIT, push->commit);
	chat_text_add(&text, "\n");
	chat_hold(&text, hold, holds, tx->at);
	if (settings->drops_pushes) {
		chat_text_add(&text,
		    "\nNothing deploys it by itself: " MARK_CODE "/deploy %s" MARK_CODE
		    " when that has ended, or the next push.",
		    settings->name);
	} else {
		chat_text_outside(&text, "\nAfterwards ",
		    push->is_alone		 ? "it" :
			settings->branch != NULL ? settings->branch :
						   "the branch");
		chat_text_add(&text, "%s is %s.", push->is_alone ? "" : "'s newest commit",
		    settings->confirm ? "asked about here" : "deployed");
	}
	decide_send_team(tx, settings->name, &text);
}

static const struct hold *
binding(struct tx *tx, const char *environment, struct holds *holds)
{
	const struct hold_work push = { .action = POLICY_DEPLOY };
	const struct hold *hold = NULL;

	decide_holds(tx, environment, holds);
	(void)hold_decide(holds, &push, &hold);
	return hold;
}

bool
decide_hold_push(struct tx *tx, const struct environment_settings *settings,
    const struct git_answer *answer, const char *pushed_by, bool by_job)
{
	const struct pushed push = { .commit = answer->commit,
		.subject = answer->subject,
		.by = pushed_by,
		.is_alone = by_job };
	struct holds holds;
	const struct hold *hold = binding(tx, settings->name, &holds);

	if (hold != NULL)
		note_push(tx, settings, hold, &holds, &push);
	else /* it, or a newer one, waited for this end, whose timer may fire later */
		row_environment_set_waiting(tx, settings->name, "", "");
	return hold != NULL;
}

void
decide_hold_work(struct tx *tx, struct deployment *push)
{
	const struct pushed pushed = { .commit = push->commit,
		.subject = push->subject,
		.by = push->requester,
		.is_alone = push->trigger == TRIGGER_JOB };
	const struct environment_settings *settings =
	    settings_environment(tx->settings, push->environment);
	struct holds holds;
	const struct hold *hold = binding(tx, push->environment, &holds);
	struct question shown;
	bool is_dropped;

	if (settings != NULL && hold != NULL) {
		note_push(tx, settings, hold, &holds, &pushed);
		row_question_get(tx, push->id, &shown);
		row_environment_hold_announced(tx, push->environment, push->commit,
		    shown.shown_at == 0 ? shown.shown_block : 0);
	}
	is_dropped = settings != NULL && settings->drops_pushes;
	push->why = is_dropped ? DEPLOY_WHY_NONE : DEPLOY_WHY_ELSEWHERE;
	text_setf(push->detail, "%s the end of the %s",
	    is_dropped ? "dropped: not deployed before" : "waits for",
	    chat_holds[hold == NULL ? HOLD_FREEZE : hold->kind].ends);
	(void)decide_step(tx, push, DEPLOY_ON_SUPERSEDE, NULL);
}

void
decide_hold_pushes(struct tx *tx, const char *environment)
{
	struct deployment question;
	struct deployment queued;

	row_deployment_push_question(tx, environment, &question);
	row_deployment_get(tx, row_queue_push(tx, environment), &queued);
	/* What a person asked for as well is that person's. */
	if (question.id != 0 && question.confirmed_by == 0 &&
	    !row_button_is_shared(tx, question.id))
		decide_hold_work(tx, &question);
	if (queued.id != 0 && decide_is_held(tx, &queued))
		decide_hold_work(tx, &queued);
}
