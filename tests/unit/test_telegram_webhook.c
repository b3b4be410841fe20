/* test_telegram_webhook.c - only Telegram is let in, and it is answered when its update is on disk. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_load.h"
#include "telegram/telegram_webhook.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/crypto.h"
#include "lib/http_client.h"
#include "lib/http_server.h"
#include "lib/log.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_update.h"
#include "tests/unit/fake_telegram.h"
#include "types/event.h"
#include "types/outbound.h"
#include "types/refusals.h"
#include "types/settings.h"
#include "unit.h"

#define OUR_URL "https://bot.example.org/telegram/webhook"
#define JSON	"Content-Type: application/json"
#define SECRET	"X-Telegram-Bot-Api-Secret-Token: " FAKE_SECRET
#define KINDS	TELEGRAM_UPDATE_KINDS

struct world {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *settings;
	struct telegram_api *api;
	struct refusals *refusals;
	struct telegram_webhook *webhook;
	struct http_route route;  /* the webhook's */
	struct http_route served; /* the same, through on_request() below */
	struct http_server *server;
	struct http_client *client;
	char url[128];
	struct event *events[16];
	size_t submitted;
	bool is_notified; /* something was submitted */
	bool is_full;
	int counted[600];
	int64_t waiting;
	int receiving; /* -1: nobody has said */
	bool is_answered;
	int status;
	size_t body_size;
	char retry_after[16];
	char text[2048];
	bool order_ok;
};

/* Time passes as a test wants it, for libev too. */
static time_t ahead_s;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	int status = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_sec += ahead_s;
	return status;
}

static bool
submit(void *ctx, struct event *event)
{
	struct world *w = ctx;

	if (w->is_full)
		return false;
	assert_true(w->submitted < COUNT(w->events));
	w->events[w->submitted++] = event;
	w->is_notified = true;
	if (event->kind == EVENT_REJECTED)
		event->done(event->done_ctx, &(struct answer){ .status = 200 });
	return true;
}

static void
on_begin(struct http_request *request, void *ctx)
{
	const struct world *w = ctx;

	w->route.on_begin(request, w->route.ctx);
}

static void
on_request(struct http_request *request, void *ctx)
{
	const struct world *w = ctx;

	w->route.on_request(request, w->route.ctx);
}

static void
count_request(void *ctx, int status)
{
	struct world *w = ctx;

	w->counted[status]++;
}

static void
pending(void *ctx, int64_t updates)
{
	struct world *w = ctx;

	w->waiting = updates;
}

static void
receiving(void *ctx, bool is_receiving)
{
	struct world *w = ctx;

	w->receiving = is_receiving;
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	w->receiving = -1;
	w->loop = loop_new(&err);
	w->fake = fake_telegram_new(w->loop);
	w->settings = fake_telegram_settings(w->fake, OUR_URL);
	w->api = telegram_api_new(w->loop, w->settings, NULL, NULL, &err);
	w->refusals =
	    refusals_new(&(struct refusals_config){ .loop = w->loop, .submit = submit, .ctx = w });
	const struct telegram_config config = {
		.loop = w->loop,
		.settings = w->settings,
		.submit = submit,
		.refusals = w->refusals,
		.count_request = count_request,
		.pending = pending,
		.receiving = receiving,
		.ctx = w,
	};

	w->webhook = telegram_webhook_new(&config, w->api, "our_bot");
	assert_non_null(w->webhook);
	telegram_webhook_route(w->webhook, &w->route);
	w->served = w->route;
	w->served.on_begin = on_begin;
	w->served.on_request = on_request;
	w->served.ctx = w;
	const struct http_server_config server = { .routes = &w->served, .route_count = 1 };
	const struct http_client_config client = { .address_is_allowed = outbound_allows,
		.address_ctx = outbound_of(OUTBOUND_HEALTH, NULL) };

	w->server = http_server_new(w->loop, &server, "127.0.0.1:0", &err);
	w->client = http_client_new(w->loop, &client, &err);
	assert_non_null(w->server);
	assert_non_null(w->client);
	(void)snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%d/telegram/webhook",
	    http_server_port(w->server));
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	const struct answer late = { .status = 503 };

	for (size_t i = 0; i < w->submitted; i++) {
		if (w->events[i]->done != NULL)
			w->events[i]->done(w->events[i]->done_ctx, &late);
		event_free(w->events[i]);
	}
	http_client_free(w->client);
	http_server_free(w->server);
	telegram_webhook_free(w->webhook);
	refusals_free(w->refusals);
	telegram_api_free(w->api);
	settings_unref(w->settings);
	fake_telegram_free(w->fake);
	loop_free(w->loop);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
