/* perform_run.c - a run, from its order to its exit record.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "effects/perform.h"
#include "lib/clean.h"
#include "lib/log.h"
#include "runs/runs.h"
#include "telegram/telegram.h"

#define MAGIC	    0x50726e31u
#define STATUS_GO   200		/* to EVENT_RUN_STARTED; else its run was ended meanwhile */

struct run_job {
	unsigned magic;
	struct perform *perform;
	struct effect *effect;		/* NULL: it has ended and was reported */
	bool is_recording;		/* the store has the hello, its answer is to come */
	bool is_ending;
	struct runs_wish no_go;
};

static void on_hello(void *ctx, const struct run_started *hello);
static void on_step(void *ctx, const struct run_step *step);
static void on_lost(void *ctx);
static void on_ended(void *ctx, const struct run_ended *ended);
static void on_dropped(void *ctx);

typedef bool begin_fn(struct runs *runs, const struct effect_run *order,
    const struct runs_watch *watch, struct err *err);

static void
refuse(struct perform *perform, struct effect *effect, const char *why)
{
	struct run_ended *ended = &effect->result->u.run_ended;

	ended->run = effect->u.run.run;
	ended->refused = true;
	(void)clean_line(ended->detail, sizeof(ended->detail), why, strlen(why));
	perform_report(perform, effect);
}

static void
begin(struct perform *perform, struct effect *effect, begin_fn *how)
{
	struct run_job *job = calloc(1, sizeof(*job));
	const struct runs_watch watch = { on_hello, on_step, on_lost, on_ended, on_dropped, job };
	struct err err = { .code = ERR_NONE };

	if (job == NULL) {
		refuse(perform, effect, "no memory to follow it");
		return;
	}
	job->magic = MAGIC;
	job->perform = perform;
	job->effect = effect;
	if (how(perform->runs, &effect->u.run, &watch, &err))
		return;
	assert(err.code != ERR_BUSY); /* an effect is handed out once */
	free(job);
	refuse(perform, effect, err.text);
}

void
perform_run(struct perform *perform, struct effect *effect)
{
	begin(perform, effect, runs_order);
}

/* Found in runs/<id>/, and ordered only where there is none. */
void
again_run(struct perform *perform, struct effect *effect)
{
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
on_no_go_sent(struct runs_wish *wish)
{
	((struct run_job *)wish->ctx)->is_ending = false;
}

/* The gate stays shut for good: the keeper ends with a record that says so. */
static void
keep_shut(struct run_job *job)
{
	if (job->is_ending)
		return;
	job->no_go = (struct runs_wish){ .run = job->effect->u.run.run,
		.on_sent = on_no_go_sent, .on_dropped = on_no_go_sent, .ctx = job };
	job->is_ending = runs_end(job->perform->runs, &job->no_go);
}

static void
on_recorded(void *ctx, const struct answer *answer)
{
	struct run_job *job = ctx;

	OBJ_CHECK(job, MAGIC);
	job->is_recording = false;
	if (job->effect == NULL)
		free(job); /* it ended meanwhile */
	else if (answer->status == STATUS_GO)
		runs_go(job->perform->runs, job->effect->u.run.run);
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
on_lost(void *ctx)
{
	struct run_job *job = ctx;
	struct event *event;

	OBJ_CHECK(job, MAGIC);
	event = event_for(job, EVENT_RUN_LOST);
	if (event == NULL)
		return; /* the record says it too */
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
		free(job);
}

/* The program ends: nobody will answer any more. */
static void
on_dropped(void *ctx)
{
	struct run_job *job = ctx;

	OBJ_CHECK(job, MAGIC);
	effect_free(job->effect);
	free(job);
}
