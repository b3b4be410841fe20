/* decide_act.c - each act of the rule table as rows and effects.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/decide_act.h"

#include <stdlib.h>
#include <string.h>

#include "decide/decide_deployment.h"
#include "decide/decide_tell.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "store/row_environment.h"
#include "store/row_question.h"

/* What one step is made of: passed to each act. */
struct act {
	struct tx *tx;
	struct deployment *deployment;
	const struct git_answer *answer;
	bool refused;
};

typedef void act_fn(struct act *act);

static act_fn do_ask_person, do_run, do_run_back, do_end_run, do_probe, do_drop_probe, do_release,
    do_hold, do_down, do_tell, do_refuse_cancel, do_next;

static act_fn *const acts_table[] = {
	[DEPLOY_DO_ASK_PERSON] = do_ask_person,
	[DEPLOY_DO_RUN] = do_run,
	[DEPLOY_DO_RUN_BACK] = do_run_back,
	[DEPLOY_DO_END_RUN] = do_end_run,
	[DEPLOY_DO_PROBE] = do_probe,
	[DEPLOY_DO_DROP_PROBE] = do_drop_probe,
	[DEPLOY_DO_RELEASE] = do_release,
	[DEPLOY_DO_HOLD] = do_hold,
	[DEPLOY_DO_DOWN] = do_down,
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
	int64_t wait_ms = deployment->trigger == TRIGGER_CHAT ? DECIDE_COMMAND_QUESTION_MS :
								DECIDE_PUSH_QUESTION_MS;

	decide_tell(tx, deployment, act->answer);
	row_question_set_wait(tx, deployment->id,
	    row_effect_wait(tx, WAIT_QUESTION, "", deployment->id, tx->at + wait_ms));
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
	struct effect *effect = effect_new(EFFECT_RUN);

	if (effect == NULL) {
		tx_fail(tx, ERR_NOMEM, "no memory for a run");
		return;
	}
	deployment->run = row_run_add(tx, deployment->id, program);
	deployment->attempts++;
	effect->subject = deployment->id;
	effect->u.run.run = deployment->run;
	effect->u.run.program = program;
	effect->u.run.deployment = deployment->id;
	effect->u.run.deadline_s = tx->settings->deploy_timeout_seconds;
	(void)text_copy(effect->u.run.environment, LIMIT_ENVIRONMENT, deployment->environment);
	(void)text_copy(effect->u.run.commit, LIMIT_COMMIT, of->commit);
	(void)text_copy(effect->u.run.image, LIMIT_IMAGE, of->image);
	(void)text_copy(effect->u.run.previous, LIMIT_COMMIT, of->previous);
	(void)text_copy(effect->u.run.previous_image, LIMIT_IMAGE, of->previous_image);
	(void)text_copy(effect->u.run.ref, LIMIT_REF, deployment->ref);
	row_deployment_save(tx, deployment); /* the order is handed out with its message's row */
	(void)row_effect_add(tx, effect);
}

static void
do_run(struct act *act)
{
	struct deployment *deployment = act->deployment;

	decide_tell_team(act->tx, deployment);
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
do_run_back(struct act *act)
{
	const struct deployment *deployment = act->deployment;

	order_run(act, PROGRAM_ROLLBACK,
	    &(struct releases){ deployment->previous, deployment->previous_image,
		deployment->commit, deployment->image });
}

static void
do_end_run(struct act *act)
{
	struct effect *effect = effect_new(EFFECT_END);

	if (effect == NULL) {
		tx_fail(act->tx, ERR_NOMEM, "no memory for an end");
		return;
	}
	effect->subject = act->deployment->id;
	effect->u.end.run = act->deployment->run;
	(void)row_effect_add(act->tx, effect);
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
	const struct settings *settings = act->tx->settings;
	const struct deployment *deployment = act->deployment;
	bool is_back = deployment->state == DEPLOY_VERIFYING_ROLLBACK;
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
	};
	effect->u.probe.n =
	    split_targets(deployment, is_back ? deployment->previous : deployment->commit,
		effect->u.probe.targets, LIMIT_URLS);
	(void)row_effect_add(act->tx, effect);
}

static void
do_drop_probe(struct act *act)
{
	row_effect_withdraw(act->tx, row_effect_find(act->tx, EFFECT_PROBE, act->deployment->id));
}

static void
do_release(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct release release = { .at = act->tx->at, .deployment = deployment->id };

	(void)text_copy(release.environment, sizeof(release.environment), deployment->environment);
	(void)text_copy(release.commit, sizeof(release.commit), deployment->commit);
	(void)text_copy(release.image, sizeof(release.image), deployment->image);
	(void)text_copy(release.by, sizeof(release.by), deployment->asker);
	(void)text_copy(release.subject, sizeof(release.subject), deployment->subject);
	(void)row_environment_release(act->tx, &release);
}

/* The same commit was deployed once more: what was live before is back, and the release now. */
static void
release_back(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct release release =
	    row_release_find(act->tx, deployment->environment, deployment->previous);

	(void)text_copy(release.image, sizeof(release.image), deployment->previous_image);
	release.at = act->tx->at;
	release.deployment = deployment->id;
	(void)text_copy(release.by, sizeof(release.by), deployment->asker);
	(void)row_environment_release(act->tx, &release);
}

/* Nothing is held against what was live before and is again, though its new release failed. */
static void
do_hold(struct act *act)
{
	const struct deployment *deployment = act->deployment;
	struct environment environment = row_environment_get(act->tx, deployment->environment);

	if (deployment->state == DEPLOY_ROLLED_BACK &&
	    strcmp(environment.current.commit, deployment->previous) != 0)
		release_back(act);
	row_environment_hold(act->tx, deployment->environment,
	    strcmp(deployment->commit, deployment->previous) == 0 ? "" : deployment->commit);
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
}

static void
do_refuse_cancel(struct act *act)
{
	act->refused = true;
}

static void
do_next(struct act *act)
{
	row_deployment_save(act->tx, act->deployment);
	decide_next(act->tx, act->deployment->environment);
}

bool
decide_act(struct tx *tx, struct deployment *deployment, const struct deploy_acts *acts,
    const struct git_answer *answer)
{
	struct act act = { .tx = tx, .deployment = deployment, .answer = answer };

	for (size_t i = 0; i < acts->n; i++)
		acts_table[acts->todo[i]](&act);
	return !act.refused;
}
