/* Goal: a deadline passes once, when it is due, and never after it was withdrawn.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "effects/perform_inside.h"

#include "unit.h"
#include "lib/loop.h"
#include "types/settings.h"

struct scene {
	struct loop *loop;
	struct perform perform;
	struct loop_timer alarm;
	int64_t passed[8];
	size_t n_passed;
	bool is_stale; /* the lease: another may lead */
};

static void
take(void *ctx, struct event *event)
{
	struct scene *scene = ctx;

	assert_int_equal(event->kind, EVENT_TIMER_FIRED);
	assert_true(scene->n_passed < COUNT(scene->passed));
	scene->passed[scene->n_passed++] = event->effect;
	event_free(event);
}

static bool
may_act(void *ctx)
{
	return !((const struct scene *)ctx)->is_stale;
}

static void
on_alarm(UNUSED struct loop_timer *timer, void *ctx)
{
	loop_stop(((struct scene *)ctx)->loop);
}

static int
begin(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (scene == NULL)
		return -1;
	scene->loop = loop_new(NULL);
	scene->perform =
	    (struct perform){ .loop = scene->loop, .submit = take, .submit_ctx = scene };
	scene->perform.may_act = may_act;
	loop_timer_init(&scene->alarm, on_alarm, scene);
	*state = scene;
	return scene->loop == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	perform_done(&scene->perform);
	assert_null(scene->perform.jobs);
	loop_timer_stop(&scene->alarm);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct scene *scene, begin, finish)

static int64_t
wall_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
wait_until(struct scene *scene, int64_t id, int64_t due, bool is_recovered)
{
	struct effect *effect = effect_new(EFFECT_TIMER);

	assert_non_null(effect);
	effect->id = id;
	effect->due = due;
	effect->is_recovered = is_recovered;
	perform_effect(&scene->perform, effect);
}

static void
run_for(struct scene *scene, int64_t ms)
{
	loop_timer_start(scene->loop, &scene->alarm, ms, 0);
	loop_run(scene->loop);
}

SCENE_TEST(deadlines_pass_in_their_order)
{
	int64_t now = wall_ms(), began = loop_now_ms();

	wait_until(scene, 1, now + 60, false);
	wait_until(scene, 2, now + 20, false);
	wait_until(scene, 3, now + 3600000, false);
	while (scene->n_passed < 2)
		loop_run_once(scene->loop);
	assert_int_equal(scene->passed[0], 2);
	assert_int_equal(scene->passed[1], 1);
	assert_true(loop_now_ms() - began >= 55);
	run_for(scene, 20);
	assert_int_equal(scene->n_passed, 2);
}

/* So does each repetition of what has an outside, which comes from the same place. */
SCENE_TEST(none_passes_while_another_may_lead)
{
	scene->is_stale = true;
	wait_until(scene, 1, wall_ms() + 20, false);
	run_for(scene, 200);
	assert_int_equal(scene->n_passed, 0);
	scene->is_stale = false;
	while (scene->n_passed < 1)
		loop_run_once(scene->loop);
}

SCENE_TEST(what_is_overdue_passes_in_the_next_turn_and_not_at_once)
{
	wait_until(scene, 5, wall_ms() - 3600000, true);
	assert_int_equal(scene->n_passed, 0);
	loop_run_once(scene->loop);
	assert_int_equal(scene->n_passed, 1);
	assert_int_equal(scene->passed[0], 5);
}

/* Its row was written while the clock was hours ahead. */
SCENE_TEST(no_timer_waits_longer_than_its_kind_allows)
{
	struct settings settings = { .repository_url = "x", .poll_repository_seconds = 1 };
	struct effect *poll = effect_new(EFFECT_TIMER);

	assert_non_null(poll);
	poll->id = 7;
	poll->due = wall_ms() + INT64_C(9) * 3600000;
	poll->is_recovered = true;
	poll->settings = &settings;
	poll->u.timer.kind = TIMER_POLL;
	perform_effect(&scene->perform, poll);
	poll->settings = NULL; /* ours */
	run_for(scene, 900);
	assert_int_equal(scene->n_passed, 0);
	run_for(scene, 2000);
	assert_int_equal(scene->n_passed, 1);
	assert_int_equal(scene->passed[0], 7);
}

SCENE_TEST(what_is_withdrawn_never_passes)
{
	int64_t now = wall_ms();

	wait_until(scene, 1, now + 10, false);
	wait_until(scene, 2, now + 10, false);
	wait_until(scene, 3, now + 10, false);
	perform_withdraw(&scene->perform, 2);
	perform_withdraw(&scene->perform, 2); /* gone: fine */
	run_for(scene, 40);
	assert_int_equal(scene->n_passed, 2);
	assert_int_not_equal(scene->passed[0], 2);
	assert_int_not_equal(scene->passed[1], 2);
}

static void
on_never(UNUSED struct perform_job *job)
{
	fail();
}

SCENE_TEST(pauses_double_up_to_their_limit_a_quarter_more_or_less)
{
	const int64_t want[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
	struct perform_job *job = perform_job_new(
	    sizeof(*job), &scene->perform, effect_new(EFFECT_TIMER), on_never, perform_job_drop);
	int n_by_chance = 0;

	assert_non_null(job);
	for (size_t i = 0; i < COUNT(want); i++) {
		int64_t ms = perform_job_pause(job, 10000);

		assert_in_range(ms, want[i] * 3 / 4, want[i] * 5 / 4);
		n_by_chance += ms != want[i];
	}
	assert_true(n_by_chance > 0);
}
