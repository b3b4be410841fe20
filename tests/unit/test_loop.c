/* Goal: in one turn results come before deadlines, and nothing runs below its caller.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "lib/loop.h"

#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLOW_MS	  20
#define WAITED_MS 600
#define LOOKS	  50

static char order[64];

static int refusals; /* so many more are refused by what libev finds in place of the C library's */

int
epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (refusals > 0 && operation != EPOLL_CTL_DEL) {
		refusals--;
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static void
note(char what)
{
	size_t size = strlen(order);

	assert_true(size + 1 < sizeof(order));
	order[size] = what;
	order[size + 1] = '\0';
}

static int
set_up(void **state)
{
	struct err err;

	order[0] = '\0';
	*state = loop_new(&err);
	return *state == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	loop_free(*state);
	return 0;
}

static void
on_timer(UNUSED struct loop_timer *timer, void *ctx)
{
	note('T');
	if (ctx != NULL)
		loop_stop(ctx);
}

static void
on_readable(struct loop_io *io, unsigned events, UNUSED void *ctx)
{
	note(events == LOOP_READ ? 'R' : '?');
	loop_io_stop(io);
}

/* What is not woken by then says "T", and fails. */
static void
start_late(struct loop *loop, struct loop_timer *late)
{
	loop_timer_init(late, on_timer, loop);
	loop_timer_start(loop, late, 10000, 0);
}

static void
wake(UNUSED struct loop_timer *timer, UNUSED void *ctx)
{
}

/* Regression: it was never watched again, and what it waited for never came. */
TEST_WITH(what_the_kernel_has_no_room_to_watch_is_watched_later_and_is_not_ready, set_up, tear_down)
{
	struct loop_timer waker;
	struct loop_io io;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	loop_timer_init(&waker, wake, NULL);
	loop_timer_start(
	    *state, &waker, 1, 1); /* libev says it behind the next thing that happens */
	loop_io_init(&io, on_readable, NULL);
	refusals = 3;
	loop_io_start(*state, &io, ends[0], LOOP_READ);
	for (int i = 0; i < 1000 && refusals > 0; i++)
		loop_run_once(*state);
	assert_string_equal(order, "");
	assert_int_equal(write(ends[1], "x", 1), 1);
	for (int i = 0; i < 1000 && order[0] == '\0'; i++)
		loop_run_once(*state);
	assert_string_equal(order, "R");
	loop_timer_stop(&waker);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

TEST_WITH(a_result_is_seen_before_a_deadline_of_the_same_turn, set_up, tear_down)
{
	struct loop *loop = *state;
	struct loop_timer timer;
	struct loop_io io;
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_timer_init(&timer, on_timer, loop);
	loop_io_init(&io, on_readable, NULL);
	loop_timer_start(loop, &timer, 0, 0);
	loop_io_start(loop, &io, pair[0], LOOP_READ);
	assert_int_equal(loop_io_fd(&io), pair[0]);
	loop_run(loop);
	assert_string_equal(order, "RT");
	assert_false(loop_timer_is_started(&timer));
	assert_int_equal(close(pair[0]) + close(pair[1]), 0);
}

struct counter {
	struct loop *loop;
	int left;
};

static void
on_repeat(struct loop_timer *timer, void *ctx)
{
	struct counter *counter = ctx;

	note('t');
	if (--counter->left > 0)
		return;
	loop_timer_stop(timer);
	loop_stop(counter->loop);
}

TEST_WITH(a_timer_repeats_until_it_is_stopped_and_never_fires_early, set_up, tear_down)
{
	struct counter counter = { .loop = *state, .left = 3 };
	struct loop_timer timer;
	int64_t began = loop_now_ms();

	loop_timer_init(&timer, on_repeat, &counter);
	loop_timer_stop(&timer);
	loop_timer_start(*state, &timer, 20, 5);
	loop_run(*state);
	assert_string_equal(order, "ttt");
	assert_true(loop_now_ms() - began >= 29);
}

struct chain {
	struct loop *loop;
	struct loop_task task;
	int left;
	struct loop_timer *timer;
};

static void
on_task(struct loop_task *task, void *ctx)
{
	struct chain *chain = ctx;

	(void)task;
	note('d');
	if (--chain->left > 0)
		loop_defer(chain->loop, &chain->task);
	else if (chain->timer != NULL)
		loop_timer_start(chain->loop, chain->timer, 0, 0);
}

TEST_WITH(a_task_may_defer_itself_without_end_and_others_still_run, set_up, tear_down)
{
	struct loop_timer timer;
	struct chain chain = { .loop = *state, .left = 20, .timer = &timer };

	loop_timer_init(&timer, on_timer, *state);
	loop_task_init(&chain.task, on_task, &chain);
	loop_defer(*state, &chain.task);
	loop_defer(*state, &chain.task);
	assert_string_equal(order, "");
	loop_run(*state);
	assert_string_equal(order, "ddddddddddddddddddddT");
}

TEST_WITH(a_cancelled_task_does_not_run_wherever_it_stood, set_up, tear_down)
{
	struct chain one = { .loop = *state, .left = 1 };
	struct chain two = one;
	struct chain three = one;
	struct loop_timer timer;

	loop_task_init(&one.task, on_task, &one);
	loop_task_init(&two.task, on_task, &two);
	loop_task_init(&three.task, on_task, &three);
	loop_timer_init(&timer, on_timer, *state);
	loop_defer(*state, &one.task);
	loop_defer(*state, &two.task);
	loop_task_cancel(&two.task);
	loop_task_cancel(&two.task);
	loop_defer(*state, &three.task);
	loop_task_cancel(&one.task);
	loop_timer_start(*state, &timer, 0, 0);
	loop_run(*state);
	assert_string_equal(order, "dT");
	assert_int_equal(three.left, 0);
	assert_int_equal(one.left + two.left, 2);
}

static void
on_prepare(struct loop_prepare *prepare, void *ctx)
{
	note('p');
	loop_prepare_stop(prepare);
	loop_stop(ctx);
}

TEST_WITH(a_prepare_hook_runs_after_the_tasks_of_its_turn, set_up, tear_down)
{
	struct chain chain = { .loop = *state, .left = 1 };
	struct loop_prepare prepare;

	loop_prepare_init(&prepare, on_prepare, *state);
	loop_prepare_start(*state, &prepare);
	loop_task_init(&chain.task, on_task, &chain);
	loop_defer(*state, &chain.task);
	loop_run(*state);
	assert_string_equal(order, "dp");
}

static void
on_wake(UNUSED struct loop_async *async, void *ctx)
{
	note('w');
	loop_stop(ctx);
}

static void *
wake_from_another_thread(void *async)
{
	loop_async_wake(async);
	return NULL;
}

TEST_WITH(another_thread_wakes_the_loop, set_up, tear_down)
{
	struct loop_async async;
	pthread_t thread;

	loop_async_init(&async, on_wake, *state);
	loop_async_start(*state, &async);
	assert_int_equal(pthread_create(&thread, NULL, wake_from_another_thread, &async), 0);
	loop_run(*state);
	assert_int_equal(pthread_join(thread, NULL), 0);
	loop_async_stop(&async);
	assert_string_equal(order, "w");
}

/* As all that it waits for is refused once, its own descriptor for wake-ups too. */
TEST_WITH(what_wakes_the_loop_wakes_it_where_the_kernel_had_no_room_to_watch, set_up, tear_down)
{
	struct loop_timer waker, late;
	struct loop_async async;

	refusals = 1;
	loop_timer_init(&waker, wake, NULL);
	loop_timer_start(*state, &waker, 1, 0); /* as above */
	loop_async_init(&async, on_wake, *state);
	loop_async_start(*state, &async);
	loop_run_once(*state); /* nothing is there yet, and it is refused */
	assert_int_equal(refusals, 0);
	loop_async_wake(&async);
	start_late(*state, &late);
	loop_run(*state);
	loop_timer_stop(&late);
	loop_async_stop(&async);
	assert_string_equal(order, "w");
}

static void
on_first_wake(struct loop_async *async, void *ctx)
{
	note('1');
	loop_async_stop(ctx);
	loop_async_wake(async);
}

static void
on_wake_again(UNUSED struct loop_async *async, UNUSED void *ctx)
{
	note('2');
}

TEST_WITH(who_is_stopped_by_another_wake_up_is_called_no_more, set_up, tear_down)
{
	struct loop_async first, second;
	struct loop_timer late;

	start_late(*state, &late);
	loop_async_init(&first, on_first_wake, &second);
	loop_async_init(&second, on_wake_again, NULL);
	loop_async_start(*state, &second);
	loop_async_start(*state, &first); /* called before it */
	loop_async_wake(&second);
	loop_async_wake(&first);
	loop_run_once(*state);
	assert_string_equal(order, "1");
	loop_run_once(*state); /* what it asked for while it was called */
	assert_string_equal(order, "11");
	loop_async_stop(&first);
	loop_timer_stop(&late);
}

static void
on_usr1(UNUSED struct loop_signal *sig, void *ctx)
{
	note('s');
	loop_stop(ctx);
}

TEST_WITH(a_signal_is_a_callback_and_leaves_the_mask_alone, set_up, tear_down)
{
	struct loop_signal sig;
	sigset_t before;
	sigset_t after;

	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
	loop_signal_init(&sig, on_usr1, *state);
	loop_signal_start(*state, &sig, SIGUSR1);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_run(*state);
	loop_signal_stop(&sig);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &after), 0);
	assert_int_equal(sigismember(&before, SIGUSR1), sigismember(&after, SIGUSR1));
	assert_string_equal(order, "s");
}

