/* decide_deployment.c - a deployment goes on by one event.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_deployment.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/decide_limit.h"
#include "decide/decide_record.h"
#include "decide/decide_reply.h"
#include "decide/decide_tell.h"
#include "lib/text.h"
#include "settings/settings_claims.h"
#include "store/row_block.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_button.h"
#include "store/row_claim.h"
#include "store/row_queue.h"

/* --- the acts of a rule, as rows and effects --- */

/* What one step is made of: passed to each act. */
struct act {
	struct tx *tx;
	struct deployment *deployment;
	const struct git_answer *answer;
	bool refused;
};

typedef void act_fn(struct act *act);

static act_fn do_ask_person, do_claim, do_run, do_run_rollback, do_stop_run, do_probe,
    do_drop_probe, do_release, do_block, do_down, do_tell, do_refuse_cancel, do_next;

static act_fn *const acts_table[] = {
	[DEPLOY_DO_ASK_PERSON] = do_ask_person,
	[DEPLOY_DO_CLAIM] = do_claim,
	[DEPLOY_DO_RUN] = do_run,
	[DEPLOY_DO_RUN_ROLLBACK] = do_run_rollback,
	[DEPLOY_DO_STOP_RUN] = do_stop_run,
	[DEPLOY_DO_PROBE] = do_probe,
	[DEPLOY_DO_DROP_PROBE] = do_drop_probe,
	[DEPLOY_DO_RELEASE] = do_release,
	[DEPLOY_DO_BLOCK] = do_block,
	[DEPLOY_DO_DOWN] = do_down,
	[DEPLOY_DO_TELL] = do_tell,
	[DEPLOY_DO_REFUSE_CANCEL] = do_refuse_cancel,
	[DEPLOY_DO_NEXT] = do_next,
};
_Static_assert(COUNT(acts_table) == DEPLOY_ACT_COUNT, "every act is carried out");

/* Also one that a person asked for first, and a push of the same commit came upon. */
static bool
is_a_pushs(struct tx *tx, const struct deployment *deployment)
{
	return deployment->trigger != TRIGGER_CHAT ||
	    row_button_is_requester(tx, deployment->id, 0);
}

static void
do_ask_person(struct act *act)
{
	struct tx *tx = act->tx;
	struct deployment *deployment = act->deployment;
	bool is_push = is_a_pushs(tx, deployment);
	int64_t wait_ms = deployment->state == DEPLOY_QUEUED ? DECIDE_QUEUE_QUESTION_MS :
	    is_push					     ? DECIDE_PUSH_QUESTION_MS :
							       DECIDE_COMMAND_QUESTION_MS;

	row_button_close_question(tx, deployment->id); /* one that is asked anew */
	decide_tell_question(tx, deployment, act->answer);
	if (is_push)
		decide_tell_team(tx, deployment, act->answer);
	row_button_set_timer(tx, deployment->id,
	    row_effect_timer(tx, TIMER_QUESTION, "", deployment->id, tx->at + wait_ms));
}

/* Whoever lets it start has seen that all of it is free. */
static void
do_claim(struct act *act)
{
	struct settings_claims *claims =
	    settings_claims(act->tx->settings, act->deployment->environment);

	if (claims == NULL)
		tx_fail(act->tx, ERR_NOMEM, "no memory for claims");
	else
		row_claim_take(act->tx, act->deployment->id, claims);
	free(claims);
}

/* What a run is given: what to bring up, and what was live. */
struct releases {
	const char *commit;
	const char *image;
	const char *previous;
	const char *previous_image;
};

static void
order_run(struct act *act, enum program program, const struct releases *of)
{
	struct tx *tx = act->tx;
	struct deployment *deployment = act->deployment;
	struct effect effect = { .kind = EFFECT_RUN, .subject = deployment->id };
	struct effect_run *run = &effect.u.run;

	deployment->run = row_run_add(tx, deployment->id, program);
	deployment->attempts++;
	run->run = deployment->run;
	run->program = program;
	run->deployment = deployment->id;
	run->deadline_s =
	    settings_of(tx->settings, deployment->environment)->deploy_timeout_seconds;
	(void)text_copy(run->environment, LIMIT_ENVIRONMENT, deployment->environment);
	(void)text_copy(run->commit, LIMIT_COMMIT, of->commit);
	(void)text_copy(run->image, LIMIT_IMAGE, of->image);
	(void)text_copy(run->previous, LIMIT_COMMIT, of->previous);
	(void)text_copy(run->previous_image, LIMIT_IMAGE, of->previous_image);
	(void)text_copy(run->ref, LIMIT_REF, deployment->ref);
	row_deployment_save(tx, deployment); /* the order is handed out with its message's row */
	(void)row_effect_order(tx, &effect);
}

