/* Goal: what was pushed before a block starts by a yes alone, whatever git and approvers say.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "blocked_aid.h"

#include "lib/text.h"

static void
announce(struct world *w, const char *branch, const char *commit)
{
	struct event *announced = world_push(w, branch);

	(void)text_copy(announced->u.delivery.after, LIMIT_COMMIT, commit);
	assert_int_equal(world_decide(w, announced).status, 200);
}

/* D was announced behind C, and git, which was asked before B was blocked, shows C. */
WORLD_TEST(what_git_was_asked_about_before_was_pushed_before)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	announce(w, "develop", COMMIT_C);
	announce(w, "develop", COMMIT_D);
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* Nothing says what was pushed, as where it is polled. */
WORLD_TEST(what_git_was_asked_about_unannounced_was_pushed_before)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	announce(w, "develop", "");
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* D was announced before C, which it contains: deliveries overtake each other. */
WORLD_TEST(a_push_whose_delivery_was_overtaken_came_when_it_was_announced)
{
	world_deploy_goes_live(w, COMMIT_A);
	announce(w, "develop", COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	announce(w, "develop", COMMIT_D);
	announce(w, "develop", COMMIT_C);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	blocked_is_rolled_back(w, "staging");
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* ... and git, which lags, shows the older one first, which is released and rolled back. */
WORLD_TEST(a_push_whose_delivery_was_overtaken_came_then_though_git_shows_the_other_first)
{
	world_deploy_goes_live(w, COMMIT_A);
	announce(w, "develop", COMMIT_C);
	announce(w, "develop", COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_is_rolled_back(w, "staging");
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* Both were seen: what is announced then is a push of its own. */
WORLD_TEST(what_is_announced_behind_two_quick_pushes_dates_from_now)
{
	world_deploy_goes_live(w, COMMIT_A);
	announce(w, "develop", COMMIT_C);
	announce(w, "develop", COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_is_rolled_back(w, "staging");
	announce(w, "develop", COMMIT_D);
	world_git(w, (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B });
	assert_non_null(world_peek(w, EFFECT_RUN));
}

static void
pushed_and_rolled_back(struct world *w)
{
	world_deploy_goes_live(w, COMMIT_A);
	announce(w, "develop", COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_run_starts(w), 200);
	blocked_is_rolled_back(w, "staging");
}

/* B was announced and seen, and behind its block git showed it once more: what a poll finds then is
 * no push from before. */
WORLD_TEST(what_was_announced_and_seen_dates_no_later_push)
{
	pushed_and_rolled_back(w);
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Pushed between two polls, as the rollback was: it may have been there before. */
WORLD_TEST(what_a_poll_finds_counts_from_the_poll_before)
{
	pushed_and_rolled_back(w);
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* Git showed C for production, which follows the same branch, before B was blocked in staging. */
static void
show_elsewhere_and_roll_back(struct world *w)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_C);
	blocked_is_rolled_back(w, "staging");
}

WORLD_TEST_OF(what_git_showed_for_another_environment_of_its_branch_was_pushed_then,
    "GITHUB_BRANCH_PRODUCTION=develop")
{
	show_elsewhere_and_roll_back(w);
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* Found by the simulation (SEED=852075037): the settings let nobody poll when git answers. */
WORLD_TEST_OF(
    what_a_poll_showed_that_nobody_asks_for_any_more_was_pushed_then, "POLL_REPOSITORY_SECONDS=60")
{
	world_polled(w, COMMIT_A, COMMIT_A);
	pushed_and_rolled_back(w);
	world_due(w, TIMER_POLL);
	world_settings(w, "POLL_REPOSITORY_SECONDS=0", NULL);
	world_settings_read(w);
	world_git_heads(w, COMMIT_C, COMMIT_A);
	announce(w, "develop", COMMIT_C);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* Its delivery is late, or was sent again by hand. */
WORLD_TEST_OF(a_delivery_behind_the_block_makes_no_later_push_of_what_git_had_shown,
    "GITHUB_BRANCH_PRODUCTION=develop")
{
	show_elsewhere_and_roll_back(w);
	announce(w, "develop", COMMIT_C);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* C was seen in a freeze, and B was pushed and removed again: C was announced anew before B was
 * blocked, and git, which lags, shows it behind that. */
WORLD_TEST(a_push_that_is_announced_anew_came_no_later_though_git_shows_another_first)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze staging 2h");
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	announce(w, "develop", COMMIT_C);
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* C was asked about, for B was blocked behind its push, and its question gave way to a freeze: that
 * D was announced since makes C no later push. */
WORLD_TEST(a_push_whose_question_gave_way_to_a_freeze_is_asked_about_behind_it)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	announce(w, "develop", COMMIT_C);
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
	announce(w, "develop", COMMIT_D);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .lacks_after = true });
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze staging 2h");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* A poll found C, which nobody had announced; a freeze comes behind the question that showed B:
 * only what the freeze keeps of that question tells that C may be older than the block. */
WORLD_TEST(what_a_question_showed_before_a_freeze_is_asked_about_again_behind_it)
{
	pushed_and_rolled_back(w);
	announce(w, "develop", "");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze staging 2h");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* C waits for the end of a freeze, in which B is blocked, D announced, and git lags. */
WORLD_TEST(a_push_that_waited_in_a_freeze_came_before_what_was_announced_in_it)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze staging 2h");
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	announce(w, "develop", COMMIT_D);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* They were shown it, and none of them had said yes when the settings asked for none any more. */
WORLD_TEST_OF(a_push_that_nobody_approved_is_asked_about, "PRODUCTION_CONFIRM=false")
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_run_plays(w, GOOD);
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	assert_int_equal(world_run_starts(w), 200);
	world_settings(w, "PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", NULL);
	announce(w, "main", COMMIT_C);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	blocked_is_rolled_back(w, "production");
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_settings(w, "PRODUCTION_CONFIRM=false", NULL);
	world_restart(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}
