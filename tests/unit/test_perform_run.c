/* Goal: what a run and a question do to the world waits for the store, and is reported once.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* With the real runner: DEPLOYBOT_RUNNER, or the one beside the tests' folder; else skipped. */
#include "runs_aid.h"

#include <unistd.h>

#include "effects/perform.h"
#include "lib/fingerprint.h"
#include "lib/text.h"
#include "runs/run_files.h"

#define COMMIT "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"

struct performed {
	struct scene *scene;
	struct perform perform;
	struct event *started; /* held: its answer is given by the test */
	struct event *result;
	struct event *stop_sent;
	int steps;
	int lost;
};

static void
take(void *ctx, struct event *event)
{
	struct performed *w = ctx;

	switch (event->kind) {
	case EVENT_RUN_STARTED:
		assert_null(w->started);
		w->started = event;
		return;
	case EVENT_RUN_STEP:
		assert_int_equal(event->u.run_step.n, w->steps);
		w->steps++;
		break;
	case EVENT_RUN_LOST:
		w->lost++;
		break;
	case EVENT_STOP_SENT:
		assert_null(w->stop_sent);
		w->stop_sent = event;
		return;
	default:
		assert_null(w->result);
		w->result = event;
		return;
	}
	event_free(event);
}

static int
begin(void **state)
{
	struct performed *w = calloc(1, sizeof(*w));
	void *scene = NULL;

	if (w == NULL || runs_aid_begin(&scene) != 0)
		return -1;
	w->scene = scene;
	*state = w;
	runs_aid_script(w->scene, "touch \"$PROOF\"\necho '==> build'\nexec sleep 600");
	return 0;
}

static int
finish(void **state)
{
	struct performed *w = *state;
	void *scene = w->scene;

	perform_done(&w->perform);
	runs_free(TAKE(w->scene->runs)); /* it may still tell of what it has */
	event_free(w->started);
	event_free(w->result);
	event_free(w->stop_sent);
	free(w);
	return runs_aid_finish(&scene);
}

#define SCENE_TEST(name) TEST_OF(name, struct performed *w, begin, finish)

static void
need_runner(struct performed *w)
{
	runs_aid_need(w->scene);
	w->perform = (struct perform){
		.loop = w->scene->loop, .runs = w->scene->runs, .submit = take, .submit_ctx = w
	};
}

static void
order_of(struct performed *w, enum program program, int deadline_s)
{
	struct effect *effect = effect_new(EFFECT_RUN);

	assert_non_null(effect);
	effect->id = 5;
	effect->u.run.run = 1;
	effect->u.run.deployment = 42;
	effect->u.run.program = program;
	effect->u.run.deadline_s = deadline_s;
	(void)text_copy(effect->u.run.runner, sizeof(effect->u.run.runner), "local");
	(void)text_copy(effect->u.run.environment, sizeof(effect->u.run.environment), "staging");
	(void)text_copy(effect->u.run.commit, sizeof(effect->u.run.commit), COMMIT);
	perform_effect(&w->perform, effect);
}

static void
order(struct performed *w)
{
	order_of(w, PROGRAM_DEPLOY, 60);
}

/* The runner reads them anew for each order, and begins nothing with a wrong one. */
static void
settings_of_the_runner(struct performed *w, const char *line)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "DEPLOY_SCRIPT=%s\nROLLBACK_SCRIPT=%s\n%s\n",
	    w->scene->script, w->scene->script, line);
	runs_aid_write(w->scene->env_file, text, 0600);
}

static void
wait_ms(struct performed *w, int64_t ms)
{
	w->scene->is_late = false;
	loop_timer_start(w->scene->loop, &w->scene->alarm, ms, 0);
	while (!w->scene->is_late)
		loop_run_once(w->scene->loop);
}

static void
ask_for_its_end(struct performed *w, int64_t run)
{
	struct effect *effect = effect_new(EFFECT_STOP_RUN);

	assert_non_null(effect);
	effect->id = 6;
	effect->u.stop_run.run = run;
	perform_effect(&w->perform, effect);
}

static void
answer_started(struct performed *w, int status)
{
	const struct answer answer = { .status = status };

	w->started->done(w->started->done_ctx, &answer);
	event_free(TAKE(w->started));
}

SCENE_TEST(the_script_runs_only_when_its_start_is_on_disk)
{
	need_runner(w);
	order(w);
	WAIT_FOR(w->scene, w->started != NULL);
	assert_true(w->started->u.run_started.pid > 0);
	assert_int_equal(access(w->scene->proof, F_OK), -1);
	answer_started(w, 200);
	WAIT_FOR(w->scene, w->steps == 1);
	assert_int_equal(access(w->scene->proof, F_OK), 0);
	ask_for_its_end(w, 1);
	WAIT_FOR(w->scene, w->stop_sent != NULL);
	assert_int_equal(w->stop_sent->effect, 6);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->kind, EVENT_RUN_ENDED);
	assert_int_equal(w->result->effect, 5);
	assert_true(w->result->u.run_ended.gate_opened);
	assert_true(w->result->u.run_ended.ended_on_request);
}

