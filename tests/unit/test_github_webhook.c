/* Goal: nothing unsigned becomes an event, and what is signed is answered as it was decided.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_webhook.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/text.h"
#include "settings/settings_load.h"
#include "tests/unit/applications_aid.h"
#include "tests/unit/github_sample.h"
#include "tests/unit/hmac_of.h"
#include "tests/unit/http_ask.h"
#include "types/refusals.h"
#include "types/settings.h"
#include "unit.h"

#define SECRET "It's a Secret to Everybody"

struct world {
	struct loop *loop;
	struct refusals *refusals;
	struct github_webhook *webhook;
	struct http_route routes[GITHUB_WEBHOOK_ROUTES];
	struct http_server *server;
	struct settings *settings;
	struct loop_task decide;
	struct event *event; /* the last delivery that was submitted */
	int64_t rejected;    /* what EVENT_REJECTEDs stand for */
	size_t rejected_events;
	size_t previous_uses; /* EVENT_SECRET_USED */
	int decision;	      /* status of the next; 0: the store takes nothing */
	int counted;	      /* status counted last */
	char counted_of[ENVIRONMENT_NAME_MAX];
};

static struct settings *
today(void *ctx)
{
	return ((struct world *)ctx)->settings;
}

static void
on_decide(struct loop_task *task, void *ctx)
{
	struct world *w = ctx;
	struct answer answer = { .status = w->decision };

	(void)task;
	w->event->done(w->event->done_ctx, &answer);
}

static bool
submit(void *ctx, struct event *event)
{
	struct world *w = ctx;

	if (w->decision == 0)
		return false;
	if (event->kind == EVENT_REJECTED) {
		assert_string_equal(event->u.rejected.source, "github");
		w->rejected += event->u.rejected.count;
		w->rejected_events++;
		event->done(event->done_ctx, &(struct answer){ .status = 200 });
		event_free(event);
		return true;
	}
	if (event->kind == EVENT_SECRET_USED) {
		assert_string_equal(event->u.secret_used.name, "GITHUB_WEBHOOK_SECRET");
		assert_string_equal(event->u.secret_used.application, "");
		w->previous_uses++;
		event_free(event);
		return true;
	}
	assert_int_equal(event->kind, EVENT_DELIVERY);
	event_free(w->event);
	w->event = event;
	loop_defer(w->loop, &w->decide);
	return true;
}

static void
count(void *ctx, const char *application, int status)
{
	struct world *w = ctx;

	w->counted = status;
	(void)text_copy(w->counted_of, sizeof(w->counted_of), application);
}

