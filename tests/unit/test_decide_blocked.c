/* Goal: a yes covers what was shown, and ends when a commit in it is rolled back.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "blocked_aid.h"

#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_question.h"
#include "store/store_inside.h"
#include "types/principal.h"

/* A is live in production, and B, which will fail, has begun. */
static void
b_over_a(struct world *w)
{
	blocked_ask(w, COMMIT_A);
	blocked_confirm(w, WORLD_ADMIN, WORLD_GROUP);
	world_run_plays(w, GOOD);
	blocked_ask(w, COMMIT_B);
	blocked_confirm(w, WORLD_ADMIN, WORLD_GROUP);
	assert_int_equal(world_run_starts(w), 200);
}

/* --- a place in the queue --- */

TEST(what_was_confirmed_while_it_ran_is_asked_anew_when_that_is_rolled_back)
{
	struct world w;

	for (int by_push = 0; by_push < 2; by_push++) {
		int64_t chat = by_push != 0 ? WORLD_TEAM : WORLD_GROUP;

		world_open(&w, NULL);
		b_over_a(&w);
		if (by_push != 0)
			blocked_push(
			    &w, "main", (struct world_git){ .commit = COMMIT_C, .count = 2 });
		else
			blocked_ask(&w, COMMIT_C);
		assert_non_null(
		    world_says_in(&w, chat, "\n⏳ #2 deploys bbbbbbb now; this waits for it\n"));
		blocked_confirm(&w, WORLD_OTHER_ADMIN, chat);
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
		blocked_is_rolled_back(&w, "production");
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
		world_git(&w, OVER_B);
		assert_null(world_peek(&w, EFFECT_RUN));
		assert_non_null(world_says_in(&w, chat,
		    "⛔ Not started: production: " MEANWHILE "\n\n❓ Deploy to production?"));
		assert_non_null(
		    world_says_in(&w, chat, "\n⚠️ contains bbbbbbb, rolled back by deploybot"));
		assert_int_equal(world_audited(&w, "asked anew", MEANWHILE), 1);
		approval_press_in(&w, WORLD_ADMIN, chat, "Deploy to");
		blocked_goes_live(&w, COMMIT_C);
		assert_string_equal(world_blocked(&w, "production"), ""); /* it was shown */
		world_close(&w);
	}
}

WORLD_TEST(what_needs_no_approval_any_more_was_shown_to_nobody)
{
	b_over_a(w);
	world_settings(w, "PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", NULL);
	blocked_ask(w, COMMIT_C);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	blocked_is_rolled_back(w, "production");
	world_git(w, OVER_B);
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
	world_settings(w, "PRODUCTION_CONFIRM=false", NULL);
	world_restart(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
}

WORLD_TEST(what_does_not_contain_it_starts_once_git_has_said_so)
{
	b_over_a(w);
	blocked_ask(w, COMMIT_C);
	blocked_confirm(w, WORLD_OTHER_ADMIN, WORLD_GROUP);
	blocked_is_rolled_back(w, "production");
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	blocked_goes_live(w, COMMIT_C);
	assert_string_equal(world_blocked(w, "production"), COMMIT_B);
}

/* The place is kept, and nothing starts on what is not known. */
WORLD_TEST(it_waits_as_long_as_git_does_not_answer)
{
	struct event *delayed;

	b_over_a(w);
	blocked_ask(w, COMMIT_C);
	blocked_confirm(w, WORLD_OTHER_ADMIN, WORLD_GROUP);
	blocked_is_rolled_back(w, "production");
	assert_true(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.is_patient);
	delayed = store_aid_event(&w->aid, EVENT_GIT_DELAYED);
	delayed->u.git_delayed.query = world_peek(w, EFFECT_GIT_QUERY)->id;
	delayed->u.git_delayed.failed = true;
	(void)snprintf(delayed->u.git_delayed.text, sizeof(delayed->u.git_delayed.text), "timeout");
	(void)world_decide(w, delayed);
	assert_non_null(world_says(w, "git does not answer (timeout): its place is kept"));
	w->aid.at += INT64_C(600000);
	(void)world_text(w, WORLD_ADMIN, "/queue production"); /* each look finds the same */
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, OVER_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, MEANWHILE));
}

/* What the repository has lost may have anything in its history. */
WORLD_TEST(what_git_has_lost_may_contain_it)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .error = "no such ref" });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "may contain bbbbbbb, rolled back meanwhile"));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "\n⚠️ may contain bbbbbbb, rolled back by deploybot"));
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Deploy to");
	blocked_goes_live(w, COMMIT_C);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B); /* nobody knows */
}

