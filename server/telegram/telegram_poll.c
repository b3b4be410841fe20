/* telegram_poll.c - polls Telegram for updates: the next time only after the last are on disk.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * ask → on_updates → submit → on_decided → ask.  The offset that acknowledges an answer is sent
 * with the next question, which comes only after the store has answered: never lost, and what
 * comes twice is recognised by its update_id.
 */
#include "telegram/telegram_poll.h"

#include "lib/buf.h"
#include "lib/crash_point.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_pause.h"
#include "telegram/telegram_split.h"
#include "telegram/telegram_update.h"
#include "types/event.h"

#define POLL_MAGIC	0x7467706fu
#define POLL_SECONDS	25
#define CALL_TIMEOUT_MS ((POLL_SECONDS + 20) * 1000)
#define ANSWER_MAX	((size_t)8 * 1024 * 1024) /* 100 updates with the longest texts */
#define PAUSE_FIRST_MS	1000
#define PAUSE_MAX_MS	60000
#define STORE_PAUSE_MS	2000
#define CONFLICT_MS	5000
#define CONTESTED_MS	120000 /* above the longest pause of another program */

struct telegram_poll {
	unsigned magic;
	struct telegram_config config;
	struct telegram_api *api;
	const char *own_name;
	struct loop_timer timer;
	struct telegram_call *call;
	int64_t offset;		 /* 0: whatever there is */
	unsigned failures;	 /* in a row */
	int64_t contested_until; /* loop_now_ms(): another program takes updates as well */
	bool is_running;
	bool is_deciding; /* the store has an answer of ours */
	bool is_reported; /* of the outage in progress */
};

static void on_time(struct loop_timer *timer, void *ctx);
static void ask(struct telegram_poll *poll);
static void on_updates(void *ctx, const struct telegram_result *result);
static void hand_on(struct telegram_poll *poll, const struct telegram_result *result);
static void on_decided(void *ctx, const struct answer *answer);
static void on_refused(struct telegram_poll *poll, const struct telegram_result *result);
static void remove_webhook(struct telegram_poll *poll);
static void on_removed(void *ctx, const struct telegram_result *result);

struct telegram_poll *
telegram_poll_new(
    const struct telegram_config *config, struct telegram_api *api, const char *own_name)
{
	struct telegram_poll *poll = mem_new(1, sizeof(*poll));

	poll->magic = POLL_MAGIC;
	poll->config = *config;
	poll->api = api;
	poll->own_name = own_name;
	loop_timer_init(&poll->timer, on_time, poll);
	return poll;
}

void
telegram_poll_start(struct telegram_poll *poll)
{
	OBJ_CHECK(poll, POLL_MAGIC);
	poll->is_running = true;
	ask(poll);
}

void
telegram_poll_stop(struct telegram_poll *poll)
{
	OBJ_CHECK(poll, POLL_MAGIC);
	poll->is_running = false;
	loop_timer_stop(&poll->timer);
	telegram_api_cancel(poll->call);
	poll->call = NULL;
}

void
telegram_poll_free(struct telegram_poll *poll)
{
	if (poll == NULL)
		return;
	telegram_poll_stop(poll);
	free(poll);
}

static void
on_time(UNUSED struct loop_timer *timer, void *ctx)
{
	ask(ctx);
}

static void
ask_after(struct telegram_poll *poll, int64_t ms)
{
	if (poll->is_running)
		loop_timer_start(poll->config.loop, &poll->timer, ms, 0);
}

static int64_t
pause_ms(const struct telegram_poll *poll)
{
	return telegram_pause_ms(poll->failures, PAUSE_FIRST_MS, PAUSE_MAX_MS, 0);
}

/* Should an answer be larger than we take, fewer at once get through. */
static int64_t
how_many(const struct telegram_poll *poll)
{
	return poll->failures == 0 ? LIMIT_UPDATES : poll->failures == 1 ? 10 : 1;
}

static void
tell_receiving(const struct telegram_poll *poll, bool is_receiving)
{
	if (poll->config.receiving != NULL)
		poll->config.receiving(poll->config.ctx, is_receiving);
}

static void
ask(struct telegram_poll *poll)
{
	struct err err = { 0 };
	CLEANUP(buf_done) struct buf body = buf_make(1024);

	OBJ_CHECK(poll, POLL_MAGIC);
	assert(poll->call == NULL && !poll->is_deciding);
	struct json_out json = json_out_begin(&body, '{');

	if (poll->offset != 0)
		json_put_i64(&json, "offset", poll->offset);
	json_put_i64(&json, "limit", how_many(poll));
	/* After a failure it answers at once, which shows that it works again. */
	json_put_i64(&json, "timeout", poll->failures == 0 ? POLL_SECONDS : 0);
	json_out_key(&json, "allowed_updates");
	json_out_raw(&json, TELEGRAM_UPDATE_KINDS);
	json_out_end(&json);
	const struct telegram_request request = {
		.method = "getUpdates",
		.json = &body,
		.timeout_ms = CALL_TIMEOUT_MS,
		.answer_max = ANSWER_MAX,
		.is_raw = true,
		.on_done = on_updates,
		.ctx = poll,
	};

	poll->call = telegram_api_call(poll->api, &request, &err);
	if (poll->call == NULL) {
		log_warning("cannot poll Telegram for updates: %s", err.text);
		tell_receiving(poll, false);
		ask_after(poll, PAUSE_FIRST_MS);
	}
}

