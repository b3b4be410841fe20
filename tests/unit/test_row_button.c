/* Goal: a button's row says what was written, and is closed with its deadline and its keyboard.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/row_button.h"

#include "store/row_effect.h"
#include "store/store_inside.h"
#include "store_aid.h"
#include "unit.h"

#define CHAT INT64_C(-1002)

static struct button_row
sample(const char *action, int64_t work)
{
	return (struct button_row){
		.request = request_about(action, "work", work),
		.chat = CHAT,
		.timer = 61,
	};
}

static struct button_row
answer(int64_t work, const char *answer)
{
	struct button_row button = sample("confirm", work);

	request_add(&button.request, "answer", answer);
	return button;
}

static void
comes_back(struct tx *tx, void *arg)
{
	static const char *const actions[] = { "confirm", "cancel", "log", "looked", "deploy" };

	(void)arg;
	for (size_t i = 0; i < COUNT(actions); i++) {
		struct button_row written = sample(actions[i], 21), read;
		char ref[LIMIT_REF];

		written.person = 51;
		written.is_once = true;
		written.expires_at = tx->at + 1000;
		request_add(&written.request, "ref", "feature/x");
		row_button_add(tx, &written);
		assert_true(written.is_open);
		read = row_button_get(tx, written.id);
		assert_string_equal(read.id, written.id);
		assert_int_equal(strlen(read.id), LIMIT_BUTTON_ID - 1);
		assert_string_equal(read.request.action, actions[i]);
		assert_int_equal(request_number(&read.request, "work"), 21);
		assert_string_equal(request_get(&read.request, "ref", ref), "feature/x");
		assert_int_equal(read.chat, CHAT);
		assert_int_equal(read.person, 51);
		assert_true(read.is_once);
		assert_int_equal(read.timer, 61);
		assert_int_equal(read.expires_at, tx->at + 1000);
		assert_true(read.is_open);
		assert_string_equal(row_button_find(tx, &written.request, CHAT).id, written.id);
		assert_string_equal(row_button_find(tx, &written.request, CHAT - 1).id, "");
		request_drop(&written.request, "ref");
		assert_string_equal(row_button_find(tx, &written.request, CHAT).id, "");
	}
	assert_string_equal(row_button_get(tx, "0123456789abcdef").id, "");
}

TEST(a_button_is_read_as_it_was_written_and_no_other)
{
	struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_aid_act(&aid, comes_back, NULL);
	store_aid_close(&aid);
}

static void
closes(struct tx *tx, void *arg)
{
	int64_t timer = row_effect_timer(tx, TIMER_QUESTION, "", 21, tx->at + 1000);
	struct button_row yes = answer(21, "yes"), no = answer(21, "no");
	struct button_row other = answer(22, "yes"), log = sample("log", 21);

	(void)arg;
	row_button_add(tx, &yes);
	row_button_add(tx, &other);
	row_button_add(tx, &no);
	row_button_add(tx, &log);
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 21), timer);
	row_button_close_yes(tx, 21);
	assert_false(row_button_get(tx, yes.id).is_open);
	assert_true(row_button_get(tx, no.id).is_open); /* it can be left while git is asked */
	assert_true(row_button_get(tx, other.id).is_open);
	assert_string_equal(row_button_find(tx, &yes.request, CHAT).id, "");
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 21), 0); /* nothing expires any more */
	timer = row_effect_timer(tx, TIMER_QUESTION, "", 21, tx->at + 1000);
	row_button_close_question(tx, 21);
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 21), 0);
	assert_false(row_button_get(tx, no.id).is_open);
	assert_true(row_button_get(tx, log.id).is_open);
	assert_true(row_button_get(tx, other.id).is_open);
}

TEST(a_question_that_is_closed_takes_its_deadline_along)
{
	struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_aid_act(&aid, closes, NULL);
	store_aid_close(&aid);
}

static struct button_row first, second, elsewhere, shown;

static void
makes_keyboards(struct tx *tx, void *arg)
{
	int64_t timer = row_effect_timer(tx, TIMER_QUESTION, "", 31, tx->at + 1000);
	struct buttons here = { 0 }, there = { 0 };
	char label[LIMIT_BUTTON];

	(void)arg;
	first = second = elsewhere = shown = sample("deploy", 31);
	first.expires_at = second.expires_at = tx->at + 600;
	row_button_show(tx, &first, "one", &here);
	row_button_show(tx, &second, "two", &here);
	row_button_show(tx, &elsewhere, "three", &there);
	row_button_add(tx, &shown); /* wherever its target is shown */
	row_button_set_message(tx, &here, 91);
	row_button_set_message(tx, &there, 92);
	row_button_set_effect(tx, 91, timer);
	assert_int_equal(row_button_get(tx, first.id).request.message, 91);
	assert_string_equal(here.at[1].label, "two");
	assert_string_equal(here.at[1].id, second.id);

	row_button_close_keyboard(tx, 0);
	assert_true(row_button_get(tx, shown.id).is_open);
	for (int i = 2; i < LIMIT_BUTTONS + 2; i++) {
		struct button_row more = sample("deploy", i);

		(void)snprintf(label, sizeof(label), "%d", i);
		row_button_show(tx, &more, label, &here);
	}
	assert_int_equal(here.n, LIMIT_BUTTONS); /* full */
}

static void
closes_a_keyboard(struct tx *tx, UNUSED void *arg)
{
	row_button_close_keyboard(tx, 91);
	assert_false(row_button_get(tx, first.id).is_open);
	assert_false(row_button_get(tx, second.id).is_open);
	assert_true(row_button_get(tx, elsewhere.id).is_open);
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 31), 0);
}

TEST(the_buttons_of_one_keyboard_are_closed_together_with_what_was_begun_for_it)
{
	struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_aid_act(&aid, makes_keyboards, NULL);
	store_aid_act(&aid, closes_a_keyboard, NULL);
	store_aid_close(&aid);
}

static void
is_expired(struct tx *tx, void *arg)
{
	assert_int_equal(row_button_get(tx, first.id).is_open, *(bool *)arg);
	assert_true(row_button_get(tx, elsewhere.id).is_open); /* it has no end of its own */
}

TEST(a_button_ends_at_its_time)
{
	bool open = true, expired = false;
	struct store_aid aid;

	store_aid_open(&aid, NULL, NULL, NULL);
	store_aid_act(&aid, makes_keyboards, NULL);
	aid.at += 599;
	store_aid_act(&aid, is_expired, &open);
	aid.at += 1;
	store_aid_act(&aid, is_expired, &expired);
	store_aid_close(&aid);
}
