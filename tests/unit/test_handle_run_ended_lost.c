/* Goal: a gate that stays shut, a supervisor or folder that is lost: each ends once, truthfully told.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#define LOST ((struct run_ended){ .gate_opened = true, .lost = true })
#define SHUT ((struct run_ended){ 0 })

/* --- supervisors and gates --- */

WORLD_TEST_BARE(a_gate_that_stays_shut_is_tried_three_times)
{
	int64_t first, second;
	size_t said;

	world_b_over_a(w, STAGING_URL);
	said = w->n_screen;
	first = world_peek(w, EFFECT_RUN)->u.run.run;
	world_run_ends(w, SHUT);
	second = world_peek(w, EFFECT_RUN)->u.run.run;
	assert_true(second > first);
	world_run_ends(w, SHUT);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(w->n_screen, said); /* the same messages, not a new one for each */
	world_run_ends(w, SHUT);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "not started: the script was not started"));
}

WORLD_TEST_BARE(a_lost_supervisor_stops_and_then_is_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_lost(w);
	assert_int_equal(world_state(w), DEPLOY_STOPPING);
	assert_int_equal(world_count(w, EFFECT_RUN), 1); /* nothing is started beside it */
	world_run_ends(w, LOST);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	world_run_is_probed(w, NULL);
	assert_non_null(world_says(w, "interrupted: it was killed"));
}

/* It said "may be DOWN", of what was looked at: the word of the release stood for its rollback. */
TEST(behind_a_lost_release_the_rollback_is_told_by_its_own_end)
{
	struct world w;

	world_b_over_a(&w, STAGING_URL);
	world_run_lost(&w);
	world_run_ends(&w, LOST);
	world_run_is_probed(&w, "connection refused");
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "🔥 DOWN: staging, rollback failed: \"Make it blue\"\n"));
	assert_non_null(world_says(&w, "staging is DOWN: aaaaaaa is back, and is not healthy"));
	assert_non_null(world_says(&w, "; after the rollback: connection refused"));
	world_close(&w);
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(
	    &w, LOST); /* the rollback itself, at each try: nobody knows how far it came */
	world_run_ends(&w, LOST);
	world_run_ends(&w, LOST);
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "🔥 Rollback failed: staging, may be DOWN: "));
	world_close(&w);
}

/* Goal: one press does it once more, where nothing was touched and it was not stopped. */
TEST(what_touched_nothing_may_be_tried_again)
{
	struct world w;

	world_b_over_a(&w, NULL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(&w, WORLD_GROUP, "❌ Failed"), "Try again"));
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.ref, COMMIT_B);
	world_close(&w);
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_B);
	world_run_ends(&w, TOUCHED);
	assert_string_equal(
	    world_button(world_says_in(&w, WORLD_GROUP, "🔥 May be DOWN"), "Try again"), "");
	world_close(&w);
}

/* Power went: the row says that it was let go, the record no longer does. */
WORLD_TEST_BARE(a_run_that_was_let_go_and_lost_is_rolled_back_whatever_its_record_says)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, (struct run_ended){ .lost = true });
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

WORLD_TEST_OF(a_run_that_was_lost_before_it_was_seen_begins_again, STAGING_URL)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	world_run_ends(w, (struct run_ended){ .lost = true });
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST_BARE(a_supervisor_of_another_release_is_said_in_the_chat)
{
	world_b_over_a(w, NULL);
	world_run_incompatible(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_non_null(world_says(w, "started by another version of deploybot"));
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_BARE(a_rollback_that_is_lost_is_run_again_to_the_same_release)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, TOUCHED);
	world_run_lost(w);
	world_run_ends(w, LOST);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(w, LOST);
	world_run_ends(w, LOST);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
}

/* --- its folder is gone --- */

WORLD_TEST_BARE(a_started_run_without_a_folder_fails_and_nothing_is_begun_for_it)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "build");
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_newest(w, "staging").why, DEPLOY_WHY_INTERRUPTED);
	assert_null(world_peek(w, EFFECT_RUN)); /* neither again, nor a rollback */
	assert_non_null(world_says_in(w, WORLD_GROUP, "what it left is not known"));
	assert_null(world_says(w, "nothing was changed"));
}

WORLD_TEST_BARE(a_cancelled_run_without_a_folder_is_not_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(w), DEPLOY_STOPPING);
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_newest(w, "staging").why, DEPLOY_WHY_INTERRUPTED);
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_BARE(a_rollback_without_a_folder_is_down_and_not_run_again)
{
	struct environment environment;

	world_b_over_a(w, STAGING_URL);
	world_run_releases(w, TOUCHED);
	world_run_plays(w, FOLDER_GONE);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_null(world_peek(w, EFFECT_RUN));
	environment = world_environment(w, "staging");
	assert_true(environment.is_down);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_int_equal(world_newest(w, "staging").why, DEPLOY_WHY_SCRIPT); /* of all this */
	assert_non_null(
	    world_says(w, "staging may be DOWN: what rolling back from bbbbbbb to aaaaaaa"));
}
