/* Goal: a button's row says what was written, and is closed with its deadline.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/row_button.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/row_effect.h"
#include "store/store_inside.h"
#include "store_aid.h"

#define CHAT INT64_C(-1002)

static struct button_row
sample(enum button_verb verb, int64_t deployment)
{
	return (struct button_row){
		.verb = verb,
		.deployment = deployment,
		.run = 31,
		.chat = CHAT,
		.requester = 51,
		.timer = 61,
	};
}

static void
comes_back(struct tx *tx, void *arg)
{
	(void)arg;
	for (int verb = BUTTON_CONFIRM; verb <= BUTTON_LOG; verb++) {
		struct button_row written = sample((enum button_verb)verb, 21), read;

		row_button_add(tx, &written);
		assert_true(written.is_open);
		read = row_button_get(tx, written.id);
		assert_string_equal(read.id, written.id);
		assert_int_equal(strlen(read.id), LIMIT_BUTTON_ID - 1);
		assert_int_equal(read.verb, verb);
		assert_int_equal(read.deployment, 21);
		assert_int_equal(read.run, 31);
		assert_int_equal(read.chat, CHAT);
		assert_int_equal(read.requester, 51);
		assert_int_equal(read.timer, 61);
		assert_true(read.is_open);
		read = row_button_find(tx, 21, (enum button_verb)verb, 31, CHAT);
		assert_string_equal(read.id, written.id);
	}
	assert_string_equal(row_button_get(tx, "0123456789abcdef").id, "");
	assert_string_equal(row_button_find(tx, 22, BUTTON_CONFIRM, 31, CHAT).id, "");
	assert_string_equal(row_button_find(tx, 21, BUTTON_CONFIRM, 32, CHAT).id, "");
	assert_string_equal(row_button_find(tx, 21, BUTTON_CONFIRM, 31, CHAT - 1).id, "");
}

static void
a_question_is_read_as_it_was_written_and_no_other(void **state)
{
	struct store_aid aid;

	(void)state;
	store_aid_open(&aid, NULL, NULL, NULL);
	store_aid_act(&aid, comes_back, NULL);
	store_aid_close(&aid);
}

static void
closes(struct tx *tx, void *arg)
{
	int64_t timer = row_effect_timer(tx, TIMER_QUESTION, "", 21, tx->at + 1000);
	struct button_row confirm = sample(BUTTON_CONFIRM, 21), other = sample(BUTTON_CONFIRM, 22);
	struct button_row decline = sample(BUTTON_DECLINE, 21), log = sample(BUTTON_LOG, 21);

	(void)arg;
	row_button_add(tx, &confirm);
	row_button_add(tx, &other);
	row_button_add(tx, &decline);
	row_button_add(tx, &log);
	row_button_set_timer(tx, 21, timer);
	assert_int_equal(row_button_get(tx, confirm.id).timer, timer);
	assert_int_equal(row_button_get(tx, decline.id).timer, timer);
	assert_int_equal(row_button_get(tx, log.id).timer, 61); /* it has no deadline */
	assert_int_equal(row_button_get(tx, other.id).timer, 61);

	row_button_close(tx, 21, BUTTON_CONFIRM);
	assert_false(row_button_get(tx, confirm.id).is_open);
	assert_true(row_button_get(tx, decline.id).is_open);
	assert_true(row_button_get(tx, other.id).is_open);
	assert_string_equal(row_button_find(tx, 21, BUTTON_CONFIRM, 31, CHAT).id, "");
	assert_int_equal(row_effect_find(tx, EFFECT_TIMER, 21), 0); /* nothing expires any more */
	row_button_set_timer(tx, 21, 77);
	assert_int_equal(row_button_get(tx, confirm.id).timer, timer); /* closed is closed */
	row_button_close(tx, 21, BUTTON_DECLINE);
	assert_false(row_button_get(tx, decline.id).is_open);
}

static void
a_question_that_is_closed_takes_its_deadline_along(void **state)
{
	struct store_aid aid;

	(void)state;
	store_aid_open(&aid, NULL, NULL, NULL);
	store_aid_act(&aid, closes, NULL);
	store_aid_close(&aid);
}

static void
reads_a_newer_ones(struct tx *tx, void *arg)
{
	struct button_row button = sample(BUTTON_CONFIRM, 21);

	(void)arg;
	row_button_add(tx, &button);
	(void)tx_run(tx, "UPDATE question SET verb = 'SHOUT' WHERE id = $1", DB_TEXT(button.id));
	assert_false(tx->failed);
	/* Whatever it is taken for, it must not be a yes. */
	assert_int_not_equal(row_button_get(tx, button.id).verb, BUTTON_CONFIRM);
	assert_true(tx->failed);
	assert_string_equal(row_button_get(tx, button.id).id, "");
	assert_string_equal(row_button_find(tx, 21, BUTTON_CONFIRM, 31, CHAT).id, "");
	row_button_close(tx, 21, BUTTON_CONFIRM);
}

static void
a_verb_that_nobody_knows_fails_the_decision(void **state)
{
	struct store_aid aid;

	(void)state;
	store_aid_open(&aid, NULL, NULL, NULL);
	assert_false(store_aid_try(&aid, reads_a_newer_ones, NULL));
	assert_non_null(strstr(aid.err.text, "unknown verb SHOUT"));
	store_aid_close(&aid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_read_as_it_was_written_and_no_other),
		cmocka_unit_test(a_question_that_is_closed_takes_its_deadline_along),
		cmocka_unit_test(a_verb_that_nobody_knows_fails_the_decision),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
