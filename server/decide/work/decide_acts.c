/* decide_acts.c - the acts of a rule, as rows, effects and messages.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_acts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/work/decide_action.h"
#include "decide/work/decide_bake.h"
#include "decide/tell/decide_tell_batch.h"
#include "decide/queue/decide_binding.h"
#include "decide/work/decide_deployment.h"
#include "decide/work/decide_drain.h"
#include "decide/work/decide_executor.h"
#include "decide/work/decide_forge_answer.h"
#include "decide/work/decide_left.h"
#include "decide/git/decide_git.h"
#include "decide/tell/decide_nag.h"
#include "decide/approval/decide_needs.h"
#include "decide/who/decide_agent.h"
#include "decide/queue/decide_previous.h"
#include "decide/work/decide_probe.h"
#include "decide/work/decide_promotion.h"
#include "decide/work/decide_wave_plan.h"
#include "decide/tell/decide_tell.h"
#include "lib/text.h"
#include "store/row_approval.h"
#include "store/row_block.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_button.h"
#include "store/row_claim.h"
#include "store/row_left_host.h"
#include "store/row_resource.h"
#include "store/row_question.h"
#include "store/row_queue.h"
#include "store/row_run.h"

/* What one step is made of: passed to each act. */
struct act {
	struct tx *tx;
	struct deployment *deployment;
	const struct git_answer *answer;
	bool refused;
};

typedef void act_fn(struct act *act);

static act_fn do_ask_person, do_ask_approvers, do_void_approvals, do_claim, do_run, do_run_rollback,
    do_stop_run, do_probe, do_drop_probe, do_bake, do_release, do_block, do_drain, do_down, do_look,
    do_answer, do_tell, do_refuse_cancel, do_next;

static act_fn *const acts_table[] = {
	[DEPLOY_DO_ASK_PERSON] = do_ask_person,
	[DEPLOY_DO_ASK_APPROVERS] = do_ask_approvers,
	[DEPLOY_DO_VOID_APPROVALS] = do_void_approvals,
	[DEPLOY_DO_CLAIM] = do_claim,
	[DEPLOY_DO_RUN] = do_run,
	[DEPLOY_DO_RUN_ROLLBACK] = do_run_rollback,
	[DEPLOY_DO_STOP_RUN] = do_stop_run,
	[DEPLOY_DO_PROBE] = do_probe,
	[DEPLOY_DO_DROP_PROBE] = do_drop_probe,
	[DEPLOY_DO_BAKE] = do_bake,
	[DEPLOY_DO_RELEASE] = do_release,
	[DEPLOY_DO_BLOCK] = do_block,
	[DEPLOY_DO_DRAIN] = do_drain,
	[DEPLOY_DO_DOWN] = do_down,
	[DEPLOY_DO_LOOK] = do_look,
	[DEPLOY_DO_ANSWER] = do_answer,
	[DEPLOY_DO_TELL] = do_tell,
	[DEPLOY_DO_REFUSE_CANCEL] = do_refuse_cancel,
	[DEPLOY_DO_NEXT] = do_next,
};
_Static_assert(COUNT(acts_table) == DEPLOY_ACT_COUNT, "every act is carried out");

static void
do_ask_person(struct act *act)
{
	struct tx *tx = act->tx;
	struct deployment *deployment = act->deployment;
	bool is_push = decide_tell_is_of_push(tx, deployment);
	bool was_answered = deployment->answered_at != deployment->requested_at;
	int64_t wait_ms = deployment->state == DEPLOY_QUEUED && (!is_push || was_answered) ?
	    decide_needs_question_ms(tx, deployment, DECIDE_QUEUE_QUESTION_MS) :
	    is_push || deployment_is_gate(deployment) ? /* nobody typed it just now */
	    DECIDE_PUSH_QUESTION_MS :
	    DECIDE_COMMAND_QUESTION_MS;

	row_button_close_question(tx, deployment->id); /* one that is asked anew */
	decide_bake_ask(tx, deployment);
	decide_wave_show(tx, deployment, true);
	(void)row_effect_timer(tx, TIMER_QUESTION, "", deployment->id, tx->at + wait_ms);
	if (!decide_tell_batch_join(tx, deployment))
		decide_tell_question(tx, deployment, act->answer);
	if (is_push)
		decide_tell_team(tx, deployment, act->answer);
}