static void
do_run(struct act *act)
{
	struct deployment *deployment = act->deployment;

	if (!deployment_is_action(deployment))
		decide_tell_team(act->tx, deployment, NULL);
	order_run(act, deployment->program,
	    &(struct releases){
		.commit = deployment->commit,
		/* A deployment's image is made by its script, though an earlier run said one. */
		.image = deployment->program == PROGRAM_ROLLBACK ? deployment->image : "",
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
		deployment->commit, deployment->image });
}

static void
do_stop_run(struct act *act)
{
	(void)row_effect_order(act->tx,
	    &(struct effect){ .kind = EFFECT_STOP_RUN,
		.subject = act->deployment->id,
		.u.stop_run.run = act->deployment->run });
}

/* One target for each URL of the comma list that the deployment started with. */
static size_t
split_targets(const struct deployment *deployment, const char *commit, struct probe_target *targets,
    size_t max)
{
	const char *at = deployment->urls;
	size_t n = 0;

	while (*at != '\0' && n < max) {
		size_t length = strcspn(at, ",");
		struct probe_target *target = &targets[n];

		if (length > 0 && length < sizeof(target->url)) {
			memcpy(target->url, at, length);
			(void)text_copy(
			    target->environment, LIMIT_ENVIRONMENT, deployment->environment);
			(void)text_copy(target->commit, LIMIT_COMMIT, commit);
			n++;
		}
		at += length + (at[length] == ',' ? 1 : 0);
	}
	return n;
}

static void
do_probe(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	const struct settings *settings = settings_of(act->tx->settings, deployment->environment);
	bool is_back = deployment->state == DEPLOY_VERIFYING_ROLLBACK;
	/* Of what ran before deploybot nobody knows the commit. */
	const char *expected = !is_back		     ? deployment->commit :
	    deployment_is_back_to_target(deployment) ? "" :
						       deployment->previous;
	struct effect *effect = effect_new(EFFECT_PROBE);

	if (effect != NULL)
		effect->u.probe.targets = calloc(LIMIT_URLS, sizeof(*effect->u.probe.targets));
	if (effect == NULL || effect->u.probe.targets == NULL) {
		effect_free(effect);
		tx_fail(act->tx, ERR_NOMEM, "no memory for a probe");
		return;
	}
	effect->subject = deployment->id;
	effect->u.probe.plan = (struct probe_plan){
		.successes = settings->health_check_successes,
		.failures = settings->health_check_retries,
		.interval_s = settings->health_check_interval_seconds,
		.timeout_s = settings->health_check_timeout_seconds,
		.deadline_s = settings->health_check_deadline_seconds,
		.until = act->tx->at + (int64_t)settings->health_check_deadline_seconds * 1000,
	};
	effect->u.probe.n =
	    split_targets(deployment, expected, effect->u.probe.targets, LIMIT_URLS);
	(void)row_effect_add(act->tx, effect);
}

static void
do_drop_probe(struct act *act)
{
	row_effect_withdraw(act->tx, row_effect_find(act->tx, EFFECT_PROBE, act->deployment->id));
}

/* What ran until now; where that is not known, what a deployment that failed may have left. */
static void
find_left(struct act *act, const char *before, char ret[LIMIT_COMMIT])
{
	const struct deployment *deployment = act->deployment;
	struct deployment last;

	(void)text_copy(ret, LIMIT_COMMIT, before);
	if (strcmp(before, deployment->commit) != 0)
		return;
	last = row_deployment_last_changed(act->tx, deployment->environment);
	if (last.state == DEPLOY_FAILED || last.state == DEPLOY_ROLLBACK_FAILED)
		(void)text_copy(ret, LIMIT_COMMIT, last.commit);
}

