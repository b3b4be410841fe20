/* loop.c - libev behind a page of our own.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/loop.h"

#include <ev.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/mem.h"

#define LOOP_MAGIC 0x6c6f6f70u

/* Tasks may defer tasks: so many rounds in one turn, and none once it has taken so long; the rest
 * in the next, which does not wait. */
#define LOOP_ROUNDS_MAX 8
#define LOOP_ROUNDS_US	2000

#define REFUSED_WAIT_MS 1

/* Results before deadlines: what is ready counts, even when its time-out passed meanwhile. */
#define PRIORITY_WAKE  1
#define PRIORITY_IO    0
#define PRIORITY_TIMER (-1)

_Static_assert(sizeof(ev_timer) <= sizeof(struct loop_watcher), "ev_timer fits");
_Static_assert(sizeof(ev_io) <= sizeof(struct loop_watcher), "ev_io fits");

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
	/* libev has a descriptor for these too, and would not watch it again (watch_again()). */
	struct loop_io wakes;
	LIST_HEAD(, loop_signal) signals;
	LIST_HEAD(, loop_async) asyncs;
	int64_t turn_began_us;
	int64_t lag_worst_us;
};

/* What a signal's handler may look at. */
static struct {
	_Atomic int wake_fd;
	atomic_bool has_come;
} signals[NSIG];

static void end_turn(struct loop *loop, int64_t rounds_us);
static void on_turn_begins(struct ev_loop *ev, ev_check *check, int events);
static void on_turn_ends(struct ev_loop *ev, ev_prepare *prepare, int events);
static void on_keep_turning(struct ev_loop *ev, ev_idle *idle, int events);
static void on_timer(struct ev_loop *ev, ev_timer *ev_watcher, int events);
static void on_io(struct ev_loop *ev, ev_io *ev_watcher, int events);
static void on_wakes(struct loop_io *io, unsigned events, void *ctx);

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
	int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ev_set_allocator(mem_resize);
	/* Not the default loop: that one reaps every child of the process. */
	loop->ev = wake_fd < 0 ? NULL : ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (loop->ev == NULL) {
		if (wake_fd >= 0)
			(void)close(wake_fd);
		free(loop);
		return ERR_NULL(err_set(
		    err, ERR_IO, "event loop: the kernel gives no epoll or event descriptor"));
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
	loop_io_init(&loop->wakes, on_wakes, loop);
	ev_set_priority(EV_OF(ev_io, &loop->wakes), PRIORITY_WAKE);
	loop_io_start(loop, &loop->wakes, wake_fd, LOOP_READ);
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
	loop_io_stop(&loop->wakes);
	(void)close(loop_io_fd(&loop->wakes));
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

/* --- signals and wake-ups --- */

/* Whoever wakes says first for whom. */
static void
wake(int fd)
{
	static const uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one)); /* where it is full, it is awake */
}

static void
on_signal(int number)
{
	int error = errno;

	atomic_store(&signals[number].has_come, true);
	wake(atomic_load(&signals[number].wake_fd));
	errno = error;
}

/* Each is called once, and may stop any of them. */
static bool
call_one(struct loop *loop)
{
	struct loop_signal *sig;
	struct loop_async *async;

	for (sig = LIST_FIRST(&loop->signals); sig != NULL; sig = LIST_NEXT(sig, of_loop))
		if (sig->is_due) {
			sig->is_due = false;
			sig->on_signal(sig, sig->ctx);
			return true;
		}
	for (async = LIST_FIRST(&loop->asyncs); async != NULL; async = LIST_NEXT(async, of_loop))
		if (async->is_due) {
			async->is_due = false;
			async->on_wake(async, async->ctx);
			return true;
		}
	return false;
}

static void
on_wakes(struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct loop *loop = ctx;
	struct loop_signal *sig;
	struct loop_async *async;
	uint64_t n;

	(void)!read(loop_io_fd(io), &n, sizeof(n));
	for (sig = LIST_FIRST(&loop->signals); sig != NULL; sig = LIST_NEXT(sig, of_loop))
		sig->is_due |= atomic_exchange(&signals[sig->number].has_come, false);
	for (async = LIST_FIRST(&loop->asyncs); async != NULL; async = LIST_NEXT(async, of_loop))
		async->is_due |= atomic_exchange(&async->is_woken, false);
	while (call_one(loop))
		continue;
}

void
loop_signal_init(struct loop_signal *sig, loop_signal_fn *on_arrival, void *ctx)
{
	*sig = (struct loop_signal){ .on_signal = on_arrival, .ctx = ctx };
}

void
loop_signal_start(struct loop *loop, struct loop_signal *sig, int number)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	OBJ_CHECK(loop, LOOP_MAGIC);
	assert(number > 0 && number < NSIG);
	loop_signal_stop(sig);
	sig->loop = loop;
	sig->number = number;
	sig->is_due = false;
	LIST_INSERT_HEAD(&loop->signals, sig, of_loop);
	atomic_store(&signals[number].wake_fd, loop_io_fd(&loop->wakes));
	(void)sigfillset(&action.sa_mask);
	(void)sigaction(number, &action, NULL); /* cannot fail for what is no KILL or STOP */
	if (atomic_load(&signals[number].has_come))
		wake(loop_io_fd(&loop->wakes));
}

void
loop_signal_stop(struct loop_signal *sig)
{
	if (sig->loop == NULL)
		return;
	(void)signal(sig->number, SIG_DFL);
	LIST_REMOVE(sig, of_loop);
	sig->loop = NULL;
}

void
loop_async_init(struct loop_async *async, loop_async_fn *on_wake, void *ctx)
{
	*async = (struct loop_async){ .on_wake = on_wake, .ctx = ctx };
}

void
loop_async_start(struct loop *loop, struct loop_async *async)
{
	OBJ_CHECK(loop, LOOP_MAGIC);
	loop_async_stop(async);
	async->loop = loop;
	async->is_started = true;
	async->is_due = false;
	atomic_store(&async->is_woken, false);
	LIST_INSERT_HEAD(&loop->asyncs, async, of_loop);
}

void
loop_async_wake(struct loop_async *async)
{
	if (!atomic_exchange(&async->is_woken, true))
		wake(loop_io_fd(&async->loop->wakes));
}

void
loop_async_stop(struct loop_async *async)
{
	if (async->is_started)
		LIST_REMOVE(async, of_loop);
	async->is_started = false;
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
