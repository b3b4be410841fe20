/* perform_opa.c - OPA: asked once, when its time has come; whatever comes of it is the result.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/opa.h"
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "types/settings.h"

#define WAIT_MOST_MS INT64_C(60000) /* a row that has more was written by a clock that was ahead */

struct opa_job {
	struct perform_job job;
	struct opa_call *call; /* NULL: it waits for its time */
};

static void
end(struct perform_job *job)
{
	opa_cancel(((struct opa_job *)job)->call);
	perform_job_drop(job);
}

static void
on_answer(void *ctx, const struct opa_answer *answer)
{
	struct opa_job *job = ctx;
	struct effect *effect;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	effect = perform_job_free(&job->job);
	effect->result->u.opa_said = *answer;
	perform_report(effect);
}

static void
on_due(struct perform_job *of)
{
	struct opa_job *job = (struct opa_job *)of;
	struct opa_answer answer = { .verdict = OPA_SILENT, .decision = "none" };
	struct err err;

	job->call = opa_start(of->perform->opa,
	    &(struct opa_request){ .url = of->effect->settings->opa.url,
		.token = of->effect->settings->opa.token,
		.input = of->effect->u.opa.input,
		.on_done = on_answer,
		.ctx = job },
	    &err);
	if (job->call == NULL) { /* nothing was sent */
		text_set(answer.reason, err.text);
		on_answer(job, &answer);
	}
}

/* AGAIN: a question changes nothing there. */
void
perform_opa(struct perform *perform, struct effect *effect)
{
	int64_t left = effect->u.opa.not_before - clock_wall_ms();
	struct opa_job *job = perform_job_new(sizeof(*job), perform, effect, on_due, end);

	if (left > 0)
		perform_job_wait(&job->job, left < WAIT_MOST_MS ? left : WAIT_MOST_MS);
	else
		on_due(&job->job);
}