on_answer(void *ctx, const struct http_client_result *result)
{
	struct world *w = ctx;
	const char *retry = http_client_header(result, "Retry-After");

	w->is_answered = true;
	w->status = result->status;
	w->body_size = result->body_size;
	(void)snprintf(w->retry_after, sizeof(w->retry_after), "%s", retry == NULL ? "" : retry);
}

static void
post(struct world *w, const char *const headers[], const char *body)
{
	const struct http_client_request request = {
		.label = "test",
		.method = "POST",
		.url = w->url,
		.headers = headers,
		.body = body,
		.body_size = strlen(body),
		.on_done = on_answer,
		.ctx = w,
	};

	w->is_answered = false;
	assert_non_null(http_client_start(w->client, &request, NULL));
}

static int
status_of(struct world *w, const char *const headers[])
{
	post(w, headers, "{}");
	assert_true(fake_run_until(w->loop, &w->is_answered, 3000));
	assert_int_equal(w->body_size, 0);
	return w->status;
}

static void
decide(struct world *w, size_t n, int status)
{
	const struct answer answer = { .status = status };
	struct event *event = w->events[n];

	event->done(event->done_ctx, &answer);
	event->done = NULL;
}

SCENE_TEST(an_update_is_answered_after_its_decision_with_an_empty_body)
{
	/* Goal: a 200 means it is never lost; a body could be taken for a call. */
	const char *const headers[] = { JSON, SECRET, NULL };

	post(w, headers, "{\"update_id\":1}");
	fake_run_for(w->loop, 200);
	assert_false(w->is_answered);
	assert_int_equal(w->submitted, 1);
	assert_int_equal(w->events[0]->source, SOURCE_TELEGRAM_WEBHOOK);
	assert_string_equal(w->events[0]->context.own_name, "our_bot");
	assert_int_equal(w->events[0]->raw.size, 15);
	decide(w, 0, 200);
	assert_true(fake_run_until(w->loop, &w->is_answered, 2000));
	assert_int_equal(w->status, 200);
	assert_int_equal(w->body_size, 0);
	assert_int_equal(w->counted[200], 1);
}

SCENE_TEST(without_the_one_right_secret_nobody_gets_in)
{
	/* Goal: wrong, missing, shorter, longer, twice: 401, empty, nothing submitted, one note. */
	const char *const wrong[][4] = {
		{ JSON, NULL },
		{ JSON, "X-Telegram-Bot-Api-Secret-Token: nonsense", NULL },
		{ JSON, "X-Telegram-Bot-Api-Secret-Token: 0123456789abcdef0123456789abcde", NULL },
		{ JSON, SECRET "0", NULL },
		{ JSON, SECRET, SECRET, NULL },
	};

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(status_of(w, wrong[i]), 401);
	assert_int_equal(w->counted[401], (int)COUNT(wrong));
	assert_int_equal(w->submitted, 1);
	assert_int_equal(w->events[0]->kind, EVENT_REJECTED);
	assert_string_equal(w->events[0]->u.rejected.source, "telegram");
	assert_string_equal(w->events[0]->u.rejected.client, "127.0.0.1");
	assert_string_equal(w->events[0]->u.rejected.reason, "wrong or missing secret");
	assert_int_equal(w->events[0]->u.rejected.count, 1);
}

