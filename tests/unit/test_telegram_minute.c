/* Goal: a group's minute is spent on what closes, ends and rings, and each message stands once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "order_aid.h"

/* A question that was answered stood there for half a minute, with its button, for edits that show
 * progress were before it. */
static void
an_edit_that_takes_a_button_away_goes_before_all_other_edits(void **state)
{
	int64_t rows[10], question, began;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		rows[i] = order_add("deploys", (struct message){ 0 });
	question = order_ask("Deploy?", "work 1");
	order_run_for(3 * MINUTE);
	for (size_t i = 0; i < COUNT(rows); i++)
		order_change(rows[i], "builds");
	order_run_for(SECOND);
	began = order.now;
	order_change(question, "Confirmed");
	order_run_for(3 * SECOND);
	assert_non_null(order_find("Confirmed"));
	assert_true(order_find("Confirmed")->is_edit);
	assert_false(order_find("Confirmed")->has_buttons);
	assert_true(
	    order_find("Confirmed")->at - began <= 2 * SECOND); /* the next that a chat has */
	assert_true(order_count("builds") < COUNT(rows));
}

/* ... also where a group has no room for edits any more, or the sender has one of it already. */
static void
it_takes_the_next_call_that_is_free(void **state)
{
	int64_t question, began;

	(void)state;
	question = order_ask("Deploy?", "work 1");
	order_run_for(2 * MINUTE);
	for (int i = 0; i < 16; i++)
		(void)order_add("answer", (struct message){ .is_answer = true });
	order_run_for(20 * SECOND);
	store_aid_act(&order.aid, order_act_change_text,
	    &(struct order_say){ .row = question, .message = { .head = (char *)"Deploy? seen" } });
	order_run_for(SECOND); /* in hand: there is no room for it */
	began = order.now;
	order_change(question, "Confirmed");
	(void)order_add("another answer", (struct message){ .is_answer = true });
	order_run_for(3 * SECOND);
	assert_non_null(order_find("Confirmed"));
	assert_true(order_find("Confirmed")->at - began <= SECOND);
	assert_null(order_find("another answer")); /* that was the last of the minute but alarms' */
	(void)order_add("Failed", (struct message){ .is_alarm = true });
	order_run_for(2 * SECOND);
	assert_non_null(order_find("Failed"));
}

/* Telegram answered 400, "message is not modified", and counted it. */
static void
an_edit_that_changes_nothing_is_not_sent(void **state)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

	(void)state;
	order_run_for(2 * SECOND);
	order_change(row, "builds");
	order_change(row, "Live"); /* the one in hand says that, and one behind it does */
	order_run_for(20 * SECOND);
	assert_int_equal(order.n, 2);
	assert_int_equal(order_count("Live"), 1);
	order_change(row, "looked at");
	order_change(row, "Live"); /* as it was */
	order_run_for(2 * MINUTE);
	assert_int_equal(order.n, 2);
	order_change(row, "Rolled back");
	order_run_for(MINUTE);
	assert_int_equal(order_count("Rolled back"), 1);
}

