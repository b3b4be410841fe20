/* perform_stop_run.c - asks a run to end; only its exit record ends it.  Side: loop. */
/* SPDX-License-Identifier: ISC */

#include "effects/perform_inside.h"
#include "lib/mem.h"
#include "runs/runs.h"

struct end_job {
	struct runs_stop_request request;
	struct effect *effect;
};

/* The supervisor was told, or there is nothing left to end. */
static void
on_sent(struct runs_stop_request *request)
{
	struct end_job *job = request->ctx;

	perform_report(job->effect);
	free(job);
}

static void
on_dropped(struct runs_stop_request *request)
{
	struct end_job *job = request->ctx;

	effect_free(job->effect);
	free(job);
}

/* AGAIN: effects are handed out in the order of their ids, and a run that is open is followed by
 * now. */
void
perform_stop_run(struct perform *perform, struct effect *effect)
{
	struct end_job *job = mem_new(1, sizeof(*job));

	job->effect = effect;
	job->request = (struct runs_stop_request){ .run = effect->u.stop_run.run,
		.on_sent = on_sent,
		.on_dropped = on_dropped,
		.ctx = job };
	if (runs_stop_run(perform->runs, &job->request))
		return;
	free(job);
	perform_run_cancel(perform, effect->u.stop_run.run); /* it may wait to be ordered again */
	perform_report(effect);
}