static struct settings *
settings_rotated(const char *secret, const char *previous)
{
	char line[256] = "GITHUB_WEBHOOK_SECRET=";
	char before[256] = "GITHUB_WEBHOOK_SECRET_PREVIOUS=";
	char *list[] = { (char[]){
			     "TELEGRAM_BOT_TOKEN=123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi" },
		(char[]){ "ADMIN_TELEGRAM_IDS=1" }, (char[]){ "STATE_DIRECTORY=/tmp" },
		(char[]){ "GITHUB_REPOSITORY=o/r" }, secret == NULL ? NULL : line,
		previous == NULL ? NULL : before, NULL };
	struct settings_report report;
	struct settings *settings;

	if (secret != NULL)
		(void)snprintf(line, sizeof(line), "GITHUB_WEBHOOK_SECRET=%s", secret);
	if (previous != NULL)
		(void)snprintf(
		    before, sizeof(before), "GITHUB_WEBHOOK_SECRET_PREVIOUS=%s", previous);
	if (!settings_load(NULL, list, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	return settings;
}

static struct settings *
settings_with(const char *secret)
{
	return settings_rotated(secret, NULL);
}

static void
change_secret(struct world *w, const char *secret)
{
	settings_unref(w->settings);
	w->settings = settings_with(secret);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct github_webhook_config config = {
		.settings = today,
		.submit = submit,
		.count_request = count,
		.ctx = w,
	};
	struct http_server_config server = { .route_count = GITHUB_WEBHOOK_ROUTES };
	struct err err;

	w->decision = 200;
	w->settings = settings_with(SECRET);
	w->loop = config.loop = loop_new(&err);
	loop_task_init(&w->decide, on_decide, w);
	w->refusals = config.refusals =
	    refusals_new(&(struct refusals_config){ .loop = w->loop, .submit = submit, .ctx = w });
	w->webhook = github_webhook_new(&config);
	github_webhook_routes(w->webhook, w->routes);
	server.routes = w->routes;
	w->server = http_server_new(w->loop, &server, "127.0.0.1:0", &err);
	*state = w;
	return w->server == NULL;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	http_server_free(w->server);
	github_webhook_free(w->webhook);
	refusals_free(w->refusals);
	loop_free(w->loop);
	settings_unref(w->settings);
	event_free(w->event);
	free(w);
	return 0;
}

/* --- requests --- */

struct post {
	const char *body;
	size_t size;	       /* 0: of the text */
	const char *signature; /* NULL: the right one; "": no such header */
	const char *event;     /* NULL: push; "": none */
	const char *delivery;  /* NULL: one; "": none */
	const char *type;      /* NULL: application/json */
	const char *more;      /* further header lines */
	const char *path;      /* NULL: /github/webhook */
};

static void
sign(const char *secret, const void *body, size_t size, char out[80])
{
	struct crypto_hmac_key *key = crypto_hmac_key_new(secret, strlen(secret), NULL);
	uint8_t mac[CRYPTO_SHA256_SIZE];

	assert_true(hmac_of(key, body, size, mac, NULL));
	crypto_hmac_key_free(key);
	memcpy(out, "sha256=", 8);
	text_hex(out + 7, mac, sizeof(mac));
}

static void
add_header(struct buf *out, const char *name, const char *value)
{
	if (value[0] != '\0')
		buf_addf(out, "%s: %s\r\n", name, value);
}

/* Sends it; returns the status, checks that the body is empty and that it was counted. */
static int
post(struct world *w, struct post p)
{
	static struct http_asked asked;
	char right[80];
	struct buf out;

	p.size = p.size > 0 ? p.size : strlen(p.body);
	sign(SECRET, p.body, p.size, right);
	buf_init(&out, 64 << 20);
	buf_addf(&out, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n",
	    p.path == NULL ? "/github/webhook" : p.path, p.size);
	add_header(&out, "X-Hub-Signature-256", p.signature == NULL ? right : p.signature);
	add_header(&out, "X-GitHub-Event", p.event == NULL ? "push" : p.event);
	add_header(&out, "X-GitHub-Delivery",
	    p.delivery == NULL ? "72d3162e-cc78-11e3-81ab-4c9367dc0958" : p.delivery);
	add_header(&out, "Content-Type", p.type == NULL ? "application/json" : p.type);
	buf_adds(&out, p.more == NULL ? "" : p.more);
	buf_adds(&out, "\r\n");
	buf_add(&out, p.body, p.size);
	w->counted = 0;
	http_ask(w->loop, http_server_port(w->server), buf_text(&out), out.size, &asked);
	buf_done(&out);
	assert_string_equal(asked.body, "");
	assert_true((asked.status == 503) == (strstr(asked.text, "Retry-After") != NULL));
	return asked.status;
}

TEST_WITH(a_signed_delivery_is_answered_as_it_was_decided, set_up, tear_down)
{
	static const int decisions[] = { 200, 202, 400, 503 };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(decisions); i++) {
		w->decision = decisions[i];
		assert_int_equal(post(w, (struct post){ .body = "{\"a\":1}" }), decisions[i]);
		assert_int_equal(w->counted, decisions[i]);
	}
	assert_int_equal(w->rejected, 0);
}

TEST_WITH(the_event_holds_the_raw_body_its_mac_and_what_the_head_said, set_up, tear_down)
{
	struct world *w = *state;
	uint8_t mac[CRYPTO_SHA256_SIZE];
	char signature[80];
	struct buf push;

	buf_init(&push, 1 << 20);
	github_sample_push(&push, "refs/heads/m\\u00e4in", 5);
	assert_int_equal(post(w, (struct post){ .body = buf_text(&push) }), 200);
	assert_int_equal(w->event->source, SOURCE_GITHUB_JSON);
	assert_int_equal(w->event->raw.size, push.size);
	assert_memory_equal(w->event->raw.data, buf_text(&push), push.size);
	assert_int_equal(w->event->u.delivery.kind, DELIVERY_PUSH);
	assert_string_equal(w->event->u.delivery.id, "72d3162e-cc78-11e3-81ab-4c9367dc0958");
	sign(SECRET, buf_text(&push), push.size, signature);
	assert_true(text_unhex(mac, sizeof(mac), signature + 7, 64));
	assert_memory_equal(w->event->u.delivery.digest, mac, sizeof(mac));
	buf_done(&push);
	assert_int_equal(post(w,
			     (struct post){ .body = "payload=%7B%7D",
				 .event = "ping",
				 .type = "application/x-www-form-urlencoded; charset=utf-8" }),
	    200);
	assert_int_equal(w->event->source, SOURCE_GITHUB_FORM);
	assert_int_equal(w->event->u.delivery.kind, DELIVERY_PING);
}

/* post() signs with SECRET. */
TEST_WITH(the_previous_secret_opens_too_and_is_counted_until_it_is_gone, set_up, tear_down)
{
	struct world *w = *state;
	struct post p = { .body = "{\"a\":1}" };

	settings_unref(w->settings);
	w->settings = settings_rotated(SECRET, "another secret, that it was before");
	assert_int_equal(post(w, p), 200);
	assert_int_equal(w->previous_uses, 0);
	settings_unref(w->settings);
	w->settings = settings_rotated("another secret, that holds now", SECRET);
	assert_int_equal(post(w, p), 200);
	assert_int_equal(post(w, p), 200);
	assert_int_equal(w->previous_uses, 2);
	assert_int_equal(w->rejected, 0);
	settings_unref(w->settings);
	w->settings = settings_rotated("another secret, that holds now", "and one of others'");
	assert_int_equal(post(w, p), 401);
	change_secret(w, "another secret, that holds now");
	assert_int_equal(post(w, p), 401);
	assert_int_equal(w->previous_uses, 2);
}

TEST_WITH(without_the_right_signature_nothing_happens_but_a_count, set_up, tear_down)
{
	static const char *const bad[] = { "",
		"sha256=", "sha1=757107ea0eb2509fc211221cce984b8a37570b6d",
		"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		"sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17" };
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(
		    post(w, (struct post){ .body = "{\"a\":1}", .signature = bad[i] }), 401);
		assert_int_equal(w->counted, 401);
	}
	assert_null(w->event);
}

TEST_WITH(two_signatures_are_none, set_up, tear_down)
{
	struct world *w = *state;
	char line[128] = "X-Hub-Signature-256: ";

	sign(SECRET, "{}", 2, line + strlen(line));
	memcpy(line + strlen(line), "\r\n", 3);
	assert_int_equal(post(w, (struct post){ .body = "{}", .more = line }), 401);
	assert_int_equal(
	    post(w, (struct post){ .body = "{}", .signature = "", .more = line }), 200);
	assert_int_equal(
	    post(w, (struct post){ .body = "{} ", .signature = "", .more = line }), 401);
}

TEST_WITH(refusals_are_told_once_a_minute_with_their_number, set_up, tear_down)
{
	struct world *w = *state;

	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = "x" }), 401);
	assert_int_equal(w->rejected_events, 1);
	assert_int_equal(w->rejected, 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(post(w, (struct post){ .body = "{}", .signature = "x" }), 401);
	assert_int_equal(w->rejected_events, 1);
	assert_int_equal(w->rejected, 1);
}

