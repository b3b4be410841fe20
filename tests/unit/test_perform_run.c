/* Goal: what a run and a question do to the world waits for the store, and is reported once.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* With the real runner: DEPLOYBOT_RUNNER, or the one beside the tests' folder; else skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "effects/perform.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runs/runs.h"
#include "types/settings.h"

#define COMMIT	 "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
#define PATIENCE 20000

struct scene {
	char folder[64];
	char env_file[128];
	char script[128];
	char proof[128];
	struct settings *settings;
	struct loop *loop;
	struct runs *runs;
	struct perform perform;
	struct loop_timer alarm;
	bool is_late;
	struct event *started; /* held: its answer is given by the test */
	struct event *result;
	struct event *end_sent;
	int steps;
	int lost;
};

static char runner[4096];

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	switch (event->kind) {
	case EVENT_RUN_STARTED:
		assert_null(scene->started);
		scene->started = event;
		return;
	case EVENT_RUN_STEP:
		assert_int_equal(event->u.run_step.n, scene->steps);
		scene->steps++;
		break;
	case EVENT_RUN_LOST:
		scene->lost++;
		break;
	case EVENT_END_SENT:
		assert_null(scene->end_sent);
		scene->end_sent = event;
		return;
	default:
		assert_null(scene->result);
		scene->result = event;
		return;
	}
	event_free(event);
}

static void
on_alarm(struct loop_timer *timer, void *ctx)
{
	(void)timer;
	((struct scene *)ctx)->is_late = true;
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	assert_true(file_write(path, text, strlen(text), mode, NULL));
}

static int
begin(void **state)
{
	char state_directory[128], text[1024];
	char *environment[] = { "TELEGRAM_BOT_TOKEN=1234567:abcdefghijklmnopqrstuvwxyz0123456789",
		"ADMIN_TELEGRAM_IDS=7", "GITHUB_REPOSITORY=a/b", state_directory, NULL };
	struct settings_report report = { 0 };
	struct scene *scene = calloc(1, sizeof(*scene));

	if (scene == NULL)
		return -1;
	*state = scene;
	(void)snprintf(scene->folder, sizeof(scene->folder), "/tmp/test_perform_run-XXXXXX");
	if (mkdtemp(scene->folder) == NULL)
		return -1;
	(void)snprintf(
	    state_directory, sizeof(state_directory), "STATE_DIRECTORY=%s", scene->folder);
	if (!settings_load(NULL, environment, &scene->settings, &report))
		return -1;
	(void)snprintf(scene->env_file, sizeof(scene->env_file), "%s/env", scene->folder);
	(void)snprintf(scene->script, sizeof(scene->script), "%s/deploy", scene->folder);
	(void)snprintf(scene->proof, sizeof(scene->proof), "%s/proof", scene->folder);
	(void)snprintf(text, sizeof(text), "DEPLOY_SCRIPT=%s\nREPOSITORY_URL=%s/no-such.git\n",
	    scene->script, scene->folder);
	write_file(scene->env_file, text, 0600);
	(void)snprintf(text, sizeof(text),
	    "#!/bin/sh\ntouch %s\necho '==> build'\nexec sleep 600\n", scene->proof);
	write_file(scene->script, text, 0755);
	scene->loop = loop_new(NULL);
	loop_timer_init(&scene->alarm, on_alarm, scene);
	return scene->loop == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;
	pid_t pid;

	loop_timer_stop(&scene->alarm);
	perform_done(&scene->perform);
	runs_free(scene->runs);
	event_free(scene->started);
	event_free(scene->result);
	event_free(scene->end_sent);
	loop_free(scene->loop);
	settings_unref(scene->settings);
	pid = fork();
	if (pid == 0) {
		(void)execl("/bin/rm", "rm", "-rf", scene->folder, (char *)NULL);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
	free(scene);
	return 0;
}

static void
need_runner(struct scene *scene)
{
	const struct runs_config config = { .runner = runner,
		.env_file = scene->env_file,
		.settings = scene->settings,
		.grace_s = 1 };
	struct err err;

	if (access(runner, X_OK) != 0) {
		print_message("skipped: there is no %s\n", runner);
		skip();
	}
	scene->runs = runs_start(scene->loop, &config, &err);
	assert_non_null(scene->runs);
	scene->perform = (struct perform){
		.loop = scene->loop, .runs = scene->runs, .submit = take, .submit_ctx = scene
	};
}

#define WAIT_FOR(scene, condition) \
	do { \
		(scene)->is_late = false; \
		loop_timer_start((scene)->loop, &(scene)->alarm, PATIENCE, 0); \
		while (!(condition) && !(scene)->is_late) \
			loop_run_once((scene)->loop); \
		loop_timer_stop(&(scene)->alarm); \
		assert_true(condition); \
	} while (0)

static void
order_of(struct scene *scene, enum program program, int deadline_s)
{
	struct effect *effect = effect_new(EFFECT_RUN);

	assert_non_null(effect);
	effect->id = 5;
	effect->u.run.run = 1;
	effect->u.run.deployment = 42;
	effect->u.run.program = program;
	effect->u.run.deadline_s = deadline_s;
	(void)text_copy(effect->u.run.environment, sizeof(effect->u.run.environment), "staging");
	(void)text_copy(effect->u.run.commit, sizeof(effect->u.run.commit), COMMIT);
	perform_effect(&scene->perform, effect);
}

static void
order(struct scene *scene)
{
	order_of(scene, PROGRAM_DEPLOY, 60);
}

/* The runner reads them anew for each order, and begins nothing with a wrong one. */
static void
settings_of_the_runner(struct scene *scene, const char *line)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "DEPLOY_SCRIPT=%s\nROLLBACK_SCRIPT=%s\n%s\n",
	    scene->script, scene->script, line);
	write_file(scene->env_file, text, 0600);
}

