/* sim_loop.c - timers, tasks and clocks of the server's loop, in the time of a history.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * In the place of lib/loop.c and lib/clock.c for whatever calls these (the Makefile's SIM_WRAP).  A
 * machine that sleeps does not stop them: what was due then is due when it wakes.
 */
#include "lib/clock.h"
#include "lib/loop.h"
#include "tests/sim/sim_agent.h"

#define TIMERS_MAX 2048

static sim_fn timer_fires, tasks_are_done;

static struct sim *playing;
static int64_t set_back_ms;
static int64_t n_started;
static struct {
	struct loop_timer *timer; /* NULL: a free place */
	int64_t n;		  /* which start of one it is */
} timers[TIMERS_MAX];
static struct loop_task *tasks, **tasks_end = &tasks;

void
sim_loop_begin(struct sim *sim)
{
	playing = sim;
	set_back_ms = 0;
	sim_loop_cut();
}

void
sim_loop_cut(void)
{
	memset(timers, 0, sizeof(timers));
	tasks = NULL;
	tasks_end = &tasks;
}

void
sim_loop_clock_back(int64_t back_ms)
{
	set_back_ms += back_ms;
}

int64_t
sim_loop_set_back(void)
{
	return set_back_ms;
}

int64_t
sim_loop_now(void)
{
	return playing->now + set_back_ms;
}

/* --- clocks: the linker leads the calls here --- */

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker names them */
int64_t __real_clock_wall_ms(void);
int64_t __real_clock_monotonic_ms(void);
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int64_t sim_clock_wall_ms(void);
int64_t sim_clock_monotonic_ms(void);
int64_t sim_loop_now_ms(void);

int64_t
sim_clock_wall_ms(void)
{
	return playing != NULL ? playing->now : __real_clock_wall_ms();
}

int64_t
sim_clock_monotonic_ms(void)
{
	return playing != NULL ? sim_loop_now() : __real_clock_monotonic_ms();
}

int64_t
sim_loop_now_ms(void)
{
	return sim_loop_now();
}

/* --- timers --- */

void sim_loop_timer_init(struct loop_timer *timer, loop_timer_fn *on_expire, void *ctx);
void sim_loop_timer_start(
    struct loop *loop, struct loop_timer *timer, int64_t after_ms, int64_t repeat_ms);
void sim_loop_timer_stop(struct loop_timer *timer);
bool sim_loop_timer_is_started(const struct loop_timer *timer);

static size_t
place_of(const struct loop_timer *timer)
{
	size_t i = 0;

	while (i < TIMERS_MAX && timers[i].timer != timer)
		i++;
	return i;
}

void
sim_loop_timer_init(struct loop_timer *timer, loop_timer_fn *on_expire, void *ctx)
{
	*timer = (struct loop_timer){ .on_expire = on_expire, .ctx = ctx };
}

void
sim_loop_timer_stop(struct loop_timer *timer)
{
	size_t i = place_of(timer);

	if (i < TIMERS_MAX)
		timers[i].timer = NULL;
}

bool
sim_loop_timer_is_started(const struct loop_timer *timer)
{
	return place_of(timer) < TIMERS_MAX;
}

static void
timer_fires(UNUSED struct sim *sim, int64_t i, int64_t n)
{
	struct loop_timer *timer = timers[i].timer;

	if (timer == NULL || timers[i].n != n)
		return;
	timers[i].timer = NULL;
	timer->on_expire(timer, timer->ctx);
}

void
sim_loop_timer_start(
    UNUSED struct loop *loop, struct loop_timer *timer, int64_t after_ms, int64_t repeat_ms)
{
	size_t i;

	if (repeat_ms != 0)
		return; /* agents.c looks who is to renew: here no certificate has an end */
	sim_loop_timer_stop(timer);
	i = place_of(NULL);
	assert(i < TIMERS_MAX);
	timers[i].timer = timer;
	timers[i].n = ++n_started;
	sim_later(playing, playing->life, after_ms < 0 ? 0 : after_ms, timer_fires, (int64_t)i,
	    timers[i].n);
}

/* --- tasks --- */

void sim_loop_defer(struct loop *loop, struct loop_task *task);
void sim_loop_task_cancel(struct loop_task *task);

static void
tasks_are_done(UNUSED struct sim *sim, UNUSED int64_t a, UNUSED int64_t b)
{
	struct loop_task *task;

	while ((task = tasks) != NULL) {
		sim_loop_task_cancel(task);
		task->run(task, task->ctx);
	}
}

void
sim_loop_defer(UNUSED struct loop *loop, struct loop_task *task)
{
	if (task->back != NULL)
		return;
	if (tasks == NULL)
		sim_later(playing, playing->life, 0, tasks_are_done, 0, 0);
	task->next = NULL;
	task->back = tasks_end;
	*tasks_end = task;
	tasks_end = &task->next;
}

void
sim_loop_task_cancel(struct loop_task *task)
{
	if (task->back == NULL)
		return;
	*task->back = task->next;
	if (task->next != NULL)
		task->next->back = task->back;
	else
		tasks_end = task->back;
	task->next = NULL;
	task->back = NULL;
}