SCENE_TEST(a_start_that_was_not_wanted_any_more_never_runs)
{
	need_runner(w);
	order(w);
	WAIT_FOR(w->scene, w->started != NULL);
	answer_started(w, 409);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->kind, EVENT_RUN_ENDED);
	assert_false(w->result->u.run_ended.gate_opened);
	assert_int_equal(access(w->scene->proof, F_OK), -1);
}

SCENE_TEST(the_end_of_a_run_that_is_over_is_reported_at_once)
{
	need_runner(w);
	ask_for_its_end(w, 99);
	assert_non_null(w->stop_sent);
	assert_int_equal(w->stop_sent->effect, 6);
}

/* It was given up at once, and the environment called DOWN though nothing had been tried. */
SCENE_TEST(a_rollback_that_cannot_begin_is_tried_until_it_can)
{
	settings_of_the_runner(w, "RUN_LOG_LIMIT=much");
	need_runner(w);
	order_of(w, PROGRAM_ROLLBACK, 60);
	wait_ms(w, 1500); /* two tries */
	assert_null(w->result);
	settings_of_the_runner(w, "");
	WAIT_FOR(w->scene, w->started != NULL);
	answer_started(w, 200);
	WAIT_FOR(w->scene, w->steps == 1);
	ask_for_its_end(w, 1);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_true(w->result->u.run_ended.gate_opened);
}

SCENE_TEST(a_rollback_that_never_begins_is_refused_at_its_deadline)
{
	settings_of_the_runner(w, "RUN_LOG_LIMIT=much");
	need_runner(w);
	order_of(w, PROGRAM_ROLLBACK, 2);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->effect, 5);
	assert_true(w->result->u.run_ended.refused);
	assert_non_null(strstr(w->result->u.run_ended.detail, "RUN_LOG_LIMIT"));
}

SCENE_TEST(a_deployment_that_cannot_begin_is_refused_after_three_tries)
{
	int64_t before;

	settings_of_the_runner(w, "RUN_LOG_LIMIT=much");
	need_runner(w);
	before = loop_now_ms();
	order(w);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_true(loop_now_ms() - before >= 2250); /* a second and two, a quarter less at most */
	assert_true(w->result->u.run_ended.refused);
	assert_false(w->result->u.run_ended.ended_on_request);
}

SCENE_TEST(a_run_that_was_put_off_can_be_cancelled)
{
	settings_of_the_runner(w, "RUN_LOG_LIMIT=much");
	need_runner(w);
	order_of(w, PROGRAM_ROLLBACK, 600);
	assert_int_equal(runs_open(w->scene->runs), 1);
	WAIT_FOR(w->scene, runs_open(w->scene->runs) == 0); /* it waits to be tried again */
	ask_for_its_end(w, 2);				    /* another */
	assert_null(w->result);
	event_free(TAKE(w->stop_sent));
	ask_for_its_end(w, 1);
	assert_non_null(w->stop_sent);
	assert_non_null(w->result);
	assert_true(w->result->u.run_ended.refused);
	assert_true(w->result->u.run_ended.ended_on_request);
	assert_string_equal(w->result->u.run_ended.detail, "cancelled before it began");
}

/* The runner's list for staging, as it is asked for before a work is shown. */
static char *
ask_for_the_list(struct performed *w)
{
	struct effect *effect = effect_new(EFFECT_GIT_QUERY);
	char *list;

	assert_non_null(effect);
	effect->id = 9;
	effect->u.git_query.kind = GIT_QUERY_SETTINGS;
	(void)text_copy(effect->u.git_query.environment, LIMIT_ENVIRONMENT, "staging");
	perform_effect(&w->perform, effect);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->u.git_answered.exit_status, 0);
	list = TAKE(w->result->u.git_answered.binding);
	event_free(TAKE(w->result));
	assert_non_null(list);
	return list;
}

/* Not later either: whoever decides is asked, with what the runner has found. */
SCENE_TEST(an_order_that_is_bound_to_another_list_begins_nothing)
{
	struct effect *effect = effect_new(EFFECT_RUN);
	char *shown, names[200];

	settings_of_the_runner(w, "KEEP_RELEASES=3\nDEPLOY_USER=ann");
	need_runner(w);
	shown = ask_for_the_list(w);
	settings_of_the_runner(w, "KEEP_RELEASES=4\nSTAGING_HOST=h");
	assert_non_null(effect);
	effect->id = 5;
	effect->u.run = runs_aid_order(1);
	(void)fingerprint_digest(shown, effect->u.run.binding);
	perform_effect(&w->perform, effect);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_true(w->result->u.run_ended.refused);
	assert_true(w->result->u.run_ended.is_changed);
	assert_string_equal(
	    fingerprint_differing(shown, w->result->u.run_ended.binding, names, sizeof(names)),
	    "KEEP_RELEASES, DEPLOY_USER, STAGING_HOST");
	assert_null(w->started);
	assert_int_equal(run_files_open(w->scene->folder, 1, NULL), -1);
	free(shown);
}

