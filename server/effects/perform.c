/* perform.c - hands each effect to its performer, and its result to the store.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include "effects/perform_inside.h"
#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/mem.h"

#define PAUSE_FIRST_MS 1000
#define MAY_ACT_MS     100 /* until it is asked again whether this server leads */

#define RECOVER_AGAIN(name) perform_##name
#define RECOVER_OWN(name)   recover_##name

static const struct {
	performer *perform;
	performer *recover;
} functions[] = {
#define EFFECT(upper, lower, word, result, lane, outbox, withdrawable, row, drop, recovery) \
	{ perform_##lower, RECOVER_##recovery(lower) },
#include "types/effect.def"
};

void
perform_effect(struct perform *perform, struct effect *effect)
{
	assert((size_t)effect->kind < COUNT(functions));
	effect->perform = perform;
	if (effect->is_recovered)
		functions[effect->kind].recover(perform, effect);
	else
		functions[effect->kind].perform(perform, effect);
}

void
perform_report(struct effect *effect)
{
	struct event *result = TAKE(effect->result);
	struct perform *perform = effect->perform;

	assert(result != NULL);
	result->effect = effect->id;
	effect_free(effect);
	CRASH_POINT(result_due);
	perform->submit(perform->submit_ctx, result);
}

void
perform_withdraw(struct perform *perform, int64_t id)
{
	struct perform_job *job = perform->jobs;

	while (job != NULL && job->effect->id != id)
		job = job->next;
	if (job == NULL)
		return; /* its result is in progress */
	assert(job->end != NULL);
	job->end(job);
}

void
perform_done(struct perform *perform)
{
	struct perform_job *job = perform->jobs;

	while (job != NULL)
		if (job->end != NULL) {
			job->end(job);
			job = perform->jobs; /* its end may have been that of others */
		} else
			job = job->next;
}

/* --- an effect that waits --- */

static void
on_timer(UNUSED struct loop_timer *timer, void *ctx)
{
	struct perform_job *job = ctx;

	OBJ_CHECK(job, PERFORM_JOB_MAGIC);
	if (job->perform->may_act != NULL && !job->perform->may_act(job->perform->submit_ctx))
		perform_job_wait(job, MAY_ACT_MS);
	else
		job->due(job);
}

void
perform_job_init(struct perform_job *job, struct perform *perform, struct effect *effect,
    perform_due_fn *due, perform_end_fn *end)
{
	struct perform_job **last = &perform->jobs;

	*job = (struct perform_job){ .magic = PERFORM_JOB_MAGIC,
		.perform = perform,
		.effect = effect,
		.due = due,
		.end = end };
	loop_timer_init(&job->timer, on_timer, job);
	while (*last != NULL)
		last = &(*last)->next;
	*last = job;
}

void *
perform_job_new(size_t size, struct perform *perform, struct effect *effect, perform_due_fn *due,
    perform_end_fn *end)
{
	struct perform_job *job = mem_new(1, size);

	perform_job_init(job, perform, effect, due, end);
	return job;
}

void
perform_job_wait(struct perform_job *job, int64_t ms)
{
	assert(job->due != NULL);
	loop_timer_start(job->perform->loop, &job->timer, ms, 0);
}

int64_t
perform_job_pause(struct perform_job *job, int64_t most_ms)
{
	int64_t ms;
	uint16_t chance;

	OBJ_CHECK(job, PERFORM_JOB_MAGIC);
	ms = job->pause_ms == 0 ? PAUSE_FIRST_MS : job->pause_ms;
	job->pause_ms = ms * 2 < most_ms ? ms * 2 : most_ms;
	if (!crypto_random(&chance, sizeof(chance), NULL))
		return ms;
	return ms * 3 / 4 + ms / 2 * chance / UINT16_MAX;
}

struct effect *
perform_job_end(struct perform_job *job)
{
	struct perform_job **back = &job->perform->jobs;

	OBJ_CHECK(job, PERFORM_JOB_MAGIC);
	while (*back != job)
		back = &(*back)->next;
	*back = job->next;
	loop_timer_stop(&job->timer);
	job->magic = 0;
	return TAKE(job->effect);
}

struct effect *
perform_job_free(struct perform_job *job)
{
	struct effect *effect = perform_job_end(job);

	free(job);
	return effect;
}

void
perform_job_drop(struct perform_job *job)
{
	effect_free(perform_job_free(job));
}

struct perform_job *
perform_job_find(
    const struct perform *perform, enum effect_kind kind, const struct perform_job *after)
{
	struct perform_job *job = after == NULL ? perform->jobs : after->next;

	while (job != NULL && job->effect->kind != kind)
		job = job->next;
	return job;
}
