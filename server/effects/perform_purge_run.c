/* perform_purge_run.c - has the folders of runs that are long past removed, one after the other.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"
#include "lib/log.h"
#include "runs/runs.h"

#define PAUSE_MS 1 /* between two folders: whatever else is ready comes first */

static void on_turn(struct perform_job *job);
static void on_purged(void *ctx, const char *failure);

static void
report(struct effect *effect, const char *failure)
{
	/* What stays today is no harm, and no reason to ask again: its row is gone either way. */
	if (failure != NULL)
		log_warning("an old run's log stays: %s", failure);
	perform_report(effect);
}

static void
end(struct perform_job *job)
{
	runs_purge_cancel(job->perform->runs);
	perform_job_drop(job);
}

/* The oldest is being removed, the others wait behind it. */
void
perform_purge_run(struct perform *perform, struct effect *effect)
{
	bool waits = perform_job_find(perform, EFFECT_PURGE_RUN, NULL) != NULL;
	struct perform_job *job = perform_job_new(sizeof(*job), perform, effect, on_turn, end);

	if (!waits)
		perform_job_wait(job, PAUSE_MS);
}

static void
on_turn(struct perform_job *job)
{
	struct err err;

	if (!runs_purge(job->perform->runs, &job->effect->u.purge_run, on_purged, job, &err))
		on_purged(job, err.text);
}

static void
on_purged(void *ctx, const char *failure)
{
	struct perform_job *job = ctx, *next;
	struct perform *perform = job->perform;
	struct effect *effect = perform_job_free(job);

	next = perform_job_find(perform, EFFECT_PURGE_RUN, NULL);
	if (next != NULL)
		perform_job_wait(next, PAUSE_MS);
	report(effect, failure);
}