/* A signal at the moment of a take-over is not lost, and kills nobody. */
TEST_WITH(a_signal_waits_for_whoever_watches_it_next, set_up, tear_down)
{
	struct loop_timer late;
	struct loop_signal sig;

	loop_signal_init(&sig, on_usr1, *state);
	loop_signal_start(*state, &sig, SIGUSR1);
	assert_int_equal(raise(SIGUSR1), 0);
	loop_signal_stop(&sig);
	loop_signal_init(&sig, on_usr1, *state);
	loop_signal_start(*state, &sig, SIGUSR1);
	start_late(*state, &late);
	loop_run(*state);
	loop_timer_stop(&late);
	loop_signal_stop(&sig);
	assert_string_equal(order, "s");
}

/* Starts a timer after work that took longer than it. */
struct late {
	struct loop *loop;
	struct loop_timer timer;
	int64_t started;
};

static void
on_late_start(struct loop_timer *timer, void *ctx)
{
	struct late *late = ctx;
	int64_t until = loop_now_ms() + 30;

	(void)timer;
	while (loop_now_ms() < until)
		continue;
	late->started = loop_now_ms();
	loop_timer_start(late->loop, &late->timer, 20, 0);
}

TEST_WITH(a_timer_started_after_long_work_gets_its_whole_time, set_up, tear_down)
{
	struct late late = { .loop = *state };
	struct loop_timer first;

	loop_timer_init(&late.timer, on_timer, *state);
	loop_timer_init(&first, on_late_start, &late);
	loop_timer_start(*state, &first, 0, 0);
	loop_run(*state);
	assert_string_equal(order, "T");
	assert_true(loop_now_ms() - late.started >= 19);
}

