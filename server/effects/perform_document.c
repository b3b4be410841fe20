/* perform_document.c - makes a document of a run's log, in small steps, and sends it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "effects/perform_inside.h"

#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "runs/run_log.h"
#include "runs/run_source.h"
#include "telegram/telegram.h"

struct sending {
	struct effect *effect;
	struct run_log_job *job;
	struct telegram_file file;
	char name[sizeof(((struct effect_document *)0)->file_name) + 4];
};

static enum telegram_file_state on_prepare(struct telegram_file *file, void *ctx);
static void on_ended(void *ctx, const char *failure);

static void
report(struct effect *effect, const char *failure)
{
	if (failure != NULL && failure[0] != '\0')
		log_warning("the log of run %lld was not sent: %s",
		    (long long)effect->u.document.run, failure);
	perform_sent(effect, failure);
}

static void
begin(struct sending *sending)
{
	const struct perform *perform = sending->effect->perform;
	const struct effect_document *document = &sending->effect->u.document;

	sending->file = (struct telegram_file){
		.address = document->address,
		.caption = document->caption,
		.prepare = on_prepare,
	};
	telegram_document(telegram_sender(perform->telegram), &sending->file, on_ended, sending);
}

static void
on_document(void *ctx, struct run_log_job *job, const char *failure)
{
	struct sending *sending = ctx;
	struct effect *effect = sending->effect;

	sending->job = job;
	if (job != NULL) {
		begin(sending);
		return;
	}
	free(sending);
	if (failure != NULL)
		report(effect, failure);
	else
		effect_free(effect); /* its row is open: the next process performs it */
}

/* AGAIN: a document that a crash cut off may come twice; better than not at all. */
void
perform_document(struct perform *perform, struct effect *effect)
{
	const struct effect_document *document = &effect->u.document;
	struct sending *sending = mem_new(1, sizeof(*sending));

	sending->effect = effect;
	run_source_document(perform->source,
	    &(struct run_source_order){ .runner = document->runner,
		.run = document->run,
		.head = document->head,
		.ctx = sending },
	    on_document);
}

static void
finish_file(struct sending *sending)
{
	const char *name = sending->effect->u.document.file_name;

	text_setf(sending->name, "%s%s", name[0] == '\0' ? "run.log" : name,
	    run_log_is_gzip(sending->job) ? ".gz" : "");
	sending->file.name = sending->name;
	sending->file.fd = run_log_fd(sending->job);
	sending->file.size = run_log_size(sending->job);
}

static enum telegram_file_state
on_prepare(struct telegram_file *file, void *ctx)
{
	struct sending *sending = ctx;
	struct err err = { 0 };

	switch (run_log_step(sending->job, &err)) {
	case RUN_LOG_MORE:
		return TELEGRAM_FILE_MORE;
	case RUN_LOG_FAILED:
		text_set(file->failure, err.text);
		return TELEGRAM_FILE_FAILED;
	case RUN_LOG_DONE:
		break;
	}
	finish_file(sending);
	if (file->size > 0)
		return TELEGRAM_FILE_READY;
	text_set(file->failure, "the log is empty");
	return TELEGRAM_FILE_FAILED;
}

static void
on_ended(void *ctx, const char *failure)
{
	struct sending *sending = ctx;
	struct effect *effect = sending->effect;
	char why[LIMIT_LINE] = "";

	if (failure != NULL)
		text_set(why, failure); /* it may stand in sending */
	run_log_free(sending->job);
	free(sending);
	report(effect, failure == NULL ? NULL : why);
}
