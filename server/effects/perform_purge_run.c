/* perform_purge_run.c - has the folders of runs that are long past removed, one after the other.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "effects/perform_inside.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "runs/runs.h"

#define MAGIC	 0x46676f31u
#define PAUSE_MS 1 /* between two folders: whatever else is ready comes first */

/* One folder; those behind it in perform->forgetting wait. */
struct perform_purge_run_state {
	unsigned magic;
	struct perform_purge_run_state *next;
	struct perform *perform;
	struct effect *effect;
	struct loop_timer turn;
};

static void on_turn(struct loop_timer *timer, void *ctx);
static void on_purged(void *ctx, const char *failure);

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
purge_take(struct perform_purge_run_state *purge)
{
	struct perform *perform = purge->perform;
	struct effect *effect = purge->effect;

	assert(perform->purges == purge);
	perform->purges = purge->next;
	if (perform->purges != NULL)
		loop_timer_start(perform->loop, &perform->purges->turn, PAUSE_MS, 0);
	loop_timer_stop(&purge->turn);
	purge->magic = 0;
	free(purge);
	return effect;
}

static void
on_turn(struct loop_timer *timer, void *ctx)
{
	struct perform_purge_run_state *purge = ctx;

	(void)timer;
	OBJ_CHECK(purge, MAGIC);
	runs_purge(purge->perform->runs, purge->effect->u.purge_run.run, on_purged, purge);
}

static void
on_purged(void *ctx, const char *failure)
{
	struct perform_purge_run_state *purge = ctx;
	struct perform *perform;

	OBJ_CHECK(purge, MAGIC);
	perform = purge->perform;
	report(perform, purge_take(purge), failure);
}

void
perform_purge_run(struct perform *perform, struct effect *effect)
{
	struct perform_purge_run_state *purge = calloc(1, sizeof(*purge));
	struct perform_purge_run_state **back = &perform->purges;

	if (purge == NULL) {
		report(perform, effect, "memory is short");
		return;
	}
	*purge = (struct perform_purge_run_state){
		.magic = MAGIC, .perform = perform, .effect = effect
	};
	loop_timer_init(&purge->turn, on_turn, purge);
	while (*back != NULL)
		back = &(*back)->next;
	*back = purge;
	if (perform->purges == purge)
		loop_timer_start(perform->loop, &purge->turn, PAUSE_MS, 0);
}

void
recover_purge_run(struct perform *perform, struct effect *effect)
{
	perform_purge_run(perform, effect);
}

void
perform_purge_run_done(struct perform *perform)
{
	if (perform->purges != NULL)
		runs_purge_cancel(perform->runs);
	while (perform->purges != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		effect_free(purge_take(perform->purges));
}
