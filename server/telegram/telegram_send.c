/* telegram_send.c - sends messages: paced, in order, repeated until Telegram takes or refuses them.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* The list of jobs, and which of them goes when; telegram_send_inside.h says how one goes. */
#include "telegram/telegram_send_inside.h"

#include <stdlib.h>

#include "lib/crash_point.h"
#include "lib/log.h"
#include "telegram/telegram_api.h"

#define START_AGAIN_MS 1000 /* when memory or a place for the call is short */
#define TOAST_LIFE_MS  30000
#define PASSED_MAX_MS  60000 /* whoever waits longer lets nobody pass any more */

static void on_pump(struct loop_task *task, void *ctx);
static void on_timer(struct loop_timer *timer, void *ctx);
static int64_t wait_of(struct telegram_send *send, const struct telegram_job *job, int64_t now);
static void start_job(struct telegram_job *job, int64_t now);

struct telegram_send *
telegram_send_new(
    struct loop *loop, struct telegram_api *api, const struct telegram_send_hooks *hooks)
{
	struct telegram_send *send = calloc(1, sizeof(*send));

	if (send == NULL)
		return NULL;
	send->magic = TELEGRAM_SEND_MAGIC;
	send->loop = loop;
	send->api = api;
	if (hooks != NULL)
		send->hooks = *hooks;
	TAILQ_INIT(&send->jobs);
	loop_task_init(&send->pump, on_pump, send);
	loop_timer_init(&send->timer, on_timer, send);
	return send;
}

void
telegram_send_free(struct telegram_send *send)
{
	struct telegram_job *job;

	if (send == NULL)
		return;
	OBJ_CHECK(send, TELEGRAM_SEND_MAGIC);
	loop_timer_stop(&send->timer);
	while ((job = TAILQ_FIRST(&send->jobs)) != NULL) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it has left the list */
		telegram_api_cancel(job->call);
		if (job->kind == TELEGRAM_JOB_SEND)
			telegram_send_job_sent(job, NULL);
		else if (job->kind == TELEGRAM_JOB_LIVE)
			telegram_send_job_live(job, false);
		else
			telegram_send_job_ended(job, NULL);
	}
	loop_task_cancel(&send->pump);
	free(send);
}

/* --- asked for --- */

static bool
says_edit(const struct telegram_job *job)
{
	return job->kind == TELEGRAM_JOB_SEND && job->message->remote_id != 0 && !job->is_anew;
}

enum importance { ORDINARY, ANSWER, ALARM };

static enum importance
importance(const struct telegram_job *job)
{
	if (job->kind != TELEGRAM_JOB_SEND)
		return ORDINARY;
	if (job->message->is_alarm)
		return ALARM;
	return job->message->is_answer ? ANSWER : ORDINARY;
}

static bool
is_overdue(const struct telegram_job *job, int64_t now)
{
	return now - job->added_at >= PASSED_MAX_MS;
}

/* Before what matters less, and behind what that chat has kept waiting for too long. */
static void
put_in_place(struct telegram_send *send, struct telegram_job *job)
{
	struct telegram_job *before = NULL, *other;
	int64_t now = loop_now_ms();

	TAILQ_REMOVE(&send->jobs, job, of_send);
	TAILQ_FOREACH(other, &send->jobs, of_send)
	{
		if (other->chat == job->chat && is_overdue(other, now))
			before = NULL;
		else if (before == NULL && importance(other) < importance(job))
			before = other;
	}
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, job, of_send);
	else
		TAILQ_INSERT_TAIL(&send->jobs, job, of_send);
}

bool
telegram_message_send(
    struct telegram_send *send, struct message *message, telegram_sent_fn *on_said, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_SEND, &message->address, NULL, ctx);

	if (job == NULL)
		return false;
	job->message = message;
	job->on_said = on_said;
	put_in_place(send, job);
	return true;
}

void
telegram_message_change(struct telegram_send *send, struct message *message)
{
	struct telegram_job *job;

	TAILQ_FOREACH(job, &send->jobs, of_send)
	if (job->kind == TELEGRAM_JOB_SEND && job->call == NULL &&
	    job->message->id == message->id && job->message->remote_id == message->remote_id) {
		struct message before = *job->message;
		enum importance was = importance(job);

		*job->message = *message;
		*message = before;
		if (importance(job) > was)
			put_in_place(send, job);
		loop_defer(send->loop, &send->pump);
		return;
	}
}