SCENE_TEST(what_is_rejected_within_a_minute_is_told_as_one)
{
	/* Goal: the first at once, the others when the minute has passed, and none is forgotten. */
	const char *const strangers[] = { JSON, NULL };

	for (int i = 0; i < 3; i++)
		assert_int_equal(status_of(w, strangers), 401);
	ahead_s += 50;
	assert_int_equal(status_of(w, strangers), 401);
	assert_int_equal(w->submitted, 1);
	w->is_notified = false;
	ahead_s += 11;
	assert_true(fake_run_until(w->loop, &w->is_notified, 20000));
	assert_int_equal(w->submitted, 2);
	assert_int_equal(w->events[1]->kind, EVENT_REJECTED);
	assert_int_equal(w->events[1]->u.rejected.count, 3);
}

SCENE_TEST(what_was_rejected_is_told_once_the_store_takes_it)
{
	/* Goal: the number is kept while the store is full, and what comes meanwhile is in it. */
	const char *const strangers[] = { JSON, NULL };

	for (int n = 1; n <= 2; n++) {
		w->is_full = true;
		for (int i = 0; i < n; i++)
			assert_int_equal(status_of(w, strangers), 401);
		w->is_full = w->is_notified = false;
		ahead_s += 61;
		assert_true(fake_run_until(w->loop, &w->is_notified, 20000));
		assert_int_equal(w->submitted, n);
		assert_int_equal(w->events[n - 1]->u.rejected.count, n);
		ahead_s += 61;
	}
}

SCENE_TEST(another_content_type_is_refused)
{
	/* Goal: 415, before the body. */
	const char *const headers[] = { "Content-Type: text/plain", SECRET, NULL };

	assert_int_equal(status_of(w, headers), 415);
	assert_int_equal(w->submitted, 0);
}

SCENE_TEST(a_store_that_cannot_take_it_makes_telegram_come_again)
{
	/* Goal: full, failed, ending: 503 with Retry-After. */
	const char *const headers[] = { JSON, SECRET, NULL }, *const strangers[] = { JSON, NULL };

	w->is_full = true;
	assert_int_equal(status_of(w, headers), 503);
	assert_string_not_equal(w->retry_after, "");
	w->is_full = false;
	post(w, headers, "{}");
	fake_run_for(w->loop, 200);
	decide(w, 0, 503);
	assert_true(fake_run_until(w->loop, &w->is_answered, 2000));
	assert_int_equal(w->status, 503);
	telegram_webhook_quiesce(w->webhook);
	assert_int_equal(status_of(w, headers), 503);
	assert_int_equal(status_of(w, strangers), 401); /* which is told all the same */
	assert_int_equal(w->submitted, 2);
	assert_int_equal(w->events[1]->kind, EVENT_REJECTED);
}

SCENE_TEST(it_is_registered_when_none_is)
{
	/* Goal: URL, secret, kinds; nothing dropped; pending updates are known. */

	fake_telegram_script(w->fake, "getWebhookInfo", 200,
	    "{\"ok\":true,\"result\":{\"url\":\"\",\"pending_update_count\":12}}");
	telegram_webhook_start(w->webhook);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setWebhook", 1, 2000));
	assert_string_equal(fake_telegram_heard(w->fake, "setWebhook", 0)->body,
	    "{\"url\":\"" OUR_URL "\",\"secret_token\":\"" FAKE_SECRET
	    "\",\"drop_pending_updates\":false,\"allowed_updates\":" KINDS "}");
	assert_int_equal(w->waiting, 12);
}

static void
registered(struct world *w, const char *info, bool is_set)
{
	char body[1024];
	size_t before = fake_telegram_count(w->fake, "setWebhook");

	(void)snprintf(body, sizeof(body), "{\"ok\":true,\"result\":{%s}}", info);
	fake_telegram_script(w->fake, "getWebhookInfo", 200, body);
	telegram_webhook_start(w->webhook);
	fake_run_for(w->loop, 200);
	assert_int_equal(fake_telegram_count(w->fake, "setWebhook") - before, is_set ? 1 : 0);
}

