/* decide_forge_answer.c - GitHub is answered whether a job of its own gate may go on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_forge_answer.h"

#include <stdio.h>

#include "decide/approval/decide_needs.h"
#include "decide/tell/decide_tell.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "store/row_deployment.h"
#include "store/row_effect.h"
#include "store/row_gate.h"
#include "store/row_job.h"
#include "store/row_rate_limit.h"

#define DAY_MS	      (24 * 3600 * INT64_C(1000))
#define WAITS_MS      (30 * DAY_MS) /* GitHub ends a run that waits longer */
#define MOMENT_MS     5000
#define TOGETHER_MS   30000
#define PAUSE_FIRST_S 10
#define PAUSE_MOST_S  900
#define PAUSE_LIST_S  20 /* until then what waits there may not be listed yet */

/* "approved by Ada, Bea": whom its page shows, which else knows the App alone.  Nobody there who
 * has a name of ours by chance is notified. */
static void
say(struct tx *tx, const struct deployment *gate, bool is_approved, char ret[LIMIT_COMMENT])
{
	/* "rejected by Bea" says it all. */
	const char *why = gate->why == DEPLOY_WHY_REJECTED ? "" : deploy_flow_why_word(gate->why);
	char said[4 * LIMIT_COMMENT] = "", detail[LIMIT_LINE];
	struct decide_needs needs = { .n = 0 };
	size_t used = 0;

	/* What git or the settings say of it is none of GitHub's, whose page may be public. */
	if (gate->why == DEPLOY_WHY_REFUSED)
		text_setf(said, "refused: /show %lld in the chat says why", (long long)gate->id);
	else if (!is_approved)
		text_setf(said, "%s%s%s", why,
		    why[0] != '\0' && gate->detail[0] != '\0' ? ": " : "",
		    why[0] == '\0' && gate->detail[0] == '\0' ? deploy_flow_word(gate->state) :
								deployment_detail(gate, detail));
	else if (decide_needs_look(tx, gate, &needs) && needs.n == 0)
		text_setf(said, "%s%s",
		    gate->confirmed_by != 0 ? "confirmed by " : "nobody has to approve it",
		    gate->confirmer);
	for (size_t i = 0; i < needs.n; i++) /* they have room */
		used += (size_t)snprintf(said + used, sizeof(said) - used, "%s%s",
		    i == 0 ? "approved by " : ", ", needs.approval[i].name);
	for (char *at = said; (at = strchr(at, '@')) != NULL;)
		memmove(at, at + 1, strlen(at));
	used = strlen(said);
	if (is_approved) /* by its number a yes that has come there is found again */
		(void)snprintf(said + used, sizeof(said) - used, " (#%lld)", (long long)gate->id);
	(void)clean_line(ret, LIMIT_COMMENT, said, strlen(said));
}

/* To the job of a gate; false: GitHub waits for nothing more. */
static bool
address(struct tx *tx, const struct deployment *gate, struct effect *ret)
{
	struct effect_forge_answer *answer = &ret->u.forge_answer;
	struct row_job of;

	*ret = (struct effect){ .kind = EFFECT_FORGE_ANSWER, .subject = gate->id };
	(void)row_job_get(tx, gate->id, &of);
	text_set(answer->environment, gate->environment);
	text_set(answer->repository, of.job.repository);
	text_set(answer->run, of.job.run);
	text_set(answer->target, of.rule);
	answer->deployment = of.deployment;
	return of.rule[0] != '\0' && !of.is_answered;
}

void
decide_forge_answer(struct tx *tx, const struct deployment *work)
{
	struct effect effect;
	struct effect_forge_answer *answer = &effect.u.forge_answer;

	if (!deployment_is_gate(work))
		return;
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_FORGE_ANSWER, work->id));
	if (!address(tx, work, &effect))
		return;
	answer->is_approved = deploy_flow_class(work->state) == DEPLOY_CLASS_ACTIVE;
	say(tx, work, answer->is_approved, answer->comment);
	(void)row_effect_order(tx, &effect);
}