/* --- an open question --- */

WORLD_TEST(an_open_question_says_how_that_ended_and_is_asked_anew_when_it_is_pressed)
{
	const struct world_message *question;

	b_over_a(w);
	blocked_push(w, "main", (struct world_git){ .commit = COMMIT_C, .count = 2 });
	question = world_says_in(w, WORLD_TEAM, "Deploy to production?");
	assert_non_null(strstr(world_plain(question), "\n⏳ #2 deploys bbbbbbb now"));
	blocked_is_rolled_back(w, "production");
	assert_non_null(
	    strstr(world_plain(question), "\n⚠️ #2 has ended: rolled back (exit 1)\n"));
	assert_null(strstr(world_plain(question), "this waits for it"));
	assert_non_null(strstr(world_plain(question), "Change 2")); /* git's words stay */
	assert_int_equal(question->buttons.n, 2);
	assert_ptr_equal(world_says_in(w, WORLD_TEAM, "Deploy to production?"), question);
	w->aid.at += INT64_C(7000);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Deploy to");
	world_git(w, OVER_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "⛔ Not started: production: " MEANWHILE "\n\n❓ Deploy to production?"));
	blocked_confirm(w, WORLD_OTHER_ADMIN, WORLD_TEAM);
	blocked_goes_live(w, COMMIT_C);
}

WORLD_TEST(an_open_question_says_that_what_it_waited_for_is_live)
{
	b_over_a(w);
	blocked_ask(w, COMMIT_C);
	world_run_ends(w, GOOD);
	assert_non_null(world_says(w, "\nℹ️ #2 has ended: live\n"));
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	assert_non_null(world_says(w, "production runs bbbbbbb now, not aaaaaaa"));
}

/* A question from before, and the rollback is a person's. */
WORLD_TEST(what_somebody_rolled_back_by_hand_is_noticed_too)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	assert_int_equal(world_run_starts(w), 200);
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C }); /* behind it */
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "contains bbbbbbb, rolled back meanwhile (to release 1, aaaaaaa)"));
}

/* Live again, and rolled back again: what was shown was the first time. */
static void
block_again(struct tx *tx, void *arg)
{
	struct block block = { .commit = COMMIT_B, .by = "deploybot", .why = "HTTP 500" };

	(void)arg;
	block.at = tx->at;
	row_block_free(tx, "production", COMMIT_B);
	row_block_add(tx, "production", &block);
}

WORLD_TEST(what_is_rolled_back_once_more_was_not_shown)
{
	b_over_a(w);
	blocked_is_rolled_back(w, "production");
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, OVER_B);
	assert_non_null(world_says(w, "contains bbbbbbb, rolled back by deploybot"));
	store_aid_act(&w->aid, block_again, NULL);
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(w, OVER_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "contains bbbbbbb, rolled back meanwhile (HTTP 500)"));
	blocked_confirm(w, WORLD_ADMIN, WORLD_GROUP);
	blocked_goes_live(w, COMMIT_C);
}

/* --- approvals --- */

#define ONE "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44"

static void
approved(struct world *w, const char *commit, int64_t by)
{
	char label[64];

	(void)snprintf(label, sizeof(label), "Approve production %.7s", commit);
	approval_press_in(w, by, WORLD_TEAM, label);
}

static void
b_over_a_approved(struct world *w)
{
	const char *const commits[] = { COMMIT_A, COMMIT_B };

	for (size_t i = 0; i < COUNT(commits); i++) {
		approval_asks(w, commits[i]);
		approved(w, commits[i], WORLD_OTHER_ADMIN);
		assert_int_equal(world_run_starts(w), 200);
		if (i == 0)
			world_run_ends(w, GOOD);
	}
}

/* They read why, whoever confirmed it too; then both say yes to that. */
static void
is_approved_anew(struct world *w)
{
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "❓ Approve again: "));
	assert_non_null(world_says_in(w, WORLD_TEAM, "⚠️ asked again: " MEANWHILE "\n"));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "\n⚠️ contains bbbbbbb, rolled back by deploybot"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 1"));
	approved(w, COMMIT_C, WORLD_OTHER_ADMIN);
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	blocked_goes_live(w, COMMIT_C);
}

WORLD_TEST_OF(an_approval_given_before_is_void_and_says_why, ONE)
{
	b_over_a_approved(w);
	approval_asks(w, COMMIT_C);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "\n⏳ #2 deploys bbbbbbb now; this waits for it\n"));
	approved(w, COMMIT_C, WORLD_OTHER_ADMIN);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	blocked_is_rolled_back(w, "production");
	world_git(w, OVER_B);
	assert_int_equal(world_audited(w, "approval_void",
			     "\"a commit that it contains was rolled back since\""),
	    1);
	is_approved_anew(w);
}

