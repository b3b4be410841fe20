/* perform_document.c - makes a document of a run's log, in small steps, and sends it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "runs/run_log.h"
#include "runs/runs.h"
#include "telegram/telegram.h"

struct sending {
	struct perform *perform;
	struct effect *effect;
	struct run_log_job *job;
	struct loop_timer timer;	/* the next step, in a turn of its own */
	struct telegram_file file;
	char name[sizeof(((struct effect_document *)0)->file_name) + 4];
};

static void on_turn(struct loop_timer *timer, void *ctx);
static void send_file(struct sending *sending);
static void on_sent(void *ctx, const char *failure);

static void
finish(struct sending *sending, const char *failure)
{
	struct perform *perform = sending->perform;
	struct effect *effect = sending->effect;
	struct said *said = &effect->result->u.said;

	if (failure[0] != '\0')
		log_warning("the log of run %lld was not sent: %s",
		    (long long)effect->u.document.run, failure);
	(void)text_copy(said->failure, sizeof(said->failure), failure);
	run_log_free(sending->job);
	free(sending);
	perform_report(perform, effect);
}

void
perform_document(struct perform *perform, struct effect *effect)
{
	struct sending *sending = calloc(1, sizeof(*sending));
	struct err err = { 0 };

	if (sending == NULL) {
		(void)text_copy(effect->result->u.said.failure,
		    sizeof(effect->result->u.said.failure), "memory is short");
		perform_report(perform, effect);
		return;
	}
	sending->perform = perform;
	sending->effect = effect;
	loop_timer_init(&sending->timer, on_turn, sending);
	sending->job = run_log_start(runs_state_directory(perform->runs), effect->u.document.run,
	    runs_redact(perform->runs), &err);
	if (sending->job == NULL)
		finish(sending, err.text);
	else
		loop_timer_start(perform->loop, &sending->timer, 0, 0);
}

/* A document that a crash cut off may come twice; better than not at all. */
void
again_document(struct perform *perform, struct effect *effect)
{
	perform_document(perform, effect);
}

static void
on_turn(struct loop_timer *timer, void *ctx)
{
	struct sending *sending = ctx;
	struct err err = { 0 };

	switch (run_log_step(sending->job, &err)) {
	case RUN_LOG_MORE:
		loop_timer_start(sending->perform->loop, timer, 0, 0);
		break;
	case RUN_LOG_FAILED:
		finish(sending, err.text);
		break;
	case RUN_LOG_DONE:
		send_file(sending);
		break;
	}
}

static void
send_file(struct sending *sending)
{
	const struct effect_document *document = &sending->effect->u.document;
	bool is_gzip = run_log_is_gzip(sending->job);

	(void)snprintf(sending->name, sizeof(sending->name), "%s%s",
	    document->file_name[0] == '\0' ? "run.log" : document->file_name, is_gzip ? ".gz" : "");
	sending->file = (struct telegram_file){
		.place = document->place,
		.name = sending->name,
		.caption = document->caption,
		.fd = run_log_fd(sending->job),
		.size = run_log_size(sending->job),
	};
	if (sending->file.size == 0)
		finish(sending, "the log is empty");
	else if (sending->file.size > TELEGRAM_FILE_MAX)
		finish(sending, "the log is too large for Telegram");
	else if (!telegram_document(telegram_sender(sending->perform->telegram), &sending->file,
	    on_sent, sending))
		finish(sending, "memory is short");
}

/* NULL: the program ends; the row stays. */
static void
on_sent(void *ctx, const char *failure)
{
	struct sending *sending = ctx;

	if (failure != NULL) {
		finish(sending, failure);
		return;
	}
	run_log_free(sending->job);
	effect_free(sending->effect);
	free(sending);
}