/* Its time is what is left of it where they were asked about this before: who approves it and takes
 * that back in turn makes it last no longer. */
static void
set_approval_time(struct tx *tx, const struct deployment *work, struct approval_request *request)
{
	char binding[NEEDS_BINDING];

	decide_needs_binding(tx, work, binding);
	if (request->left_at != 0 && strcmp(request->binding, binding) == 0) {
		request->asked_at += tx->at - request->left_at;
	} else {
		request->asked_at = tx->at;
		request->is_reminded = false;
	}
	text_set(request->binding, binding); /* fits */
	request->timer = decide_needs_timer(tx, work, request);
}

/* The commits that they read are those over what is live: where others were listed, or none, git is
 * asked, and its answer is shown when it comes (decide_approval_listed()). */
static void
list_changes(struct act *act, bool is_other, struct approval_request *request)
{
	if (act->answer != NULL) {
		request->n_changes = act->answer->count;
		decide_git_changes(act->tx, act->deployment->environment, act->answer,
		    request->changes, sizeof(request->changes));
	} else if (is_other && deployment_asks_git(act->deployment)) {
		request->n_changes = 0;
		request->changes[0] = '\0';
		if (row_effect_find(act->tx, EFFECT_GIT_QUERY, act->deployment->id) == 0)
			decide_query_again(act->tx, act->deployment);
	} else {
		decide_query_blocked(act->tx, act->deployment);
	}
}

/* What they are shown is noted, to be compared when one of them says yes. */
static void
do_ask_approvers(struct act *act)
{
	struct tx *tx = act->tx;
	struct deployment *work = act->deployment;
	struct environment environment;
	struct approval_request request;
	struct question shown;
	char base[LIMIT_COMMIT];
	bool is_other;

	row_environment_get(tx, work->environment, &environment);
	row_approval_request(tx, work->id, &request);
	is_other = request.asked_at == 0 ||
	    strcmp(row_question_get(tx, work->id, &shown)->shown_live,
		decide_live(tx, work, &environment, base)) != 0;
	if (!deployment_is_action(work)) {
		decide_set_previous(tx, work);
		decide_set_direction(tx, work);
	}
	/* Where git has answered, it is what git compared with, which need not be live any more. */
	if (act->answer == NULL ? request.asked_at == 0 : act->answer->error[0] != '\0')
		(void)decide_git_base(tx, work, &environment, work->wait.compared_live);
	decide_bind_question(tx, work, &environment, act->answer);
	decide_wave_show(tx, work, false);
	row_effect_withdraw(tx, request.timer);
	set_approval_time(tx, work, &request);
	list_changes(act, is_other, &request);
	row_approval_ask(tx, work->id, &request);
	row_button_close_approval(tx, work->id); /* a yes is to what its message showed */
	decide_bake_ask(tx, work);
	decide_tell_approvers(tx, work);
}

/* What they are asked about next is what is, of an action too. */
static void
do_void_approvals(struct act *act)
{
	if (deployment_is_action(act->deployment))
		decide_action_bind(act->tx, act->deployment, NULL);
	if (deployment_is_action(act->deployment) && act->deployment->commit[0] != '\0')
		(void)decide_bind_job(act->tx, act->deployment);
	decide_wave_show(act->tx, act->deployment, true); /* approvals are of it */
	(void)decide_needs_void(act->tx, act->deployment);
}

/* Whoever lets it start has seen that all of it is free. */
static void
do_claim(struct act *act)
{
	CLEANUP(freep) struct settings_claims *claims = decide_claims(act->tx, act->deployment);

	const char *rows = decide_claims_rows(act->tx, act->deployment);

	row_claim_take(act->tx, act->deployment->id, claims);
	if (rows != NULL)
		row_resource_take(act->tx, act->deployment->id, rows);
}

