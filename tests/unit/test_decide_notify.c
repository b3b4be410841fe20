/* Goal: each word is told once to each who is to have it, as decided, whatever becomes of its sending.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "decide_aid_inside.h"
#include "lib/text.h"
#include "store/row_effect.h"
#include "types/notify.h"

#define TO(NAME, what) \
	"NOTIFY_" NAME "_TO=slack", "NOTIFY_" NAME "_URL=http://127.0.0.1:1/x", \
	    "NOTIFY_" NAME "_WHAT=" what
#define ALL "*/*: question live failed rolled-back down restored"

#define BAD ((struct run_ended){ .gate_opened = true, .released = true, .exit_status = 1 })

/* The oldest for whoever is next; what it says. */
static struct effect_notify
next(struct world *w)
{
	struct effect *effect = world_must_take(w, EFFECT_NOTIFY);
	struct effect_notify told = effect->u.notify;

	effect->result->u.notified = (struct notify_said){ .verdict = NOTIFY_SENT };
	world_report(w, effect);
	return told;
}

static void
says(struct world *w, enum notify_verdict verdict, const char *why)
{
	struct effect *effect = world_must_take(w, EFFECT_NOTIFY);

	effect->result->u.notified.verdict = verdict;
	text_set(effect->result->u.notified.why, why);
	world_report(w, effect);
}

#define TOLD(w, word_) assert_string_equal(next(w).word, word_)

static void
goes_live(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* Its release fails, and so does going back. */
static void
goes_down(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
	world_run_releases(w, BAD);
	world_run_plays(w, BAD);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
}

WORLD_TEST_OF(what_goes_live_is_told_once_with_its_first_lines, TO("OPS", ALL))
{
	struct effect_notify told;

	goes_live(w, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 1);
	told = next(w);
	assert_string_equal(told.word, "live");
	assert_string_equal(told.name, "ops");
	assert_int_equal(strlen(told.key), 32);
	assert_non_null(strstr(told.text, "staging"));
	assert_null(strpbrk(told.text, MARK_PRE MARK_QUOTE));
	assert_non_null(strstr(told.data, "\"commit\":\"" COMMIT_A "\""));
	assert_non_null(strstr(told.data, "\"shown\":null"));
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
}

WORLD_TEST(without_a_destination_nothing_is_told)
{
	goes_live(w, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
}

WORLD_TEST_OF(down_is_told_and_over_to_all_who_were_told, TO("CEO", "*/*: down"), TO("OPS", ALL))
{
	goes_live(w, COMMIT_A);
	TOLD(w, "live");
	goes_down(w, COMMIT_B);
	TOLD(w, "down");
	TOLD(w, "down");
	goes_live(w, COMMIT_C);
	TOLD(w, "restored"); /* the CEO's, though it is not named */
	TOLD(w, "restored");
	goes_live(w, COMMIT_A);
	TOLD(w, "live");
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
}

WORLD_TEST_OF(
    one_that_is_off_is_said_once_and_gets_nothing_until_its_settings_change, TO("OPS", ALL))
{
	struct effect_notify told;

	goes_live(w, COMMIT_A);
	goes_live(w, COMMIT_B);
	says(w, NOTIFY_OFF, "404: no_service");
	assert_non_null(world_says(w, "Not notified any more: ops"));
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
	goes_live(w, COMMIT_C);
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
	world_answers(w, WORLD_ADMIN, "/status", "Not notified any more: ops, 404: no_service");
	world_settings(w, TO("OPS", "staging: live"), NULL);
	world_settings_read(w);
	goes_live(w, COMMIT_A);
	TOLD(w, "live");
	told = next(w);
	assert_string_equal(told.word, "unsent");
	assert_string_equal(told.text, "3 more were not sent");
}

WORLD_TEST_OF(what_one_does_not_take_is_counted, TO("OPS", ALL))
{
	goes_live(w, COMMIT_A);
	goes_live(w, COMMIT_B);
	says(w, NOTIFY_NOT_IT, "400: msg_too_long");
	TOLD(w, "live");
	assert_string_equal(next(w).text, "1 more were not sent");
}

static void
fill(struct tx *tx, void *arg)
{
	for (int i = 0; i < NOTIFY_WAITING; i++)
		(void)row_effect_order(tx, arg);
}

WORLD_TEST_OF(behind_two_hundred_it_is_counted, TO("OPS", ALL))
{
	struct effect *waiting = effect_new(EFFECT_NOTIFY);

	text_set(waiting->u.notify.name, "ops");
	text_set(waiting->u.notify.word, "live");
	world_act(w, fill, waiting);
	effect_free(waiting);
	goes_live(w, COMMIT_A);
	goes_live(w, COMMIT_B);
	for (int i = 0; i < NOTIFY_WAITING; i++)
		TOLD(w, "live");
	assert_string_equal(next(w).text, "2 more were not sent");
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
}

/* What waits, as many as may, of that word. */
static void
fills(struct world *w, const char *word)
{
	struct effect *waiting = effect_new(EFFECT_NOTIFY);

	text_set(waiting->u.notify.name, "ops");
	text_set(waiting->u.notify.word, word);
	world_act(w, fill, waiting);
	effect_free(waiting);
}

WORLD_TEST_OF(what_is_down_takes_the_place_of_a_lesser_word, TO("OPS", "*/*: down restored"))
{
	goes_live(w, COMMIT_A);
	fills(w, "live");
	goes_down(w, COMMIT_B);
	goes_live(w, COMMIT_C);
	for (int i = 0; i < NOTIFY_WAITING - 2; i++)
		TOLD(w, "live");
	TOLD(w, "down");
	TOLD(w, "restored");
	assert_string_equal(next(w).text, "2 more were not sent");
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
}

WORLD_TEST_OF(what_is_down_drops_nothing_that_is_down, TO("OPS", "*/*: down"))
{
	goes_live(w, COMMIT_A);
	fills(w, "down");
	goes_down(w, COMMIT_B);
	for (int i = 0; i < NOTIFY_WAITING; i++)
		assert_string_equal(
		    next(w).text, ""); /* those that waited; what came last has one */
	assert_string_equal(next(w).text, "1 more were not sent");
	assert_int_equal(world_count(w, EFFECT_NOTIFY), 0);
}

WORLD_TEST_OF(a_summary_that_is_not_sent_is_summed_up_again, TO("OPS", ALL))
{
	for (int i = 0; i < 3; i++)
		goes_live(w, i % 2 == 0 ? COMMIT_A : COMMIT_B);
	says(w, NOTIFY_NOT_IT, "400");
	says(w, NOTIFY_TOO_OLD, "a day");
	TOLD(w, "live");
	says(w, NOTIFY_TOO_OLD, "a day"); /* "2 more were not sent" */
	goes_live(w, COMMIT_C);
	TOLD(w, "live");
	assert_string_equal(next(w).text, "2 more were not sent");
	goes_live(w, COMMIT_A);
	goes_live(w, COMMIT_B);
	says(w, NOTIFY_NOT_IT, "400");
	TOLD(w, "live");
	goes_live(w, COMMIT_A); /* behind "1 more" */
	goes_live(w, COMMIT_B);
	says(w, NOTIFY_TOO_OLD, "a day");
	says(w, NOTIFY_OFF, "410");
	world_settings(w, TO("OPS", "staging: live"), NULL);
	world_settings_read(w);
	goes_live(w, COMMIT_A);
	TOLD(w, "live");
	assert_string_equal(next(w).text, "3 more were not sent");
}
