/* telegram_send.c - sends messages: paced, in order, repeated until Telegram takes or refuses them.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* The list of jobs, and which of them goes when; telegram_send_inside.h says how one goes. */
#include "telegram/telegram_send_inside.h"

#include "lib/clock.h"
#include "lib/crash_point.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_body.h"

#define MAY_SEND_MS	100  /* until it is asked again whether something may be sent */
#define START_AGAIN_MS	1000 /* when memory or a place for the call is short */
#define TOAST_LIFE_MS	30000
#define PASSED_MAX_MS	60000 /* whoever waits longer lets nobody pass any more */
#define NOTICE_LEAST_MS 5000 /* somebody waits longer for the minute of their group: that is said */

static void on_pump(struct loop_task *task, void *ctx);
static void on_timer(struct loop_timer *timer, void *ctx);
static int64_t wait_of(struct telegram_send *send, const struct telegram_job *job, int64_t now);
static enum telegram_pace_kind pace_of(const struct telegram_job *job);
static bool start_job(struct telegram_job *job, int64_t now);

struct telegram_send *
telegram_send_new(
    struct loop *loop, struct telegram_api *api, const struct telegram_send_hooks *hooks)
{
	struct telegram_send *send = mem_new(1, sizeof(*send));

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
		else if (job->kind == TELEGRAM_JOB_NOTICE)
			telegram_send_job_drop(job);
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

enum importance { ORDINARY, ANSWER, CLOSING, ALARM };

static enum importance
importance(const struct telegram_job *job)
{
	if (job->kind != TELEGRAM_JOB_SEND)
		return ORDINARY;
	if (job->message->is_alarm)
		return ALARM;
	if (job->message->is_closing && says_edit(job))
		return CLOSING;
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

static struct telegram_job *
next_of(struct telegram_job *job, int64_t message)
{
	while (job != NULL &&
	    (job->kind != TELEGRAM_JOB_SEND || job->is_covered || job->message->id != message))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
		job = TAILQ_NEXT(job, of_send);
	return job;
}

/* What is handed out later says what is newer: an edit in hand is not sent any more, or not again
 * where it is in progress. */
static void
cover(struct telegram_send *send, int64_t message)
{
	struct telegram_job *job = TAILQ_FIRST(&send->jobs);

	while ((job = next_of(job, message)) != NULL)
		if (says_edit(job))
			job->is_covered = true;
		else
			job = TAILQ_NEXT(job, of_send);
}

static int64_t
held_until(const struct message *message)
{
	return message->held_until == 0 ? 0 : loop_now_ms() + message->held_until - clock_wall_ms();
}

void
telegram_message_send(
    struct telegram_send *send, struct message *message, telegram_sent_fn *on_said, void *ctx)
{
	struct telegram_job *job;

	cover(send, message->id);
	job = telegram_send_job_add(send, TELEGRAM_JOB_SEND, &message->address, NULL, ctx);
	job->message = message;
	job->on_said = on_said;
	job->held_until = held_until(message);
	put_in_place(send, job);
}

/* What it is to say is exchanged, and how early it goes. */
static void
exchange(struct telegram_send *send, struct telegram_job *job, struct message *message)
{
	CLEANUP(freep) struct message *before = mem_copy(job->message, sizeof(*before));
	enum importance was = importance(job);

	message->is_closing |= before->is_closing;
	*job->message = *message;
	*message = *before;
	job->held_until = held_until(job->message);
	if (importance(job) > was)
		put_in_place(send, job);
}

void
telegram_message_change(struct telegram_send *send, struct message *message)
{
	struct telegram_job *job = next_of(TAILQ_FIRST(&send->jobs), message->id);

	if (job == NULL)
		return;
	if (message->is_covered || (job->call != NULL && job->is_edit))
		job->is_covered = true;
	else if (job->call == NULL && job->message->remote_id == message->remote_id)
		exchange(send, job, message);
	loop_defer(send->loop, &send->pump);
}

static struct telegram_job *
add_call(struct telegram_send *send, const char *method, telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_CALL, NULL, on_ended, ctx);

	job->method = method;
	buf_init(&job->body, TELEGRAM_BODY_MAX);
	return job;
}

void
telegram_toast(struct telegram_send *send, const struct effect_toast *toast,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job = add_call(send, "answerCallbackQuery", on_ended, ctx);

	telegram_body_toast(toast, &job->body);
	job->fine[0] = "query is too old"; /* nobody looks at that button any more */
	job->fine[1] = "query ID is invalid";
	job->give_up_at = loop_now_ms() + TOAST_LIFE_MS;
}

void
telegram_document(
    struct telegram_send *send, struct telegram_file *file, telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_DOCUMENT, &file->address, on_ended, ctx);

