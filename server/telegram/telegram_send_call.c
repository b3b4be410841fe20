/* telegram_send_call.c - what a job asks of Telegram.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_send_inside.h"

#include <unistd.h>

#include "lib/http_client.h"
#include "lib/mem.h"
#include "lib/mem_wiped.h"
#include "lib/text.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_body.h"
#include "telegram/telegram_html.h"

#define DOCUMENT_TIMEOUT_MS 600000
#define LIVE_MAX	    ((size_t)16 * 1024)
#define HTML_MAX	    ((size_t)128 * 1024) /* 4,096 characters, each in a tag of its own */

static void
render(struct telegram_job *job, struct buf *text)
{
	const struct telegram_send_hooks *hooks = &job->send->hooks;
	struct telegram_html_parts parts = { .head = job->message->head };
	CLEANUP(buf_done) struct buf live = buf_make(LIVE_MAX);

	if (job->message->live_run != 0 && hooks->live != NULL)
		hooks->live(hooks->ctx, job->message, &live);
	parts.live = buf_text(&live);
	if (job->is_plain)
		telegram_html_plain(&parts, TELEGRAM_HTML_TEXT_MAX, text);
	else
		telegram_html_render(&parts, TELEGRAM_HTML_TEXT_MAX, text);
}

/* Frees the body. */
static struct telegram_call *
post(struct telegram_job *job, const char *method, struct buf *body, struct err *err)
{
	struct telegram_call *call =
	    telegram_api_post(job->send->api, method, body, telegram_send_on_answer, job, err);

	buf_done(body);
	return call;
}

/* In a message that no row has stands what Vault lends to a person: what grows leaves a part of it
 * in memory, so nothing grows. */
static void
reserve(const struct telegram_job *job, struct buf *buf)
{
	if (job->message != NULL && job->message->id == 0)
		buf_reserve(buf);
}

/* Of what is to be read and pressed, however it is sent. */
static bool
digest(struct telegram_job *job, const struct telegram_body *as, struct err *err)
{
	CLEANUP(mem_wiped_freep) struct message *message = mem_copy(as->message, sizeof(*message));
	CLEANUP(buf_wipe) struct buf json = buf_make(TELEGRAM_BODY_MAX);
	struct telegram_body body = *as;

	message->remote_id = 0;
	body.message = message;
	body.is_edit = true;
	reserve(job, &json);
	telegram_body_message(&body, &json);
	return buf_check(&json, err) && crypto_sha256(buf_text(&json), json.size, job->digest, err);
}

static struct telegram_call *
call_say(struct telegram_job *job, struct err *err)
{
	struct telegram_call *call = NULL;
	CLEANUP(buf_wipe) struct buf text = buf_make(HTML_MAX);
	CLEANUP(buf_wipe) struct buf json = buf_make(TELEGRAM_BODY_MAX);
	bool ok;

	reserve(job, &text);
	render(job, &text);
	const struct telegram_body body = {
		.message = job->message,
		.text = buf_text(&text),
		.is_html = !job->is_plain,
		.is_silent = job->message->is_silent || job->is_anew, /* it has rung */
		.is_edit = job->is_edit,
	};

	ok = buf_check(&text, err) && digest(job, &body, err);
	job->is_same =
	    ok && job->is_edit && telegram_said_is(&job->send->said, job->message->id, job->digest);
	reserve(job, &json);
	if (ok && !job->is_same)
		telegram_body_message(&body, &json);
	if (ok && !job->is_same && buf_check(&json, err))
		call = telegram_api_post(job->send->api,
		    job->is_edit ? "editMessageText" : "sendMessage", &json,
		    telegram_send_on_answer, job, err);
	return call;
}

/* Nobody is rung by it, and nobody waits for it. */
static struct telegram_call *
call_notice(struct telegram_job *job, struct err *err)
{
	const struct message message = { .address.chat = job->chat };
	const struct telegram_body body = {
		.message = &message,
		.text =
		    "⏳ This group has had its 20 messages of a minute, which is Telegram's limit: what comes next may be a minute late.",
		.is_silent = true,
	};
	struct buf json = { .cap = TELEGRAM_BODY_MAX };

	telegram_body_message(&body, &json);
	return post(job, "sendMessage", &json, err);
}

static ssize_t
read_file(void *ctx, char *buffer, size_t size)
{
	struct telegram_job *job = ctx;
	ssize_t got = pread(job->file->fd, buffer, size, job->offset);

	if (got > 0)
		job->offset += got;
	return got;
}

static struct telegram_call *
call_document(struct telegram_job *job, struct err *err)
{
	char chat[24];
	char thread[24];
	char caption[1024 * 4 + 1];
	const size_t caption_size = strlen(job->file->caption);
	struct http_client_part parts[4];
	size_t n = 0;

	text_setf(chat, "%lld", (long long)job->chat);
	text_setf(thread, "%lld", (long long)job->thread);
	parts[n++] = (struct http_client_part){ .name = "chat_id", .value = chat };
	if (job->thread != 0)
		parts[n++] =
		    (struct http_client_part){ .name = "message_thread_id", .value = thread };
	if (caption_size > 0) {
		size_t size =
		    text_utf16_cut(job->file->caption, caption_size, TELEGRAM_HTML_CAPTION_MAX);

		text_setf(caption, "%.*s", (int)size, job->file->caption);
		parts[n++] = (struct http_client_part){ .name = "caption", .value = caption };
	}
	job->offset = 0;
	parts[n++] = (struct http_client_part){ .name = "document",
		.filename = job->file->name,
		.type = "application/octet-stream",
		.read = read_file,
		.read_ctx = job,
		.read_size = job->file->size };
	const struct telegram_request request = {
		.method = "sendDocument",
		.parts = parts,
		.part_count = n,
		.timeout_ms = DOCUMENT_TIMEOUT_MS,
		.on_done = telegram_send_on_answer,
		.ctx = job,
	};

	return telegram_api_call(job->send->api, &request, err);
}

struct telegram_call *
telegram_send_call(struct telegram_job *job, struct err *err)
{
	switch (job->kind) {
	case TELEGRAM_JOB_SEND:
		return call_say(job, err);
	case TELEGRAM_JOB_CALL:
		return telegram_api_post(
		    job->send->api, job->method, &job->body, telegram_send_on_answer, job, err);
	case TELEGRAM_JOB_DOCUMENT:
		return call_document(job, err);
	case TELEGRAM_JOB_NOTICE:
		return call_notice(job, err);
	case TELEGRAM_JOB_LIVE: /* telegram_send_call_live() */
		break;
	}
	abort();
}

struct telegram_call *
telegram_send_call_live(struct telegram_job *job, const struct message *message, const char *html)
{
	const struct telegram_body body = {
		.message = message,
		.text = html,
		.is_html = true,
		.is_edit = true,
	};
	struct buf json = { .cap = TELEGRAM_BODY_MAX };

	if (!digest(job, &body, NULL))
		return NULL;
	telegram_body_message(&body, &json);
	return post(job, "editMessageText", &json, NULL);
}