/* What rings is one message, below all else: no copy of it above, nor what it said before. */
static void
what_is_sent_anew_stands_once(void **state)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

	(void)state;
	order_run_for(3 * SECOND);
	order.edits_hang = true;
	order_change(row, "builds");
	order_run_for(3 * SECOND);
	order_change(row, "starts"); /* behind an edit that hangs */
	order_renew(
	    row, "Failed, rolling back", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(2 * SECOND);
	assert_true(order_find("Failed, rolling back")->rings);
	assert_int_equal(order.n_deleted, 1);
	assert_int_equal(order.deleted[0], 1);
	order.edits_hang = false;
	order_run_for(10 * SECOND); /* the late answer is of the copy that has gone */
	order_renew(row, "Rolled back", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(10 * SECOND);
	order_change(row, "Rolled back, seen");
	order_run_for(2 * MINUTE);
	assert_null(order_find("starts"));
	assert_int_equal(order.n_deleted, 3); /* the first once more: it is gone */
	assert_int_equal(order.deleted[2], 2);
	assert_int_equal(order_find("Rolled back, seen")->of, 4); /* what is there now */
}

/* Regression: of two rings in a second the copy above both stayed, with its buttons. */
static void
what_rings_again_while_it_is_sent_leaves_no_copy(void **state)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

	(void)state;
	order_run_for(3 * SECOND);
	order_renew(
	    row, "Failed, rolling back", (struct message){ .rings_for = 7, .is_alarm = true });
	while (order_find("Failed, rolling back") == NULL)
		order_step();
	order_renew(row, "Rolled back", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(10 * SECOND);
	assert_int_equal(order_count("Rolled back"), 1);
	assert_int_equal(order.n_deleted, 2);
	assert_int_equal(order.deleted[0], 1);
	assert_int_equal(order.deleted[1], 2);
}

/* One that was not sent yet says what it has come to, once. */
static void
what_was_not_sent_is_sent_as_it_rings(void **state)
{
	size_t tries;
	int64_t row;

	(void)state;
	order.is_away = true;
	row = order_add("deploys", (struct message){ .is_silent = true });
	order_run_for(10 * SECOND);
	tries = order_count("deploys");
	order_renew(row, "Failed", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(30 * SECOND);
	order.is_away = false;
	order_run_for(10 * MINUTE);
	assert_int_equal(order_count("deploys"), tries); /* which nobody answered */
	assert_true(order_find("Failed")->rings);
	assert_int_equal(order.n_deleted, 0);
	for (size_t i = 0; i < order.n; i++)
		assert_false(order.sent[i].is_edit);
}

/* "Asking git" is said where git takes longer than a moment; else there is only its answer. */
static void
what_is_held_back_is_sent_when_it_is_changed_or_its_time_has_come(void **state)
{
	int64_t row, began;

	(void)state;
	row = order_add("asking git", (struct message){ .held_until = order.aid.at + 1500 });
	(void)order_add(
	    "asking git for another", (struct message){ .held_until = order.aid.at + 1500 });
	(void)order_add("an answer", (struct message){ 0 });
	order_run_for(SECOND);
	assert_non_null(order_find("an answer")); /* nobody waits for what is held back */
	assert_int_equal(order.n, 1);
	began = order.now;
	order_change(row, "Deploy?");
	order_run_for(250);
	assert_true(order_sent_at("Deploy?") - began <= 200);
	assert_null(order_find("asking git"));
	order_run_for(2 * SECOND);
	assert_non_null(order_find("asking git for another"));
	order_run_for(2 * MINUTE);
	assert_int_equal(order.n, 3);
}

/* Whoever waits in a full group knows why, and reads it once. */
static void
that_a_groups_minute_is_full_is_said_once(void **state)
{
	static const char words[] = "⏳ This group has had its 20 messages";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 60; i++)
		(void)order_add("a question", (struct message){ 0 });
	order_run_for(4 * MINUTE);
	for (size_t i = 0; i < order.n; i++)
		n += strncmp(order.sent[i].text, words, sizeof(words) - 1) == 0;
	assert_int_equal(n, 1);
	assert_false(order.sent[17].rings);
	assert_int_equal(strncmp(order.sent[17].text, words, sizeof(words) - 1), 0);
	assert_true(order.sent[17].at - order.sent[16].at <= 2 * SECOND);
}

/* --- a deployment of production in a group --- */

/* The most calls in any minute. */
static size_t
most_in_a_minute(void)
{
	size_t first = 0, most = 0;

	for (size_t i = 0; i < order.n; i++) {
		while (order.sent[i].at - order.sent[first].at >= MINUTE)
			first++;
		most = i - first + 1 > most ? i - first + 1 : most;
	}
	return most;
}

static void
show_progress(int64_t row, int n, const char *more)
{
	char head[32];

	for (int i = 0; i < n; i++) {
		(void)snprintf(head, sizeof(head), "Deploying %d%s", i, more);
		order_change(row, head);
		order_run_for(2 * SECOND);
	}
}

/* Question, approval, that it begins, its end: all else waits. */
static void
one_deployment_has_four_of_a_groups_minute(void **state)
{
	static const char *const ends[] = { "Question", "Approval", "Deploying", "Live" };
	int64_t row = order_ask("Question", "work 1");

	(void)state;
	order_run_for(2 * SECOND);
	order_renew(row, "Approval", (struct message){ .rings_for = 7 });
	order_run_for(2 * SECOND);
	order_change(row, "Approval, 1 of 2");
	order_run_for(2 * SECOND);
	order_renew(row, "Live", (struct message){ .rings_for = 7 });
	order_run_for(20 * SECOND);
	assert_int_equal(order.n, 3);
	order.n = 0;
	order_run_for(2 * MINUTE);
	row = order_ask("Question", "work 2");
	order_run_for(2 * SECOND);
	order_change(row, "Deploying");
	show_progress(row, 10, "");
	order_renew(row, "Live", (struct message){ .rings_for = 8 });
	order_run_for(2 * MINUTE);
	assert_true(most_in_a_minute() <= COUNT(ends));
	assert_int_equal(order_count("Live"), 1);
}

/* One that takes long shows how far it is, and no more than its four a minute. */
static void
a_long_one_shows_progress_within_them(void **state)
{
	int64_t row = order_add("Deploying", (struct message){ 0 });

	(void)state;
	show_progress(row, 150, " of 150");
	assert_true(most_in_a_minute() <= 2);
	assert_in_range(order.n, 8, 12);
	order_renew(row, "Live", (struct message){ .rings_for = 7 });
	order_run_for(MINUTE);
	assert_true(most_in_a_minute() <= 4);
	assert_non_null(order_find("Live"));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, order_set_up, order_tear_down)
	const struct CMUnitTest tests[] = {
		T(an_edit_that_takes_a_button_away_goes_before_all_other_edits),
		T(it_takes_the_next_call_that_is_free),
		T(an_edit_that_changes_nothing_is_not_sent),
		T(what_is_sent_anew_stands_once),
		T(what_rings_again_while_it_is_sent_leaves_no_copy),
		T(what_was_not_sent_is_sent_as_it_rings),
		T(what_is_held_back_is_sent_when_it_is_changed_or_its_time_has_come),
		T(that_a_groups_minute_is_full_is_said_once),
		T(one_deployment_has_four_of_a_groups_minute),
		T(a_long_one_shows_progress_within_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