SCENE_TEST(an_order_that_is_bound_to_what_there_is_begins)
{
	struct effect *effect = effect_new(EFFECT_RUN);
	char *shown;

	settings_of_the_runner(w, "KEEP_RELEASES=3");
	need_runner(w);
	shown = ask_for_the_list(w);
	assert_non_null(effect);
	effect->id = 5;
	effect->u.run = runs_aid_order(1);
	(void)fingerprint_digest(shown, effect->u.run.binding);
	perform_effect(&w->perform, effect);
	WAIT_FOR(w->scene, w->started != NULL);
	answer_started(w, 200);
	ask_for_its_end(w, 1);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_true(w->result->u.run_ended.gate_opened);
	free(shown);
}

/* Under the sanitizers. */
SCENE_TEST(the_program_may_end_while_a_run_is_put_off)
{
	settings_of_the_runner(w, "RUN_LOG_LIMIT=much");
	need_runner(w);
	order_of(w, PROGRAM_ROLLBACK, 600);
	WAIT_FOR(w->scene, runs_open(w->scene->runs) == 0);
	assert_null(w->result);
}

static void
ask(struct performed *w, bool is_patient)
{
	struct effect *effect = effect_new(EFFECT_GIT_QUERY);

	assert_non_null(effect);
	effect->id = 8;
	effect->u.git_query.kind = GIT_QUERY_HEADS;
	effect->u.git_query.n_branches = 1;
	effect->u.git_query.is_patient = is_patient;
	(void)text_copy(effect->u.git_query.branches[0], LIMIT_REF, "main");
	perform_effect(&w->perform, effect);
}

SCENE_TEST(a_person_is_told_at_the_first_failure_of_git)
{
	need_runner(w);
	ask(w, false);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->kind, EVENT_GIT_ANSWERED);
	assert_int_equal(w->result->effect, 8);
	assert_int_not_equal(w->result->u.git_answered.exit_status, 0);
	assert_non_null(w->result->u.git_answered.answer);
}

SCENE_TEST(a_push_asks_again_until_it_is_withdrawn)
{
	int64_t until;

	need_runner(w);
	ask(w, true);
	until = loop_now_ms() + 3000; /* a failure, a second's wait, and another one */
	loop_timer_start(w->scene->loop, &w->scene->alarm, 3000, 0);
	while (loop_now_ms() < until && !w->scene->is_late)
		loop_run_once(w->scene->loop);
	assert_null(w->result);
	assert_non_null(w->perform.jobs);
	perform_withdraw(&w->perform, 8);
	assert_null(w->perform.jobs);
	perform_withdraw(&w->perform, 8); /* gone: fine */
}

/* Under the sanitizers: what is open when the program ends is freed. */
SCENE_TEST(the_program_may_end_while_a_run_goes_on)
{
	need_runner(w);
	order(w);
	ask(w, true);
	WAIT_FOR(w->scene, w->started != NULL);
	ask_for_its_end(w, 1);
	assert_null(w->result); /* not inside the call */
}

SCENE_TEST(a_started_run_without_a_folder_is_reported_as_one)
{
	struct effect *effect = effect_new(EFFECT_RUN);

	need_runner(w);
	assert_non_null(effect);
	effect->id = 5;
	effect->is_recovered = true;
	effect->u.run = runs_aid_order(1);
	effect->u.run.started_at = 1;
	perform_effect(&w->perform, effect);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->effect, 5);
	assert_true(w->result->u.run_ended.folder_gone);
	assert_null(w->started);
}

/* A refused one would count as never begun; this one may be at work. */
SCENE_TEST(a_started_run_that_nobody_has_room_to_follow_is_not_refused)
{
	need_runner(w);
	for (int run = 1; w->result == NULL; run++) { /* all in one turn: nothing is heard yet */
		struct effect *effect = effect_new(EFFECT_RUN);

		assert_non_null(effect);
		assert_true(run < 2000);
		effect->id = run;
		effect->is_recovered = true;
		effect->u.run = runs_aid_order(run);
		effect->u.run.started_at = 1;
		perform_effect(&w->perform, effect);
	}
	assert_true(w->result->u.run_ended.folder_gone);
	assert_false(w->result->u.run_ended.refused);
}

/* Of a database that was restored no run is asked for, also where it never began by its row. */
SCENE_TEST(an_open_run_of_a_restored_database_is_neither_asked_for_nor_ordered)
{
	struct effect *effect = effect_new(EFFECT_RUN);

	need_runner(w);
	w->perform.is_restored = true;
	assert_non_null(effect);
	effect->id = 5;
	effect->is_recovered = true;
	effect->u.run = runs_aid_order(1);
	perform_effect(&w->perform, effect);
	assert_non_null(w->result); /* at once */
	assert_true(w->result->u.run_ended.folder_gone);
	assert_false(w->result->u.run_ended.refused);
	assert_int_equal(runs_open(w->scene->runs), 0);
	assert_int_equal(access(w->scene->proof, F_OK), -1);
}