static void
on_slow(struct loop_timer *timer, void *ctx)
{
	int64_t until = loop_now_ms() + SLOW_MS;

	(void)timer;
	(void)ctx;
	while (loop_now_ms() < until)
		continue;
}

/* A turn that the loop is stopped in is not measured: the end comes in the next one. */
static void
on_waited(struct loop_timer *timer, void *ctx)
{
	struct chain *chain = ctx;

	(void)timer;
	loop_timer_start(chain->loop, chain->timer, 0, 0);
}

/* Whoever is not given the processor for so long shows it as lag too: looked at until once it is
 * short.  Waiting that counted as lag would be there each time. */
TEST_WITH(a_slow_callback_shows_as_lag_once_and_waiting_is_none, set_up, tear_down)
{
	int64_t worst_us = WAITED_MS * 1000;

	for (int look = 0; look < LOOKS && worst_us >= WAITED_MS * 1000 - SLOW_MS * 2000; look++) {
		struct loop_timer slow;
		struct loop_timer waited;
		struct loop_timer end;

		order[0] = '\0';
		loop_timer_init(&slow, on_slow, NULL);
		loop_timer_init(&end, on_timer, *state);
		loop_timer_init(&waited, on_waited, &(struct chain){ *state, .timer = &end });
		loop_timer_start(*state, &slow, 0, 0);
		loop_timer_start(*state, &waited, WAITED_MS, 0);
		loop_run(*state);
		worst_us = loop_lag_worst_us(*state);
		assert_true(worst_us >= SLOW_MS * 1000 - 1000);
		assert_int_equal(loop_lag_worst_us(*state), 0);
	}
	assert_true(worst_us < WAITED_MS * 1000 - SLOW_MS * 2000);
}

struct long_turn {
	struct loop *loop;
	struct loop_timer slow, other;
	struct loop_task first, second;
};

static void
on_slow_turn(struct loop_timer *timer, void *ctx)
{
	struct long_turn *turn = ctx;

	on_slow(timer, NULL);
	loop_defer(turn->loop, &turn->first);
}

static void
on_first(struct loop_task *task, void *ctx)
{
	struct long_turn *turn = ctx;

	(void)task;
	note('1');
	loop_timer_start(turn->loop, &turn->other, 0, 0);
	loop_defer(turn->loop, &turn->second);
}

static void
on_second(struct loop_task *task, void *ctx)
{
	struct long_turn *turn = ctx;

	(void)task;
	note('2');
	loop_stop(turn->loop);
}

TEST_WITH(a_turn_that_took_long_leaves_what_its_tasks_defer_to_the_next, set_up, tear_down)
{
	struct long_turn turn = { .loop = *state };

	loop_timer_init(&turn.slow, on_slow_turn, &turn);
	loop_timer_init(&turn.other, on_timer, NULL);
	loop_task_init(&turn.first, on_first, &turn);
	loop_task_init(&turn.second, on_second, &turn);
	loop_timer_start(*state, &turn.slow, 0, 0);
	loop_run(*state);
	assert_string_equal(order, "1T2");
}