static void
on_updates(void *ctx, const struct telegram_result *result)
{
	struct telegram_poll *poll = OBJ_OF(struct telegram_poll, ctx, POLL_MAGIC);

	poll->call = NULL;
	if (!result->ok) {
		on_refused(poll, result);
		return;
	}
	if (poll->is_reported)
		log_info("polling Telegram works again");
	poll->is_reported = false;
	tell_receiving(poll, loop_now_ms() >= poll->contested_until);
	hand_on(poll, result);
}

static void
tell_pending(const struct telegram_poll *poll, int64_t updates)
{
	if (poll->config.pending != NULL)
		poll->config.pending(poll->config.ctx, updates);
}

/* What cannot be read counts as one: the store says what is wrong with it. */
static int64_t
count_updates(const struct telegram_result *result)
{
	struct telegram_span whole = { result->body, result->body_size };
	struct telegram_span rest = telegram_split_member(whole, "result");
	bool is_broken = false;
	int64_t n = 0;

	if (rest.at == NULL)
		return 1;
	while (n < LIMIT_UPDATES && telegram_split_next(&rest, &is_broken).at != NULL)
		n++;
	return n == 0 && is_broken ? 1 : n;
}

static void
hand_on(struct telegram_poll *poll, const struct telegram_result *result)
{
	int64_t count = count_updates(result);

	tell_pending(poll, count);
	if (count == 0) {
		poll->failures = 0;
		ask_after(poll, 0);
		return;
	}
	char *bytes = mem_alloc(result->body_size + 1);
	struct event *raw;

	memcpy(bytes, result->body, result->body_size);
	bytes[result->body_size] = '\0';
	raw = telegram_update_raw(SOURCE_TELEGRAM_POLL, bytes, result->body_size, poll->own_name);
	raw->done = on_decided;
	raw->done_ctx = poll;
	poll->is_deciding = true;
	CRASH_POINT(poll_read);
	if (!poll->config.submit(poll->config.ctx, raw)) {
		poll->is_deciding = false;
		event_free(raw);
		ask_after(poll, STORE_PAUSE_MS);
	}
}

static void
on_decided(void *ctx, const struct answer *answer)
{
	struct telegram_poll *poll = OBJ_OF(struct telegram_poll, ctx, POLL_MAGIC);
	bool moved = answer->offset != 0 && answer->offset != poll->offset;

	poll->is_deciding = false;
	if (answer->offset != 0)
		poll->offset = answer->offset;
	if (answer->status == 503) {
		ask_after(poll, STORE_PAUSE_MS);
	} else if (moved) {
		tell_pending(poll, 0); /* what else there is comes at once */
		poll->failures = 0;
		ask_after(poll, 0);
	} else {
		if (poll->failures++ == 0)
			log_warning(
			    "Telegram's answer to getUpdates is not readable; polling again");
		ask_after(poll, pause_ms(poll));
	}
}

/* --- when it does not work --- */

static void
report_once(struct telegram_poll *poll, const struct telegram_result *result)
{
	if (poll->is_reported)
		return;
	poll->is_reported = true;
	if (result->code == 409)
		log_error(
		    "another program polls Telegram for this bot's updates (%s): only one may; stop it, or use another token",
		    result->description);
	else if (telegram_result_is_token_refused(result))
		log_error("Telegram refuses TELEGRAM_BOT_TOKEN (%s)", result->description);
	else
		log_warning(
		    "polling Telegram failed: %s; retrying until it works", result->description);
}

static void
on_refused(struct telegram_poll *poll, const struct telegram_result *result)
{
	poll->failures++;
	if (result->code == 409)
		poll->contested_until = loop_now_ms() + CONTESTED_MS;
	tell_receiving(poll, false);
	/* Both conflicts are a 409, apart in words alone (Bot API, getUpdates; its server's
	 * Client.cpp): "can't use getUpdates method while webhook is active", "terminated by other
	 * getUpdates request". */
	if (result->code == 409 && strstr(result->description, "webhook is active") != NULL) {
		remove_webhook(poll);
		return;
	}
	report_once(poll, result);
	if (result->code == 409)
		ask_after(poll, CONFLICT_MS);
	else if (result->retry_after_s > 0)
		ask_after(poll, result->retry_after_s * 1000);
	else
		ask_after(poll, pause_ms(poll));
}

/* What waits there stays: it comes with the next question. */
static void
remove_webhook(struct telegram_poll *poll)
{
	struct err err = { 0 };

	log_info(
	    "Telegram has a webhook for this bot: removing it, because TELEGRAM_WEBHOOK_URL is not set and updates are polled");
	poll->call = telegram_api_post(poll->api, "deleteWebhook", NULL, on_removed, poll, &err);
	if (poll->call == NULL) {
		log_warning("cannot remove Telegram's webhook: %s", err.text);
		ask_after(poll, pause_ms(poll));
	}
}

static void
on_removed(void *ctx, const struct telegram_result *result)
{
	struct telegram_poll *poll = OBJ_OF(struct telegram_poll, ctx, POLL_MAGIC);

	poll->call = NULL;
	if (result->ok)
		poll->failures = 0;
	else
		report_once(poll, result);
	ask_after(poll, result->ok ? 0 : pause_ms(poll));
}