static void
wait_ms(struct scene *scene, int64_t ms)
{
	scene->is_late = false;
	loop_timer_start(scene->loop, &scene->alarm, ms, 0);
	while (!scene->is_late)
		loop_run_once(scene->loop);
}

static void
ask_for_its_end(struct scene *scene, int64_t run)
{
	struct effect *effect = effect_new(EFFECT_END);

	assert_non_null(effect);
	effect->id = 6;
	effect->u.end.run = run;
	perform_effect(&scene->perform, effect);
}

static void
answer_started(struct scene *scene, int status)
{
	const struct answer answer = { .status = status };

	scene->started->done(scene->started->done_ctx, &answer);
	event_free(TAKE(scene->started));
}

static void
the_script_runs_only_when_its_start_is_on_disk(void **state)
{
	struct scene *scene = *state;

	need_runner(scene);
	order(scene);
	WAIT_FOR(scene, scene->started != NULL);
	assert_true(scene->started->u.run_started.pid > 0);
	assert_int_equal(access(scene->proof, F_OK), -1);
	answer_started(scene, 200);
	WAIT_FOR(scene, scene->steps == 1);
	assert_int_equal(access(scene->proof, F_OK), 0);
	ask_for_its_end(scene, 1);
	WAIT_FOR(scene, scene->end_sent != NULL);
	assert_int_equal(scene->end_sent->effect, 6);
	WAIT_FOR(scene, scene->result != NULL);
	assert_int_equal(scene->result->kind, EVENT_RUN_ENDED);
	assert_int_equal(scene->result->effect, 5);
	assert_true(scene->result->u.run_ended.gate_opened);
	assert_true(scene->result->u.run_ended.ended_on_request);
}

static void
a_start_that_was_not_wanted_any_more_never_runs(void **state)
{
	struct scene *scene = *state;

	need_runner(scene);
	order(scene);
	WAIT_FOR(scene, scene->started != NULL);
	answer_started(scene, 409);
	WAIT_FOR(scene, scene->result != NULL);
	assert_int_equal(scene->result->kind, EVENT_RUN_ENDED);
	assert_false(scene->result->u.run_ended.gate_opened);
	assert_int_equal(access(scene->proof, F_OK), -1);
}

static void
the_end_of_a_run_that_is_over_is_reported_at_once(void **state)
{
	struct scene *scene = *state;

	need_runner(scene);
	ask_for_its_end(scene, 99);
	assert_non_null(scene->end_sent);
	assert_int_equal(scene->end_sent->effect, 6);
}

/* It was given up at once, and the environment called DOWN though nothing had been tried. */
static void
a_way_back_that_cannot_begin_is_tried_until_it_can(void **state)
{
	struct scene *scene = *state;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	need_runner(scene);
	order_of(scene, PROGRAM_ROLLBACK, 60);
	wait_ms(scene, 1500); /* two tries */
	assert_null(scene->result);
	settings_of_the_runner(scene, "");
	WAIT_FOR(scene, scene->started != NULL);
	answer_started(scene, 200);
	WAIT_FOR(scene, scene->steps == 1);
	ask_for_its_end(scene, 1);
	WAIT_FOR(scene, scene->result != NULL);
	assert_true(scene->result->u.run_ended.gate_opened);
}

static void
a_way_back_that_never_begins_is_refused_at_its_deadline(void **state)
{
	struct scene *scene = *state;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	need_runner(scene);
	order_of(scene, PROGRAM_ROLLBACK, 2);
	WAIT_FOR(scene, scene->result != NULL);
	assert_int_equal(scene->result->effect, 5);
	assert_true(scene->result->u.run_ended.refused);
	assert_non_null(strstr(scene->result->u.run_ended.detail, "RUN_LOG_LIMIT"));
}