TEST_WITH(a_store_that_takes_nothing_does_not_keep_a_refusal_from_being_answered, set_up, tear_down)
{
	struct world *w = *state;

	w->decision = 0;
	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = "x" }), 401);
	assert_int_equal(w->rejected_events, 0);
}

TEST_WITH(the_names_of_event_and_delivery_must_be_there_once, set_up, tear_down)
{
	static const struct post bad[] = {
		{ .body = "{}", .event = "" },
		{ .body = "{}", .delivery = "" },
		{ .body = "{}", .delivery = "a b" },
		{ .body = "{}", .more = "X-GitHub-Event: ping\r\n" },
		{ .body = "{}", .more = "X-GitHub-Delivery: 1\r\n" },
		{ .body = "" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(post(w, bad[i]), 400);
		assert_int_equal(w->counted, 400);
	}
	assert_null(w->event);
}

/* Its name is not signed: what may be a push is read, and told that it is none. */
TEST_WITH(what_nobody_asked_for_is_202_without_the_store_unless_it_may_be_a_push, set_up, tear_down)
{
	static const struct post unasked[] = {
		{ .body = "{\"action\":\"created\"}", .event = "star" },
		{ .body = "no JSON", .event = "Push" },
		{ .body = "payload=%7B%22action%22%3A1%7D",
		    .event = "star",
		    .type = "application/x-www-form-urlencoded" },
	};
	static const struct post pushes[] = {
		{ .body = "{\"ref\":1,\"before\":2,\"after\":3}", .event = "star" },
		{ .body = "payload=%7B%22before%22%3A1%7D",
		    .event = "star",
		    .type = "application/x-www-form-urlencoded" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < COUNT(unasked); i++) {
		assert_int_equal(post(w, unasked[i]), 202);
		assert_int_equal(w->counted, 202);
	}
	assert_null(w->event);
	w->decision = 400;
	for (size_t i = 0; i < COUNT(pushes); i++)
		assert_int_equal(post(w, pushes[i]), 400);
	assert_int_equal(w->event->u.delivery.kind, DELIVERY_OTHER);
}

TEST_WITH(a_store_that_takes_nothing_is_503_with_retry_after, set_up, tear_down)
{
	struct world *w = *state;

	w->decision = 0;
	assert_int_equal(post(w, (struct post){ .body = "{}" }), 503);
	w->decision = 200;
	assert_int_equal(post(w, (struct post){ .body = "{}" }), 200);
}

TEST_WITH(the_secret_is_the_one_of_the_moment, set_up, tear_down)
{
	struct world *w = *state;
	char signature[80];

	sign("another secret for everybody", "{}", 2, signature);
	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = signature }), 401);
	change_secret(w, "another secret for everybody");
	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = signature }), 200);
	assert_int_equal(post(w, (struct post){ .body = "{}" }), 401);
	change_secret(w, NULL);
	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = signature }), 404);
	assert_int_equal(w->counted, 404);
	change_secret(w, SECRET);
	assert_int_equal(post(w, (struct post){ .body = "{}" }), 200);
}