TEST_WITH(ours_is_left_alone, set_up, tear_down)
{
	/* Goal: a restart does not set what stands. */
	registered(*state,
	    "\"url\":\"" OUR_URL "\",\"allowed_updates\":[\"callback_query\",\"message\","
	    "\"edited_message\",\"channel_post\",\"my_chat_member\"]",
	    false);
}

TEST_WITH(another_url_is_replaced, set_up, tear_down)
{
	/* Goal: the host moved. */
	registered(
	    *state, "\"url\":\"https://old.example.org/x\",\"allowed_updates\":" KINDS, true);
}

TEST_WITH(other_kinds_are_replaced, set_up, tear_down)
{
	/* Goal: what Telegram kept from an older version does not stay. */
	registered(*state, "\"url\":\"" OUR_URL "\",\"allowed_updates\":[\"message\"]", true);
}

TEST_WITH(a_secret_that_we_refuse_is_replaced, set_up, tear_down)
{
	/* Goal: after a new secret the bot is not deaf. */
	registered(*state,
	    "\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS
	    ",\"last_error_message\":\"Wrong response from the webhook: 401 Unauthorized\"",
	    true);
}

/* The same settings with another secret. */
static struct settings *
other_secret(const struct world *w, const char *secret)
{
	char base[128], given[128];
	char *const environment[] = { "TELEGRAM_BOT_TOKEN=" FAKE_TOKEN, "ADMIN_TELEGRAM_IDS=4711",
		"GITHUB_REPOSITORY=acme/app", "TELEGRAM_WEBHOOK_URL=" OUR_URL, base, given, NULL };
	static struct settings_report report;
	struct settings *settings = NULL;

	(void)snprintf(base, sizeof(base), "TELEGRAM_API_BASE=%s", fake_telegram_base(w->fake));
	(void)snprintf(given, sizeof(given), "TELEGRAM_WEBHOOK_SECRET=%s", secret);
	assert_true(settings_load(NULL, environment, &settings, &report));
	return settings;
}

#define NEW_SECRET "fedcba9876543210fedcba9876543210"

