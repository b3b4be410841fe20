/* perform_run.c - a run, from its order, repeated where it has to be, to its exit record.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"
#include "lib/clean.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/runs.h"
#include "telegram/telegram.h"

#define STATUS_GO     200  /* to EVENT_RUN_STARTED; else its run was ended meanwhile */
#define JOBS_MAX      1024 /* more than the runs that may be followed and those just ended */
#define TRIES_MAX     3	   /* of a deployment: nothing was touched, a person may ask again */
#define PAUSE_MOST_MS 60000

typedef bool begin_fn(struct runs *runs, const struct effect_run *order,
    const struct runs_watch *watch, struct err *err);

struct run_job {
	struct perform_job job; /* without an effect: it was reported; with `end`: put off */
	begin_fn *begin;
	int64_t give_up_at; /* monotonic: a rollback is tried until then */
	unsigned tries;
	bool is_recording; /* the store has the hello, its answer is to come */
	bool is_ending;
	struct runs_stop_request no_go;
};

static void on_hello(void *ctx, const struct run_started *hello);
static void on_step(void *ctx, const struct run_step *step);
static void on_hosts(void *ctx, const struct hosts_said *said);
static void on_lost(void *ctx, const char *stuck);
static void on_incompatible(void *ctx);
static void on_ended(void *ctx, const struct run_ended *ended);
static void on_put_off(void *ctx, const char *why);
static void on_dropped(void *ctx);
static void on_again(struct perform_job *job);

/* Not from the heap: a rollback must not fail for want of a few bytes. */
static struct run_job jobs[JOBS_MAX];

static const struct effect_run *
order_of(const struct run_job *job)
{
	return &job->job.effect->u.run;
}

/* --- its order ---------------------------------------------------------------------------- */

static void
refuse(struct effect *effect, bool is_cancelled, const char *why)
{
	struct run_ended *ended = &effect->result->u.run_ended;

	ended->run = effect->u.run.run;
	/* It may be at work, here or elsewhere: nothing else is begun for it. */
	ended->folder_gone =
	    effect->u.run.started_at != 0 || (effect->is_recovered && effect->perform->is_restored);
	ended->refused = !ended->folder_gone;
	ended->ended_on_request = is_cancelled;
	(void)clean_line(ended->detail, sizeof(ended->detail), why, strlen(why));
	perform_report(effect);
}

static void
job_refuse(struct run_job *job, bool is_cancelled, const char *why)
{
	refuse(perform_job_end(&job->job), is_cancelled, why);
}

/* A deployment that does not begin touches nothing; a rollback is all that is left to try. */
static bool
is_worth_another_try(const struct run_job *job, int64_t in_ms)
{
	if (order_of(job)->program == PROGRAM_ROLLBACK)
		return loop_now_ms() + in_ms <= job->give_up_at;
	return job->tries < TRIES_MAX;
}

static void
end_put_off(struct perform_job *job)
{
	effect_free(perform_job_end(job));
}

static void
put_off(struct run_job *job, const char *why)
{
	int64_t ms = perform_job_pause(&job->job, PAUSE_MOST_MS);

	if (!is_worth_another_try(job, ms)) {
		job_refuse(job, false, why);
		return;
	}
	log_line(LOG_LEVEL_WARNING, LOG_FIELDS(LOG_I64("run", order_of(job)->run)),
	    "it could not be started: %s; it is tried again in %lld s", why,
	    (long long)(ms + 500) / 1000);
	perform_job_wait(&job->job, ms);
	job->job.end = end_put_off;
}

static void
job_try(struct run_job *job)
{
	const struct runs_watch watch = { on_hello, on_step, on_hosts, on_lost, on_incompatible,
		on_ended, on_put_off, on_dropped, job };
	struct err err = { .code = ERR_NONE };

	job->tries++;
	job->job.end = NULL; /* runs/ drops it: on_dropped() */
	if (order_of(job)->program == PROGRAM_ROLLBACK)
		CRASH_POINT(rollback_due);
	if (job->begin(job->job.perform->runs, order_of(job), &watch, &err))
		return;
	assert(err.code != ERR_BUSY); /* an effect is handed out once */
	put_off(job, err.text);
}

static void
begin(struct perform *perform, struct effect *effect, begin_fn *how)
{
	struct run_job *job = jobs;

	while (job < jobs + JOBS_MAX && (job->job.effect != NULL || job->is_recording))
		job++;
	if (job == jobs + JOBS_MAX) {
		refuse(effect, false, "too many runs are open already");
		return;
	}
	*job = (struct run_job){ .begin = how,
		.give_up_at = loop_now_ms() + effect->u.run.deadline_s * INT64_C(1000) };
	perform_job_init(&job->job, perform, effect, on_again, NULL);
	job_try(job);
}