#define SHOP_SECRET "the secret of the shop alone"

static void
open_applications(struct world *w)
{
	change_secret(w, SECRET);
	applications_aid_add(w->settings, "blog", "GITHUB_REPOSITORY=o/blog", NULL);
	applications_aid_add(w->settings, "shop", "GITHUB_REPOSITORY=o/shop",
	    "GITHUB_WEBHOOK_SECRET=" SHOP_SECRET, NULL);
}

/* The path chooses the key: a secret opens its own webhook and no other. */
TEST_WITH(the_path_chooses_the_key_and_the_event_says_which, set_up, tear_down)
{
	struct world *w = *state;
	char shops[80];

	open_applications(w);
	sign(SHOP_SECRET, "{}", 2, shops);
	assert_int_equal(post(w, (struct post){ .body = "{}" }), 200);
	assert_string_equal(w->event->u.delivery.hook, "");
	assert_string_equal(w->counted_of, "");
	assert_int_equal(
	    post(w,
		(struct post){ .body = "{}", .path = "/github/webhook/shop", .signature = shops }),
	    200);
	assert_string_equal(w->event->u.delivery.hook, "shop");
	assert_string_equal(w->counted_of, "shop");
	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = shops }), 401);
	assert_string_equal(w->counted_of, "");
	assert_int_equal(
	    post(w, (struct post){ .body = "{}", .path = "/github/webhook/shop" }), 401);
	assert_string_equal(w->counted_of, "shop");
	assert_int_equal(w->event->kind, EVENT_DELIVERY);
	change_secret(w, SECRET);
	applications_aid_add(w->settings, "shop", "GITHUB_REPOSITORY=o/shop",
	    "GITHUB_WEBHOOK_SECRET=another one of the shop", NULL);
	assert_int_equal(
	    post(w,
		(struct post){ .body = "{}", .path = "/github/webhook/shop", .signature = shops }),
	    401);
}

