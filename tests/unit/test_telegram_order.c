/* test_telegram_order.c - what goes first in a full chat: rows, lanes, jobs and pace, on a clock of the test's own. */
/* SPDX-License-Identifier: ISC */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "handlers/handlers.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "store/row_button.h"
#include "store/row_message.h"
#include "store_aid.h"
#include "telegram/telegram_api.h"
#include "telegram/telegram_send.h"

#define GROUP	  (-1001234567890)
#define ANSWER_MS 200
#define SECOND	  INT64_C(1000)
#define MINUTE	  (60 * SECOND)
#define SENT_MAX  1000

struct sent {
	char text[48];
	bool is_edit;
	bool is_reply;
	bool has_buttons;
	int64_t at;
};

/* The loop's clock, its one timer, and Telegram, which answers after a while. */
static struct {
	struct store_aid aid;
	struct telegram_send *send;
	int64_t now;
	bool is_deferred;
	struct loop_task *pump;
	struct loop_timer *timer;
	int64_t timer_at; /* -1: none */
	telegram_done_fn *on_done;
	void *call_ctx;
	int64_t call_at;
	bool is_away;
	int64_t next_remote;
	size_t n;
	struct sent sent[SENT_MAX];
} w;

int64_t __wrap_loop_now_ms(void);
void __wrap_loop_defer(struct loop *loop, struct loop_task *task);
void __wrap_loop_timer_start(
    struct loop *loop, struct loop_timer *timer, int64_t after_ms, int64_t repeat_ms);
struct telegram_call *__wrap_telegram_api_post(struct telegram_api *api, const char *method,
    const struct buf *json, telegram_done_fn *on_done, void *ctx, struct err *err);
void __wrap_telegram_api_cancel(struct telegram_call *call);

int64_t
__wrap_loop_now_ms(void)
{
	return w.now;
}

void
__wrap_loop_defer(UNUSED struct loop *loop, struct loop_task *task)
{
	w.is_deferred = true;
	w.pump = task;
}

void
__wrap_loop_timer_start(
    UNUSED struct loop *loop, struct loop_timer *timer, int64_t after_ms, UNUSED int64_t repeat_ms)
{
	w.timer = timer;
	w.timer_at = w.now + after_ms;
}

void
__wrap_telegram_api_cancel(UNUSED struct telegram_call *call)
{
}

/* One chat has one call at a time. */
struct telegram_call *
__wrap_telegram_api_post(UNUSED struct telegram_api *api, const char *method,
    const struct buf *json, telegram_done_fn *on_done, void *ctx, struct err *err)
{
	struct sent *sent = &w.sent[w.n++];
	struct json *body = json_decode(buf_text(json), strlen(buf_text(json)), err);

	assert_true(w.n < SENT_MAX);
	assert_null(w.on_done);
	assert_non_null(body);
	*sent = (struct sent){ .at = w.now, .is_edit = strcmp(method, "editMessageText") == 0 };
	(void)text_copy(sent->text, sizeof(sent->text), json_str(json_get(body, "text")));
	sent->is_reply = json_get(body, "reply_parameters") != NULL;
	sent->has_buttons = strstr(buf_text(json), "callback_data") != NULL;
	json_free(body);
	w.on_done = on_done;
	w.call_ctx = ctx;
	w.call_at = w.now;
	return (struct telegram_call *)&w;
}

static void
answer(void)
{
	struct telegram_result result = { .description = "" };
	struct err err;
	char text[48];

	(void)snprintf(text, sizeof(text), "{\"message_id\":%lld}", (long long)++w.next_remote);
	if (!w.is_away)
		result = (struct telegram_result){ .ok = true,
			.code = 200,
			.description = "",
			.result = json_decode(text, strlen(text), &err) };
	TAKE(w.on_done)(w.call_ctx, &result);
	json_free((struct json *)result.result);
}

static void
on_said(void *ctx, const struct message_sent *said)
{
	struct effect *effect = ctx;

	if (said == NULL) {
		effect_free(effect);
		return;
	}
	effect->result->u.message_sent = *said;
	effect->result->u.message_sent.chat = effect->u.send_message.message.address.chat;
	(void)store_aid_report(&w.aid, effect);
}

/* What the store has decided reaches the loop. */
static void
take_outcomes(void)
{
	struct outcome *change;
	struct effect *effect;

	while ((effect = store_aid_take(&w.aid, EFFECT_SEND_MESSAGE)) != NULL)
		assert_true(telegram_message_send(
		    w.send, &effect->u.send_message.message, on_said, effect));
	while ((change = store_aid_take_outcome(&w.aid, OUTCOME_CHANGE)) != NULL) {
		telegram_message_change(w.send, &change->effect->u.send_message.message);
		outcome_free(change);
	}
}