	job->file = file;
	job->is_prepared = file->prepare == NULL;
}

void
telegram_leave(struct telegram_send *send, int64_t chat, telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job = add_call(send, "leaveChat", on_ended, ctx);

	buf_addf(&job->body, "{\"chat_id\":%lld}", (long long)chat);
}

void
telegram_delete(struct telegram_send *send, int64_t chat, int64_t remote_id,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job = add_call(send, "deleteMessage", on_ended, ctx);

	buf_addf(&job->body, "{\"chat_id\":%lld,\"message_id\":%lld}", (long long)chat,
	    (long long)remote_id);
	job->fine[0] = "message to delete not found";
}

void
telegram_pin(struct telegram_send *send, const struct effect_pin_message *pin,
    telegram_ended_fn *on_ended, void *ctx)
{
	struct telegram_job *job =
	    add_call(send, pin->is_off ? "unpinChatMessage" : "pinChatMessage", on_ended, ctx);

	job->chat = pin->chat; /* in whose pace it is counted */
	buf_addf(&job->body, "{\"chat_id\":%lld,\"message_id\":%lld%s}", (long long)pin->chat,
	    (long long)pin->remote_id, pin->is_off ? "" : ",\"disable_notification\":true");
	job->fine[0] = "CHAT_NOT_MODIFIED";
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

static bool
is_in_lane(const struct telegram_job *job, int64_t chat)
{
	return (job->kind == TELEGRAM_JOB_SEND || job->kind == TELEGRAM_JOB_LIVE) &&
	    job->chat == chat;
}

/* Messages of one chat go one after the other, live edits among them; but a failure's message does
 * not wait for an edit. */
static bool
is_lane_busy(const struct telegram_send *send, const struct telegram_job *job)
{
	bool passes_edits = importance(job) == ALARM && !says_edit(job);
	const struct telegram_job *other;

	TAILQ_FOREACH(other, &send->jobs, of_send)
	{
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed has left the list */
		bool is_edit = other->kind == TELEGRAM_JOB_LIVE || other->is_edit;

		if (is_in_lane(other, job->chat) && other->call != NULL &&
		    !(passes_edits && is_edit))
			return true;
	}
	return false;
}

/* Nothing else is to be said there. */
static bool
is_lane_empty(const struct telegram_send *send, int64_t chat)
{
	const struct telegram_job *job;

	TAILQ_FOREACH(job, &send->jobs, of_send)
	if (is_in_lane(job, chat))
		return false;
	return true;
}

bool
telegram_send_can_decorate(struct telegram_send *send, const struct message *message)
{
	int64_t chat = message->address.chat;

	return is_lane_empty(send, chat) &&
	    telegram_pace_wait_ms(
		&send->pace, chat, message->id, TELEGRAM_PACE_DECORATION, loop_now_ms()) == 0;
}

bool
telegram_send_live_edit(struct telegram_send *send, const struct message *message, const char *html,
    void (*on_done)(void *ctx, int64_t message, bool is_gone), void *ctx)
{
	if (!telegram_send_can_decorate(send, message))
		return false;
	struct telegram_job *job =
	    telegram_send_job_add(send, TELEGRAM_JOB_LIVE, &message->address, NULL, ctx);

	job->live_message = message->id;
	job->on_live = on_done;
	job->call = telegram_send_call_live(job, message, html);
	if (job->call == NULL) {
		telegram_send_job_drop(job);
		return false;
	}
	telegram_pace_sent(
	    &send->pace, job->chat, message->id, TELEGRAM_PACE_DECORATION, loop_now_ms());
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

/* True: it is over, without a call. */
static bool
ends_unsent(struct telegram_job *job, int64_t now)
{
	struct message_sent said = { 0 };

	if (job->give_up_at != 0 && now >= job->give_up_at) {
		telegram_send_job_ended(job, "");
		return true;
	}
	if (!job->is_covered)
		return false;
	said.message = job->message->id;
	said.remote_id = job->message->remote_id;
	telegram_send_job_sent(job, &said);
	return true;
}

/* Somebody waits for what has no room in the minute of their group: once that is said there. */
static void
say_full(struct telegram_send *send, const struct telegram_job *job, int64_t now)
{
	const struct chat_address address = { .chat = job->chat };

	if (job->kind == TELEGRAM_JOB_SEND && pace_of(job) == TELEGRAM_PACE_SEND &&
	    telegram_pace_minute_ms(&send->pace, job->chat, now) >= NOTICE_LEAST_MS &&
	    telegram_pace_is_news(&send->pace, job->chat, now))
		(void)telegram_send_job_add(send, TELEGRAM_JOB_NOTICE, &address, NULL, NULL);
}

/* One that is not in progress; ms until it is to be looked at again, -1: another look follows from
 * what else happens. */
static int64_t
look_at(struct telegram_send *send, struct telegram_job *job, int64_t now)
{
	int64_t wait;

	if (job->kind == TELEGRAM_JOB_SEND && is_lane_busy(send, job))
		return -1; /* its answer pumps again */
	if (job->kind == TELEGRAM_JOB_DOCUMENT && !job->is_prepared)
		return prepare(job) ? 0 : -1;
	wait = wait_of(send, job, now);
	if (wait == 0)
		return start_job(job, now) ? -1 : START_AGAIN_MS;
	say_full(send, job, now);
	return wait;
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
	if (send->hooks.may_send != NULL && !send->hooks.may_send(send->hooks.ctx)) {
		loop_timer_start(send->loop, &send->timer, MAY_SEND_MS, 0);
		return;
	}
	for (struct telegram_job *job = TAILQ_FIRST(&send->jobs), *next; job != NULL; job = next) {
		int64_t wait = -1;

		next = TAILQ_NEXT(job, of_send);
		if (job->call == NULL && !ends_unsent(job, now))
			wait = look_at(send, job, now);
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

	if (is == ALARM || job->kind == TELEGRAM_JOB_NOTICE)
		return TELEGRAM_PACE_ALARM;
	if (is != ORDINARY || !says_edit(job))
		return TELEGRAM_PACE_SEND;
	return job->message->is_pinned ? TELEGRAM_PACE_QUIET : TELEGRAM_PACE_EDIT;
}

static int64_t
message_of(const struct telegram_job *job)
{
	return job->message != NULL ? job->message->id : 0;
}

/* Whoever has waited for too long waits for nothing any more, and an edit for no other than what
 * alarms have to themselves. */
static int64_t
wait_of(struct telegram_send *send, const struct telegram_job *job, int64_t now)
{
	int64_t first = job->not_before > job->held_until ? job->not_before : job->held_until;
	enum telegram_pace_kind kind = pace_of(job);
	int64_t own = first > now ? first - now : 0, paced;

	if (is_overdue(job, now))
		kind = says_edit(job) ? TELEGRAM_PACE_SEND : TELEGRAM_PACE_ALARM;
	paced = job->chat == 0 ?
	    telegram_pace_wait_all_ms(&send->pace, now) :
	    telegram_pace_wait_ms(&send->pace, job->chat, message_of(job), kind, now);
	return own > paced ? own : paced;
}

/* False: not yet.  Else it is in progress, or over: an edit that would change nothing. */
static bool
start_job(struct telegram_job *job, int64_t now)
{
	struct telegram_send *send = job->send;
	enum telegram_pace_kind kind;
	struct err err = { 0 };

	CRASH_POINT(message_due);
	job->is_edit = says_edit(job);
	job->is_same = false;
	kind = pace_of(job);
	job->call = telegram_send_call(job, &err);
	if (job->call == NULL && job->is_same) {
		telegram_send_job_sent(job,
		    &(struct message_sent){
			.message = job->message->id, .remote_id = job->message->remote_id });
		return true;
	}
	if (job->call == NULL) {
		log_warning("a call of Telegram is delayed: %s", err.text);
		job->not_before = now + START_AGAIN_MS;
		return false;
	}
	if (job->chat == 0)
		telegram_pace_sent_all(&send->pace, now);
	else
		telegram_pace_sent(&send->pace, job->chat, message_of(job), kind, now);
	return true;
}
