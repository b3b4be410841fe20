/* loop.h - one thread's event loop: timers, descriptors, signals, wake-ups.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A page of libev, and the only module that sees it.  Watchers are embedded in their owner
 * (init, start, stop; stop is harmless on one that is not started) and must be stopped before
 * their memory or their descriptor goes.  A callback gets the watcher and the ctx of its init.
 * All of it belongs to the thread that runs the loop, but for loop_async_wake().
 *
 * In one turn signals and wake-ups come first, then descriptors, then timers: a result that is
 * ready is seen before the deadline that passed in the same turn.  Then, at the bottom of the turn,
 * the deferred tasks and the prepare hooks.
 *
 * libev aborts when it cannot grow its tables; nothing here waits for children.
 */
#pragma once

#include <stdatomic.h>
#include <sys/queue.h>

#include "lib/base.h"
#include "lib/err.h"

struct loop;
struct loop_timer;
struct loop_io;
struct loop_signal;
struct loop_async;
struct loop_task;
struct loop_prepare;

enum loop_events {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
};

typedef void loop_timer_fn(struct loop_timer *timer, void *ctx);
typedef void loop_io_fn(struct loop_io *io, unsigned events, void *ctx);
typedef void loop_signal_fn(struct loop_signal *sig, void *ctx);
typedef void loop_async_fn(struct loop_async *async, void *ctx);
typedef void loop_task_fn(struct loop_task *task, void *ctx);
typedef void loop_prepare_fn(struct loop_prepare *prepare, void *ctx);

/* Room for a watcher of libev; loop.c checks the size. */
struct loop_watcher {
	_Alignas(8) unsigned char room[64];
};

struct loop_timer {
	struct loop_watcher ev;
	struct loop *loop;
	loop_timer_fn *on_expire;
	void *ctx;
};

struct loop_io {
	struct loop_watcher ev;
	struct loop *loop;
	loop_io_fn *on_ready;
	void *ctx;
};

struct loop_signal {
	struct loop *loop; /* NULL: not started */
	LIST_ENTRY(loop_signal) of_loop;
	int number;
	bool is_due; /* its call is still to come in this turn */
	loop_signal_fn *on_signal;
	void *ctx;
};

struct loop_async {
	struct loop *loop; /* stays: another thread may wake it when it is stopped already */
	LIST_ENTRY(loop_async) of_loop;
	bool is_started;
	atomic_bool is_woken;
	bool is_due; /* as a signal's */
	loop_async_fn *on_wake;
	void *ctx;
};

struct loop_task {
	struct loop *loop;
	struct loop_task *next;
	struct loop_task **back;	/* NULL: not queued */
	loop_task_fn *run;
	void *ctx;
};

struct loop_prepare {
	LIST_ENTRY(loop_prepare) of_loop;
	bool is_started;
	loop_prepare_fn *run;
	void *ctx;
};

/* NULL and *err when the kernel gives no epoll or descriptor.  The signal mask is left alone. */
struct loop *loop_new(struct err *err) MUST_USE;

/* NULL is fine.  Every watcher must have been stopped; deferred tasks are dropped unrun. */
void loop_free(struct loop *loop);

/* Runs turns until loop_stop(), which lets the turn end. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* One turn with its bottom; waits until something happens, but not where tasks were deferred.
 * For tests and for closing down. */
void loop_run_once(struct loop *loop);

/* Monotonic clock (no relation to wall time), read anew at each call. */
int64_t loop_now_ms(void);

/* The longest that any turn's callbacks held the loop since the last call, in microseconds:
 * so long may something that was ready have waited. */
int64_t loop_lag_worst_us(struct loop *loop);

void loop_timer_init(struct loop_timer *timer, loop_timer_fn *on_expire, void *ctx);
/* Expires once, after_ms from now, or repeat_ms (0: no) again and again after that.
 * Starting a started timer moves it.  A negative after_ms counts as 0. */
void loop_timer_start(struct loop *loop, struct loop_timer *timer, int64_t after_ms,
    int64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_started(const struct loop_timer *timer);

void loop_io_init(struct loop_io *io, loop_io_fn *on_ready, void *ctx);
/* Watches fd for events (LOOP_READ | LOOP_WRITE), level triggered.  Starting a started one
 * changes what it watches.  Stop it before fd is closed.  A pidfd reads as ready at the end.
 * Where the kernel has no room for it just now, it is watched as soon as there is. */
void loop_io_start(struct loop *loop, struct loop_io *io, int fd, unsigned events);
void loop_io_stop(struct loop_io *io);
int loop_io_fd(const struct loop_io *io);

/* One loop of the process may watch a signal.  What comes before its call waits for whoever watches
 * it next. */
void loop_signal_init(struct loop_signal *sig, loop_signal_fn *on_signal, void *ctx);
void loop_signal_start(struct loop *loop, struct loop_signal *sig, int number);
void loop_signal_stop(struct loop_signal *sig);

void loop_async_init(struct loop_async *async, loop_async_fn *on_wake, void *ctx);
void loop_async_start(struct loop *loop, struct loop_async *async);
/* From any thread, once it was started and while its loop is there; stopped, nobody is called.
 * Many wakes may come as one call of on_wake. */
void loop_async_wake(struct loop_async *async);
void loop_async_stop(struct loop_async *async);

void loop_task_init(struct loop_task *task, loop_task_fn *run, void *ctx);
/* Runs the task once at the bottom of this turn, in the order of asking: the place to free
 * what a caller further up still uses, and to call back whom one must not call back now.
 * What a task or a hook defers waits for the next turn, which comes at once, where this one has
 * taken long.  Deferring a task that is queued changes nothing.  A task may free itself or defer
 * again. */
void loop_defer(struct loop *loop, struct loop_task *task);
void loop_task_cancel(struct loop_task *task);

/* Called at the bottom of every turn, after the tasks, just before the loop waits; may start
 * watchers, defer tasks, and stop itself but no other hook. */
void loop_prepare_init(struct loop_prepare *prepare, loop_prepare_fn *run, void *ctx);
void loop_prepare_start(struct loop *loop, struct loop_prepare *prepare);
void loop_prepare_stop(struct loop_prepare *prepare);