/* What a run is given: what to bring up, and what was live. */
struct releases {
	const char *commit;
	const char *image;
	enum commit_source source; /* of commit */
	const char *previous;
	const char *previous_image;
};

static int
deadline_of(const struct tx *tx, const struct deployment *deployment)
{
	const struct action *action = action_row_of(deployment->action);

	return action != NULL ?
	    action->deadline_s :
	    settings_times(tx->settings, deployment->environment)->deploy_timeout_seconds;
}

static void
order_run(struct act *act, enum program program, const struct releases *of)
{
	struct tx *tx = act->tx;
	struct deployment *deployment = act->deployment;
	struct effect effect = { .kind = EFFECT_RUN, .subject = deployment->id };
	struct effect_run *run = &effect.u.run;
	struct promotion promotion;

	deployment->run =
	    row_run_add(tx, deployment->id, program, decide_agent_runner(tx, deployment));
	deployment->attempts++;
	run->run = deployment->run;
	run->program = program;
	run->deployment = deployment->id;
	run->deadline_s = deadline_of(tx, deployment);
	text_set(run->action, deployment->action);
	text_set(run->without, deployment->without);
	text_set(run->argument, deployment->argument);
	text_set(run->client, deployment->client);
	(void)text_copy(run->environment, LIMIT_ENVIRONMENT, deployment->environment);
	run->source = of->source;
	if (of->source == SOURCE_UPLOAD && program == PROGRAM_DEPLOY)
		text_set(run->tree, deployment->tree);
	(void)text_copy(run->commit, LIMIT_COMMIT, of->commit);
	(void)text_copy(run->image, LIMIT_IMAGE, of->image);
	run->is_promoted = program == PROGRAM_DEPLOY &&
	    decide_promotion_of(tx, deployment, &promotion)->image[0] != '\0';
	(void)text_copy(run->previous, LIMIT_COMMIT, of->previous);
	(void)text_copy(run->previous_image, LIMIT_IMAGE, of->previous_image);
	(void)text_copy(run->ref, LIMIT_REF, deployment->ref);
	/* What was live comes back whatever has changed since: it is no new decision. */
	if (deployment->state != DEPLOY_ROLLING_BACK)
		(void)text_copy(run->binding, LIMIT_DIGEST, deployment->binding);
	decide_wave_order(tx, deployment, run);
	row_deployment_save(tx, deployment); /* the order is handed out with its message's row */
	(void)row_effect_order(tx, &effect);
}

static void
do_run(struct act *act)
{
	struct deployment *deployment = act->deployment;
	const struct decide_executor *executor = decide_executor_of(deployment->action);
	char image[LIMIT_IMAGE];

	if (executor != NULL) {
		row_deployment_save(act->tx, deployment);
		executor->begin(act->tx, deployment->id);
		row_deployment_get(act->tx, deployment->id, deployment);
		return;
	}
	if (!deployment_is_action(deployment))
		decide_tell_team(act->tx, deployment, NULL);
	else if (deployment->commit[0] != '\0') { /* what a job runs in is live, not to be */
		order_run(act, deployment->program,
		    &(struct releases){
			"", "", SOURCE_GIT, deployment->commit, deployment->image });
		return;
	}
	order_run(act, deployment->program,
	    &(struct releases){
		.commit = deployment->commit,
		/* Else a deployment's is made by its script, though an earlier run said one. */
		.image = decide_bound_image(act->tx, deployment, image),
		.source = deployment->source,
		.previous = deployment->previous,
		.previous_image = deployment->previous_image,
	    });
}

static void
do_run_rollback(struct act *act)
{
	const struct deployment *deployment = act->deployment;

	order_run(act, PROGRAM_ROLLBACK,
	    &(struct releases){ deployment->previous, deployment->previous_image,
		deployment->previous_source, deployment->commit, deployment->image });
}

