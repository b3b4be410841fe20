/* Goal: of a run that another server's own runner has nothing is asked, and nothing is guessed.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* With the real runner: DEPLOYBOT_RUNNER, or the one beside the tests' folder; else skipped. */
#include "settings/checks/settings_runners.h"
#include "runs_aid.h"

#include "effects/perform.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/agents.h"
#include "settings_aid.h"
#include "types/known_peers.h"

#define QUIET_MS 300 /* the local runner answers within a few */

struct performed {
	struct scene *scene;
	struct settings *settings;
	struct agents *agents;
	struct perform perform;
	struct event *result;
	bool is_ready;
};

static void
take(void *ctx, struct event *event)
{
	struct performed *w = ctx;

	assert_null(w->result);
	w->result = event;
}

static void
on_ready(void *ctx)
{
	((struct performed *)ctx)->is_ready = true;
}

static void
on_said(UNUSED void *ctx, UNUSED enum event_kind kind, UNUSED const char *identity,
    UNUSED const char *text)
{
	fail_msg("nobody is connected");
}

static void
on_runner(UNUSED void *ctx, UNUSED const char *runner, bool is_connected, UNUSED uint64_t highest)
{
	assert_false(is_connected);
}

static bool
is_others(void *ctx, const char *runner)
{
	return settings_is_servers_runner(((struct performed *)ctx)->settings, runner);
}

static int
begin(void **state)
{
	struct performed *w = mem_new(1, sizeof(*w));
	struct err err;
	struct runs_config config = { .runner = runs_aid_runner(),
		.grace_s = 1,
		.on_ready = on_ready,
		.is_others = is_others,
		.ctx = w };

	if (runs_aid_begin((void **)&w->scene) != 0)
		return -1;
	*state = w;
	w->settings =
	    LOAD(NULL, COMPLETE, "DATABASE_URL=postgres://bot@h/d", "SERVER_NAME=server-a");
	w->agents = agents_new(
	    &(struct agents_config){ w->scene->loop, NULL, NULL, on_said, on_runner, w, 0, 0 },
	    &err);
	config.env_file = w->scene->env_file;
	config.settings = w->scene->settings;
	config.agents = w->agents;
	config.epoch = 17;
	w->scene->runs = runs_start(w->scene->loop, &config, &err);
	if (w->settings == NULL || w->scene->runs == NULL)
		return -1;
	agents_take_peers(w->agents, known_peers_new(0));
	w->perform = (struct perform){
		.loop = w->scene->loop, .runs = w->scene->runs, .submit = take, .submit_ctx = w
	};
	WAIT_FOR(w->scene, w->is_ready);
	return 0;
}

static int
finish(void **state)
{
	struct performed *w = *state;

	perform_done(&w->perform);
	runs_free(TAKE(w->scene->runs));
	agents_free(w->agents);
	settings_unref(w->settings);
	event_free(w->result);
	(void)runs_aid_finish((void **)&w->scene);
	free(w);
	return 0;
}

#define SERVER_TEST(name) TEST_OF(name, struct performed *w, begin, finish)

static void
recover(struct performed *w, const char *runner, int64_t started_at)
{
	struct effect *effect = effect_new(EFFECT_RUN);

	effect->id = 5;
	effect->is_recovered = true;
	effect->settings = settings_ref(w->settings);
	effect->u.run = runs_aid_order(1);
	effect->u.run.ordered_at = started_at;
	effect->u.run.started_at = started_at;
	(void)text_copy(effect->u.run.runner, sizeof(effect->u.run.runner), runner);
	perform_effect(&w->perform, effect);
}

static void
ask_for_its_end(struct performed *w)
{
	struct effect *effect = effect_new(EFFECT_STOP_RUN);

	effect->id = 6;
	effect->u.stop_run.run = 1;
	perform_effect(&w->perform, effect);
}

static void
wait_a_moment(struct performed *w)
{
	w->scene->is_late = false;
	loop_timer_start(w->scene->loop, &w->scene->alarm, QUIET_MS, 0);
	while (!w->scene->is_late)
		loop_run_once(w->scene->loop);
}

SERVER_TEST(a_run_that_was_begun_there_is_waited_for_and_so_is_its_stop)
{
	recover(w, "server-b", 1);
	wait_a_moment(w);
	assert_null(w->result);
	ask_for_its_end(w);
	wait_a_moment(w);
	assert_null(w->result);
}

SERVER_TEST(one_that_was_never_let_go_ends_as_one_that_has_not_begun)
{
	const struct run_ended *ended;

	recover(w, "server-b", 0);
	assert_null(w->result); /* a runner that connects soon would be asked */
	WAIT_FOR(w->scene, w->result != NULL);
	assert_int_equal(w->result->kind, EVENT_RUN_ENDED);
	ended = &w->result->u.run_ended;
	assert_int_equal(ended->run, 1);
	assert_false(ended->refused || ended->gate_opened || ended->folder_gone || ended->lost);
	assert_true(text_starts(ended->detail, "the runner server-b "));
}

/* What the other tests would see if they asked the wrong one. */
SERVER_TEST(the_local_runner_says_that_it_has_no_folder)
{
	recover(w, "local", 1);
	WAIT_FOR(w->scene, w->result != NULL);
	assert_true(w->result->u.run_ended.folder_gone);
}