static void
step(void)
{
	take_outcomes();
	while (w.is_deferred) {
		w.is_deferred = false;
		w.pump->run(w.pump, w.pump->ctx);
		take_outcomes();
	}
	w.now += 50;
	w.aid.at += 50;
	if (w.on_done != NULL && w.now >= w.call_at + ANSWER_MS)
		answer();
	if (w.timer_at >= 0 && w.now >= w.timer_at) {
		w.timer_at = -1;
		w.timer->on_expire(w.timer, w.timer->ctx);
	}
}

static void
run_for(int64_t ms)
{
	for (int64_t end = w.now + ms; w.now < end;)
		step();
}

static int
set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	w.timer_at = -1;
	w.now = MINUTE;
	store_aid_open(&w.aid, handlers, NULL, NULL);
	w.send = telegram_send_new(NULL, NULL, NULL);
	assert_non_null(w.send);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	telegram_send_free(w.send);
	store_aid_close(&w.aid);
	return 0;
}

/* --- what the store decides --- */

struct say {
	struct message message;
	int64_t row;
	const char *button; /* NULL: none */
	int64_t lives_ms;
};

static void
act_add(struct tx *tx, void *arg)
{
	struct say *say = arg;
	struct button_row button = { .chat = GROUP };

	if (say->button != NULL) {
		button.request = request_of("confirm", say->button);
		button.expires_at = say->lives_ms != 0 ? tx->at + say->lives_ms : 0;
		row_button_show(tx, &button, "Confirm", &say->message.buttons);
	}
	say->row = row_message_add(tx, &say->message);
}

static void
act_change(struct tx *tx, void *arg)
{
	struct say *say = arg;

	row_message_change(tx, say->row, &say->message);
}

static int64_t
add(const char *head, struct message as)
{
	struct say say = { .message = as };

	say.message.address.chat = GROUP;
	say.message.head = (char *)head;
	store_aid_act(&w.aid, act_add, &say);
	return say.row;
}

static void
change(int64_t row, const char *head)
{
	struct say say = { .row = row, .message = { .head = (char *)head } };

	store_aid_act(&w.aid, act_change, &say);
}

/* 30 requests a minute: each a question, and an answer to who asked. */
static void
flood(int64_t ms)
{
	char head[32];

	for (int64_t i = 0; i < ms / (2 * SECOND); i++) {
		(void)snprintf(head, sizeof(head), "question %lld", (long long)i);
		(void)add(head, (struct message){ 0 });
		(void)snprintf(head, sizeof(head), "answer %lld", (long long)i);
		(void)add(head, (struct message){ .is_answer = true });
		run_for(2 * SECOND);
	}
}

/* When it was sent first; it was, once. */
static int64_t
sent_at(const char *text)
{
	int64_t at = 0;
	int n = 0;

	for (size_t i = 0; i < w.n; i++)
		if (strcmp(w.sent[i].text, text) == 0 && !w.sent[i].is_edit) {
			at = w.sent[i].at;
			n++;
		}
	assert_int_equal(n, 1);
	return at;
}

static const struct sent *
find(const char *text)
{
	for (size_t i = 0; i < w.n; i++)
		if (strcmp(w.sent[i].text, text) == 0)
			return &w.sent[i];
	return NULL;
}

/* --- */

/* A group that is asked 30 times a minute is minutes behind.  That production is down is not. */
static void
a_failure_is_sent_at_once_however_many_messages_wait(void **state)
{
	int64_t work, failed, began;

	(void)state;
	work = add("production deploys", (struct message){ 0 });
	flood(5 * MINUTE);
	began = w.now;
	failed = add("Failed: production", (struct message){ .is_alarm = true, .reply_row = work });
	flood(10 * SECOND);
	assert_true(sent_at("Failed: production") - began <= 2 * SECOND);
	assert_true(find("Failed: production")->is_reply);
	change(failed, "Failed: production, looked at"); /* which waits as all edits do */
	began = w.now;
	(void)add("Failed: staging", (struct message){ .is_alarm = true });
	run_for(2 * SECOND);
	assert_true(sent_at("Failed: staging") - began <= 2 * SECOND);
	assert_null(find("Failed: production, looked at"));
	assert_null(find("question 149")); /* it is still waiting: the chat is full */
	run_for(60 * MINUTE);
	for (int i = 5; i < 150; i++) { /* each once: 0 to 4 were said by both floods */
		char head[32];

		(void)snprintf(head, sizeof(head), "question %d", i);
		(void)sent_at(head);
		(void)snprintf(head, sizeof(head), "answer %d", i);
		(void)sent_at(head);
	}
}