static void
do_stop_run(struct act *act)
{
	struct deployment *deployment = act->deployment;
	const struct decide_executor *executor = decide_executor_of(deployment->action);

	if (executor != NULL && executor->stop != NULL) {
		row_deployment_save(act->tx, deployment);
		executor->stop(act->tx, deployment->id);
		row_deployment_get(act->tx, deployment->id, deployment);
		return;
	}
	(void)row_effect_order(act->tx,
	    &(struct effect){ .kind = EFFECT_STOP_RUN,
		.subject = act->deployment->id,
		.u.stop_run.run = act->deployment->run });
}

static void
do_probe(struct act *act)
{
	decide_probe_gate(act->tx, act->deployment);
}

static void
do_look(struct act *act)
{
	(void)decide_probe_look(act->tx, act->deployment);
}

static void
do_drop_probe(struct act *act)
{
	row_effect_withdraw(act->tx, row_effect_find(act->tx, EFFECT_PROBE, act->deployment->id));
}

static void
do_bake(struct act *act)
{
	decide_bake_begin(act->tx, act->deployment);
}

/* What ran until now; where that is not known, what a deployment that failed may have left. */
static void
find_left(struct act *act, const struct release *before, struct block *ret)
{
	const struct deployment *deployment = act->deployment;
	struct deployment last;

	ret->source = before->source;
	text_set(ret->commit, before->commit);
	if (strcmp(before->commit, deployment->commit) != 0)
		return;
	row_deployment_last_changed(act->tx, deployment->environment, &last);
	if (last.state != DEPLOY_FAILED && last.state != DEPLOY_ROLLBACK_FAILED)
		return;
	ret->source = last.source;
	text_set(ret->commit, last.commit);
}

/* What a person's rollback left is blocked as what an automatic one left, and is no alarm. */
static void
leave(struct act *act, const struct release *before, const struct release *now,
    const struct release *to)
{
	const struct deployment *deployment = act->deployment;
	struct block block = { .at = act->tx->at }, before_it = { 0 };

	row_release_leave(act->tx, now);
	find_left(act, before, &block);
	text_set(block.by, deployment->requester);
	/* What deploybot found wrong with it is why somebody did this. */
	(void)row_block_find(act->tx, deployment->environment, block.commit, &before_it);
	text_setf(block.why, "to release %" PRId64 ", %s%s%.150s", to->number,
	    commit_name_here(to->source, to->commit), before_it.why[0] != '\0' ? "; before: " : "",
	    before_it.why);
	row_block_add(act->tx, deployment->environment, &block);
}

static void
do_release(struct act *act)
{
	struct deployment *deployment = act->deployment;
	struct environment before;
	bool is_rollback = deployment_is_rollback(deployment);
	bool is_way_back;
	struct release release = { .at = act->tx->at, .deployment = deployment->id }, to = { 0 };

	row_environment_get(act->tx, deployment->environment, &before);
	is_way_back = deployment_is_emergency(deployment) &&
	    strcmp(deployment->commit, before.current.commit) != 0;
	/* A rollback that an earlier version asked about names its commit alone.  An emergency that
	 * deploys what was live before leads away from what is live, as a rollback does. */
	if (is_rollback && deployment->to_release != 0)
		to = row_release_get(act->tx, deployment->to_release);
	else if (is_rollback || is_way_back)
		to = row_release_find(act->tx, deployment->environment, deployment->commit);
	release.origin = to.origin;
	text_set(release.environment, deployment->environment);
	release.source = deployment->source;
	text_set(release.commit, deployment->commit);
	text_set(release.image, deployment->image);
	text_set(release.by, deployment->requester);
	text_set(release.subject, deployment->subject);
	text_set(release.tree, is_rollback ? to.tree : deployment->tree);
	release.id = row_environment_release(act->tx, &release);
	decide_left_hosts(act->tx, deployment, /* in doubt the one that failed may be there */
	    environment_is_in_doubt(&before) ? "" : before.current.commit);
	decide_tell_over(act->tx, deployment, &before);
	decide_nag_hosts(act->tx, deployment);
	if (!deployment->is_off_branch)
		row_block_free_contained(act->tx, deployment);
	if (is_rollback && !deployment->is_forward)
		leave(act, &before.current, &release, &to);
	else if (!is_rollback && to.id != 0)
		row_release_leave(act->tx, &release);
	if (is_rollback && environment_is_in_doubt(&before))
		deployment->previous[0] = '\0'; /* what ran is not known */
}

