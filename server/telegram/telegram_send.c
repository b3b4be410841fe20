/* telegram_send.c - says things: paced, in order, again until it worked or Telegram's no is final.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * How a job goes: telegram_say → (waits in the list) → pump → start_job → on_answer → judge_* →
 * finish, or again later.  The list is short: the outbox gives one job of a kind for each chat.
 */
#include "telegram/telegram_send.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_body.h"
#include "telegram/telegram_html.h"
#include "telegram/telegram_pace.h"

#define SEND_MAGIC	      0x74675e4du
#define BACKOFF_FIRST_MS      1000
#define BACKOFF_MAX_MS	      300000
#define TOKEN_REFUSED_MS      60000 /* a new token needs a restart: no hurry */
#define RETRY_AFTER_DEFAULT_S 5
#define TOAST_LIFE_MS	      30000
#define DOCUMENT_TIMEOUT_MS   600000
#define LIVE_MAX	      ((size_t)16 * 1024)
#define HTML_MAX	      ((size_t)128 * 1024) /* 4,096 characters, each in a tag of its own */

enum job_kind { JOB_SAY, JOB_TOAST, JOB_DOCUMENT, JOB_LIVE };

struct job {
	struct telegram_send *send;
	struct job *next;
	enum job_kind kind;
	int64_t chat; /* 0: none */
	int64_t thread;
	int64_t not_before;	       /* loop_now_ms() */
	int64_t give_up_at;	       /* JOB_TOAST */
	unsigned failures;	       /* in a row, passing ones */
	bool is_plain;		       /* Telegram could not parse our HTML */
	bool is_anew;		       /* the message to edit is gone */
	bool is_edit;		       /* what is under way */
	struct telegram_call *call;    /* under way */
	off_t offset;		       /* JOB_DOCUMENT: read so far */
	const struct message *message; /* JOB_SAY */
	const struct effect_toast *toast;
	struct telegram_file *file;
	bool is_prepared; /* JOB_DOCUMENT */
	telegram_said_fn *on_said;
	telegram_ended_fn *on_ended;
	void (*on_live)(void *ctx, int64_t message, bool is_gone);
	int64_t live_message;
	void *ctx;
};

struct telegram_send {
	unsigned magic;
	struct loop *loop;
	struct telegram_api *api;
	struct telegram_send_hooks hooks;
	struct job *jobs; /* oldest first */
	struct loop_task pump;
	struct loop_timer timer;
	bool is_away; /* the last call failed in passing: said once */
	struct telegram_pace pace;
};

static void on_pump(struct loop_task *task, void *ctx);
static void on_timer(struct loop_timer *timer, void *ctx);
static int64_t wait_of(struct telegram_send *send, const struct job *job, int64_t now);
static void start_job(struct job *job, int64_t now);
static struct telegram_call *call_say(struct job *job, struct err *err);
static struct telegram_call *call_toast(struct job *job, struct err *err);
static struct telegram_call *call_document(struct job *job, struct err *err);
static void on_answer(void *ctx, const struct telegram_result *result);
static void try_later(struct job *job, const struct telegram_result *result);
static void judge_say(struct job *job, const struct telegram_result *result);
static void judge_toast(struct job *job, const struct telegram_result *result);
static void judge_document(struct job *job, const struct telegram_result *result);
static void judge_live(struct job *job, const struct telegram_result *result);

struct telegram_send *
telegram_send_new(
    struct loop *loop, struct telegram_api *api, const struct telegram_send_hooks *hooks)
{
	struct telegram_send *send = calloc(1, sizeof(*send));

	if (send == NULL)
		return NULL;
	send->magic = SEND_MAGIC;
	send->loop = loop;
	send->api = api;
	if (hooks != NULL)
		send->hooks = *hooks;
	loop_task_init(&send->pump, on_pump, send);
	loop_timer_init(&send->timer, on_timer, send);
	return send;
}

/* --- the list --- */

static void
take_out(struct job *job)
{
	struct job **at = &job->send->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
}