/* ... and never more than Telegram takes. */
static void
a_group_is_sent_20_a_minute_with_its_alarms(void **state)
{
	size_t first = 0, most = 0;

	(void)state;
	for (int i = 0; i < 20; i++) {
		(void)add("Failed", (struct message){ .is_alarm = true });
		flood(10 * SECOND);
	}
	for (size_t i = 0; i < w.n; i++) {
		while (w.sent[i].at - w.sent[first].at >= MINUTE)
			first++;
		most = i - first + 1 > most ? i - first + 1 : most;
	}
	assert_int_equal(most, 20);
}

/* What it replies to was not sent yet: both go, in their order. */
static void
a_failure_takes_along_what_it_replies_to(void **state)
{
	int64_t work, began;

	(void)state;
	flood(5 * MINUTE);
	work = add("production deploys", (struct message){ 0 });
	run_for(SECOND);
	began = w.now;
	assert_null(find("production deploys"));
	(void)add("Failed: production", (struct message){ .is_alarm = true, .reply_row = work });
	run_for(5 * SECOND);
	assert_true(sent_at("production deploys") < sent_at("Failed: production"));
	assert_true(sent_at("Failed: production") - began <= 4 * SECOND);
	assert_true(find("Failed: production")->is_reply);
}

/* The same where the sender has that message already, and waits for room. */
static void
a_failure_waits_for_what_it_replies_to_where_that_is_next(void **state)
{
	int64_t work, began;

	(void)state;
	for (int i = 0; i < 17; i++)
		(void)add("question", (struct message){ 0 });
	work = add("production deploys", (struct message){ 0 });
	run_for(30 * SECOND);
	assert_null(find("production deploys")); /* 17 went: it is the next */
	began = w.now;
	(void)add("Failed: production", (struct message){ .is_alarm = true, .reply_row = work });
	run_for(5 * SECOND);
	assert_true(sent_at("production deploys") < sent_at("Failed: production"));
	assert_true(sent_at("Failed: production") - began <= 4 * SECOND);
	assert_true(find("Failed: production")->is_reply);
}

/* The same, and it has changed meanwhile: it stands there once. */
static void
a_failure_and_the_edit_of_what_it_replies_to_send_nothing_twice(void **state)
{
	int64_t work;

	(void)state;
	for (int i = 0; i < 17; i++)
		(void)add("question", (struct message){ 0 });
	work = add("production deploys", (struct message){ 0 });
	run_for(30 * SECOND);
	assert_null(find("production deploys"));
	change(work, "production failed");
	(void)add("Failed: production", (struct message){ .is_alarm = true, .reply_row = work });
	change(work, "production failed, rolling back");
	run_for(10 * MINUTE);
	assert_null(find("production deploys"));
	assert_true(sent_at("production failed, rolling back") < sent_at("Failed: production"));
}

/* However many fail: whoever has waited for a minute is next. */
static void
failures_without_end_hold_nobody_up_for_longer_than_a_minute(void **state)
{
	int64_t began = w.now;

	(void)state;
	for (int i = 0; i < 300; i++) {
		if (i == 60) {
			began = w.now;
			(void)add("a question", (struct message){ 0 });
			(void)add("an answer", (struct message){ .is_answer = true });
		}
		(void)add("Failed", (struct message){ .is_alarm = true });
		run_for(SECOND);
	}
	assert_in_range(sent_at("an answer") - began, 5 * SECOND, 2 * MINUTE);
	assert_in_range(sent_at("a question") - began, 5 * SECOND, 2 * MINUTE);
}

/* A group full of edits: what is new there is no minute late, whether those were edits when they
 * were ordered or what they edit was on its way then. */
static void
what_is_new_does_not_wait_for_edits(void **state)
{
	int64_t rows[16], row, began;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = add("deploys", (struct message){ 0 });
	run_for(3 * MINUTE);
	for (size_t i = 0; i < COUNT(rows); i++)
		change(rows[i], "builds");
	began = w.now;
	(void)add("a push waits", (struct message){ 0 });
	run_for(40 * SECOND);
	assert_true(sent_at("a push waits") - began <= 4 * SECOND);
	began = w.now;
	row = add("another push", (struct message){ 0 });
	for (int i = 0; i < 100 && find("another push") == NULL; i++)
		step();
	change(row, "another push deploys"); /* behind its own sending, which is out */
	(void)add("a third push", (struct message){ 0 });
	run_for(10 * SECOND);
	assert_null(find("another push deploys")); /* no room for an edit */
	assert_true(sent_at("a third push") - began <= 8 * SECOND);
	run_for(2 * MINUTE);
	assert_true(find("another push deploys")->is_edit);
}