bool
telegram_toast(struct telegram_send *send, const struct effect_toast *toast,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_TOAST, NULL, on_ended, ctx);

	if (job == NULL)
		return false;
	job->toast = toast;
	job->give_up_at = loop_now_ms() + TOAST_LIFE_MS;
	return true;
}

bool
telegram_document(
    struct telegram_send *send, struct telegram_file *file, telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_DOCUMENT, &file->address, on_ended, ctx);

	if (job == NULL)
		return false;
	job->file = file;
	job->is_prepared = file->prepare == NULL;
	return true;
}

bool
telegram_leave(struct telegram_send *send, int64_t chat, telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_LEAVE, NULL, on_ended, ctx);

	if (job == NULL)
		return false;
	job->leaves = chat;
	return true;
}

bool
telegram_delete(struct telegram_send *send, int64_t chat, int64_t remote_id,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_DELETE, NULL, on_ended, ctx);

	if (job == NULL)
		return false;
	job->leaves = chat;
	job->deletes = remote_id;
	return true;
}

bool
telegram_pin(struct telegram_send *send, const struct effect_pin_message *pin,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job = telegram_send_job_add(
	    send, TELEGRAM_JOB_PIN, &(struct chat_address){ .chat = pin->chat }, on_ended, ctx);

	if (job == NULL)
		return false;
	job->pins = pin->remote_id;
	job->is_unpin = pin->is_off;
	return true;
}

int64_t
telegram_send_waiting_since(const struct telegram_send *send)
{
	const struct telegram_job *job;
	int64_t since = 0;

	OBJ_CHECK(send, TELEGRAM_SEND_MAGIC);
	for (job = TAILQ_FIRST(&send->jobs); job != NULL; job = TAILQ_NEXT(job, of_send))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
		if ((job->kind == TELEGRAM_JOB_SEND || job->kind == TELEGRAM_JOB_DOCUMENT) &&
		    (since == 0 || job->since < since))
			since = job->since;
	return since;
}

static bool
is_out(const struct telegram_job *job)
{
	return job->kind == TELEGRAM_JOB_SEND && job->call != NULL && !job->is_edit &&
	    telegram_api_may_be_done(job->call);
}

bool
telegram_send_end(struct telegram_send *send)
{
	const struct telegram_job *job;

	OBJ_CHECK(send, TELEGRAM_SEND_MAGIC);
	send->is_ending = true;
	for (job = TAILQ_FIRST(&send->jobs); job != NULL; job = TAILQ_NEXT(job, of_send))
		if (is_out(job))
			return true;
	return false;
}

size_t
telegram_send_unanswered(const struct telegram_send *send, int64_t *ret, size_t max)
{
	const struct telegram_job *job;
	size_t n = 0;

	OBJ_CHECK(send, TELEGRAM_SEND_MAGIC);
	for (job = TAILQ_FIRST(&send->jobs); job != NULL; job = TAILQ_NEXT(job, of_send)) {
		if (job->kind != TELEGRAM_JOB_SEND || !(job->may_stand || is_out(job)))
			continue;
		if (n < max)
			ret[n] = job->message->id;
		n++;
	}
	return n;
}

/* Messages of one chat go one after the other, live edits among them. */
static bool
lane_is_busy(const struct telegram_send *send, int64_t chat, bool waiting_counts)
{
	const struct telegram_job *job;

	for (job = TAILQ_FIRST(&send->jobs); job != NULL; job = TAILQ_NEXT(job, of_send)) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
		bool in_lane = job->kind == TELEGRAM_JOB_SEND || job->kind == TELEGRAM_JOB_LIVE;

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
	if (!telegram_send_can_decorate(send, message->address.chat))
		return false;
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_LIVE, &message->address, NULL, ctx);

	if (job == NULL)
		return false;
	job->live_message = message->id;
	job->on_live = on_done;
	job->call = telegram_send_call_live(job, message, html);
	if (job->call == NULL) {
		telegram_send_job_drop(job);
		return false;
	}
	telegram_pace_sent(&send->pace, job->chat, TELEGRAM_PACE_DECORATION, loop_now_ms());
	return true;
}