static struct job *
add_job(struct telegram_send *send, enum job_kind kind, const struct place *place, void *ctx)
{
	struct job *job = calloc(1, sizeof(*job));
	struct job **at = &send->jobs;

	OBJ_CHECK(send, SEND_MAGIC);
	if (job == NULL)
		return NULL;
	job->send = send;
	job->kind = kind;
	job->ctx = ctx;
	if (place != NULL) {
		job->chat = place->chat;
		job->thread = place->thread;
	}
	while (*at != NULL)
		at = &(*at)->next;
	*at = job;
	loop_defer(send->loop, &send->pump);
	return job;
}

static void
finish_said(struct job *job, const struct said *said)
{
	struct telegram_send *send = job->send;

	take_out(job);
	if (said != NULL && send->hooks.on_said != NULL)
		send->hooks.on_said(send->hooks.ctx, job->message, said);
	job->on_said(job->ctx, said);
	free(job);
}

static void
finish_ended(struct job *job, const char *failure)
{
	take_out(job);
	job->on_ended(job->ctx, failure);
	free(job);
}

static void
finish_live(struct job *job, bool is_gone)
{
	take_out(job);
	job->on_live(job->ctx, job->live_message, is_gone);
	free(job);
}

void
telegram_send_free(struct telegram_send *send)
{
	struct job *job;

	if (send == NULL)
		return;
	OBJ_CHECK(send, SEND_MAGIC);
	loop_timer_stop(&send->timer);
	while ((job = send->jobs) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		telegram_api_cancel(job->call);
		if (job->kind == JOB_SAY)
			finish_said(job, NULL);
		else if (job->kind == JOB_LIVE)
			finish_live(job, false);
		else
			finish_ended(job, NULL);
	}
	loop_task_cancel(&send->pump);
	free(send);
}

/* --- asked for --- */

bool
telegram_say(
    struct telegram_send *send, const struct message *message, telegram_said_fn *on_said, void *ctx)
{
	struct job *job = add_job(send, JOB_SAY, &message->place, ctx);

	if (job == NULL)
		return false;
	job->message = message;
	job->on_said = on_said;
	return true;
}

bool
telegram_toast(struct telegram_send *send, const struct effect_toast *toast,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct job *job = add_job(send, JOB_TOAST, NULL, ctx);

	if (job == NULL)
		return false;
	job->toast = toast;
	job->on_ended = on_ended;
	job->give_up_at = loop_now_ms() + TOAST_LIFE_MS;
	return true;
}

bool
telegram_document(
    struct telegram_send *send, struct telegram_file *file, telegram_ended_fn *on_ended, void *ctx)
{
	struct job *job = add_job(send, JOB_DOCUMENT, &file->place, ctx);

	if (job == NULL)
		return false;
	job->file = file;
	job->is_prepared = file->prepare == NULL;
	job->on_ended = on_ended;
	return true;
}

/* Messages of one chat go one after the other, live edits among them. */
static bool
lane_is_busy(const struct telegram_send *send, int64_t chat, bool waiting_counts)
{
	for (const struct job *job = send->jobs; job != NULL; job = job->next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
		bool in_lane = job->kind == JOB_SAY || job->kind == JOB_LIVE;

		if (in_lane && job->chat == chat && (waiting_counts || job->call != NULL))
			return true;
	}
	return false;
}

bool
telegram_send_can_decorate(struct telegram_send *send, int64_t chat)
{
	return !lane_is_busy(send, chat, true) &&
	    telegram_pace_wait_ms(&send->pace, chat, TELEGRAM_PACE_DECORATION, loop_now_ms()) == 0;
}

bool
telegram_send_live_edit(struct telegram_send *send, const struct message *message, const char *html,
    void (*on_done)(void *ctx, int64_t message, bool is_gone), void *ctx)
{
	const struct telegram_body body = {
		.message = message,
		.text = html,
		.is_html = true,
		.is_edit = true,
	};
	struct buf json;

	if (!telegram_send_can_decorate(send, message->place.chat))
		return false;
	struct job *job = add_job(send, JOB_LIVE, &message->place, ctx);

	if (job == NULL)
		return false;
	job->live_message = message->id;
	job->on_live = on_done;
	buf_init(&json, TELEGRAM_BODY_MAX);
	telegram_body_say(&body, &json);
	const struct telegram_request request = {
		.method = "editMessageText",
		.json = &json,
		.on_done = on_answer,
		.ctx = job,
	};

	job->call = telegram_api_call(send->api, &request, NULL);
	buf_done(&json);
	if (job->call == NULL) {
		take_out(job);
		free(job);
		return false;
	}
	telegram_pace_sent(&send->pace, job->chat, TELEGRAM_PACE_DECORATION, loop_now_ms());
	return true;
}