/* What a person's rollback left is blocked as what an automatic one left, and is no alarm. */
static void
leave(struct act *act, const char *before, const struct release *now, const struct release *to)
{
	const struct deployment *deployment = act->deployment;
	struct block block = { .at = act->tx->at }, before_it = { 0 };

	row_release_leave(act->tx, now);
	find_left(act, before, block.commit);
	(void)text_copy(block.by, sizeof(block.by), deployment->requester);
	/* What deploybot found wrong with it is why somebody did this. */
	(void)row_block_find(act->tx, deployment->environment, block.commit, &before_it);
	(void)snprintf(block.why, sizeof(block.why), "to release %" PRId64 ", %.7s%s%.150s",
	    to->number, to->commit, before_it.why[0] != '\0' ? "; before: " : "", before_it.why);
	row_block_add(act->tx, deployment->environment, &block);
}

static void
do_release(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct environment before = row_environment_get(act->tx, deployment->environment);
	bool is_rollback = deployment_is_rollback(deployment);
	struct release release = { .at = act->tx->at, .deployment = deployment->id }, to = { 0 };

	if (is_rollback) /* one that an earlier version asked about names its commit alone */
		to = deployment->to_release != 0 ?
		    row_release_get(act->tx, deployment->to_release) :
		    row_release_find(act->tx, deployment->environment, deployment->commit);
	release.origin = to.origin;
	(void)text_copy(release.environment, sizeof(release.environment), deployment->environment);
	(void)text_copy(release.commit, sizeof(release.commit), deployment->commit);
	(void)text_copy(release.image, sizeof(release.image), deployment->image);
	(void)text_copy(release.by, sizeof(release.by), deployment->requester);
	(void)text_copy(release.subject, sizeof(release.subject), deployment->subject);
	release.id = row_environment_release(act->tx, &release);
	row_block_free_contained(act->tx, deployment);
	if (is_rollback && !deployment->is_forward)
		leave(act, before.current.commit, &release, &to);
}

/* The same commit was deployed once more: what was live before is back, and the release now. */
static void
restore_previous(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct release release =
	    row_release_find(act->tx, deployment->environment, deployment->previous);

	(void)text_copy(release.image, sizeof(release.image), deployment->previous_image);
	release.at = act->tx->at;
	release.deployment = deployment->id;
	(void)text_copy(release.by, sizeof(release.by), deployment->requester);
	release.id = row_environment_release(act->tx, &release);
	row_release_leave(act->tx, &release);
}

/* What ran before deploybot is no release of the database's. */
static void
do_block(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct environment environment = row_environment_get(act->tx, deployment->environment);
	const char *why = deploy_flow_why_word(deployment->why);
	struct block block = { .by = "deploybot", .at = act->tx->at };

	if (deployment->state == DEPLOY_ROLLED_BACK && !deployment_is_back_to_target(deployment) &&
	    strcmp(environment.current.commit, deployment->previous) != 0)
		restore_previous(act);
	row_environment_rolled_back(act->tx, deployment->environment);
	(void)text_copy(block.commit, sizeof(block.commit), deployment->commit);
	(void)snprintf(block.why, sizeof(block.why), "%s%s%.200s", why,
	    why[0] != '\0' && deployment->detail[0] != '\0' ? ": " : "", deployment->detail);
	row_block_add(act->tx, deployment->environment, &block);
}

static void
do_down(struct act *act)
{
	row_environment_down(act->tx, act->deployment->environment);
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
		(void)text_copy(
		    deployment->waits_for, sizeof(deployment->waits_for), ROW_QUEUE_LOOK);
}

/* In their order; the deployment stands in its new state already.  False: one of them was to
 * refuse a cancel. */
static bool
carry_out(struct tx *tx, struct deployment *deployment, const struct deploy_acts *acts,
    const struct git_answer *answer)
{
	struct act act = { .tx = tx, .deployment = deployment, .answer = answer };

	for (size_t i = 0; i < acts->n; i++)
		acts_table[acts->todo[i]](&act);
	return !act.refused;
}

/* --- the step --- */