/* --- who goes when --- */

static void
on_timer(UNUSED struct loop_timer *timer, void *ctx)
{
	struct telegram_send *send = ctx;

	loop_defer(send->loop, &send->pump);
}

/* One step; true: look at it again in the next turn. */
static bool
prepare(struct telegram_job *job)
{
	switch (job->file->prepare(job->file, job->ctx)) {
	case TELEGRAM_FILE_MORE:
		return true;
	case TELEGRAM_FILE_FAILED:
		telegram_send_job_ended(job, job->file->failure);
		return false;
	case TELEGRAM_FILE_READY:
		break;
	}
	job->is_prepared = true;
	if (job->file->size > 0 && job->file->size <= TELEGRAM_FILE_MAX)
		return true;
	telegram_send_job_ended(job, "a file of this size cannot be sent");
	return false;
}

/* Starts what may start; the timer wakes us for the first of the others. */
static void
on_pump(UNUSED struct loop_task *task, void *ctx)
{
	struct telegram_send *send = OBJ_OF(struct telegram_send, ctx, TELEGRAM_SEND_MAGIC);
	int64_t now = loop_now_ms();
	int64_t soonest = -1;

	if (send->is_ending)
		return;
	for (struct telegram_job *job = TAILQ_FIRST(&send->jobs), *next; job != NULL; job = next) {
		int64_t wait;

		next = TAILQ_NEXT(job, of_send);
		if (job->call != NULL)
			continue;
		if (job->kind == TELEGRAM_JOB_TOAST && now >= job->give_up_at) {
			telegram_send_job_ended(job, "");
			continue;
		}
		if (job->kind == TELEGRAM_JOB_SEND && lane_is_busy(send, job->chat, false))
			continue; /* its answer pumps again */
		if (job->kind == TELEGRAM_JOB_DOCUMENT && !job->is_prepared) {
			if (prepare(job))
				soonest = 0;
			continue;
		}
		wait = wait_of(send, job, now);
		if (wait == 0) {
			start_job(job, now);
			wait = job->call == NULL ? START_AGAIN_MS : -1;
		}
		if (wait >= 0 && (soonest < 0 || wait < soonest))
			soonest = wait;
	}
	if (soonest >= 0)
		loop_timer_start(send->loop, &send->timer, soonest, 0);
}

/* An answer that is edited (/status, once its health is known) is waited for too. */
static enum telegram_pace_kind
pace_of(const struct telegram_job *job)
{
	enum importance is = importance(job);

	return is == ALARM		     ? TELEGRAM_PACE_ALARM :
	    says_edit(job) && is == ORDINARY ? TELEGRAM_PACE_EDIT :
					       TELEGRAM_PACE_SEND;
}

static int64_t
wait_of(struct telegram_send *send, const struct telegram_job *job, int64_t now)
{
	int64_t own = job->not_before > now ? job->not_before - now : 0;
	int64_t paced = job->chat == 0 ?
	    telegram_pace_wait_all_ms(&send->pace, now) :
	    telegram_pace_wait_ms(&send->pace, job->chat,
		is_overdue(job, now) ? TELEGRAM_PACE_ALARM : pace_of(job), now);

	return own > paced ? own : paced;
}

static void
start_job(struct telegram_job *job, int64_t now)
{
	struct telegram_send *send = job->send;
	enum telegram_pace_kind kind;
	struct err err = { 0 };

	CRASH_POINT(message_due);
	job->is_edit = says_edit(job);
	kind = pace_of(job);
	job->call = telegram_send_call(job, &err);
	if (job->call == NULL) {
		log_warning("a call of Telegram is delayed: %s", err.text);
		job->not_before = now + START_AGAIN_MS;
		return;
	}
	if (job->chat == 0)
		telegram_pace_sent_all(&send->pace, now);
	else
		telegram_pace_sent(&send->pace, job->chat, kind, now);
}
