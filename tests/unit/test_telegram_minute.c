/* Goal: a group's minute is spent on what closes, ends and rings, and each message stands once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "order_aid.h"
#include "store/row_pin.h"

/* A question that was answered stood there for half a minute, with its button, for edits that show
 * progress were before it. */
TEST_WITH(
    an_edit_that_takes_a_button_away_goes_before_all_other_edits, order_set_up, order_tear_down)
{
	int64_t rows[10], question, began;

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
TEST_WITH(it_takes_the_next_call_that_is_free, order_set_up, order_tear_down)
{
	int64_t question, began;

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
TEST_WITH(an_edit_that_changes_nothing_is_not_sent, order_set_up, order_tear_down)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

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
TEST_WITH(what_is_sent_anew_stands_once, order_set_up, order_tear_down)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

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

/* Sent anew once more while Telegram takes the first: no copy of them stays. */
TEST_WITH(a_copy_that_was_passed_on_its_way_is_deleted_too, order_set_up, order_tear_down)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

	order_run_for(3 * SECOND);
	order_renew(row, "Failed", (struct message){ .rings_for = 7, .is_alarm = true });
	while (order_find("Failed") == NULL)
		order_step();
	order_renew(row, "Rolled back", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(10 * SECOND);
	order_change(row, "Rolled back, seen");
	order_run_for(2 * MINUTE);
	assert_int_equal(order_find("Rolled back, seen")->of, 3);
	assert_int_equal(order.n_deleted, 2);
	assert_int_equal(order.deleted[0] + order.deleted[1], 1 + 2);
}

/* What cannot be sent anew stays where it is, whatever is heard late of an edit of it. */
TEST_WITH(what_is_not_sent_anew_stays, order_set_up, order_tear_down)
{
	int64_t row = order_add("deploys", (struct message){ 0 });

	order_run_for(3 * SECOND);
	order.edits_hang = true;
	order_change(row, "builds");
	order_run_for(3 * SECOND);
	order.refuses = true;
	order_renew(row, "Failed", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(3 * SECOND);
	order.edits_hang = false;
	order_run_for(MINUTE);
	assert_int_equal(order.n_deleted, 0);
	assert_int_equal(order_count("Failed"), 2);
	assert_int_equal(order.sent[order.n - 1].of, 1);
}

static void
note_shown(void *ctx, UNUSED const struct message *message, const struct message_sent *said)
{
	*(int64_t *)ctx = said->remote_id;
}

/* Regression: progress was shown in the copy that had gone, of whose edit was heard late. */
TEST_WITH(progress_is_shown_where_it_was_sent_anew, order_set_up, order_tear_down)
{
	int64_t shown = 0, row;
	const struct telegram_send_hooks hooks = { NULL, note_shown, &shown, NULL };

	telegram_send_free(order.send);
	order.send = telegram_send_new(NULL, NULL, &hooks);
	row = order_add("deploys", (struct message){ 0 });
	order_run_for(3 * SECOND);
	order.edits_hang = true;
	order_change(row, "builds");
	order_run_for(3 * SECOND);
	order_renew(row, "Rolling back", (struct message){ .rings_for = 7, .is_alarm = true });
	order_run_for(3 * SECOND);
	assert_int_equal(shown, 2);
	order.edits_hang = false;
	order_run_for(10 * SECOND);
	assert_int_equal(shown, 2);
}

/* An edit was in hand when it was sent anew, and the program dies: there is one message. */
TEST_WITH(what_is_sent_anew_stands_once_after_a_crash, order_set_up, order_tear_down)
{
	int64_t row = order_add("deploys", (struct message){ 0 });
	size_t n = 0, before;

	order_run_for(3 * SECOND);
	order.edits_hang = true;
	order_change(row, "builds");
	order_run_for(3 * SECOND);
	order_renew(row, "Failed", (struct message){ .rings_for = 7, .is_alarm = true });
	before = order.n;
	order_crash();
	order_run_for(MINUTE);
	order_change(row, "Failed, seen");
	order_run_for(2 * MINUTE);
	for (size_t i = before; i < order.n; i++)
		n += !order.sent[i].is_edit;
	assert_int_equal(n, 1);
	assert_int_equal(order.n_deleted, 1);
	assert_int_equal(order.deleted[0], 1);
}

/* What failed has rung: that somebody has seen it takes no room of the next failure. */
TEST_WITH(the_edit_of_a_failure_is_no_failure, order_set_up, order_tear_down)
{
	int64_t row = order_add("Failed", (struct message){ .is_alarm = true });

	for (int i = 0; i < 20; i++)
		(void)order_add("a push waits", (struct message){ 0 });
	order_run_for(40 * SECOND);
	order_change(row, "Failed, seen by @ada");
	order_run_for(SECOND);
	order_change(row, "Failed, seen by @ada and @bob");
	order_run_for(10 * SECOND);
	assert_null(order_find("Failed, seen by @ada and @bob"));
	row = order_add("Failed too", (struct message){ .is_alarm = true });
	while (order_find("Failed too") == NULL)
		order_step();
	order_change(row, "Failed too, seen by @ada"); /* ordered before it was one */
	order_run_for(10 * SECOND);
	assert_null(order_find("Failed too, seen by @ada"));
}

/* One that was not sent yet says what it has come to, once. */
TEST_WITH(what_was_not_sent_is_sent_as_it_rings, order_set_up, order_tear_down)
{
	size_t tries;
	int64_t row;

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
TEST_WITH(what_is_held_back_is_sent_when_it_is_changed_or_its_time_has_come, order_set_up,
    order_tear_down)
{
	int64_t row, began;

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
TEST_WITH(that_a_groups_minute_is_full_is_said_once, order_set_up, order_tear_down)
{
	static const char words[] = "⏳ This group has had its 20 messages";
	size_t n = 0;

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
TEST_WITH(one_deployment_has_four_of_a_groups_minute, order_set_up, order_tear_down)
{
	static const char *const ends[] = { "Question", "Approval", "Deploying", "Live" };
	int64_t row = order_ask("Question", "work 1");

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

static void
act_pin(struct tx *tx, void *arg)
{
	row_pin_put(tx, &(struct pin){ .chat = GROUP, .message = *(int64_t *)arg });
}

/* It waits until the group is quiet, and nobody waits behind it. */
TEST_WITH(a_pinned_summary_keeps_no_other_edit_waiting, order_set_up, order_tear_down)
{
	int64_t pinned = order_add("shop runs 1", (struct message){ .is_silent = true });
	int64_t row = order_add("Deploying", (struct message){ 0 });

	(void)order_add("a push waits", (struct message){ 0 });
	order_run_for(6 * SECOND);
	store_aid_act(&order.aid, act_pin, &pinned);
	order_change(pinned, "shop runs 2");
	order_run_for(SECOND);
	order_change(row, "Checking");
	order_run_for(10 * SECOND);
	assert_non_null(order_find("Checking"));
	assert_null(order_find("shop runs 2"));
	order_run_for(2 * MINUTE);
	assert_non_null(order_find("shop runs 2"));
}

/* One that takes long shows how far it is, and no more than its four a minute. */
TEST_WITH(a_long_one_shows_progress_within_them, order_set_up, order_tear_down)
{
	int64_t row = order_add("Deploying", (struct message){ 0 });

	show_progress(row, 150, " of 150");
	assert_true(most_in_a_minute() <= 2);
	assert_in_range(order.n, 8, 12);
	order_renew(row, "Live", (struct message){ .rings_for = 7 });
	order_run_for(MINUTE);
	assert_true(most_in_a_minute() <= 4);
	assert_non_null(order_find("Live"));
}
