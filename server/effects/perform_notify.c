/* perform_notify.c - NOTIFY: others are notified, tried for a day.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/notify_client.h"
#include "effects/perform_inside.h"
#include "lib/clock.h"
#include "lib/text.h"
#include "types/settings.h"

#define PAUSE_MOST_MS (30 * 60 * INT64_C(1000))

struct notify_job {
	struct perform_job job;
	struct notify_call *call; /* NULL: it waits for its next try */
};

static void
end(struct perform_job *job)
{
	notify_cancel(((struct notify_job *)job)->call);
	perform_job_drop(job);
}

static void
report(struct notify_job *job, const struct notify_said *said)
{
	struct effect *effect = perform_job_free(&job->job);

	effect->result->u.notified = *said;
	perform_report(effect);
}

/* What it says of when is obeyed; else each pause is longer than the one before. */
static void
try_later(struct notify_job *job, const struct notify_said *said)
{
	int64_t pause_ms = perform_job_pause(&job->job, PAUSE_MOST_MS);

	perform_job_wait(&job->job, said->after_ms > pause_ms ? said->after_ms : pause_ms);
}

static void
on_answer(void *ctx, const struct notify_said *said)
{
	struct notify_job *job = ctx;

	OBJ_CHECK(&job->job, PERFORM_JOB_MAGIC);
	job->call = NULL;
	if (said->verdict == NOTIFY_LATER)
		try_later(job, said);
	else
		report(job, said);
}

/* By the settings of this moment, not of the decision: what was wrong there may be right by now. */
static void
on_due(struct perform_job *of)
{
	struct notify_job *job = (struct notify_job *)of;
	const struct effect_notify *notify = &of->effect->u.notify;
	struct notify_said said = { .verdict = NOTIFY_LATER };
	struct notify to;
	struct err err;

	if (clock_wall_ms() - notify->at > NOTIFY_DAY_MS) {
		said.verdict = NOTIFY_TOO_OLD;
		text_set(said.why, "it could not be sent for a day");
		report(job, &said);
		return;
	}
	if (!notify_find(*of->perform->settings, notify->name, &to)) {
		said.verdict = NOTIFY_NO_NAME;
		text_set(said.why, "the settings have no such NOTIFY_<NAME>_TO any more");
		report(job, &said);
		return;
	}
	job->call = notify_start(of->perform->notify,
	    &(struct notify_request){ .to = &to,
		.word = notify->word,
		.key = notify->key,
		.text = notify->text,
		.data = notify->data,
		.at = notify->at,
		.on_done = on_answer,
		.ctx = job },
	    &err);
	if (job->call == NULL) /* nothing was sent */
		try_later(job, &said);
}

/* AGAIN: it has the same key, by which a second one is known. */
void
perform_notify(struct perform *perform, struct effect *effect)
{
	on_due(perform_job_new(sizeof(struct notify_job), perform, effect, on_due, end));
}