static void
a_deployment_that_cannot_begin_is_refused_after_three_tries(void **state)
{
	struct scene *scene = *state;
	int64_t before;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	need_runner(scene);
	before = loop_now_ms();
	order(scene);
	WAIT_FOR(scene, scene->result != NULL);
	assert_true(loop_now_ms() - before >= 3000);
	assert_true(scene->result->u.run_ended.refused);
	assert_false(scene->result->u.run_ended.ended_on_request);
}

static void
a_run_that_was_put_off_can_be_cancelled(void **state)
{
	struct scene *scene = *state;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	need_runner(scene);
	order_of(scene, PROGRAM_ROLLBACK, 600);
	wait_ms(scene, 700);
	ask_for_its_end(scene, 2); /* another */
	assert_null(scene->result);
	event_free(TAKE(scene->end_sent));
	ask_for_its_end(scene, 1);
	assert_non_null(scene->end_sent);
	assert_non_null(scene->result);
	assert_true(scene->result->u.run_ended.refused);
	assert_true(scene->result->u.run_ended.ended_on_request);
	assert_string_equal(scene->result->u.run_ended.detail, "cancelled before it began");
}

/* Under the sanitizers. */
static void
the_program_may_end_while_a_run_is_put_off(void **state)
{
	struct scene *scene = *state;

	settings_of_the_runner(scene, "RUN_LOG_LIMIT=much");
	need_runner(scene);
	order_of(scene, PROGRAM_ROLLBACK, 600);
	wait_ms(scene, 700);
	assert_null(scene->result);
}

static void
ask(struct scene *scene, bool is_patient)
{
	struct effect *effect = effect_new(EFFECT_ASK);

	assert_non_null(effect);
	effect->id = 8;
	effect->u.ask.kind = ASK_HEADS;
	effect->u.ask.n_branches = 1;
	effect->u.ask.is_patient = is_patient;
	(void)text_copy(effect->u.ask.branches[0], LIMIT_REF, "main");
	perform_effect(&scene->perform, effect);
}

static void
a_person_is_told_at_the_first_failure_of_git(void **state)
{
	struct scene *scene = *state;

	need_runner(scene);
	ask(scene, false);
	WAIT_FOR(scene, scene->result != NULL);
	assert_int_equal(scene->result->kind, EVENT_ASKED);
	assert_int_equal(scene->result->effect, 8);
	assert_int_not_equal(scene->result->u.asked.exit_status, 0);
	assert_non_null(scene->result->u.asked.answer);
}

static void
a_push_asks_again_until_it_is_withdrawn(void **state)
{
	struct scene *scene = *state;
	int64_t until;

	need_runner(scene);
	ask(scene, true);
	until = loop_now_ms() + 3000; /* a failure, a second's wait, and another one */
	loop_timer_start(scene->loop, &scene->alarm, 3000, 0);
	while (loop_now_ms() < until && !scene->is_late)
		loop_run_once(scene->loop);
	assert_null(scene->result);
	assert_non_null(scene->perform.asking);
	perform_withdraw(&scene->perform, 8);
	assert_null(scene->perform.asking);
	perform_withdraw(&scene->perform, 8); /* gone: fine */
}

/* Under the sanitizers: what is open when the program ends is freed. */
static void
the_program_may_end_while_a_run_goes_on(void **state)
{
	struct scene *scene = *state;

	need_runner(scene);
	order(scene);
	ask(scene, true);
	WAIT_FOR(scene, scene->started != NULL);
	ask_for_its_end(scene, 1);
	assert_null(scene->result); /* not inside the call */
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)

static void
find_runner(void)
{
	const char *given = getenv("DEPLOYBOT_RUNNER");
	ssize_t n;

	if (given != NULL) {
		(void)text_copy(runner, sizeof(runner), given);
		return;
	}
	n = readlink("/proc/self/exe", runner, sizeof(runner) - 64);
	assert(n > 0);
	runner[n] = '\0';
	for (int up = 0; up < 2; up++)
		*strrchr(runner, '/') = '\0';
	(void)snprintf(runner + strlen(runner), 64, "/deploybot-runner");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_script_runs_only_when_its_start_is_on_disk),
		T(a_start_that_was_not_wanted_any_more_never_runs),
		T(the_end_of_a_run_that_is_over_is_reported_at_once),
		T(a_way_back_that_cannot_begin_is_tried_until_it_can),
		T(a_way_back_that_never_begins_is_refused_at_its_deadline),
		T(a_deployment_that_cannot_begin_is_refused_after_three_tries),
		T(a_run_that_was_put_off_can_be_cancelled),
		T(the_program_may_end_while_a_run_is_put_off),
		T(a_person_is_told_at_the_first_failure_of_git),
		T(a_push_asks_again_until_it_is_withdrawn),
		T(the_program_may_end_while_a_run_goes_on),
	};

	find_runner();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