TEST(an_approval_given_behind_it_is_asked_for_anew)
{
	struct world w;

	for (int is_answered = 0; is_answered < 2; is_answered++) {
		world_open(&w, ONE, NULL);
		b_over_a_approved(&w);
		approval_asks(&w, COMMIT_C);
		blocked_is_rolled_back(&w, "production");
		assert_non_null(world_says_in(&w, WORLD_TEAM, "⚠️ #2 has ended: rolled back"));
		assert_non_null(world_peek(&w, EFFECT_GIT_QUERY)); /* at once */
		if (is_answered != 0)
			world_git(&w, OVER_B);
		else
			approved(&w, COMMIT_C, WORLD_OTHER_ADMIN);
		assert_null(world_peek(&w, EFFECT_RUN));
		if (is_answered == 0)
			world_git(&w, OVER_B);
		is_approved_anew(&w);
		world_close(&w);
	}
}

WORLD_TEST_OF(the_first_of_two_approvals_is_void_as_soon_as_git_says_so, "PRODUCTION_APPROVALS=1",
    "PRODUCTION_APPROVALS_IF=forced=2", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	b_over_a_approved(w);
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .is_force_push = true, .count = 1 });
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .is_force_push = true, .count = 1 });
	approved(w, COMMIT_C, WORLD_OTHER_ADMIN);
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 1 of 2: @bob"));
	blocked_is_rolled_back(w, "production");
	world_git(w,
	    (struct world_git){
		.commit = COMMIT_C, .contains = COMMIT_B, .is_force_push = true, .count = 1 });
	assert_non_null(world_says_in(w, WORLD_TEAM, "⚠️ asked again: " MEANWHILE));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 2"));
}

/* --- rows --- */

static void
act_free(struct tx *tx, void *arg)
{
	struct deployment work = { .program = PROGRAM_DEPLOY, .id = 7 };
	struct block block = { .by = "deploybot" }, found;
	struct question question = { .shown_at = 0 };
	const char *const commits[] = { COMMIT_B, COMMIT_C, COMMIT_D };

	(void)arg;
	(void)text_copy(work.environment, sizeof(work.environment), "staging");
	(void)text_copy(work.commit, sizeof(work.commit), COMMIT_E);
	for (size_t i = 0; i < COUNT(commits); i++) {
		(void)text_copy(block.commit, sizeof(block.commit), commits[i]);
		row_block_add(tx, "staging", &block);
		row_block_contain(tx, 7, commits[i], i == 0);
	}
	assert_true(row_block_find(tx, "staging", COMMIT_C, &found));
	question.shown_block = found.number; /* D came later; of B nobody is sure */
	row_question_set(tx, work.id, &question);
	assert_true(row_block_find_unshown(tx, &work, &found));
	assert_string_equal(found.commit, COMMIT_D);
	row_block_free_contained(tx, &work);
	assert_true(row_block_find(tx, "staging", COMMIT_B, NULL));
	assert_false(row_block_find(tx, "staging", COMMIT_C, NULL));
	assert_true(row_block_find(tx, "staging", COMMIT_D, NULL));
	work.program = PROGRAM_ROLLBACK;
	assert_false(row_block_find_unshown(tx, &work, &found));
}

TEST(only_what_was_shown_is_blocked_no_more)
{
	struct store_aid *aid;

	store_aid_setup((void **)&aid);
	store_aid_act(aid, act_free, NULL);
	store_aid_teardown((void **)&aid);
}

/* Numbers are given once: the newest is freed, and comes again. */
static void
act_number(struct tx *tx, void *arg)
{
	struct block block = { .by = "deploybot", .commit = COMMIT_B };
	int64_t newest;

	(void)arg;
	row_block_add(tx, "staging", &block);
	newest = row_block_newest(tx, "staging");
	row_block_free(tx, "staging", COMMIT_B);
	assert_int_equal(row_block_newest(tx, "staging"), 0);
	row_block_add(tx, "staging", &block);
	assert_true(row_block_newest(tx, "staging") > newest);
	newest = row_block_newest(tx, "staging");
	row_block_add(tx, "staging", &block); /* while it is there */
	assert_true(row_block_newest(tx, "staging") > newest);
}

TEST(a_block_that_comes_again_is_newer)
{
	struct store_aid *aid;

	store_aid_setup((void **)&aid);
	store_aid_act(aid, act_number, NULL);
	store_aid_teardown((void **)&aid);
}