/* The same commit was deployed once more: what was live before is back, and the release now. */
static void
restore_previous(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct release release =
	    row_release_find(act->tx, deployment->environment, deployment->previous);

	text_set(release.image, deployment->previous_image);
	release.at = act->tx->at;
	release.deployment = deployment->id;
	text_set(release.by, deployment->requester);
	release.id = row_environment_release(act->tx, &release);
	row_release_leave(act->tx, &release);
}

/* What ran before deploybot is no release of the database's. */
static void
do_block(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct environment environment;
	const char *why = deployment->why == DEPLOY_WHY_UNHEALTHY && deployment->detail[0] != '\0' ?
	    "" : /* what was measured speaks for itself */
	    deploy_flow_why_word(deployment->why);
	bool is_back = deployment->state == DEPLOY_ROLLED_BACK;
	struct block block = { .by = "", .at = act->tx->at };
	char line[LIMIT_LINE];
	const char *detail = deployment_release_failure(deployment, line);

	row_environment_get(act->tx, deployment->environment, &environment);
	if (is_back) /* it went to all hosts, and its rollback too */
		row_left_host_set(act->tx, deployment->environment, "", "");
	if (is_back && !deployment_is_back_to_target(deployment) &&
	    strcmp(environment.current.commit, deployment->previous) != 0)
		restore_previous(act);
	if (is_back) /* after FAILED what was live serves on; ROLLBACK_FAILED is down */
		row_environment_rolled_back(act->tx, deployment->environment);
	if (is_back && environment_is_in_doubt(&environment))
		decide_tell_over(act->tx, deployment, &environment);
	text_set(block.by, is_back ? "deploybot" : "");
	block.source = deployment->source;
	text_set(block.commit, deployment->commit);
	text_setf(
	    block.why, "%s%s%.200s", why, why[0] != '\0' && detail[0] != '\0' ? ": " : "", detail);
	row_block_add(act->tx, deployment->environment, &block);
	if (deployment->state != DEPLOY_ROLLBACK_FAILED && /* do_down() begins those of it */
	    deployment->why != DEPLOY_WHY_CANCELLED)	   /* who stopped it knows */
		decide_nag_begin(act->tx, deployment);
}

static void
do_drain(struct act *act)
{
	decide_drain(act->tx, act->deployment);
}

static void
do_down(struct act *act)
{
	row_environment_down(act->tx, act->deployment->environment);
	decide_tell_live_before(act->tx, act->deployment);
	decide_nag_begin(act->tx, act->deployment);
}

static void
do_answer(struct act *act)
{
	decide_forge_answer(act->tx, act->deployment);
}

static void
do_tell(struct act *act)
{
	decide_tell(act->tx, act->deployment, act->answer);
	decide_ring(act->tx, act->deployment);
}

static void
do_refuse_cancel(struct act *act)
{
	act->refused = true;
}

static void
do_next(struct act *act)
{
	struct deployment *deployment = act->deployment;

	row_queue_look(act->tx, deployment->environment);
	if (deployment->state == DEPLOY_QUEUED) /* it is saved behind this */
		text_set(deployment->waits_for, ROW_QUEUE_LOOK);
}

bool
decide_acts(struct tx *tx, struct deployment *deployment, const struct deploy_acts *acts,
    const struct git_answer *answer)
{
	struct act act = { .tx = tx, .deployment = deployment, .answer = answer };

	for (size_t i = 0; i < acts->n; i++)
		acts_table[acts->todo[i]](&act);
	return !act.refused;
}
