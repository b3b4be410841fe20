/* telegram_send_judge.c - what came of a job: done, in another way, later, or a final no.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram_send_inside.h"

#include "lib/crash_point.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/text.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_pause.h"

#define PAUSE_FIRST_MS	      1000
#define PAUSE_MAX_MS	      300000
#define TOKEN_REFUSED_MS      60000 /* a new token needs a restart: no hurry */
#define RETRY_AFTER_DEFAULT_S 5

static void try_later(struct telegram_job *job, const struct telegram_result *result);
static void judge_say(struct telegram_job *job, const struct telegram_result *result);
static void judge_call(struct telegram_job *job, const struct telegram_result *result);
static void judge_document(struct telegram_job *job, const struct telegram_result *result);
static void judge_live(struct telegram_job *job, const struct telegram_result *result);

static bool
says(const struct telegram_result *result, const char *words)
{
	return strcasestr(result->description, words) != NULL;
}

static void
end_outage(struct telegram_send *send)
{
	struct telegram_job *job;

	log_info("Telegram answers again");
	TAILQ_FOREACH(job, &send->jobs, of_send)
	{
		if (job->is_token_refused)
			job->not_before = 0;
		job->is_token_refused = false;
	}
}

/* An outage is logged once, and its end. */
static void
note_outage(struct telegram_send *send, const struct telegram_result *result)
{
	bool is_away = telegram_result_is_passing(result) && result->code != 429;

	if (is_away && !send->is_away && telegram_result_is_token_refused(result))
		log_error(
		    "Telegram refuses TELEGRAM_BOT_TOKEN (%s): no message can be sent until it is fixed",
		    result->description);
	else if (is_away && !send->is_away)
		log_warning(
		    "Telegram does not answer: %s; retrying until it does", result->description);
	else if (!is_away && send->is_away)
		end_outage(send);
	send->is_away = is_away;
}

static void
judge(struct telegram_job *job, const struct telegram_result *result)
{
	switch (job->kind) {
	case TELEGRAM_JOB_SEND:
		judge_say(job, result);
		break;
	case TELEGRAM_JOB_CALL:
		judge_call(job, result);
		break;
	case TELEGRAM_JOB_DOCUMENT:
		judge_document(job, result);
		break;
	case TELEGRAM_JOB_LIVE:
		judge_live(job, result);
		break;
	case TELEGRAM_JOB_NOTICE: /* once is enough, or too much */
		telegram_send_job_drop(job);
		break;
	}
}

static bool
is_tried_again(const struct telegram_job *job)
{
	return job->kind != TELEGRAM_JOB_LIVE && job->kind != TELEGRAM_JOB_NOTICE &&
	    !job->is_covered;
}

/* What came of an edit that has no answer is not known. */
static void
note_said(struct telegram_job *job, const struct telegram_result *result)
{
	int64_t message = job->kind == TELEGRAM_JOB_SEND ? job->message->id : job->live_message;

	if (job->kind == TELEGRAM_JOB_SEND || job->kind == TELEGRAM_JOB_LIVE)
		telegram_said_put(&job->send->said, message,
		    result->ok || (job->is_edit && says(result, "message is not modified")) ?
			job->digest :
			NULL);
}

void
telegram_send_on_answer(void *ctx, const struct telegram_result *result)
{
	struct telegram_job *job = ctx;
	struct telegram_send *send = job->send;

	OBJ_CHECK(send, TELEGRAM_SEND_MAGIC);
	job->call = NULL;
	job->may_stand |= !job->is_edit && result->is_unanswered;
	CRASH_POINT(message_answered);
	note_outage(send, result);
	loop_defer(send->loop, &send->pump);
	if (result->code == 429 && job->chat != 0)
		telegram_pace_block(&send->pace, job->chat, loop_now_ms(),
		    (result->retry_after_s > 0 ? result->retry_after_s : RETRY_AFTER_DEFAULT_S) *
			1000);
	note_said(job, result);
	if (telegram_result_is_passing(result) && is_tried_again(job))
		try_later(job, result);
	else
		judge(job, result);
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

static void
try_later(struct telegram_job *job, const struct telegram_result *result)
{
	int64_t wait;

	if (result->code == 429) {
		wait = (result->retry_after_s > 0 ? result->retry_after_s : RETRY_AFTER_DEFAULT_S) *
		    1000;
	} else if (telegram_result_is_token_refused(result)) {
		wait = TOKEN_REFUSED_MS;
		job->is_token_refused = true;
	} else {
		job->failures++;
		wait =
		    with_jitter(telegram_pause_ms(job->failures, PAUSE_FIRST_MS, PAUSE_MAX_MS, 0));
	}
	job->not_before = loop_now_ms() + wait;
	if (job->give_up_at != 0 && job->not_before > job->give_up_at)
		job->not_before = job->give_up_at;
}

/* Whether sending it in another way may help; then it has been changed and goes at once. */
static bool
changes_say(struct telegram_job *job, const struct telegram_result *result)
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
refuse_say(
    struct telegram_job *job, const struct telegram_result *result, struct message_sent *said)
{
	said->new_chat = result->new_chat;
	said->thread_gone =
	    job->message->address.thread != 0 && says(result, "message thread not found");
	if (said->new_chat != 0 || said->thread_gone)
		return;
	said->is_closed = job->chat > 0 && (result->code == 403 || says(result, "chat not found"));
	text_set(said->failure, result->description[0] == '\0' ? "refused" : result->description);
}

static void
judge_say(struct telegram_job *job, const struct telegram_result *result)
{
	struct message_sent said = { .message = job->message->id };

	if (!result->ok && job->is_covered) { /* what covers it learns that, too */
		said.remote_id = job->is_edit ? job->message->remote_id : 0;
		telegram_send_job_sent(job, &said);
		return;
	}
	if (!result->ok && changes_say(job, result))
		return; /* the pump starts it again */
	if (result->ok && !job->is_edit)
		said.remote_id = json_get_i64_or(result->result, "message_id", 0);
	else if (result->ok || says(result, "message is not modified"))
		said.remote_id = job->message->remote_id;
	else
		refuse_say(job, result, &said);
	if (result->ok && said.remote_id == 0)
		text_set(said.failure, "no message_id in the answer");
	telegram_send_job_sent(job, &said);
}

static void
judge_call(struct telegram_job *job, const struct telegram_result *result)
{
	bool is_fine = result->ok;

	for (size_t i = 0; i < COUNT(job->fine) && job->fine[i] != NULL; i++)
		is_fine = is_fine || says(result, job->fine[i]);
	telegram_send_job_ended(job, is_fine ? "" : result->description);
}

static void
judge_document(struct telegram_job *job, const struct telegram_result *result)
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
	telegram_send_job_ended(job, result->description);
}

static void
judge_live(struct telegram_job *job, const struct telegram_result *result)
{
	bool is_gone = !result->ok && !telegram_result_is_passing(result) &&
	    !says(result, "message is not modified");

	telegram_send_job_live(job, is_gone);
}