SCENE_TEST(a_rotated_secret_holds_at_once_and_is_told_to_telegram)
{
	/* Goal: the old one, which may have leaked, opens nothing; Telegram is given the new one,
	 * even when it does not take it at first. */
	const char *const old[] = { JSON, SECRET, NULL };
	const char *const fresh[] = { JSON, "X-Telegram-Bot-Api-Secret-Token: " NEW_SECRET, NULL };
	struct settings *settings = other_secret(w, NEW_SECRET);

	registered(w, "\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS, false);
	for (int i = 0; i < 2; i++)
		fake_telegram_script(w->fake, "getWebhookInfo", 200,
		    "{\"ok\":true,\"result\":{\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS
		    "}}");
	fake_telegram_script(w->fake, "setWebhook", 500,
	    "{\"ok\":false,\"error_code\":500,\"description\":\"Internal\"}");
	telegram_webhook_settings(w->webhook, settings);
	settings_unref(settings);
	assert_int_equal(status_of(w, old), 401);
	post(w, fresh, "{\"update_id\":1}");
	fake_run_for(w->loop, 100);
	assert_int_equal(w->submitted, 2); /* the note of the refusal, the update */
	decide(w, 1, 200);
	assert_true(fake_run_until(w->loop, &w->is_answered, 2000));
	assert_int_equal(w->status, 200);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setWebhook", 2, 4000));
	assert_non_null(strstr(fake_telegram_heard(w->fake, "setWebhook", 1)->body,
	    "\"secret_token\":\"" NEW_SECRET "\""));
}

SCENE_TEST(settings_with_the_same_secret_set_nothing)
{
	/* Goal: a change of anything else costs Telegram no call. */
	struct settings *settings = other_secret(w, FAKE_SECRET);

	registered(w, "\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS, false);
	telegram_webhook_settings(w->webhook, settings);
	settings_unref(settings);
	fake_run_for(w->loop, 200);
	assert_int_equal(fake_telegram_count(w->fake, "getWebhookInfo"), 1);
	assert_int_equal(fake_telegram_count(w->fake, "setWebhook"), 0);
}

SCENE_TEST(a_secret_that_telegram_never_got_is_set_when_we_refuse_it)
{
	/* Goal: rotated while we were away, all looks well; the first refusal tells, once. */
	const char *refused =
	    "\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS ",\"last_error_date\":1795158590,"
	    "\"last_error_message\":\"Wrong response from the webhook: 401 Unauthorized\"";

	registered(w, "\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS, false);
	registered(w, refused, true);
	registered(w, refused, false);
}

#define STANDS "\"url\":\"" OUR_URL "\",\"allowed_updates\":" KINDS

SCENE_TEST(whether_updates_come_here_is_known)
{
	/* Goal: the gauge is 0 while a command at night would reach nobody. */
	char late[512];

	registered(w, "\"url\":\"\"", true);
	assert_int_equal(w->receiving, -1); /* set, and not seen standing yet */
	registered(w, STANDS, false);
	assert_int_equal(w->receiving, 1);
	registered(w, "\"url\":\"\"", true);
	assert_int_equal(w->receiving, 0);
	registered(w, STANDS, false);
	assert_int_equal(w->receiving, 1);
	registered(w, "\"url\":\"https://other.example.org/x\"", false);
	assert_int_equal(w->receiving, 0);
	registered(w, STANDS, false);
	assert_int_equal(w->receiving, 1);

	(void)snprintf(late, sizeof(late),
	    STANDS ",\"pending_update_count\":3,\"last_error_date\":%lld,"
		   "\"last_error_message\":\"Connection timed out\"",
	    (long long)time(NULL) - 90);
	registered(w, late, false);
	assert_int_equal(w->receiving, 0);
	(void)snprintf(late, sizeof(late),
	    STANDS ",\"pending_update_count\":3,\"last_error_date\":%lld,"
		   "\"last_error_message\":\"Connection timed out\"",
	    (long long)time(NULL) - 7200);
	registered(w, late, false);
	assert_int_equal(w->receiving, 1); /* what failed then has arrived long since */
	(void)snprintf(late, sizeof(late),
	    STANDS ",\"pending_update_count\":0,\"last_error_date\":%lld,"
		   "\"last_error_message\":\"Connection timed out\"",
	    (long long)time(NULL) - 90);
	registered(w, late, false);
	assert_int_equal(w->receiving, 1); /* it was tried again, and arrived */
}

SCENE_TEST(a_secret_that_is_told_anew_is_no_loss)
{
	/* Goal: doctor does not speak of another program for a minute. */
	struct settings *settings = other_secret(w, NEW_SECRET);

	registered(w, STANDS, false);
	fake_telegram_script(
	    w->fake, "getWebhookInfo", 200, "{\"ok\":true,\"result\":{" STANDS "}}");
	telegram_webhook_settings(w->webhook, settings);
	settings_unref(settings);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setWebhook", 1, 4000));
	fake_run_for(w->loop, 200);
	assert_int_equal(w->receiving, 1);
}

SCENE_TEST(a_revoked_token_is_known_without_a_message_to_send)
{
	/* Goal: /revoke in a quiet hour is noticed by the next look, not by the next message. */

	registered(w, STANDS, false);
	assert_int_equal(w->receiving, 1);
	fake_telegram_script(w->fake, "getWebhookInfo", 401,
	    "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}");
	ahead_s += 61;
	assert_true(fake_run_until_heard(w->loop, w->fake, "getWebhookInfo", 2, 20000));
	fake_run_for(w->loop, 200);
	assert_int_equal(w->receiving, 0);
}

static void
on_ordered(void *ctx, bool ok, const char *text)
{
	struct world *w = ctx;

	w->is_answered = true;
	w->order_ok = ok;
	(void)snprintf(w->text, sizeof(w->text), "%s", text);
}

static void
ask(struct world *w, enum telegram_webhook_command order)
{
	w->is_answered = false;
	assert_true(
	    telegram_webhook_order(w->loop, w->api, w->settings, order, on_ordered, w, NULL));
	assert_true(fake_run_until(w->loop, &w->is_answered, 5000));
}

SCENE_TEST(the_command_line_sets_shows_and_deletes)
{
	/* Goal: lines for people, and no secret among them. */
	static const char *const texts[] = { "Telegram sends updates to " OUR_URL "\n",
		"url: " OUR_URL "\npending_update_count: 3\nlast_error_date: 2026-11-20T07:09:50Z\n"
		"last_error_message: Connection refused\nallowed_updates: [\"message\"]\n",
		"Telegram refused: Unauthorized\n" };

	fake_telegram_script(w->fake, "getWebhookInfo", 200,
	    "{\"ok\":true,\"result\":{\"url\":\"" OUR_URL
	    "\",\"pending_update_count\":3,\"last_error_date\":1795158590,"
	    "\"last_error_message\":\"Connection refused\",\"allowed_updates\":[\"message\"]}}");
	fake_telegram_script(w->fake, "deleteWebhook", 401,
	    "{\"ok\":false,\"error_code\":401,\"description\":\"Unauthorized\"}");
	for (int order = TELEGRAM_WEBHOOK_SET; order <= TELEGRAM_WEBHOOK_DELETE; order++) {
		ask(w, (enum telegram_webhook_command)order);
		assert_null(strstr(w->text, FAKE_SECRET));
		assert_int_equal(w->order_ok, order != TELEGRAM_WEBHOOK_DELETE);
		assert_string_equal(w->text, texts[order - TELEGRAM_WEBHOOK_SET]);
	}
}

SCENE_TEST(who_does_not_answer_has_refused_nothing)
{
	/* Regression: without DNS "Telegram refused" made people look for another token. */

	fake_telegram_script(w->fake, "getWebhookInfo", 200, "no JSON");
	ask(w, TELEGRAM_WEBHOOK_INFO);
	assert_false(w->order_ok);
	assert_ptr_equal(strstr(w->text, "Telegram does not answer: "), w->text);
	assert_non_null(
	    strstr(w->text, ": is TELEGRAM_API_BASE reachable, or is a TELEGRAM_PROXY needed?\n"));
}

SCENE_TEST(one_that_is_not_registered_yet_is_not_called_polling)
{
	/* Regression: right behind a start an administrator read that updates are polled. */

	for (int is_polling = 0; is_polling < 2; is_polling++) {
		w->settings->telegram_mode = is_polling ? TELEGRAM_POLLING : TELEGRAM_WEBHOOK;
		fake_telegram_script(w->fake, "getWebhookInfo", 200,
		    "{\"ok\":true,\"result\":{\"url\":\"\",\"pending_update_count\":0}}");
		ask(w, TELEGRAM_WEBHOOK_INFO);
		assert_string_equal(w->text,
		    is_polling ?
			"url: none: updates are polled\npending_update_count: 0\n" :
			"url: none yet: the server registers TELEGRAM_WEBHOOK_URL when it starts; ask again in a moment\npending_update_count: 0\n");
	}
}

SCENE_TEST(the_command_line_waits_as_long_as_it_is_told_to)
{
	/* Goal: a 429 is tried again after its pause; an hour is nobody's patience. */
	int64_t began = loop_now_ms();

	fake_telegram_script(w->fake, "deleteWebhook", 429,
	    "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests\","
	    "\"parameters\":{\"retry_after\":1}}");
	ask(w, TELEGRAM_WEBHOOK_DELETE);
	assert_true(w->order_ok);
	assert_true(loop_now_ms() - began >= 1000);
	assert_int_equal(fake_telegram_count(w->fake, "deleteWebhook"), 2);

	fake_telegram_script(w->fake, "deleteWebhook", 429,
	    "{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests\","
	    "\"parameters\":{\"retry_after\":3600}}");
	ask(w, TELEGRAM_WEBHOOK_DELETE);
	assert_false(w->order_ok);
	assert_string_equal(w->text, "Telegram refused: Too Many Requests\n");
}

int
main(void)
{
	struct err err;

	if (!crypto_start(&err))
		return 1;
	return unit_run(NULL);
}
