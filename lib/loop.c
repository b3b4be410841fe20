/* loop.c - libev behind a page of our own.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/loop.h"

#include <ev.h>

#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include "lib/mem.h"

#define LOOP_MAGIC 0x6c6f6f70u

/* Tasks may defer tasks: so many rounds in one turn, and none once it has taken so long; the rest
 * in the next, which does not wait. */
#define LOOP_ROUNDS_MAX 8
#define LOOP_ROUNDS_US	2000

#define REFUSED_WAIT_MS 1

/* Results before deadlines: what is ready counts, even when its time-out passed meanwhile. */
#define PRIORITY_SIGNAL 1
#define PRIORITY_IO	0
#define PRIORITY_TIMER	(-1)

_Static_assert(sizeof(ev_timer) <= sizeof(struct loop_watcher), "ev_timer fits");
_Static_assert(sizeof(ev_io) <= sizeof(struct loop_watcher), "ev_io fits");
_Static_assert(sizeof(ev_signal) <= sizeof(struct loop_watcher), "ev_signal fits");
_Static_assert(sizeof(ev_async) <= sizeof(struct loop_watcher), "ev_async fits");

/* libev's watcher, in the room that ours has for it. */
#define EV_OF(type, watcher) ((type *)(uintptr_t)(&(watcher)->ev))
/* Those bytes are 0; what a kind has beyond this is set when it is started. */
#define INIT(type, watcher, call, of_priority) \
	do { \
		ev_init(EV_OF(type, watcher), call); \
		ev_set_priority(EV_OF(type, watcher), of_priority); \
		EV_OF(type, watcher)->data = (watcher); \
	} while (0)

struct loop {
	unsigned magic;
	struct ev_loop *ev;
	ev_check turn_begins;
	ev_prepare turn_ends;
	ev_idle keep_turning;
	struct loop_task *tasks;
	struct loop_task **tasks_end;
	LIST_HEAD(, loop_prepare) prepares;
	int64_t turn_began_us;
	int64_t lag_worst_us;
};

static void end_turn(struct loop *loop, int64_t rounds_us);
static void on_turn_begins(struct ev_loop *ev, ev_check *check, int events);
static void on_turn_ends(struct ev_loop *ev, ev_prepare *prepare, int events);
static void on_keep_turning(struct ev_loop *ev, ev_idle *idle, int events);
static void on_timer(struct ev_loop *ev, ev_timer *ev_watcher, int events);
static void on_io(struct ev_loop *ev, ev_io *ev_watcher, int events);
static void on_signal(struct ev_loop *ev, ev_signal *ev_watcher, int events);
static void on_async(struct ev_loop *ev, ev_async *ev_watcher, int events);

static int64_t
now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* --- the loop --- */

struct loop *
loop_new(struct err *err)
{
	struct loop *loop = mem_new(1, sizeof(*loop));

	ev_set_allocator(mem_resize);
	/* Not the default loop: that one reaps every child of the process. */
	loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOSIGMASK);
	if (loop->ev == NULL) {
		free(loop);
		return ERR_NULL(
		    err_set(err, ERR_IO, "event loop: the kernel gives no epoll descriptor"));
	}
	loop->magic = LOOP_MAGIC;
	loop->tasks_end = &loop->tasks;
	loop->turn_began_us = now_us();
	ev_check_init(&loop->turn_begins, on_turn_begins);
	ev_set_priority(&loop->turn_begins, EV_MAXPRI);
	loop->turn_begins.data = loop;
	ev_check_start(loop->ev, &loop->turn_begins);
	ev_prepare_init(&loop->turn_ends, on_turn_ends);
	loop->turn_ends.data = loop;
	ev_prepare_start(loop->ev, &loop->turn_ends);
	ev_idle_init(&loop->keep_turning, on_keep_turning);
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	OBJ_CHECK(loop, LOOP_MAGIC);
	while (loop->tasks != NULL)
		loop_task_cancel(loop->tasks);
	ev_idle_stop(loop->ev, &loop->keep_turning);
	ev_prepare_stop(loop->ev, &loop->turn_ends);
	ev_check_stop(loop->ev, &loop->turn_begins);
	ev_loop_destroy(loop->ev);
	loop->magic = 0;
	free(loop);
}

void
loop_run(struct loop *loop)
{
	OBJ_CHECK(loop, LOOP_MAGIC);
	loop->turn_began_us = now_us();
	(void)ev_run(loop->ev, 0);
}

void
loop_stop(struct loop *loop)
{
	OBJ_CHECK(loop, LOOP_MAGIC);
	ev_break(loop->ev, EVBREAK_ALL);
}

void
loop_run_once(struct loop *loop)
{
	bool has_tasks;

	OBJ_CHECK(loop, LOOP_MAGIC);
	has_tasks = loop->tasks != NULL;
	loop->turn_began_us = now_us();
	if (has_tasks)
		end_turn(loop, INT64_MAX);
	(void)ev_run(loop->ev, has_tasks ? EVRUN_NOWAIT : EVRUN_ONCE);
	end_turn(loop, INT64_MAX);
}