/* Also of an application that has no secret of its own. */
TEST_WITH(a_path_that_is_no_application_s_is_404_and_counts_nothing, set_up, tear_down)
{
	static const char *const paths[] = { "/github/webhook/", "/github/webhook/blog",
		"/github/webhook/none", "/github/webhook/shop/", "/github/webhook/Shop",
		"/github/webhookshop", "/github/webhook/shop/staging" };
	struct world *w = *state;
	struct post p = { .body = "{}" };
	char shops[80];

	open_applications(w);
	sign(SHOP_SECRET, "{}", 2, shops);
	for (size_t i = 0; i < COUNT(paths); i++)
		for (int s = 0; s < 2; s++) {
			p.path = paths[i];
			p.signature = s == 0 ? NULL : shops;
			assert_int_equal(post(w, p), 404);
			assert_int_equal(w->counted, 0);
			assert_null(github_webhook_application(w->settings, paths[i]));
		}
	assert_null(w->event);
}

/* However many webhooks they try: one line a minute. */
TEST_WITH(refusals_of_all_webhooks_are_told_together, set_up, tear_down)
{
	struct world *w = *state;

	open_applications(w);
	assert_int_equal(post(w, (struct post){ .body = "{}", .signature = "x" }), 401);
	assert_int_equal(
	    post(
		w, (struct post){ .body = "{}", .path = "/github/webhook/shop", .signature = "x" }),
	    401);
	assert_int_equal(w->rejected_events, 1);
}

TEST_WITH(other_types_are_415_and_other_methods_405, set_up, tear_down)
{
	static const char get[] = "GET /github/webhook HTTP/1.1\r\nHost: x\r\n\r\n";
	static struct http_asked asked;
	struct world *w = *state;

	assert_int_equal(post(w, (struct post){ .body = "{}", .type = "text/plain" }), 415);
	assert_int_equal(post(w, (struct post){ .body = "{}", .type = "" }), 415);
	http_ask(w->loop, http_server_port(w->server), get, sizeof(get) - 1, &asked);
	assert_int_equal(asked.status, 405);
	assert_null(w->event);
}

TEST_WITH(a_body_of_25_mb_is_taken_and_one_above_26_is_not, set_up, tear_down)
{
	struct world *w = *state;
	size_t size = 25u << 20;
	char *body = malloc(GITHUB_WEBHOOK_BODY_MAX + 1);

	memset(body, ' ', GITHUB_WEBHOOK_BODY_MAX + 1);
	assert_int_equal(post(w, (struct post){ .body = body, .size = size }), 200);
	assert_int_equal(w->event->raw.size, size);
	assert_int_equal(
	    post(w, (struct post){ .body = body, .size = GITHUB_WEBHOOK_BODY_MAX + 1 }), 413);
	free(body);
}