/* --- who goes when --- */

static void
on_timer(struct loop_timer *timer, void *ctx)
{
	struct telegram_send *send = ctx;

	(void)timer;
	loop_defer(send->loop, &send->pump);
}

/* One step; true: look at it again in the next turn. */
static bool
prepare(struct job *job)
{
	switch (job->file->prepare(job->file, job->ctx)) {
	case TELEGRAM_FILE_MORE:
		return true;
	case TELEGRAM_FILE_FAILED:
		finish_ended(job, job->file->failure);
		return false;
	case TELEGRAM_FILE_READY:
		break;
	}
	job->is_prepared = true;
	if (job->file->size > 0 && job->file->size <= TELEGRAM_FILE_MAX)
		return true;
	finish_ended(job, "a file of this size cannot be sent");
	return false;
}

/* Starts what may start; the timer wakes us for the first of the others. */
static void
on_pump(struct loop_task *task, void *ctx)
{
	struct telegram_send *send = ctx;
	int64_t now = loop_now_ms();
	int64_t soonest = -1;

	(void)task;
	OBJ_CHECK(send, SEND_MAGIC);
	for (struct job *job = send->jobs, *next; job != NULL; job = next) {
		int64_t wait;

		next = job->next;
		if (job->call != NULL)
			continue;
		if (job->kind == JOB_TOAST && now >= job->give_up_at) {
			finish_ended(job, "");
			continue;
		}
		if (job->kind == JOB_SAY && lane_is_busy(send, job->chat, false))
			continue; /* its answer pumps again */
		if (job->kind == JOB_DOCUMENT && !job->is_prepared) {
			if (prepare(job))
				soonest = 0;
			continue;
		}
		wait = wait_of(send, job, now);
		if (wait == 0) {
			start_job(job, now);
			wait = job->call == NULL ? BACKOFF_FIRST_MS : -1;
		}
		if (wait >= 0 && (soonest < 0 || wait < soonest))
			soonest = wait;
	}
	if (soonest >= 0)
		loop_timer_start(send->loop, &send->timer, soonest, 0);
}

static bool
says_edit(const struct job *job)
{
	return job->kind == JOB_SAY && job->message->remote_id != 0 && !job->is_anew;
}

static int64_t
wait_of(struct telegram_send *send, const struct job *job, int64_t now)
{
	int64_t own = job->not_before > now ? job->not_before - now : 0;
	int64_t paced = job->chat == 0 ?
	    telegram_pace_wait_all_ms(&send->pace, now) :
	    telegram_pace_wait_ms(&send->pace, job->chat,
		says_edit(job) ? TELEGRAM_PACE_EDIT : TELEGRAM_PACE_SEND, now);

	return own > paced ? own : paced;
}

static void
start_job(struct job *job, int64_t now)
{
	struct telegram_send *send = job->send;
	struct err err = { 0 };

	CRASH_POINT(message_due);
	job->is_edit = says_edit(job);
	job->call = job->kind == JOB_SAY ? call_say(job, &err) :
	    job->kind == JOB_TOAST	 ? call_toast(job, &err) :
					   call_document(job, &err);
	if (job->call == NULL) {
		log_warning("Telegram must wait: %s", err.text);
		job->not_before = now + BACKOFF_FIRST_MS;
		return;
	}
	if (job->chat == 0)
		telegram_pace_sent_all(&send->pace, now);
	else
		telegram_pace_sent(&send->pace, job->chat,
		    job->is_edit ? TELEGRAM_PACE_EDIT : TELEGRAM_PACE_SEND, now);
}

static struct telegram_call *
call_json(struct job *job, const char *method, const struct buf *json, struct err *err)
{
	const struct telegram_request request = {
		.method = method,
		.json = json,
		.on_done = on_answer,
		.ctx = job,
	};

	return telegram_api_call(job->send->api, &request, err);
}

