/* Goal: a button's row says what was written, and is closed with its deadline.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "store/row_question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/row_effect.h"
#include "store/store_inside.h"
#include "store_aid.h"

#define CHAT INT64_C(-1002)

static struct question
sample(enum question_verb verb, int64_t deployment)
{
	return (struct question){
		.verb = verb,
		.deployment = deployment,
		.run = 31,
		.chat = CHAT,
		.asker = 51,
		.wait = 61,
	};
}

static void
comes_back(struct tx *tx, void *arg)
{
	(void)arg;
	for (int verb = QUESTION_CONFIRM; verb <= QUESTION_LOG; verb++) {
		struct question written = sample((enum question_verb)verb, 21), read;

		row_question_add(tx, &written);
		assert_true(written.is_open);
		read = row_question_get(tx, written.id);
		assert_string_equal(read.id, written.id);
		assert_int_equal(strlen(read.id), LIMIT_QUESTION - 1);
		assert_int_equal(read.verb, verb);
		assert_int_equal(read.deployment, 21);
		assert_int_equal(read.run, 31);
		assert_int_equal(read.chat, CHAT);
		assert_int_equal(read.asker, 51);
		assert_int_equal(read.wait, 61);
		assert_true(read.is_open);
		read = row_question_find(tx, 21, (enum question_verb)verb, 31, CHAT);
		assert_string_equal(read.id, written.id);
	}
	assert_string_equal(row_question_get(tx, "0123456789abcdef").id, "");
	assert_string_equal(row_question_find(tx, 22, QUESTION_CONFIRM, 31, CHAT).id, "");
	assert_string_equal(row_question_find(tx, 21, QUESTION_CONFIRM, 32, CHAT).id, "");
	assert_string_equal(row_question_find(tx, 21, QUESTION_CONFIRM, 31, CHAT - 1).id, "");
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
	int64_t wait = row_effect_wait(tx, WAIT_QUESTION, "", 21, tx->at + 1000);
	struct question confirm = sample(QUESTION_CONFIRM, 21),
			other = sample(QUESTION_CONFIRM, 22);
	struct question decline = sample(QUESTION_DECLINE, 21), log = sample(QUESTION_LOG, 21);

	(void)arg;
	row_question_add(tx, &confirm);
	row_question_add(tx, &other);
	row_question_add(tx, &decline);
	row_question_add(tx, &log);
	row_question_set_wait(tx, 21, wait);
	assert_int_equal(row_question_get(tx, confirm.id).wait, wait);
	assert_int_equal(row_question_get(tx, decline.id).wait, wait);
	assert_int_equal(row_question_get(tx, log.id).wait, 61); /* it has no deadline */
	assert_int_equal(row_question_get(tx, other.id).wait, 61);

	row_question_close(tx, 21, QUESTION_CONFIRM);
	assert_false(row_question_get(tx, confirm.id).is_open);
	assert_true(row_question_get(tx, decline.id).is_open);
	assert_true(row_question_get(tx, other.id).is_open);
	assert_string_equal(row_question_find(tx, 21, QUESTION_CONFIRM, 31, CHAT).id, "");
	assert_int_equal(row_effect_find(tx, EFFECT_WAIT, 21), 0); /* nothing expires any more */
	row_question_set_wait(tx, 21, 77);
	assert_int_equal(row_question_get(tx, confirm.id).wait, wait); /* closed is closed */
	row_question_close(tx, 21, QUESTION_DECLINE);
	assert_false(row_question_get(tx, decline.id).is_open);
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
	struct question question = sample(QUESTION_CONFIRM, 21);

	(void)arg;
	row_question_add(tx, &question);
	(void)tx_run(tx, "UPDATE question SET verb = 'SHOUT' WHERE id = $1", DB_TEXT(question.id));
	assert_false(tx->failed);
	/* Whatever it is taken for, it must not be a yes. */
	assert_int_not_equal(row_question_get(tx, question.id).verb, QUESTION_CONFIRM);
	assert_true(tx->failed);
	assert_string_equal(row_question_get(tx, question.id).id, "");
	assert_string_equal(row_question_find(tx, 21, QUESTION_CONFIRM, 31, CHAT).id, "");
	row_question_close(tx, 21, QUESTION_CONFIRM);
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