static void
act_pressed(struct tx *tx, void *arg)
{
	struct say *say = arg;

	row_message_is_looked_at(tx, say->row);
	row_message_change(tx, say->row, &say->message);
}

/* Who presses "Seen" in a group full of edits sees that it was, and an alarm goes before that. */
static void
an_edit_that_follows_a_press_waits_for_no_other_edit(void **state)
{
	struct say seen = { .message = { .head = (char *)"DOWN, seen by @ada" } };
	int64_t rows[16], began;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = add("deploys", (struct message){ 0 });
	seen.row = add("DOWN", (struct message){ .is_alarm = true });
	run_for(3 * MINUTE);
	for (size_t i = 0; i < COUNT(rows); i++)
		change(rows[i], "builds");
	run_for(30 * SECOND);
	began = w.now;
	store_aid_act(&w.aid, act_pressed, &seen);
	(void)add("another DOWN", (struct message){ .is_alarm = true });
	run_for(4 * SECOND);
	assert_non_null(find("DOWN, seen by @ada"));
	assert_true(find("DOWN, seen by @ada")->is_edit);
	assert_true(find("DOWN, seen by @ada")->at > sent_at("another DOWN"));
	assert_true(sent_at("another DOWN") - began <= 2 * SECOND);
}

/* Nobody is shown a question that is none any more, minutes late. */
static void
a_question_that_has_ended_before_it_was_sent_says_how_it_ended(void **state)
{
	struct say say = { .message = { .address.chat = GROUP, .head = (char *)"Deploy?" },
		.button = "work 1" };

	(void)state;
	w.is_away = true;
	(void)add("first", (struct message){ 0 });
	run_for(SECOND);
	store_aid_act(&w.aid, act_add, &say); /* behind it */
	run_for(SECOND);
	change(say.row, "Expired, nobody answered");
	w.is_away = false;
	run_for(10 * MINUTE);
	assert_null(find("Deploy?"));
	assert_false(find("Expired, nobody answered")->has_buttons);
	assert_false(find("Expired, nobody answered")->is_edit);
}

/* The same where the sender has it already. */
static void
a_question_that_ends_while_it_is_next_says_how_it_ended(void **state)
{
	struct say say = { .message = { .address.chat = GROUP, .head = (char *)"Deploy?" },
		.button = "work 1" };
	size_t before;

	(void)state;
	for (int i = 0; i < 17; i++)
		(void)add("question", (struct message){ 0 });
	store_aid_act(&w.aid, act_add, &say);
	run_for(30 * SECOND);
	before = w.n;
	change(say.row, "Expired, nobody answered");
	run_for(10 * MINUTE);
	assert_null(find("Deploy?"));
	assert_false(find("Expired, nobody answered")->has_buttons);
	assert_true(w.n > before);
}

/* "Which one?" has no row that ends with it: its buttons do. */
static void
buttons_that_have_expired_are_not_shown(void **state)
{
	struct say say = { .message = { .address.chat = GROUP, .head = (char *)"Which one?" },
		.button = "shop/staging",
		.lives_ms = MINUTE };
	struct say fresh = { .message = { .address.chat = GROUP, .head = (char *)"Which other?" },
		.button = "shop/production",
		.lives_ms = 30 * MINUTE };

	(void)state;
	w.is_away = true;
	(void)add("first", (struct message){ 0 });
	run_for(SECOND);
	store_aid_act(&w.aid, act_add, &say);
	store_aid_act(&w.aid, act_add, &fresh);
	run_for(2 * MINUTE);
	w.is_away = false;
	run_for(10 * MINUTE);
	assert_false(find("Which one?")->has_buttons);
	assert_true(find("Which other?")->has_buttons);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_failure_is_sent_at_once_however_many_messages_wait),
		T(a_group_is_sent_20_a_minute_with_its_alarms),
		T(a_failure_takes_along_what_it_replies_to),
		T(a_failure_waits_for_what_it_replies_to_where_that_is_next),
		T(a_failure_and_the_edit_of_what_it_replies_to_send_nothing_twice),
		T(failures_without_end_hold_nobody_up_for_longer_than_a_minute),
		T(what_is_new_does_not_wait_for_edits),
		T(an_edit_that_follows_a_press_waits_for_no_other_edit),
		T(a_question_that_has_ended_before_it_was_sent_says_how_it_ended),
		T(a_question_that_ends_while_it_is_next_says_how_it_ended),
		T(buttons_that_have_expired_are_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
