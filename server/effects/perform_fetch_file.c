/* perform_fetch_file.c - a document that somebody sent to the bot becomes a file of uploads/.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/uploads.h"
#include "effects/perform_inside.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/text.h"
#include "telegram/telegram.h"
#include "telegram/telegram_api.h"

#define PATH_LETTERS  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-"
#define FILE_MS	      60000
#define TRIES_MAX     5 /* somebody waits for it in the chat */
#define PAUSE_MOST_MS 30000

struct fetch_job {
	struct perform_job job;
	struct telegram_call *call; /* NULL: it waits to be tried again */
	struct upload *upload;	    /* NULL: its path is not known yet */
	int tries;
};

static void on_due(struct perform_job *job);
static void on_path(void *ctx, const struct telegram_result *result);
static void on_file(void *ctx, const struct telegram_result *result);

/* Frees the job; the effect is the caller's. */
static struct effect *
take(struct fetch_job *fetch)
{
	telegram_api_cancel(fetch->call);
	upload_free(fetch->upload);
	return perform_job_free(&fetch->job);
}

static void
end(struct perform_job *job)
{
	effect_free(take((struct fetch_job *)job));
}

static void
fail(struct fetch_job *fetch, const char *why)
{
	struct file_fetched *fetched = &fetch->job.effect->result->u.file_fetched;

	text_setf(fetched->why, "the file was not received: %s", why);
	perform_report(take(fetch));
}

static void
later(struct fetch_job *fetch, const char *why, int64_t retry_after_s)
{
	int64_t ms = perform_job_pause(&fetch->job, PAUSE_MOST_MS);

	upload_free(TAKE(fetch->upload));
	if (++fetch->tries == TRIES_MAX || retry_after_s * 1000 > PAUSE_MOST_MS) {
		fail(fetch, why);
		return;
	}
	log_warning("a file was not received: %s; it is asked for again", why);
	perform_job_wait(&fetch->job, retry_after_s * 1000 > ms ? retry_after_s * 1000 : ms);
}

static void
refused(struct fetch_job *fetch, const struct telegram_result *result)
{
	if (telegram_result_is_passing(result) && !telegram_result_is_token_refused(result))
		later(fetch, result->description, result->retry_after_s);
	else
		fail(fetch, result->description);
}

/* AGAIN: until its digest is known it is no file of anybody's. */
void
perform_fetch_file(struct perform *perform, struct effect *effect)
{
	on_due(perform_job_new(sizeof(struct fetch_job), perform, effect, on_due, end));
}

static void
on_due(struct perform_job *job)
{
	CLEANUP(buf_done) struct buf body = buf_make(LIMIT_FILE_ID * 6 + 32);
	struct fetch_job *fetch = (struct fetch_job *)job;
	struct json_out json = json_out_begin(&body, '{');
	struct err err;

	json_put_str(&json, "file_id", job->effect->u.fetch_file.file);
	json_out_end(&json);
	fetch->call = telegram_api_post(
	    telegram_api_of(job->perform->telegram), "getFile", &body, on_path, fetch, &err);
	if (fetch->call == NULL)
		later(fetch, err.text, 0);
}

/* Why a file of getFile is not asked for; NULL: it may be. */
static const char *
judge(const struct json *file)
{
	const char *path = json_text(file, "file_path");

	if (path[0] == '/')
		return "TELEGRAM_API_BASE is a Bot API server that keeps files on its own disk: start it without --local";
	if (path[0] == '\0' || strlen(path) >= TELEGRAM_PATH_MAX ||
	    strspn(path, PATH_LETTERS) != strlen(path) || strstr(path, "..") != NULL)
		return "Telegram names the file by a path that is none of its";
	return json_get_i64_or(file, "file_size", 0) > LIMIT_UPLOAD ?
	    "it is larger than a bot may have" :
	    NULL;
}

static bool
on_piece(void *ctx, const void *data, size_t size)
{
	return upload_add(((struct fetch_job *)ctx)->upload, data, size);
}

static void
on_path(void *ctx, const struct telegram_result *result)
{
	struct fetch_job *fetch = ctx;
	const struct perform *perform = fetch->job.perform;
	const char *why = result->ok ? judge(result->result) : NULL;
	struct err err;

	OBJ_CHECK(&fetch->job, PERFORM_JOB_MAGIC);
	fetch->call = NULL;
	if (!result->ok) {
		refused(fetch, result);
		return;
	}
	if (why != NULL) {
		fail(fetch, why);
		return;
	}
	fetch->upload = upload_new(perform->uploads, &err);
	if (fetch->upload != NULL)
		fetch->call = telegram_api_call(telegram_api_of(perform->telegram),
		    &(const struct telegram_request){ .method = "file",
			.file = json_text(result->result, "file_path"),
			.timeout_ms = FILE_MS,
			.answer_max = LIMIT_UPLOAD,
			.is_raw = true,
			.on_piece = on_piece,
			.on_done = on_file,
			.ctx = fetch },
		    &err);
	if (fetch->call == NULL)
		later(fetch, err.text, 0);
}

/* What the disk did not take is why, and not that the call was broken off for it. */
static void
on_file(void *ctx, const struct telegram_result *result)
{
	struct fetch_job *fetch = ctx;
	struct uploaded uploaded;
	struct file_fetched *fetched;
	struct err err;

	OBJ_CHECK(&fetch->job, PERFORM_JOB_MAGIC);
	fetch->call = NULL;
	fetched = &fetch->job.effect->result->u.file_fetched;
	if (!result->ok && upload_failure(fetch->upload)[0] == '\0') {
		refused(fetch, result);
	} else if (!upload_end(fetch->upload, &uploaded, &err)) {
		fail(fetch, err.text);
	} else {
		text_set(fetched->digest, uploaded.digest);
		fetched->size = uploaded.size;
		perform_report(take(fetch));
	}
}