/* No second confirmation of what has started: that one's question is closed where it stands. */
static void
close_questions(struct tx *tx, const struct deployment *started)
{
	struct deployment question =
	    row_deployment_question_of(tx, started->environment, started->commit);

	while (question.id != 0 && !tx->failed) {
		(void)snprintf(question.detail, sizeof(question.detail), "started by %s",
		    deployment_starter(started));
		(void)decide_step(tx, &question, DEPLOY_ON_SUPERSEDE, NULL);
		question = row_deployment_question_of(tx, started->environment, started->commit);
	}
}

/* A push that takes over an older one's place has it already. */
static void
enter_queue(struct tx *tx, struct deployment *deployment)
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	if (deployment->place == 0)
		deployment->place = row_queue_draw(tx);
	deployment->queued_at = tx->at;
	deployment->answered_at = deployment->confirmed_by != 0 ? tx->at : deployment->requested_at;
	(void)text_copy(deployment->compared_live, LIMIT_COMMIT, environment.current.commit);
}

/* Nothing that it waited for in its place is waited for any more. */
static void
leave_queue(struct tx *tx, struct deployment *deployment)
{
	row_effect_withdraw(tx, row_effect_find(tx, EFFECT_GIT_QUERY, deployment->id));
	row_button_close_question(tx, deployment->id);
	deployment->is_asked_anew = false;
	deployment->waits_for[0] = '\0';
}

/* What starts with a state, before its acts. */
static void
enter_state(struct tx *tx, struct deployment *deployment, enum deploy_state from)
{
	if (deployment->state == DEPLOY_ROLLING_BACK && from != DEPLOY_ROLLING_BACK)
		deployment->attempts = 0;
	if (deployment->state == DEPLOY_RUNNING && from == DEPLOY_QUEUED) {
		deployment->started_at = tx->at;
		close_questions(tx, deployment);
	}
	if (deployment->state == DEPLOY_QUEUED && from != DEPLOY_QUEUED)
		enter_queue(tx, deployment);
	if (from == DEPLOY_QUEUED && deployment->state != DEPLOY_QUEUED)
		leave_queue(tx, deployment);
	if (from == DEPLOY_AWAITING_CONFIRMATION && deployment->state != from)
		row_button_close_question(tx, deployment->id);
	decide_record_step(tx, deployment, from);
	if (deploy_flow_class(deployment->state) != DEPLOY_CLASS_FINAL)
		return;
	deployment->ended_at = tx->at;
	if (deploy_flow_class(from) == DEPLOY_CLASS_ACTIVE)
		row_claim_give_back(tx, deployment->id);
	decide_charge(tx, deployment);
	row_button_close(tx, "cancel", request_about("cancel", "work", deployment->id).target);
	decide_record_end(tx, deployment);
}

bool
decide_step(struct tx *tx, struct deployment *deployment, enum deploy_event event,
    const struct git_answer *answer)
{
	enum deploy_state from = deployment->state;
	struct deploy_acts acts;

	if (tx->failed)
		return true;
	deployment->state = deploy_flow_step(deployment->program, from, event, &acts);
	if (acts.n == 0) {
		tx_log(tx, LOG_LEVEL_DEBUG, "deployment %" PRId64 ": %s finds nothing to do in %s",
		    deployment->id, deploy_flow_event_name(event), deploy_flow_name(from));
		return true;
	}
	decide_record_log(tx, deployment, from, event);
	if (deployment->state != from || event == DEPLOY_ON_AGAIN) {
		row_deployment_set_state(tx, deployment->id, deployment->state, deployment->why);
		enter_state(tx, deployment, from);
	}
	if (!carry_out(tx, deployment, &acts, answer))
		return false;
	if (deploy_flow_class(deployment->state) == DEPLOY_CLASS_FINAL) {
		row_button_clear_requesters(
		    tx, deployment->id); /* their messages say how it ended */
		row_block_forget_contained(tx, deployment->id);
	}
	row_deployment_save(tx, deployment);
	return true;
}

