/* perform_wait.c - a deadline: the row keeps wall time, the timer what is left.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/loop.h"

#define MAGIC 0x57616974u

/* One open wait; a list of them hangs on perform->waits. */
struct perform_wait_state {
	unsigned magic;
	struct perform_wait_state *next;
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
perform_wait(struct perform *perform, struct effect *effect)
{
	struct perform_wait_state *wait = calloc(1, sizeof(*wait));

	if (wait == NULL) {
		/* Too early is the safe side: a question closes, git is asked once more. */
		log_warning("no memory for a deadline: it passes now");
		perform_report(perform, effect);
		return;
	}
	wait->magic = MAGIC;
	wait->perform = perform;
	wait->effect = effect;
	wait->next = perform->waits;
	perform->waits = wait;
	loop_timer_init(&wait->timer, on_due, wait);
	loop_timer_start(perform->loop, &wait->timer, left_ms(effect->due), 0);
}

void
again_wait(struct perform *perform, struct effect *effect)
{
	perform_wait(perform, effect);
}

/* Unlinks and frees; the effect is the caller's. */
static struct effect *
wait_take(struct perform_wait_state *wait)
{
	struct perform_wait_state **back = &wait->perform->waits;
	struct effect *effect = wait->effect;

	while (*back != wait)
		back = &(*back)->next;
	*back = wait->next;
	loop_timer_stop(&wait->timer);
	wait->magic = 0;
	free(wait);
	return effect;
}

static void
on_due(struct loop_timer *timer, void *ctx)
{
	struct perform_wait_state *wait = ctx;
	struct perform *perform;

	(void)timer;
	OBJ_CHECK(wait, MAGIC);
	perform = wait->perform;
	perform_report(perform, wait_take(wait));
}

bool
perform_wait_withdraw(struct perform *perform, int64_t id)
{
	for (struct perform_wait_state *wait = perform->waits; wait != NULL; wait = wait->next) {
		if (wait->effect->id == id) {
			effect_free(wait_take(wait));
			return true;
		}
	}
	return false;
}

void
perform_wait_done(struct perform *perform)
{
	while (perform->waits != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		effect_free(wait_take(perform->waits));
}