int64_t
loop_now_ms(void)
{
	return now_us() / 1000;
}

int64_t
loop_lag_worst_us(struct loop *loop)
{
	int64_t worst;

	OBJ_CHECK(loop, LOOP_MAGIC);
	worst = loop->lag_worst_us;
	loop->lag_worst_us = 0;
	return worst;
}

static void
on_turn_begins(UNUSED struct ev_loop *ev, ev_check *check, UNUSED int events)
{
	struct loop *loop = check->data;

	OBJ_CHECK(loop, LOOP_MAGIC);
	loop->turn_began_us = now_us();
}

/* Runs what is queued now; what these tasks defer waits for the next round. */
static void
run_tasks(struct loop *loop)
{
	struct loop_task *mine = loop->tasks;

	if (mine == NULL)
		return;
	mine->back = &mine;
	*loop->tasks_end = NULL;
	loop->tasks = NULL;
	loop->tasks_end = &loop->tasks;
	while (mine != NULL) {
		struct loop_task *task = mine;

		mine = task->next;
		if (mine != NULL)
			mine->back = &mine;
		task->next = NULL;
		task->back = NULL;
		task->run(task, task->ctx);
	}
}

static void
run_prepares(struct loop *loop)
{
	struct loop_prepare *next;

	for (struct loop_prepare *one = LIST_FIRST(&loop->prepares); one != NULL; one = next) {
		next = LIST_NEXT(one, of_loop);
		one->run(one, one->ctx);
	}
}

static void
end_turn(struct loop *loop, int64_t rounds_us)
{
	int64_t took_us = 0;

	for (int round = 0; round < LOOP_ROUNDS_MAX && took_us < rounds_us; round++) {
		run_tasks(loop);
		run_prepares(loop);
		took_us = now_us() - loop->turn_began_us;
		if (loop->tasks == NULL)
			break;
	}
	if (loop->tasks != NULL)
		ev_idle_start(loop->ev, &loop->keep_turning);
	else
		ev_idle_stop(loop->ev, &loop->keep_turning);
	if (took_us > loop->lag_worst_us)
		loop->lag_worst_us = took_us;
}

static void
on_turn_ends(UNUSED struct ev_loop *ev, ev_prepare *prepare, UNUSED int events)
{
	OBJ_CHECK((struct loop *)prepare->data, LOOP_MAGIC);
	end_turn(prepare->data, LOOP_ROUNDS_US);
}

/* An idle watcher that is started keeps the loop from waiting; it has nothing to do. */
static void
on_keep_turning(UNUSED struct ev_loop *ev, UNUSED ev_idle *idle, UNUSED int events)
{
}

void
loop_timer_init(struct loop_timer *timer, loop_timer_fn *on_expire, void *ctx)
{
	*timer = (struct loop_timer){ .on_expire = on_expire, .ctx = ctx };
	INIT(ev_timer, timer, on_timer, PRIORITY_TIMER);
}

void
loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t after_ms, int64_t repeat_ms)
{
	ev_timer *ev = EV_OF(ev_timer, timer);

	OBJ_CHECK(loop, LOOP_MAGIC);
	loop_timer_stop(timer);
	timer->loop = loop;
	ev_timer_set(ev, (double)(after_ms < 0 ? 0 : after_ms) / 1000., (double)repeat_ms / 1000.);
	/* Else the time that this turn already took would be missing from the timer. */
	ev_now_update(loop->ev);
	ev_timer_start(loop->ev, ev);
}

void
loop_timer_stop(struct loop_timer *timer)
{
	if (timer->loop != NULL)
		ev_timer_stop(timer->loop->ev, EV_OF(ev_timer, timer));
}

bool
loop_timer_is_started(const struct loop_timer *timer)
{
	return ev_is_active(EV_OF(ev_timer, timer));
}

static void
on_timer(UNUSED struct ev_loop *ev, ev_timer *ev_watcher, UNUSED int events)
{
	struct loop_timer *timer = ev_watcher->data;

	timer->on_expire(timer, timer->ctx);
}

void
loop_io_init(struct loop_io *io, loop_io_fn *on_ready, void *ctx)
{
	*io = (struct loop_io){ .on_ready = on_ready, .ctx = ctx };
	INIT(ev_io, io, on_io, PRIORITY_IO);
	ev_io_set(EV_OF(ev_io, io), -1, 0);
}

void
loop_io_start(struct loop *loop, struct loop_io *io, int fd, unsigned events)
{
	ev_io *ev = EV_OF(ev_io, io);
	int wanted = (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);

	OBJ_CHECK(loop, LOOP_MAGIC);
	assert(fd >= 0 && wanted != 0);
	loop_io_stop(io);
	io->loop = loop;
	ev_io_set(ev, fd, wanted);
	ev_io_start(loop->ev, ev);
}

void
loop_io_stop(struct loop_io *io)
{
	if (io->loop != NULL)
		ev_io_stop(io->loop->ev, EV_OF(ev_io, io));
}

