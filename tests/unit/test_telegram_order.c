/* Goal: in a full chat what matters goes first, and nobody waits for ever.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "order_aid.h"

/* 30 requests a minute: each a question, and an answer to who asked. */
static void
flood(int64_t ms)
{
	char head[32];

	for (int64_t i = 0; i < ms / (2 * SECOND); i++) {
		(void)snprintf(head, sizeof(head), "question %lld", (long long)i);
		(void)order_add(head, (struct message){ 0 });
		(void)snprintf(head, sizeof(head), "answer %lld", (long long)i);
		(void)order_add(head, (struct message){ .is_answer = true });
		order_run_for(2 * SECOND);
	}
}

/* A group that is asked 30 times a minute is minutes behind.  That production is down is not. */
TEST_WITH(a_failure_is_sent_at_once_however_many_messages_wait, order_set_up, order_tear_down)
{
	int64_t work, failed, began;

	work = order_add("production deploys", (struct message){ 0 });
	flood(5 * MINUTE);
	began = order.now;
	failed = order_add(
	    "Failed: production", (struct message){ .is_alarm = true, .reply_row = work });
	flood(10 * SECOND);
	assert_true(order_sent_at("Failed: production") - began <= 2 * SECOND);
	assert_true(order_find("Failed: production")->is_reply);
	order_change(failed, "Failed: production, looked at"); /* which waits as all edits do */
	began = order.now;
	(void)order_add("Failed: staging", (struct message){ .is_alarm = true });
	order_run_for(2 * SECOND);
	assert_true(order_sent_at("Failed: staging") - began <= 2 * SECOND);
	assert_null(order_find("Failed: production, looked at"));
	assert_null(order_find("question 149")); /* it is still waiting: the chat is full */
	order_run_for(60 * MINUTE);
	for (int i = 5; i < 150; i++) { /* each once: 0 to 4 were said by both floods */
		char head[32];

		(void)snprintf(head, sizeof(head), "question %d", i);
		(void)order_sent_at(head);
		(void)snprintf(head, sizeof(head), "answer %d", i);
		(void)order_sent_at(head);
	}
}

/* ... and never more than Telegram takes. */
TEST_WITH(a_group_is_sent_20_a_minute_with_its_alarms, order_set_up, order_tear_down)
{
	size_t first = 0, most = 0;

	for (int i = 0; i < 20; i++) {
		(void)order_add("Failed", (struct message){ .is_alarm = true });
		flood(10 * SECOND);
	}
	for (size_t i = 0; i < order.n; i++) {
		while (order.sent[i].at - order.sent[first].at >= MINUTE)
			first++;
		most = i - first + 1 > most ? i - first + 1 : most;
	}
	assert_int_equal(most, 20);
}

/* However many fail: whoever has waited for a minute is next. */
TEST_WITH(
    failures_without_end_hold_nobody_up_for_longer_than_a_minute, order_set_up, order_tear_down)
{
	int64_t began = order.now;

	for (int i = 0; i < 300; i++) {
		if (i == 60) {
			began = order.now;
			(void)order_add("a question", (struct message){ 0 });
			(void)order_add("an answer", (struct message){ .is_answer = true });
		}
		(void)order_add("Failed", (struct message){ .is_alarm = true });
		order_run_for(SECOND);
	}
	assert_in_range(order_sent_at("an answer") - began, 5 * SECOND, 2 * MINUTE);
	assert_in_range(order_sent_at("a question") - began, 5 * SECOND, 2 * MINUTE);
}

/* A group full of edits: what is new there is no minute late, whether those were edits when they
 * were ordered or what they edit was on its way then. */
TEST_WITH(what_is_new_does_not_wait_for_edits, order_set_up, order_tear_down)
{
	int64_t rows[16], row, began;

	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = order_add("deploys", (struct message){ 0 });
	order_run_for(3 * MINUTE);
	for (size_t i = 0; i < COUNT(rows); i++)
		order_change(rows[i], "builds");
	began = order.now;
	(void)order_add("a push waits", (struct message){ 0 });
	order_run_for(40 * SECOND);
	assert_true(order_sent_at("a push waits") - began <= 4 * SECOND);
	began = order.now;
	row = order_add("another push", (struct message){ 0 });
	for (int i = 0; i < 100 && order_find("another push") == NULL; i++)
		order_step();
	order_change(row, "another push deploys"); /* behind its own sending, which is out */
	(void)order_add("a third push", (struct message){ 0 });
	order_run_for(10 * SECOND);
	assert_null(order_find("another push deploys")); /* no room for an edit */
	assert_true(order_sent_at("a third push") - began <= 8 * SECOND);
	order_run_for(2 * MINUTE);
	assert_true(order_find("another push deploys")->is_edit);
}