void
decide_set_previous(struct tx *tx, struct deployment *deployment)
{
	struct environment environment = row_environment_get(tx, deployment->environment);
	const struct release *back = &environment.current;

	if (strcmp(back->commit, deployment->commit) == 0)
		back = &environment.previous; /* the same once more: what was live before it */
	(void)text_copy(deployment->previous, sizeof(deployment->previous), back->commit);
	(void)text_copy(
	    deployment->previous_image, sizeof(deployment->previous_image), back->image);
}

/* What runs may have changed since it was asked for. */
static void
set_direction(struct tx *tx, struct deployment *deployment)
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	deployment->is_forward =
	    row_release_get(tx, deployment->to_release).origin > environment.current.origin;
}

bool
decide_prepare_start(struct tx *tx, struct deployment *deployment)
{
	const struct environment_settings *settings =
	    settings_environment(tx->settings, deployment->environment);
	size_t used = 0;

	if (settings == NULL || deployment_is_action(deployment))
		return settings != NULL;
	decide_set_previous(tx, deployment);
	set_direction(tx, deployment);
	deployment->urls[0] = '\0';
	for (size_t i = 0; i < settings->health_url_count; i++) {
		int n = snprintf(deployment->urls + used, sizeof(deployment->urls) - used, "%s%s",
		    i > 0 ? "," : "", settings->health_urls[i]);

		if (n < 0 || (size_t)n >= sizeof(deployment->urls) - used) {
			tx_fail(tx, ERR_LIMIT, "the health URLs of %s are longer than %zu bytes",
			    deployment->environment, sizeof(deployment->urls));
			break;
		}
		used += (size_t)n;
	}
	return true;
}

enum policy_action
decide_action_of(const struct deployment *deployment)
{
	static const enum policy_action actions[PROGRAM_COUNT] = {
		[PROGRAM_DEPLOY] = POLICY_DEPLOY,
		[PROGRAM_ROLLBACK] = POLICY_ROLLBACK,
		[PROGRAM_ACTION] = POLICY_DO,
	};

	return actions[deployment->program];
}

bool
decide_is_live(struct tx *tx, const struct deployment *deployment)
{
	struct environment environment = row_environment_get(tx, deployment->environment);

	return deployment->program == PROGRAM_DEPLOY &&
	    deployment_runs_already(deployment, &environment);
}

/* The commits of which git says whether the answer's contains them. */
static void
name_blocked(struct tx *tx, struct effect_git_query *query)
{
	struct block blocks[LIMIT_BLOCKED];
	size_t n = row_block_list(tx, query->environment, blocks, LIMIT_BLOCKED, NULL), used = 0;

	for (size_t i = 0; i < n; i++) /* cannot be cut: each has its blank or the NUL */
		used += (size_t)snprintf(query->blocked + used, sizeof(query->blocked) - used,
		    "%s%s", i > 0 ? " " : "", blocks[i].commit);
}

void
decide_git_query(struct tx *tx, const struct effect_git_query *query, int64_t deployment)
{
	struct effect effect = {
		.kind = EFFECT_GIT_QUERY, .subject = deployment, .u.git_query = *query
	};

	if (query->kind == GIT_QUERY_COMMITS)
		name_blocked(tx, &effect.u.git_query);
	(void)row_effect_order(tx, &effect);
}

void
decide_query_commit(
    struct tx *tx, const struct deployment *deployment, const char *ref, const char *requested_by)
{
	const char *branch = settings_environment(tx->settings, deployment->environment)->branch;
	struct environment environment = row_environment_get(tx, deployment->environment);
	struct effect_git_query query = { .kind = GIT_QUERY_COMMITS };

	(void)text_copy(query.environment, sizeof(query.environment), deployment->environment);
	(void)text_copy(query.ref, sizeof(query.ref), ref);
	(void)text_copy(query.base, sizeof(query.base), environment.current.commit);
	if (branch != NULL)
		(void)text_copy(query.branch, sizeof(query.branch), branch);
	(void)text_copy(query.requested_by, sizeof(query.requested_by), requested_by);
	decide_git_query(tx, &query, deployment->id);
}

struct deployment
decide_requested(
    struct tx *tx, const struct update *update, enum program program, const char *environment)
{
	struct deployment deployment = {
		.program = program,
		.trigger = TRIGGER_CHAT,
		.state = DEPLOY_REQUESTED,
		.requested_by = update->person,
		.address = decide_home(tx, update, environment),
		.request = update->message,
		.requested_at = tx->at,
	};