static void
render(struct job *job, struct buf *text)
{
	const struct telegram_send_hooks *hooks = &job->send->hooks;
	struct telegram_html_parts parts = { .head = job->message->head,
		.foot = job->message->foot };
	struct buf live;

	buf_init(&live, LIVE_MAX);
	if (job->message->live_run != 0 && hooks->live != NULL)
		hooks->live(hooks->ctx, job->message, &live);
	parts.live = buf_text(&live);
	if (job->is_plain)
		telegram_html_plain(&parts, TELEGRAM_HTML_TEXT_MAX, text);
	else
		telegram_html_render(&parts, TELEGRAM_HTML_TEXT_MAX, text);
	buf_done(&live);
}

static struct telegram_call *
call_say(struct job *job, struct err *err)
{
	struct telegram_call *call = NULL;
	struct buf text;
	struct buf json;

	buf_init(&text, HTML_MAX);
	buf_init(&json, TELEGRAM_BODY_MAX);
	render(job, &text);
	const struct telegram_body body = {
		.message = job->message,
		.text = buf_text(&text),
		.is_html = !job->is_plain,
		.is_edit = job->is_edit,
	};

	telegram_body_say(&body, &json);
	if (buf_check(&text, err) && buf_check(&json, err))
		call = call_json(job, job->is_edit ? "editMessageText" : "sendMessage", &json, err);
	buf_done(&json);
	buf_done(&text);
	return call;
}

static struct telegram_call *
call_toast(struct job *job, struct err *err)
{
	struct telegram_call *call;
	struct buf json;

	buf_init(&json, TELEGRAM_BODY_MAX);
	telegram_body_toast(job->toast, &json);
	call = call_json(job, "answerCallbackQuery", &json, err);
	buf_done(&json);
	return call;
}

static ssize_t
read_file(void *ctx, char *buffer, size_t size)
{
	struct job *job = ctx;
	ssize_t got = pread(job->file->fd, buffer, size, job->offset);

	if (got > 0)
		job->offset += got;
	return got;
}

static struct telegram_call *
call_document(struct job *job, struct err *err)
{
	char chat[24];
	char thread[24];
	char caption[1024 * 4 + 1];
	const size_t caption_size = strlen(job->file->caption);
	struct http_client_part parts[4];
	size_t n = 0;

	(void)snprintf(chat, sizeof(chat), "%lld", (long long)job->chat);
	(void)snprintf(thread, sizeof(thread), "%lld", (long long)job->thread);
	parts[n++] = (struct http_client_part){ .name = "chat_id", .value = chat };
	if (job->thread != 0)
		parts[n++] =
		    (struct http_client_part){ .name = "message_thread_id", .value = thread };
	if (caption_size > 0) {
		size_t size =
		    text_utf16_cut(job->file->caption, caption_size, TELEGRAM_HTML_CAPTION_MAX);

		(void)snprintf(caption, sizeof(caption), "%.*s", (int)size, job->file->caption);
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
		.on_done = on_answer,
		.ctx = job,
	};

	return telegram_api_call(job->send->api, &request, err);
}

/* --- what came of it --- */

static bool
says(const struct telegram_result *result, const char *words)
{
	return strcasestr(result->description, words) != NULL;
}

/* An outage is told of once, and its end. */
static void
note_outage(struct telegram_send *send, const struct telegram_result *result)
{
	bool is_away = telegram_result_is_passing(result) && result->code != 429;

	if (is_away && !send->is_away && telegram_result_is_token_refused(result))
		log_error("Telegram refuses TELEGRAM_BOT_TOKEN (%s): nothing can be said until it "
			  "is right",
		    result->description);
	else if (is_away && !send->is_away)
		log_warning(
		    "Telegram does not answer: %s; tried again until it does", result->description);
	else if (!is_away && send->is_away)
		log_info("Telegram answers again");
	send->is_away = is_away;
}

static void
on_answer(void *ctx, const struct telegram_result *result)
{
	static void (*const judge[])(struct job *, const struct telegram_result *) = {
		[JOB_SAY] = judge_say,
		[JOB_TOAST] = judge_toast,
		[JOB_DOCUMENT] = judge_document,
		[JOB_LIVE] = judge_live,
	};
	struct job *job = ctx;
	struct telegram_send *send = job->send;

	OBJ_CHECK(send, SEND_MAGIC);
	job->call = NULL;
	CRASH_POINT(message_answered);
	note_outage(send, result);
	loop_defer(send->loop, &send->pump);
	if (result->code == 429 && job->chat != 0)
		telegram_pace_block(&send->pace, job->chat, loop_now_ms(),
		    (result->retry_after_s > 0 ? result->retry_after_s : RETRY_AFTER_DEFAULT_S) *
			1000);
	if (telegram_result_is_passing(result) && job->kind != JOB_LIVE)
		try_later(job, result);
	else
		judge[job->kind](job, result);
}

