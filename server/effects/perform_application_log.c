/* perform_application_log.c - asks a target once what its application logged last, for a chat.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/log_look.h"
#include "effects/perform_inside.h"
#include "lib/text.h"

#define PATIENCE_MS 60000

struct log_job {
	struct perform_job job;
	struct log_look *look; /* NULL: it is answered */
};

static void
report(struct effect *effect, bool is_read, const char *text)
{
	struct application_log_read *result = &effect->result->u.application_log_read;

	result->is_read = is_read;
	text_set(result->text, text);
	perform_report(effect);
}

static void
on_done(void *ctx, bool is_read, const char *text)
{
	struct log_job *log = ctx;

	OBJ_CHECK(&log->job, PERFORM_JOB_MAGIC);
	log->look = NULL;
	report(perform_job_free(&log->job), is_read, text);
}

static void
end(struct perform_job *job)
{
	log_look_cancel(((struct log_job *)job)->look);
	perform_job_drop(job);
}

/* AGAIN: asking twice changes nothing. */
void
perform_application_log(struct perform *perform, struct effect *effect)
{
	const struct effect_application_log *want = &effect->u.application_log;
	struct log_job *log = perform_job_new(sizeof(*log), perform, effect, NULL, end);
	struct err err = { .code = ERR_NONE };

	log->look = log_look_start(
	    &(struct log_look_config){
		.loop = perform->loop,
		.runs = perform->runs,
		.environment = want->environment,
		.lines = want->lines,
		.patience_ms = PATIENCE_MS,
		.on_done = on_done,
		.ctx = log,
	    },
	    &err);
	if (log->look == NULL)
		report(perform_job_free(&log->job), false, err.text);
}