static void
on_put_off(void *ctx, const char *why)
{
	put_off(ctx, why);
}

static void
on_again(struct perform_job *job)
{
	job_try((struct run_job *)job);
}

/* The next behind it that was put off, and so is in nobody else's hands; NULL: none. */
static struct perform_job *
next_put_off(const struct perform *perform, const struct perform_job *after)
{
	struct perform_job *job = perform_job_find(perform, EFFECT_RUN, after);

	while (job != NULL && job->end == NULL)
		job = perform_job_find(perform, EFFECT_RUN, job);
	return job;
}

void
perform_run_cancel(struct perform *perform, int64_t run)
{
	struct perform_job *job = next_put_off(perform, NULL);

	while (job != NULL && job->effect->u.run.run != run)
		job = next_put_off(perform, job);
	if (job != NULL)
		job_refuse((struct run_job *)job, true, "cancelled before it began");
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
		refuse(effect, false, "it may be at work on the machine it was started on");
		return;
	}
	if (effect->u.run.message.id != 0)
		telegram_live_resume(perform->telegram, &effect->u.run.message);
	begin(perform, effect, runs_resume);
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
	job->no_go = (struct runs_stop_request){ .run = order_of(job)->run,
		.on_sent = on_no_go_sent,
		.on_dropped = on_no_go_sent,
		.ctx = job };
	job->is_ending = runs_stop_run(job->job.perform->runs, &job->no_go);
}

static void
go(struct run_job *job)
{
	CRASH_POINT(go_due);
	runs_go(job->job.perform->runs, order_of(job)->run);
	CRASH_POINT(go_said);
}

static void
on_recorded(void *ctx, const struct answer *answer)
{
	struct run_job *job = ctx;

	assert(job->is_recording);
	job->is_recording = false;
	if (job->job.effect == NULL)
		return; /* it ended meanwhile */
	if (answer->status == STATUS_GO)
		go(job);
	else
		keep_shut(job);
}

static void
on_hello(void *ctx, const struct run_started *hello)
{
	struct run_job *job = ctx;
	struct event *event = event_new(EVENT_RUN_STARTED);

	CRASH_POINT(hello_received);
	event->u.run_started = *hello;
	event->done = on_recorded;
	event->done_ctx = job;
	job->is_recording = true;
	job->job.perform->submit(job->job.perform->submit_ctx, event);
}

/* --- on its way --------------------------------------------------------------------------- */

static void
on_step(void *ctx, const struct run_step *step)
{
	struct run_job *job = ctx;
	struct event *event = event_new(EVENT_RUN_STEP);

	event->u.run_step = *step;
	job->job.perform->submit(job->job.perform->submit_ctx, event);
}

static void
on_hosts(void *ctx, const struct hosts_said *said)
{
	struct run_job *job = ctx;
	struct event *event = event_new(EVENT_HOSTS_SAID);

	event->u.hosts_said = *said;
	event->u.hosts_said.list =
	    said->n == 0 ? NULL : mem_copy(said->list, said->n * sizeof(*said->list));
	job->job.perform->submit(job->job.perform->submit_ctx, event);
}

static void
on_lost(void *ctx, const char *stuck)
{
	struct run_job *job = ctx;
	struct event *event = event_new(EVENT_RUN_LOST);

	event->u.run_lost.run = order_of(job)->run;
	text_set(event->u.run_lost.stuck, stuck);
	job->job.perform->submit(job->job.perform->submit_ctx, event);
}

static void
on_incompatible(void *ctx)
{
	struct run_job *job = ctx;
	struct event *event = event_new(EVENT_RUN_INCOMPATIBLE);

	event->u.run_started.run = order_of(job)->run;
	job->job.perform->submit(job->job.perform->submit_ctx, event);
}

/* --- its end ------------------------------------------------------------------------------ */

static void
on_ended(void *ctx, const struct run_ended *ended)
{
	struct run_job *job = ctx;
	struct effect *effect = perform_job_end(&job->job);

	effect->result->u.run_ended = *ended;
	/* NOANALYZE(malloc-leak): the event has it */
	effect->result->u.run_ended.binding = mem_text(ended->binding);
	perform_report(effect);
}

/* The program ends: nobody will answer any more. */
static void
on_dropped(void *ctx)
{
	struct run_job *job = ctx;

	job->is_recording = false;
	effect_free(perform_job_end(&job->job));
}