	(void)text_copy(deployment.environment, sizeof(deployment.environment), environment);
	(void)text_copy(deployment.requester, sizeof(deployment.requester), update->name);
	return deployment;
}

void
decide_contained(
    struct tx *tx, const struct deployment *deployment, const struct git_answer *answer)
{
	for (size_t i = 0; !deployment->is_off_branch && i < answer->n_contained; i++)
		row_block_contain(tx, deployment->id, answer->contained[i]);
}

/* The entries of its end name who asked for it: who wanted it ended may be somebody else. */
static void
audit_cancel(struct tx *tx, const struct deployment *deployment, const struct update *update)
{
	char user[PRINCIPAL_TEXT];

	decide_audit_request(tx, deployment, decide_user(tx, update->person, user),
	    "cancel_requested", "requested",
	    (const char *const[]){
		"state", deploy_flow_word(deployment->state), "name", update->name, NULL });
}

/* An action has nothing to roll back, and needs no release for that. */
static bool
has_way_back(const struct deployment *deployment)
{
	return deployment_is_action(deployment) || deployment_can_roll_back(deployment);
}

bool
decide_cancel(struct tx *tx, struct deployment *deployment, const struct update *update)
{
	struct deployment before = *deployment;
	enum deploy_event event = deployment_is_rollback(deployment) ? DEPLOY_ON_CANCEL_ROLLBACK :
	    has_way_back(deployment)				     ? DEPLOY_ON_CANCEL :
								       DEPLOY_ON_CANCEL_NO_ROLLBACK;

	audit_cancel(tx, deployment, update);
	deployment->why = DEPLOY_WHY_CANCELLED;
	(void)snprintf(deployment->detail, sizeof(deployment->detail), "by %s", update->name);
	if (decide_step(tx, deployment, event, NULL))
		return true;
	*deployment = before;
	return false;
}

/* No exit record will come, or it could not be read: its log is kept as long as any other. */
static void
end_run(struct tx *tx, int64_t run)
{
	if (row_run_is_open(tx, run))
		row_run_ended(tx, &(struct run_ended){ .run = run, .exit_status = -1 });
}

void
decide_give_up(struct tx *tx, struct deployment *deployment, const char *reason)
{
	bool has_back = has_way_back(deployment);
	enum deploy_event event;

	deployment->why = DEPLOY_WHY_INTERRUPTED;
	(void)text_copy(deployment->detail, sizeof(deployment->detail), reason);
	switch (deploy_flow_class(deployment->state)) {
	case DEPLOY_CLASS_OPEN:
	case DEPLOY_CLASS_QUEUED:
		event = DEPLOY_ON_REFUSE;
		break;
	case DEPLOY_CLASS_ACTIVE:
		if (deployment->state == DEPLOY_VERIFYING ||
		    deployment->state == DEPLOY_VERIFYING_ROLLBACK) {
			event = has_back ? DEPLOY_ON_UNHEALTHY : DEPLOY_ON_UNHEALTHY_NO_ROLLBACK;
		} else {
			deployment->target_changed = true; /* nobody knows */
			end_run(tx, deployment->run);
			event = has_back ? DEPLOY_ON_SCRIPT_FAILED :
					   DEPLOY_ON_SCRIPT_FAILED_NO_ROLLBACK;
		}
		break;
	default:
		return;
	}
	(void)decide_step(tx, deployment, event, NULL);
}

void
decide_folder_gone(struct tx *tx, struct deployment *deployment, const char *reason)
{
	bool is_back = deployment->state == DEPLOY_ROLLING_BACK ||
	    deployment->state == DEPLOY_VERIFYING_ROLLBACK;

	if (deploy_flow_class(deployment->state) != DEPLOY_CLASS_ACTIVE)
		return;
	if (!is_back)
		deployment->why = DEPLOY_WHY_INTERRUPTED;
	deployment->target_changed = true; /* nobody knows */
	(void)text_copy(deployment->detail, sizeof(deployment->detail), reason);
	end_run(tx, deployment->run);
	(void)decide_step(tx, deployment, DEPLOY_ON_FOLDER_GONE, NULL);
}
