/* Goal: a person goes back to a release that was healthy, and is told where there is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

static void
a_persons_rollback_asks_with_one_button_and_goes_live(void **state)
{
	struct world_message *button;
	const struct effect *run;
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	button = world_last(&w);
	assert_non_null(strstr(world_plain(button), "Roll back staging?\nbbbbbbb → aaaaaaa"));
	assert_int_equal(button->buttons.n, 1);
	assert_null(world_peek(&w, EFFECT_RUN));

	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, button->buttons.at[0].id);
	run = world_peek(&w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	assert_non_null(world_says(&w, "staging is running: that cannot be cancelled"));
	assert_string_equal(
	    world_button(
		world_says_in(&w, WORLD_GROUP, "↩️ Rolling back staging ←"), "Cancel"),
	    "");
	assert_null(world_peek(&w, EFFECT_STOP_RUN));

	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_int_equal(world_state(&w), DEPLOY_LIVE);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
	assert_string_equal(world_environment(&w, "staging").blocked_commit, "");
	assert_non_null(world_says(&w, "release 3, rolled back"));
	assert_int_equal(world_audited(&w, "rollback_started", "telegram:11"), 1);
	assert_int_equal(world_audited(&w, "rollback_completed", NULL), 1);
	world_close(&w);
}

/* It said "runs bbbbbbb already": the release before was of the same commit. */
static void
a_rollback_after_the_same_commit_twice_goes_to_another_one(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	assert_non_null(
	    strstr(world_plain(world_last(&w)), "Roll back staging?\nbbbbbbb → aaaaaaa"));
	world_close(&w);
}

static void
a_persons_rollback_that_fails_cannot_roll_back_of_its_own(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_last(&w)->buttons.at[0].id);
	world_run_ends(&w, GOOD);
	world_probed(&w, "HTTP 500");
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_state(&w), DEPLOY_FAILED);
	assert_int_equal(world_audited(&w, "rollback_failed", NULL), 1);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_B);
	world_close(&w);
}

static void
a_rollback_to_what_is_not_there_lists_what_is(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	assert_non_null(world_says(&w, "staging has no earlier release to roll back to."));
	world_deploy_goes_live(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 77");
	assert_non_null(world_says(&w, "staging has no release 77. There are:\n• 1 aaaaaaa"));
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging aaaaaaa1");
	assert_non_null(world_says(&w, "staging runs aaaaaaa already."));
	assert_int_equal(world_count(&w, EFFECT_TIMER), 1);
	world_close(&w);
}

/* After DOWN nobody knows what runs: the release that was healthy last is the way out. */
static void
from_down_a_rollback_goes_to_the_last_that_was_healthy(void **state)
{
	struct world w;

	(void)state;
	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_last(&w)->buttons.at[0].id);
	assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	assert_false(world_environment(&w, "staging").is_down);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_persons_rollback_asks_with_one_button_and_goes_live),
		cmocka_unit_test(a_rollback_after_the_same_commit_twice_goes_to_another_one),
		cmocka_unit_test(a_persons_rollback_that_fails_cannot_roll_back_of_its_own),
		cmocka_unit_test(a_rollback_to_what_is_not_there_lists_what_is),
		cmocka_unit_test(from_down_a_rollback_goes_to_the_last_that_was_healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
