/* Goal: a deadline passes once, when it is due, and never after it was withdrawn.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "effects/perform_inside.h"
#include "lib/loop.h"

struct scene {
	struct loop *loop;
	struct perform perform;
	struct loop_timer alarm;
	int64_t passed[8];
	size_t n_passed;
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

static void
on_alarm(struct loop_timer *timer, void *ctx)
{
	(void)timer;
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
	loop_timer_init(&scene->alarm, on_alarm, scene);
	*state = scene;
	return scene->loop == NULL;
}

static int
finish(void **state)
{
	struct scene *scene = *state;

	perform_timer_done(&scene->perform);
	loop_timer_stop(&scene->alarm);
	loop_free(scene->loop);
	free(scene);
	return 0;
}

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
	if (is_recovered)
		recover_timer(&scene->perform, effect);
	else
		perform_timer(&scene->perform, effect);
}

static void
run_for(struct scene *scene, int64_t ms)
{
	loop_timer_start(scene->loop, &scene->alarm, ms, 0);
	loop_run(scene->loop);
}

static void
deadlines_pass_in_their_order(void **state)
{
	struct scene *scene = *state;
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

static void
what_is_overdue_passes_in_the_next_turn_and_not_at_once(void **state)
{
	struct scene *scene = *state;

	wait_until(scene, 5, wall_ms() - 3600000, true);
	assert_int_equal(scene->n_passed, 0);
	loop_run_once(scene->loop);
	assert_int_equal(scene->n_passed, 1);
	assert_int_equal(scene->passed[0], 5);
}

static void
what_is_withdrawn_never_passes(void **state)
{
	struct scene *scene = *state;
	int64_t now = wall_ms();

	wait_until(scene, 1, now + 10, false);
	wait_until(scene, 2, now + 10, false);
	wait_until(scene, 3, now + 10, false);
	assert_true(perform_timer_withdraw(&scene->perform, 2));
	assert_false(perform_timer_withdraw(&scene->perform, 2));
	run_for(scene, 40);
	assert_int_equal(scene->n_passed, 2);
	assert_int_not_equal(scene->passed[0], 2);
	assert_int_not_equal(scene->passed[1], 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deadlines_pass_in_their_order, begin, finish),
		cmocka_unit_test_setup_teardown(
		    what_is_overdue_passes_in_the_next_turn_and_not_at_once, begin, finish),
		cmocka_unit_test_setup_teardown(what_is_withdrawn_never_passes, begin, finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
