/* perform_forget.c - has the folders of runs that are long past removed, one after the other.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "effects/perform_inside.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "runs/runs.h"

#define MAGIC	 0x46676f31u
#define PAUSE_MS 1 /* between two folders: whatever else is ready comes first */

/* One folder; those behind it in perform->forgetting wait. */
struct perform_forget_state {
	unsigned magic;
	struct perform_forget_state *next;
	struct perform *perform;
	struct effect *effect;
	struct loop_timer turn;
};

static void on_turn(struct loop_timer *timer, void *ctx);
static void on_forgotten(void *ctx, const char *failure);

static void
report(struct perform *perform, struct effect *effect, const char *failure)
{
	/* What stays today is no harm, and no reason to ask again: its row is gone either way. */
	if (failure != NULL)
		log_warning("an old run's log stays: %s", failure);
	perform_report(perform, effect);
}

/* The first in line; the next one's turn comes. */
static struct effect *
forget_take(struct perform_forget_state *forget)
{
	struct perform *perform = forget->perform;
	struct effect *effect = forget->effect;

	assert(perform->forgetting == forget);
	perform->forgetting = forget->next;
	if (perform->forgetting != NULL)
		loop_timer_start(perform->loop, &perform->forgetting->turn, PAUSE_MS, 0);
	loop_timer_stop(&forget->turn);
	forget->magic = 0;
	free(forget);
	return effect;
}

static void
on_turn(struct loop_timer *timer, void *ctx)
{
	struct perform_forget_state *forget = ctx;

	(void)timer;
	OBJ_CHECK(forget, MAGIC);
	runs_forget(forget->perform->runs, forget->effect->u.forget.run, on_forgotten, forget);
}

static void
on_forgotten(void *ctx, const char *failure)
{
	struct perform_forget_state *forget = ctx;
	struct perform *perform;

	OBJ_CHECK(forget, MAGIC);
	perform = forget->perform;
	report(perform, forget_take(forget), failure);
}

void
perform_forget(struct perform *perform, struct effect *effect)
{
	struct perform_forget_state *forget = calloc(1, sizeof(*forget));
	struct perform_forget_state **back = &perform->forgetting;

	if (forget == NULL) {
		report(perform, effect, "memory is short");
		return;
	}
	*forget =
	    (struct perform_forget_state){ .magic = MAGIC, .perform = perform, .effect = effect };
	loop_timer_init(&forget->turn, on_turn, forget);
	while (*back != NULL)
		back = &(*back)->next;
	*back = forget;
	if (perform->forgetting == forget)
		loop_timer_start(perform->loop, &forget->turn, PAUSE_MS, 0);
}

void
again_forget(struct perform *perform, struct effect *effect)
{
	perform_forget(perform, effect);
}

void
perform_forget_done(struct perform *perform)
{
	if (perform->forgetting != NULL)
		runs_forget_cancel(perform->runs);
	while (perform->forgetting != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		effect_free(forget_take(perform->forgetting));
}
