/* perform.c - hands each effect to its performer, and its result to the store.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include "effects/perform_inside.h"
#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/mem.h"

#define PAUSE_FIRST_MS 1000

#define RECOVER_AGAIN(name)  perform_##name
#define RECOVER_OWN(name)    recover_##name
#define END_true_SELF(name)  .withdraw = withdraw_##name
#define END_false_SELF(name) .done = done_##name
#define END_false_ROOM(name) .done = NULL

static const struct {
	performer *perform;
	performer *recover;
	performer_withdraw *withdraw; /* NULL: it cannot be */
	performer_done *done;	      /* NULL: each is withdrawn, or no job of ours */
} functions[] = {
#define EFFECT( \
    upper, lower, word, result, lane, outbox, withdrawable, row, drop, recovery, in_hand) \
	{ perform_##lower, RECOVER_##recovery(lower), END_##withdrawable##_##in_hand(lower) },
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
		return;					       /* its result is in progress */
	assert(functions[job->effect->kind].withdraw != NULL); /* its row would not have gone */
	functions[job->effect->kind].withdraw(job);
}

void
perform_done(struct perform *perform)
{
	struct perform_job *job;

	for (size_t kind = 0; kind < COUNT(functions); kind++)
		if (functions[kind].done != NULL)
			functions[kind].done(perform);
		else
			while (
			    (job = perform_job_find(perform, (enum effect_kind)kind, NULL)) != NULL)
				functions[kind].withdraw(job);
}

/* --- an effect that waits --- */

static void
on_timer(UNUSED struct loop_timer *timer, void *ctx)
{
	struct perform_job *job = ctx;

	OBJ_CHECK(job, PERFORM_JOB_MAGIC);
	job->due(job);
}

void
perform_job_init(
    struct perform_job *job, struct perform *perform, struct effect *effect, perform_due_fn *due)
{
	struct perform_job **last = &perform->jobs;

	*job = (struct perform_job){
		.magic = PERFORM_JOB_MAGIC, .perform = perform, .effect = effect, .due = due
	};
	loop_timer_init(&job->timer, on_timer, job);
	while (*last != NULL)
		last = &(*last)->next;
	*last = job;
}

void *
perform_job_new(size_t size, struct perform *perform, struct effect *effect, perform_due_fn *due)
{
	struct perform_job *job = mem_new(1, size);

	perform_job_init(job, perform, effect, due);
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

struct perform_job *
perform_job_find(
    const struct perform *perform, enum effect_kind kind, const struct perform_job *after)
{
	struct perform_job *job = after == NULL ? perform->jobs : after->next;

	while (job != NULL && job->effect->kind != kind)
		job = job->next;
	return job;
}