int
loop_io_fd(const struct loop_io *io)
{
	return EV_OF(ev_io, io)->fd;
}

/* The kernel had no room to watch it (epoll_ctl(2): ENOMEM, ENOSPC), and libev has given it up:
 * nothing is ready.  It is asked again, as often as it takes, with a pause each time. */
static void
watch_again(struct ev_loop *ev, ev_io *ev_watcher)
{
	(void)poll(NULL, 0, REFUSED_WAIT_MS);
	/* Set anew, or libev takes it for one that is watched already. */
	ev_io_set(ev_watcher, ev_watcher->fd, ev_watcher->events & (EV_READ | EV_WRITE));
	ev_io_start(ev, ev_watcher);
}

static void
on_io(struct ev_loop *ev, ev_io *ev_watcher, int events)
{
	struct loop_io *io = ev_watcher->data;

	/* One that was closed behind its back is ready instead: whoever reads it finds out. */
	if ((events & EV_ERROR) != 0 && fcntl(ev_watcher->fd, F_GETFD) >= 0) {
		watch_again(ev, ev_watcher);
		return;
	}
	io->on_ready(io,
	    ((events & EV_READ) != 0 ? LOOP_READ : 0u) |
		((events & EV_WRITE) != 0 ? LOOP_WRITE : 0u),
	    io->ctx);
}

void
loop_signal_init(struct loop_signal *sig, loop_signal_fn *on_arrival, void *ctx)
{
	*sig = (struct loop_signal){ .on_signal = on_arrival, .ctx = ctx };
	INIT(ev_signal, sig, on_signal, PRIORITY_SIGNAL);
}

void
loop_signal_start(struct loop *loop, struct loop_signal *sig, int number)
{
	ev_signal *ev = EV_OF(ev_signal, sig);

	OBJ_CHECK(loop, LOOP_MAGIC);
	loop_signal_stop(sig);
	sig->loop = loop;
	ev_signal_set(ev, number);
	ev_signal_start(loop->ev, ev);
}

void
loop_signal_stop(struct loop_signal *sig)
{
	if (sig->loop != NULL)
		ev_signal_stop(sig->loop->ev, EV_OF(ev_signal, sig));
}

static void
on_signal(UNUSED struct ev_loop *ev, ev_signal *ev_watcher, UNUSED int events)
{
	struct loop_signal *sig = ev_watcher->data;

	sig->on_signal(sig, sig->ctx);
}

void
loop_async_init(struct loop_async *async, loop_async_fn *on_wake, void *ctx)
{
	*async = (struct loop_async){ .on_wake = on_wake, .ctx = ctx };
	INIT(ev_async, async, on_async, PRIORITY_IO);
}

void
loop_async_start(struct loop *loop, struct loop_async *async)
{
	OBJ_CHECK(loop, LOOP_MAGIC);
	loop_async_stop(async);
	async->loop = loop;
	ev_async_start(loop->ev, EV_OF(ev_async, async));
}

void
loop_async_wake(struct loop_async *async)
{
	ev_async_send(async->loop->ev, EV_OF(ev_async, async));
}

void
loop_async_stop(struct loop_async *async)
{
	if (async->loop != NULL)
		ev_async_stop(async->loop->ev, EV_OF(ev_async, async));
}

static void
on_async(UNUSED struct ev_loop *ev, ev_async *ev_watcher, UNUSED int events)
{
	struct loop_async *async = ev_watcher->data;

	async->on_wake(async, async->ctx);
}

void
loop_task_init(struct loop_task *task, loop_task_fn *run, void *ctx)
{
	*task = (struct loop_task){ .run = run, .ctx = ctx };
}

void
loop_defer(struct loop *loop, struct loop_task *task)
{
	OBJ_CHECK(loop, LOOP_MAGIC);
	if (task->back != NULL)
		return;
	task->loop = loop;
	task->next = NULL;
	task->back = loop->tasks_end;
	*loop->tasks_end = task;
	loop->tasks_end = &task->next;
}

void
loop_task_cancel(struct loop_task *task)
{
	if (task->back == NULL)
		return;
	*task->back = task->next;
	if (task->next != NULL)
		task->next->back = task->back;
	else if (task->loop->tasks_end == &task->next)
		task->loop->tasks_end = task->back;
	task->next = NULL;
	task->back = NULL;
}

void
loop_prepare_init(struct loop_prepare *prepare, loop_prepare_fn *run, void *ctx)
{
	*prepare = (struct loop_prepare){ .run = run, .ctx = ctx };
}

void
loop_prepare_start(struct loop *loop, struct loop_prepare *prepare)
{
	OBJ_CHECK(loop, LOOP_MAGIC);
	if (!prepare->is_started)
		LIST_INSERT_HEAD(&loop->prepares, prepare, of_loop);
	prepare->is_started = true;
}

void
loop_prepare_stop(struct loop_prepare *prepare)
{
	if (prepare->is_started)
		LIST_REMOVE(prepare, of_loop);
	prepare->is_started = false;
}
