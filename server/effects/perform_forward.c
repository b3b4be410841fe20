/* perform_forward.c - FORWARD: entries of the audit for a syslog server or the journal, one try.  Side: loop. */
/* SPDX-License-Identifier: ISC */

#include "clients/forward_text.h"
#include "clients/journal.h"
#include "clients/syslog.h"
#include "effects/perform_inside.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "types/settings.h"

struct forward_job {
	struct perform_job job;
	struct buf frames;
	struct syslog_call *syslog;
	struct journal_call *journal;
};

/* sent: up to this entry. */
static void
report(struct effect *effect, int64_t sent, const char *why)
{
	struct forward_answer *answer = &effect->result->u.forwarded;

	*answer = (struct forward_answer){ .sent = sent };
	(void)clean_line(answer->detail, sizeof(answer->detail), why, strlen(why));
	perform_report(effect);
}

static struct effect *
end(struct forward_job *job)
{
	buf_done(&job->frames);
	return perform_job_free(&job->job);
}

static void
on_syslog(void *ctx, const struct err *why)
{
	struct forward_job *job = ctx;
	struct effect *effect;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	effect = end(job);
	report(effect, why == NULL ? effect->u.forward.last : 0, why == NULL ? "" : why->text);
}

static void
on_journal(void *ctx, size_t n, const struct err *why)
{
	struct forward_job *job = ctx;
	struct effect *effect;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	effect = end(job);
	report(effect, effect->u.forward.first - 1 + (int64_t)n, why == NULL ? "" : why->text);
}

static void
make_frames(struct forward_job *job)
{
	const struct effect_forward *what = &job->job.effect->u.forward;
	const char *at = what->lines, *end = what->lines + what->size;
	size_t n = (size_t)(what->last - what->first) + 1;

	buf_init(&job->frames, what->size + n * FORWARD_TEXT_MORE);
	while (at < end) {
		const char *next = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((next == NULL ? end : next) - at);

		forward_text_syslog(&job->frames, job->job.effect->settings->host, at, size);
		at += size + 1;
	}
}

static bool
start_syslog(struct forward_job *job, struct err *err)
{
	const struct settings *settings = job->job.effect->settings;
	struct perform *perform = job->job.perform;

	make_frames(job);
	if (!buf_check(&job->frames, err))
		return false;
	job->syslog = syslog_start(perform->loop, perform->syslog,
	    &(struct syslog_send){
		.server = settings->audit_syslog_server,
		.ca_file = settings->audit_syslog_ca,
		.certificate_file = settings->audit_syslog_certificate,
		.key_file = settings->audit_syslog_key,
		.text = job->frames.data,
		.size = job->frames.size,
		.on_done = on_syslog,
		.ctx = job,
	    },
	    err);
	return job->syslog != NULL;
}

static bool
start_journal(struct forward_job *job, struct err *err)
{
	const struct effect_forward *what = &job->job.effect->u.forward;

	job->journal = journal_start(job->job.perform->loop,
	    &(struct journal_send){
		.socket = JOURNAL_SOCKET,
		.lines = what->lines,
		.size = what->size,
		.on_done = on_journal,
		.ctx = job,
	    },
	    err);
	return job->journal != NULL;
}

/* AGAIN: what it may have sent already is sent again: its number says so. */
void
perform_forward(struct perform *perform, struct effect *effect)
{
	const struct effect_forward *what = &effect->u.forward;
	char place[FORWARD_PLACE];
	struct forward_job *job;
	struct err err = { 0 };
	bool ok;

	forward_place(effect->settings, what->to, place);
	if (strcmp(place, what->place) != 0) {
		report(effect, 0, "the settings do not name it any more");
		return;
	}
	if (what->size == 0) {
		report(effect, 0, "the database has no such entries any more");
		return;
	}
	job = perform_job_new(sizeof(*job), perform, effect, NULL);
	ok = what->to == FORWARD_SYSLOG ? start_syslog(job, &err) : start_journal(job, &err);
	if (!ok)
		report(end(job), 0, err.text);
}

void
done_forward(struct perform *perform)
{
	struct perform_job *job;

	while ((job = perform_job_find(perform, EFFECT_FORWARD, NULL)) != NULL) {
		struct forward_job *forward = (struct forward_job *)job;

		syslog_cancel(forward->syslog);
		journal_cancel(forward->journal);
		effect_free(end(forward));
	}
}