/* Half of it for certain, the other half by chance, so that not all come back at once. */
static int64_t
with_jitter(int64_t ms)
{
	uint32_t chance = 0;

	if (!crypto_random(&chance, sizeof(chance), NULL))
		return ms;
	return ms / 2 + chance % (ms / 2 + 1);
}

static int64_t
backoff_ms(unsigned failures)
{
	int64_t ms = BACKOFF_FIRST_MS;

	for (unsigned i = 1; i < failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void
try_later(struct job *job, const struct telegram_result *result)
{
	int64_t wait;

	if (result->code == 429) {
		wait = (result->retry_after_s > 0 ? result->retry_after_s : RETRY_AFTER_DEFAULT_S) *
		    1000;
	} else if (telegram_result_is_token_refused(result)) {
		wait = TOKEN_REFUSED_MS;
	} else {
		job->failures++;
		wait = with_jitter(backoff_ms(job->failures));
	}
	job->not_before = loop_now_ms() + wait;
	if (job->kind == JOB_TOAST && job->not_before > job->give_up_at)
		job->not_before = job->give_up_at;
}

/* Whether sending it in another way may help; then it has been changed and goes at once. */
static bool
changes_say(struct job *job, const struct telegram_result *result)
{
	if (!job->is_plain && says(result, "can't parse entities")) {
		log_warning("Telegram cannot parse message %lld (%s): sent as plain text",
		    (long long)job->message->id, result->description);
		job->is_plain = true;
		return true;
	}
	if (job->is_edit &&
	    (says(result, "message to edit not found") || says(result, "message can't be edited") ||
		says(result, "MESSAGE_ID_INVALID"))) {
		job->is_anew = true;
		return true;
	}
	return false;
}

static void
refuse_say(struct job *job, const struct telegram_result *result, struct said *said)
{
	said->new_chat = result->new_chat;
	said->thread_gone =
	    job->message->place.thread != 0 && says(result, "message thread not found");
	if (said->new_chat != 0 || said->thread_gone)
		return;
	log_warning(
	    "Telegram refuses message %lld: %s", (long long)said->message, result->description);
	(void)text_copy(said->failure, sizeof(said->failure),
	    result->description[0] == '\0' ? "refused" : result->description);
}

static void
judge_say(struct job *job, const struct telegram_result *result)
{
	struct said said = { .message = job->message->id };

	if (!result->ok && changes_say(job, result))
		return; /* the pump starts it again */
	if (result->ok && !job->is_edit)
		said.remote_id = json_get_i64_or(result->result, "message_id", 0);
	else if (result->ok || says(result, "message is not modified"))
		said.remote_id = job->message->remote_id;
	else
		refuse_say(job, result, &said);
	if (result->ok && said.remote_id == 0)
		(void)text_copy(said.failure, sizeof(said.failure), "no message_id in the answer");
	finish_said(job, &said);
}

static void
judge_toast(struct job *job, const struct telegram_result *result)
{
	/* Nobody looks at that button any more. */
	bool is_late = says(result, "query is too old") || says(result, "query ID is invalid");

	finish_ended(job, result->ok || is_late ? "" : result->description);
}

static void
judge_document(struct job *job, const struct telegram_result *result)
{
	if (result->new_chat != 0 && result->new_chat != job->chat) {
		job->chat = result->new_chat;
		return;
	}
	if (job->thread != 0 && says(result, "message thread not found")) {
		job->thread = 0;
		return;
	}
	if (!result->ok)
		log_warning("Telegram refuses a document: %s", result->description);
	finish_ended(job, result->description);
}

static void
judge_live(struct job *job, const struct telegram_result *result)
{
	bool is_gone = !result->ok && !telegram_result_is_passing(result) &&
	    !says(result, "message is not modified");

	finish_live(job, is_gone);
}
