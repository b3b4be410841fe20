/* perform_timer.c - a deadline: the row keeps wall time, the timer what is left.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/loop.h"

#define MAGIC 0x57616974u

/* One open wait; a list of them hangs on perform->waits. */
struct perform_timer_state {
	unsigned magic;
	struct perform_timer_state *next;
	struct perform *perform;
	struct effect *effect;
	struct loop_timer timer;
};

static void on_due(struct loop_timer *timer, void *ctx);

static int64_t
left_ms(int64_t due)
{
	int64_t now_ms = clock_wall_ms();

	return due > now_ms ? due - now_ms : 0;
}

void
perform_timer(struct perform *perform, struct effect *effect)
{
	struct perform_timer_state *timed = calloc(1, sizeof(*timed));

	if (timed == NULL) {
		/* Too early is the safe side: a question closes, git is asked once more. */
		log_warning("no memory for a deadline: it passes now");
		perform_report(perform, effect);
		return;
	}
	timed->magic = MAGIC;
	timed->perform = perform;
	timed->effect = effect;
	timed->next = perform->timers;
	perform->timers = timed;
	loop_timer_init(&timed->timer, on_due, timed);
	loop_timer_start(perform->loop, &timed->timer, left_ms(effect->due), 0);
}

void
recover_timer(struct perform *perform, struct effect *effect)
{
	perform_timer(perform, effect);
}

/* Unlinks and frees; the effect is the caller's. */
static struct effect *
timer_take(struct perform_timer_state *timed)
{
	struct perform_timer_state **back = &timed->perform->timers;
	struct effect *effect = timed->effect;

	while (*back != timed)
		back = &(*back)->next;
	*back = timed->next;
	loop_timer_stop(&timed->timer);
	timed->magic = 0;
	free(timed);
	return effect;
}

static void
on_due(struct loop_timer *timer, void *ctx)
{
	struct perform_timer_state *timed = ctx;
	struct perform *perform;

	(void)timer;
	OBJ_CHECK(timed, MAGIC);
	perform = timed->perform;
	perform_report(perform, timer_take(timed));
}

bool
perform_timer_withdraw(struct perform *perform, int64_t id)
{
	for (struct perform_timer_state *timed = perform->timers; timed != NULL;
	     timed = timed->next) {
		if (timed->effect->id == id) {
			effect_free(timer_take(timed));
			return true;
		}
	}
	return false;
}

void
perform_timer_done(struct perform *perform)
{
	while (perform->timers != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		effect_free(timer_take(perform->timers));
}
