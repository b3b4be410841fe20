/* perform_application_log.c - asks a target once what its application logged last.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include <stdio.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/text.h"
#include "runs/run_tail.h"
#include "runs/runs.h"

#define PATIENCE_MS 60000 /* the runner ends a look sooner */
#define SCRIPT	    "target.sh: "

struct log_job {
	struct perform_job job;
	struct runs_git_query *sent; /* NULL: it is answered */
};

static void
report(struct effect *effect, bool is_read, const char *text)
{
	struct application_log_read *result = &effect->result->u.application_log_read;

	result->is_read = is_read;
	(void)text_copy(result->text, sizeof(result->text), text);
	perform_report(effect);
}

static struct effect *
job_take(struct log_job *log)
{
	if (log->sent != NULL)
		runs_git_query_cancel(log->job.perform->runs, log->sent);
	return perform_job_free(&log->job);
}

static void
on_due(struct perform_job *job)
{
	report(job_take((struct log_job *)job), false, "deploybot-runner does not answer");
}

/* The last line that the script said is why. */
static void
say_why(struct effect *effect, const struct run_tail_bytes *said, struct redact *redact)
{
	const struct run_tail_shape shape = { 1, LIMIT_LINE, true, false };
	char why[LIMIT_LINE];
	struct buf line = { .cap = LIMIT_LINE };

	run_tail_of(said, redact, &shape, &line);
	(void)clean_line(why, sizeof(why), buf_text(&line), line.size);
	buf_done(&line);
	report(effect, false,
	    why[0] == '\0'		 ? "the target does not say why" :
		text_starts(why, SCRIPT) ? why + strlen(SCRIPT) :
					   why);
}

static void
on_answer(void *ctx, int exit_status, bool unreachable, const char *text, size_t size,
    UNUSED const char *binding)
{
	struct log_job *log = ctx;
	struct redact *redact = runs_redact(log->job.perform->runs);
	const struct run_tail_bytes said = { .data = text, .size = size };
	struct buf lines;

	OBJ_CHECK(&log->job, PERFORM_JOB_MAGIC);
	log->sent = NULL;
	if (exit_status != 0 || unreachable) {
		say_why(job_take(log), &said, redact);
	} else {
		const struct run_tail_shape shape = {
			(unsigned)log->job.effect->u.application_log.lines, LIMIT_LOG_ANSWER - 1,
			false, false
		};

		buf_init(&lines, LIMIT_LOG_ANSWER);
		run_tail_application_of(&said, redact, &shape, &lines);
		if (buf_failed(&lines))
			report(job_take(log), false, "memory is short");
		else if (lines.size == 0)
			report(job_take(log), false, "the application has logged nothing");
		else
			report(job_take(log), true, buf_text(&lines));
		buf_done(&lines);
	}
}

/* AGAIN: asking twice changes nothing. */
void
perform_application_log(struct perform *perform, struct effect *effect)
{
	const struct effect_application_log *want = &effect->u.application_log;
	struct log_job *log = perform_job_new(sizeof(*log), perform, effect, on_due);
	struct effect_git_query query = { .kind = GIT_QUERY_LOGS };
	struct err err = { .code = ERR_NONE };

	if (log == NULL) {
		report(effect, false, "memory is short");
		return;
	}
	(void)text_copy(query.environment, sizeof(query.environment), want->environment);
	(void)snprintf(query.ref, sizeof(query.ref), "%d", want->lines);
	log->sent = runs_git_query_start(perform->runs, &query, on_answer, NULL, log, &err);
	if (log->sent == NULL)
		report(job_take(log), false, err.text);
	else
		perform_job_wait(&log->job, PATIENCE_MS);
}

void
withdraw_application_log(struct perform_job *job)
{
	effect_free(job_take((struct log_job *)job));
}
