/* perform_run.c - a run, from its order, given again where it must, to its exit record.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "effects/perform_inside.h"
#include "lib/clean.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runs/runs.h"
#include "telegram/telegram.h"

#define MAGIC	      0x50726e31u
#define STATUS_GO     200 /* to EVENT_RUN_STARTED; else its run was ended meanwhile */
#define JOBS_MAX      128 /* more than the runs that may be followed and those just ended */
#define TRIES_MAX     3	  /* of a deployment: nothing was touched, a person may ask again */
#define WAIT_FIRST_MS 1000
#define WAIT_MOST_MS  60000

typedef bool begin_fn(struct runs *runs, const struct effect_run *order,
    const struct runs_watch *watch, struct err *err);

struct run_job {
	unsigned magic; /* 0: this place is free */
	struct perform *perform;
	struct effect *effect; /* NULL: it has ended and was reported */
	begin_fn *begin;
	struct loop_timer again; /* started: it was put off */
	int64_t wait_ms;
	int64_t give_up_at; /* monotonic: a rollback is tried until then */
	unsigned tries;
	bool is_recording; /* the store has the hello, its answer is to come */
	bool is_ending;
	struct runs_stop_request no_go;
};

static void on_hello(void *ctx, const struct run_started *hello);
static void on_step(void *ctx, const struct run_step *step);
static void on_lost(void *ctx, const char *stuck);
static void on_incompatible(void *ctx);
static void on_ended(void *ctx, const struct run_ended *ended);
static void on_put_off(void *ctx, const char *why);
static void on_dropped(void *ctx);
static void on_again(struct loop_timer *timer, void *ctx);

/* Not from the heap: a way back must not fail for want of a few bytes. */
static struct run_job jobs[JOBS_MAX];

static void
job_free(struct run_job *job)
{
	loop_timer_stop(&job->again);
	job->magic = 0;
}

/* --- its order ---------------------------------------------------------------------------- */

static void
refuse(struct perform *perform, struct effect *effect, bool is_cancelled, const char *why)
{
	struct run_ended *ended = &effect->result->u.run_ended;

	ended->run = effect->u.run.run;
	/* It may be at work, here or elsewhere: nothing else is begun for it. */
	ended->folder_gone =
	    effect->u.run.started_at != 0 || (effect->is_recovered && perform->is_restored);
	ended->refused = !ended->folder_gone;
	ended->ended_on_request = is_cancelled;
	(void)clean_line(ended->detail, sizeof(ended->detail), why, strlen(why));
	perform_report(perform, effect);
}

static void
job_refuse(struct run_job *job, bool is_cancelled, const char *why)
{
	struct perform *perform = job->perform;
	struct effect *effect = TAKE(job->effect);

	job_free(job);
	refuse(perform, effect, is_cancelled, why);
}

/* A deployment that does not begin touches nothing; a rollback is all that is left to try. */
static bool
is_worth_another_try(const struct run_job *job)
{
	if (job->effect->u.run.program == PROGRAM_ROLLBACK)
		return loop_now_ms() + job->wait_ms <= job->give_up_at;
	return job->tries < TRIES_MAX;
}

static void
put_off(struct run_job *job, const char *why)
{
	if (!is_worth_another_try(job)) {
		job_refuse(job, false, why);
		return;
	}
	log_line(LOG_LEVEL_WARNING, LOG_FIELDS(LOG_I64("run", job->effect->u.run.run)),
	    "it could not be started: %s; it is tried again in %lld s", why,
	    (long long)job->wait_ms / 1000);
	loop_timer_start(job->perform->loop, &job->again, job->wait_ms, 0);
	job->wait_ms = job->wait_ms * 2 < WAIT_MOST_MS ? job->wait_ms * 2 : WAIT_MOST_MS;
}

static void
job_try(struct run_job *job)
{
	const struct runs_watch watch = { on_hello, on_step, on_lost, on_incompatible, on_ended,
		on_put_off, on_dropped, job };
	struct err err = { .code = ERR_NONE };

	job->tries++;
	if (job->effect->u.run.program == PROGRAM_ROLLBACK)
		CRASH_POINT(rollback_due);
	if (job->begin(job->perform->runs, &job->effect->u.run, &watch, &err))
		return;
	assert(err.code != ERR_BUSY); /* an effect is handed out once */
	put_off(job, err.text);
}

static void
begin(struct perform *perform, struct effect *effect, begin_fn *how)
{
	struct run_job *job = jobs;

	while (job < jobs + JOBS_MAX && job->magic != 0)
		job++;
	if (job == jobs + JOBS_MAX) {
		refuse(perform, effect, false, "too many runs are open already");
		return;
	}
	*job = (struct run_job){ .magic = MAGIC,
		.perform = perform,
		.effect = effect,
		.begin = how,
		.wait_ms = WAIT_FIRST_MS,
		.give_up_at = loop_now_ms() + effect->u.run.deadline_s * INT64_C(1000) };
	loop_timer_init(&job->again, on_again, job);
	job_try(job);
}

static void
on_put_off(void *ctx, const char *why)
{
	struct run_job *job = ctx;

	OBJ_CHECK(job, MAGIC);
	put_off(job, why);
}

static void
on_again(struct loop_timer *timer, void *ctx)
{
	struct run_job *job = ctx;

	(void)timer;
	OBJ_CHECK(job, MAGIC);
	job_try(job);
}

