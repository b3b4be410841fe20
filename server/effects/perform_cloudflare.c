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

/* level: to set; NULL: it is asked for. */
static void
call(struct cloudflare_job *job, const char *level, cloudflare_done_fn *on_done)
{
	const struct effect *effect = job->job.effect;
	const struct cloudflare_request request = {
		.base = effect->settings->cloudflare_api_base,
		.token = effect->settings->cloudflare_api_token,
		.zone = effect->u.cloudflare.zone,
		.level = level,
		.on_done = on_done,
		.ctx = job,
	};
	struct cloudflare_answer answer = { .verdict = CLOUDFLARE_REFUSED };
	struct err err;

	job->call = cloudflare_start(job->job.perform->cloudflare, &request, &err);
	if (job->call == NULL) { /* nothing was sent */
		text_set(answer.detail, err.text);
		report(perform_job_free(&job->job), &answer);
	}
}

/* What is there is not set again. */
static void
on_read(void *ctx, const struct cloudflare_answer *answer)
{
	struct cloudflare_job *job = ctx;
	const char *level = job->job.effect->u.cloudflare.level;

	if (answer->verdict == CLOUDFLARE_DONE && strcmp(answer->value, level) != 0)
		call(job, level, on_answer);
	else
		on_answer(job, answer);
}

/* AGAIN: what it may have set already is set to the same; of several servers the one that leads now
 * reads it first. */
void
perform_cloudflare(struct perform *perform, struct effect *effect)
{
	struct cloudflare_job *job = perform_job_new(sizeof(*job), perform, effect, NULL, end);
	bool sets = effect->kind == EFFECT_CLOUDFLARE_SET;
	bool is_new = effect->is_recovered && perform->may_act != NULL;

	call(job, sets && !is_new ? effect->u.cloudflare.level : NULL,
	    sets && is_new ? on_read : on_answer);
}
