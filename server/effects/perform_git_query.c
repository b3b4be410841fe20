/* perform_git_query.c - a git query: asked once for a person, until git answers for a push.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/uploads.h"
#include "effects/perform_inside.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/runs.h"
#include "types/git_answer.h"

#define PAUSE_MOST_MS 300000
#define STATUS_FAILED 69	  /* as if git could not be reached */
#define LONG_MS	      10000	  /* who waits so long wants to know why */
#define STEP	      "git fetch" /* of deploy/git.sh */

struct git_job {
	struct perform_job job;
	struct runs_git_query *sent; /* NULL: it waits to be asked again */
	int64_t began;		     /* monotonic ms */
	bool is_news;		     /* how_far was not passed on yet */
	char how_far[LIMIT_LINE];
};

static void on_due(struct perform_job *job);
static void on_answer(void *ctx, const struct runs_answer *said);
static void on_progress(void *ctx, const char *text);

/* Unlinks and frees; the effect is the caller's. */
static struct effect *
query_take(struct git_job *query)
{
	runs_git_query_cancel(query->job.perform->runs, query->sent);
	return perform_job_free(&query->job);
}

static void
report(struct effect *effect, const struct runs_answer *said)
{
	struct git_answered *answered = &effect->result->u.git_answered;

	answered->exit_status = said->exit_status;
	answered->unreachable = said->unreachable;
	/* NOANALYZE(malloc-leak): the effect has it */
	answered->answer = mem_text(said->text);     /* a packet, or a sentence of ours: bounded */
	answered->binding = mem_text(said->binding); /* NULL: it is not known */
	perform_report(effect);
}

static void
report_unreachable(struct effect *effect, const char *why)
{
	const struct runs_answer said = {
		.exit_status = STATUS_FAILED, .unreachable = true, .text = why
	};

	report(effect, &said);
}

/* Whoever waits is notified; the store knows whether that was done.  Without memory: next time. */
static void
delayed(struct git_job *query, bool failed, const char *text)
{
	struct event *event = event_new(EVENT_GIT_DELAYED);

	event->u.git_delayed.query = query->job.effect->id;
	event->u.git_delayed.failed = failed;
	text_set(event->u.git_delayed.text, text);
	query->job.perform->submit(query->job.perform->submit_ctx, event);
}

static void
later(struct git_job *query, const char *why)
{
	int64_t ms = perform_job_pause(&query->job, PAUSE_MOST_MS);

	if (loop_now_ms() - query->began >= LONG_MS)
		delayed(query, true, why);
	log_warning("git did not answer: %s; it is asked again in %lld s", why,
	    (long long)(ms + 500) / 1000);
	perform_job_wait(&query->job, ms);
}

static void
on_due(struct perform_job *job)
{
	struct git_job *query = (struct git_job *)job;
	bool is_awaited = job->effect->subject != 0;
	struct err err = { .code = ERR_NONE };

	if (query->sent != NULL && job->effect->u.git_query.kind == GIT_QUERY_SETTINGS) {
		report_unreachable(query_take(query), "the runner does not answer");
		return;
	}
	if (query->sent != NULL) {
		if (query->is_news)
			delayed(query, false, query->how_far);
		query->is_news = false;
		perform_job_wait(job, LONG_MS);
		return;
	}
	query->sent = runs_git_query_start(job->perform->runs,
	    &(struct runs_git_query_config){ .order = &job->effect->u.git_query,
		.on_answer = on_answer,
		.on_progress = is_awaited ? on_progress : NULL,
		.ctx = query },
	    &err);
	if (query->sent != NULL) {
		if (is_awaited)
			perform_job_wait(job, LONG_MS);
		return;
	}
	if (job->effect->u.git_query.is_patient)
		later(query, err.text);
	else
		report_unreachable(query_take(query), err.text);
}

static void
end(struct perform_job *job)
{
	effect_free(query_take((struct git_job *)job));
}

/* Another server has it, or it is gone. */
static bool
lacks_archive(const struct perform *perform, const struct effect_git_query *query)
{
	return query->kind == GIT_QUERY_UNPACK && !uploads_has(perform->uploads, query->ref);
}

/* AGAIN: asking twice changes nothing. */
void
perform_git_query(struct perform *perform, struct effect *effect)
{
	struct git_job *query = perform_job_new(sizeof(*query), perform, effect, on_due, end);

	query->began = loop_now_ms();
	if (lacks_archive(perform, &effect->u.git_query))
		report(query_take(query),
		    &(const struct runs_answer){ .exit_status = GIT_NO_ARCHIVE,
			.unreachable = true,
			.text = "the archive is not here" });
	else
		on_due(&query->job);
}

/* The person is notified at most once in LONG_MS, however many lines there are. */
static void
on_progress(void *ctx, const char *text)
{
	struct git_job *query = ctx;

	OBJ_CHECK(&query->job, PERFORM_JOB_MAGIC);
	if (!text_starts(text, STEP))
		return;
	text += strlen(STEP);
	query->is_news = true;
	text_set(query->how_far, text + (*text == ' ' ? 1 : 0));
}

static void
on_answer(void *ctx, const struct runs_answer *said)
{
	struct git_job *query = ctx;
	struct perform *perform = query->job.perform;
	struct git_answer answer;
	bool is_whole;

	OBJ_CHECK(&query->job, PERFORM_JOB_MAGIC);
	query->sent = NULL;
	/* Read here only to know whether it is whole: a no is an answer, half of one is not. */
	is_whole =
	    git_answer_decode(said->text, said->exit_status, &answer, NULL) && !said->unreachable;
	if (is_whole && answer.mirror > 0 && perform->note_mirror != NULL)
		perform->note_mirror(perform->submit_ctx, answer.mirror);
	if (!query->job.effect->u.git_query.is_patient || is_whole)
		report(query_take(query), said);
	else
		later(query, said->unreachable ? said->text : answer.error);
}