/* One that was put off and is in this performer's hands; NULL: none. */
static struct run_job *
next_put_off(const struct perform *perform, struct run_job *job)
{
	for (; job < jobs + JOBS_MAX; job++) {
		if (job->magic != 0 && job->perform == perform &&
		    loop_timer_is_started(&job->again))
			return job;
	}
	return NULL;
}

void
perform_run_cancel(struct perform *perform, int64_t run)
{
	struct run_job *job = next_put_off(perform, jobs);

	while (job != NULL && job->effect->u.run.run != run)
		job = next_put_off(perform, job + 1);
	if (job != NULL)
		job_refuse(job, true, "cancelled before it began");
}

void
perform_run_done(struct perform *perform)
{
	struct run_job *job;

	while ((job = next_put_off(perform, jobs)) != NULL) {
		effect_free(job->effect);
		job_free(job);
	}
}

void
perform_run(struct perform *perform, struct effect *effect)
{
	begin(perform, effect, runs_order);
}

/* Found in runs/<id>/, and ordered only where there is none and it was never started. */
void
recover_run(struct perform *perform, struct effect *effect)
{
	if (perform->is_restored) {
		refuse(
		    perform, effect, false, "it may be at work on the machine it was started on");
		return;
	}
	if (effect->u.run.message.id != 0)
		telegram_live_resume(perform->telegram, &effect->u.run.message);
	begin(perform, effect, runs_resume);
}

/* An event of our own; NULL is logged: what it would have told is lost. */
static struct event *
event_for(struct run_job *job, enum event_kind kind)
{
	struct event *event = event_new(kind);

	if (event == NULL)
		log_line(LOG_LEVEL_ERROR, LOG_FIELDS(LOG_I64("run", job->effect->u.run.run)),
		    "no memory to record that %s", event_name(kind));
	return event;
}

/* --- the gate: opened by the answer to what is on disk ------------------------------------ */

static void
on_no_go_sent(struct runs_stop_request *request)
{
	((struct run_job *)request->ctx)->is_ending = false;
}

/* The gate stays shut for good: the supervisor ends with a record that says so. */
static void
keep_shut(struct run_job *job)
{
	if (job->is_ending)
		return;
	job->no_go = (struct runs_stop_request){ .run = job->effect->u.run.run,
		.on_sent = on_no_go_sent,
		.on_dropped = on_no_go_sent,
		.ctx = job };
	job->is_ending = runs_stop_run(job->perform->runs, &job->no_go);
}

static void
go(struct run_job *job)
{
	CRASH_POINT(go_due);
	runs_go(job->perform->runs, job->effect->u.run.run);
	CRASH_POINT(go_said);
}

static void
on_recorded(void *ctx, const struct answer *answer)
{
	struct run_job *job = ctx;

	OBJ_CHECK(job, MAGIC);
	job->is_recording = false;
	if (job->effect == NULL)
		job_free(job); /* it ended meanwhile */
	else if (answer->status == STATUS_GO)
		go(job);
	else
		keep_shut(job);
}

static void
on_hello(void *ctx, const struct run_started *hello)
{
	struct run_job *job = ctx;
	struct event *event;

	OBJ_CHECK(job, MAGIC);
	event = event_for(job, EVENT_RUN_STARTED);
	if (event == NULL) {
		keep_shut(job);
		return;
	}
	CRASH_POINT(hello_heard);
	event->u.run_started = *hello;
	event->done = on_recorded;
	event->done_ctx = job;
	job->is_recording = true;
	job->perform->submit(job->perform->submit_ctx, event);
}

/* --- on its way --------------------------------------------------------------------------- */

static void
on_step(void *ctx, const struct run_step *step)
{
	struct run_job *job = ctx;
	struct event *event;

	OBJ_CHECK(job, MAGIC);
	event = event_for(job, EVENT_RUN_STEP);
	if (event == NULL)
		return; /* what a step decides stands in the exit record too */
	event->u.run_step = *step;
	job->perform->submit(job->perform->submit_ctx, event);
}

static void
on_lost(void *ctx, const char *stuck)
{
	struct run_job *job = ctx;
	struct event *event;

	OBJ_CHECK(job, MAGIC);
	event = event_for(job, EVENT_RUN_LOST);
	if (event == NULL)
		return; /* the record says what counts */
	event->u.run_lost.run = job->effect->u.run.run;
	(void)text_copy(event->u.run_lost.stuck, sizeof(event->u.run_lost.stuck), stuck);
	job->perform->submit(job->perform->submit_ctx, event);
}

static void
on_incompatible(void *ctx)
{
	struct run_job *job = ctx;
	struct event *event;

	OBJ_CHECK(job, MAGIC);
	event = event_for(job, EVENT_RUN_INCOMPATIBLE);
	if (event == NULL)
		return; /* its log is shown all the same */
	event->u.run_started.run = job->effect->u.run.run;
	job->perform->submit(job->perform->submit_ctx, event);
}

/* --- its end ------------------------------------------------------------------------------ */

static void
on_ended(void *ctx, const struct run_ended *ended)
{
	struct run_job *job = ctx;
	struct effect *effect;

	OBJ_CHECK(job, MAGIC);
	effect = TAKE(job->effect);
	effect->result->u.run_ended = *ended;
	perform_report(job->perform, effect);
	if (!job->is_recording)
		job_free(job);
}

/* The program ends: nobody will answer any more. */
static void
on_dropped(void *ctx)
{
	struct run_job *job = ctx;

	OBJ_CHECK(job, MAGIC);
	effect_free(job->effect);
	job_free(job);
}