void
decide_forge_asked(struct tx *tx, const struct deployment *gate)
{
	struct effect effect;
	struct effect_forge_answer *answer = &effect.u.forge_answer;

	if (!address(tx, gate, &effect) ||
	    settings_environment(tx->settings, gate->environment)->gate_reviewer)
		return;
	answer->is_report = true;
	answer->not_before = tx->at + MOMENT_MS;
	text_setf(answer->comment, "waits: its message in the chat says for what (#%lld)",
	    (long long)gate->id);
	(void)row_effect_order(tx, &effect);
}

/* By what waits there of the same run one answer is taken for all. */
void
decide_forge_refuse(struct tx *tx, const char *environment, const struct delivery_job *job)
{
	struct effect effect = { .kind = EFFECT_FORGE_ANSWER };
	struct effect_forge_answer *answer = &effect.u.forge_answer;

	if (!row_rate_limit_take(tx, 1, TOGETHER_MS, "rule-answer:%s:%s:%s", job->of.repository_id,
		job->of.run, job->environment))
		return; /* the answer that is on its way is later than this */
	answer->asked_at = tx->at;
	answer->not_before = tx->at + TOGETHER_MS;
	text_set(answer->environment, environment);
	text_set(answer->repository, job->of.repository);
	text_set(answer->run, job->of.run);
	text_set(answer->target, job->environment);
	text_set(answer->comment,
	    "refused, as others just now: the chat and the audit say why; then run the job again");
	(void)row_effect_order(tx, &effect);
}

static void
try_again(struct tx *tx, int64_t retry_after_s)
{
	struct effect again = { .kind = EFFECT_FORGE_ANSWER, .subject = tx->effect->subject };
	struct effect_forge_answer *answer = &again.u.forge_answer;

	*answer = tx->effect->u.forge_answer;
	answer->pause_s = answer->pause_s == 0 ? PAUSE_FIRST_S : 2 * answer->pause_s;
	if (answer->pause_s > PAUSE_MOST_S)
		answer->pause_s = PAUSE_MOST_S;
	answer->not_before =
	    tx->at + 1000 * (retry_after_s > answer->pause_s ? retry_after_s : answer->pause_s);
	(void)row_effect_order(tx, &again);
}

/* After a restart, what was answered before it waits for nothing.  A report that did not come there
 * is not sent again: the answer says it all. */
void
decide_forge_answered(struct tx *tx, const struct forge_said *said)
{
	struct deployment gate;
	char note[LIMIT_LINE] = "";
	const struct effect_forge_answer *answer = &tx->effect->u.forge_answer;
	bool is_done = said->verdict == FORGE_SAYS_DONE;
	bool is_over = is_done || said->verdict == FORGE_SAYS_GONE;
	const struct environment_settings *e;

	if (answer->is_report)
		return;
	row_deployment_get(tx, tx->effect->subject, &gate);
	e = settings_environment(tx->settings, answer->environment);
	if (!is_done && e != NULL && e->gate_reviewer && answer->pause_s < PAUSE_LIST_S)
		is_over = false;
	is_over |= tx->at - (gate.id != 0 ? gate.requested_at : answer->asked_at) > WAITS_MS;
	if (is_over)
		row_gate_set_answered(tx, gate.id);
	else
		try_again(tx, said->retry_after_s);
	if (!is_done)
		text_setf(note, "GitHub %s: %.200s",
		    is_over ? "waits for no answer" : "is not answered yet", said->why);
	if (gate.id == 0)
		return;
	/* What somebody has stopped says whether its run goes on. */
	if (gate.note[0] == '\0' ? is_done : gate.cancelled_by != 0 && gate.started_at != 0)
		return;
	text_set(gate.note, note);
	tx->unshown = gate.id; /* one that has no message is refused, as many others are */
	decide_tell(tx, &gate, NULL);
	row_deployment_save(tx, &gate);
}