static void
act_pressed(struct tx *tx, void *arg)
{
	struct order_say *say = arg;

	row_message_is_looked_at(tx, say->row);
	row_message_change(tx, say->row, &say->message);
}

/* Who presses "Seen" in a group full of edits sees that it was, and an alarm goes before that. */
TEST_WITH(an_edit_that_follows_a_press_waits_for_no_other_edit, order_set_up, order_tear_down)
{
	struct order_say seen = { .message = { .head = (char *)"DOWN, seen by @ada" } };
	int64_t rows[16], began;

	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = order_add("deploys", (struct message){ 0 });
	seen.row = order_add("DOWN", (struct message){ .is_alarm = true });
	order_run_for(3 * MINUTE);
	for (size_t i = 0; i < COUNT(rows); i++)
		order_change(rows[i], "builds");
	order_run_for(30 * SECOND);
	began = order.now;
	store_aid_act(&order.aid, act_pressed, &seen);
	(void)order_add("another DOWN", (struct message){ .is_alarm = true });
	order_run_for(4 * SECOND);
	assert_non_null(order_find("DOWN, seen by @ada"));
	assert_true(order_find("DOWN, seen by @ada")->is_edit);
	assert_true(order_find("DOWN, seen by @ada")->at > order_sent_at("another DOWN"));
	assert_true(order_sent_at("another DOWN") - began <= 2 * SECOND);
}

/* Nobody is shown a question that is none any more, minutes late. */
TEST_WITH(
    a_question_that_has_ended_before_it_was_sent_says_how_it_ended, order_set_up, order_tear_down)
{
	struct order_say say = { .message = { .address.chat = GROUP, .head = (char *)"Deploy?" },
		.button = "work 1" };

	order.is_away = true;
	(void)order_add("first", (struct message){ 0 });
	order_run_for(SECOND);
	store_aid_act(&order.aid, order_act_add, &say); /* behind it */
	order_run_for(SECOND);
	order_change(say.row, "Expired, nobody answered");
	order.is_away = false;
	order_run_for(10 * MINUTE);
	assert_null(order_find("Deploy?"));
	assert_false(order_find("Expired, nobody answered")->has_buttons);
	assert_false(order_find("Expired, nobody answered")->is_edit);
}

/* The same where the sender has it already. */
TEST_WITH(a_question_that_ends_while_it_is_next_says_how_it_ended, order_set_up, order_tear_down)
{
	struct order_say say = { .message = { .address.chat = GROUP, .head = (char *)"Deploy?" },
		.button = "work 1" };
	size_t before;

	for (int i = 0; i < 17; i++)
		(void)order_add("question", (struct message){ 0 });
	store_aid_act(&order.aid, order_act_add, &say);
	order_run_for(30 * SECOND);
	before = order.n;
	order_change(say.row, "Expired, nobody answered");
	order_run_for(10 * MINUTE);
	assert_null(order_find("Deploy?"));
	assert_false(order_find("Expired, nobody answered")->has_buttons);
	assert_true(order.n > before);
}

/* "Which one?" has no row that ends with it: its buttons do. */
TEST_WITH(buttons_that_have_expired_are_not_shown, order_set_up, order_tear_down)
{
	struct order_say say = { .message = { .address.chat = GROUP, .head = (char *)"Which one?" },
		.button = "shop/staging",
		.lives_ms = MINUTE };
	struct order_say fresh = { .message = { .address.chat = GROUP,
				       .head = (char *)"Which other?" },
		.button = "shop/production",
		.lives_ms = 30 * MINUTE };

	order.is_away = true;
	(void)order_add("first", (struct message){ 0 });
	order_run_for(SECOND);
	store_aid_act(&order.aid, order_act_add, &say);
	store_aid_act(&order.aid, order_act_add, &fresh);
	order_run_for(2 * MINUTE);
	order.is_away = false;
	order_run_for(10 * MINUTE);
	assert_false(order_find("Which one?")->has_buttons);
	assert_true(order_find("Which other?")->has_buttons);
}

/* Telegram hangs with an edit: what failed does not wait for it. */
TEST_WITH(a_failure_does_not_wait_for_an_edit, order_set_up, order_tear_down)
{
	int64_t row = order_add("deploys", (struct message){ 0 }), began;

	order_run_for(5 * SECOND);
	order.edits_hang = true;
	order_change(row, "builds");
	order_run_for(5 * SECOND);
	assert_non_null(order_find("builds"));
	began = order.now;
	(void)order_add("a question", (struct message){ 0 });
	(void)order_add("Failed", (struct message){ .is_alarm = true });
	order_run_for(5 * SECOND);
	assert_true(order_sent_at("Failed") - began <= SECOND);
	assert_null(order_find("a question"));
	order.edits_hang = false;
	order_run_for(5 * SECOND);
	assert_non_null(order_find("a question"));
}
