/* perform_cloudflare.c - CLOUDFLARE_GET and CLOUDFLARE_SET: one call each, whatever it comes to.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/cloudflare.h"
#include "effects/perform_inside.h"
#include "lib/text.h"
#include "types/settings.h"

struct cloudflare_job {
	struct perform_job job;
	struct cloudflare_call *call;
};

static void
report(struct effect *effect, const struct cloudflare_answer *answer)
{
	effect->result->u.cloudflare = *answer;
	if (effect->kind == EFFECT_CLOUDFLARE_SET && effect->is_recovered)
		cloudflare_answer_repeated(&effect->result->u.cloudflare);
	perform_report(effect);
}

static void
on_answer(void *ctx, const struct cloudflare_answer *answer)
{
	struct cloudflare_job *job = ctx;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	report(perform_job_free(&job->job), answer);
}

static void
end(struct perform_job *job)
{
	cloudflare_cancel(((struct cloudflare_job *)job)->call);
	perform_job_drop(job);
}

/* AGAIN: what it may have set already is set to the same. */
void
perform_cloudflare(struct perform *perform, struct effect *effect)
{
	const struct effect_cloudflare *what = &effect->u.cloudflare;
	struct cloudflare_request request = {
		.base = effect->settings->cloudflare_api_base,
		.token = effect->settings->cloudflare_api_token,
		.zone = what->zone,
		.level = effect->kind == EFFECT_CLOUDFLARE_SET ? what->level : NULL,
		.on_done = on_answer,
	};
	struct cloudflare_job *job = perform_job_new(sizeof(*job), perform, effect, NULL, end);
	struct cloudflare_answer answer = { .verdict = CLOUDFLARE_REFUSED };
	struct err err;

	request.ctx = job;
	job->call = cloudflare_start(perform->cloudflare, &request, &err);
	if (job->call == NULL) { /* nothing was sent */
		(void)text_copy(answer.detail, sizeof(answer.detail), err.text);
		report(perform_job_free(&job->job), &answer);
	}
}
