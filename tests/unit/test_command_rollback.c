/* Goal: a person goes back to a release that was healthy, and is told where there is none.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/store_inside.h"

WORLD_TEST_OF(a_persons_rollback_asks_and_goes_live, STAGING_URL)
{
	struct world_message *button;
	const struct effect *run;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	button = world_last(w);
	assert_non_null(strstr(world_plain(button), "Roll back staging?\nbbbbbbb → aaaaaaa"));
	assert_string_equal(world_labels(button), "↩️ Roll back staging | Not now");
	assert_null(world_peek(w, EFFECT_RUN));

	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button->buttons.at[0].id);
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, COMMIT_B);
	world_answers(w, WORLD_ADMIN, "/cancel staging",
	    "Not cancelled: staging is rolling back, which ends by itself");
	assert_string_equal(
	    world_button(world_says_in(w, WORLD_GROUP, "↩️ Rolling back staging →"), "Stop"),
	    "");
	assert_null(world_peek(w, EFFECT_STOP_RUN));

	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_false(world_environment(w, "staging").is_unacknowledged); /* no alarm */
	assert_non_null(world_says(w, "↩️ Rolled back: staging to "));
	assert_non_null(world_says(w, "bbbbbbb is blocked: a push does not deploy it again"));
	assert_int_equal(world_audited(w, "rollback_started", "telegram:11"), 1);
	assert_int_equal(world_audited(w, "rollback_completed", NULL), 1);
}

/* It said "runs bbbbbbb already": the release before was of the same commit. */
WORLD_TEST_OF(a_rollback_after_the_same_commit_twice_goes_to_another_one, STAGING_URL)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_goes_live(w, COMMIT_B);
	world_answers_last(
	    w, WORLD_ADMIN, "/rollback staging", "Roll back staging?\nbbbbbbb → aaaaaaa");
}

WORLD_TEST_OF(a_persons_rollback_that_fails_cannot_roll_back_of_its_own, STAGING_URL)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging 1");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	world_run_is_probed(w, "HTTP 500");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_audited(w, "rollback_failed", NULL), 1);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	/* What it leaves is fled from there, as what failed by itself is. */
	assert_string_equal(world_labels(world_last(w)),
	    "📄 Application log | ↩️ Roll back staging | 🚀 Deploy to staging | 📄 Log");
	(void)world_press(w, WORLD_ADMIN, world_last(w)->chat,
	    world_button(world_last(w), "↩️ Roll back staging"));
	assert_non_null(world_says(w, "Roll back staging?\nwhat runs is not known → bbbbbbb"));
}

/* "The oldest that was not rolled back", beside an older one that was not, and nothing said which
 * of them goes forward. */
WORLD_TEST(a_list_says_which_runs_again_and_which_goes_forward)
{
	const char *text;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	text = world_plain(world_last(w));
	assert_non_null(strstr(text,
	    "It runs release 3, and no older one is left that was not rolled back or removed."));
	assert_non_null(strstr(text, ", live\n• release 2 bbbbbbb"));
	assert_non_null(
	    strstr(text, ", rolled back, newer than what runs: would go forward\n• release 1 "));
	assert_non_null(strstr(text, ", live again as release 3"));
	world_answers_last(w, WORLD_ADMIN, "/show 2",
	    "↩️ Was rolled back: staging \"Make it blue\" bbbbbbb\n");
	assert_null(strstr(world_plain(world_last(w)), "✅"));
	(void)world_text(w, WORLD_ADMIN, "/history staging");
	text = world_plain(world_last(w));
	assert_non_null(strstr(text, "↩️ #2 bbbbbbb \"Make it blue\"\n    was live until "));
	assert_non_null(strstr(text, ", then rolled back"));
	assert_non_null(strstr(text, "✅ #3 aaaaaaa \"Make it blue\"\n    rollback, live since "));
}

/* Goal: the number that stands first in /history is a deployment's: typed with its sign it is. */
WORLD_TEST(a_number_with_its_sign_is_a_deployments)
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging nosuch"); /* #2 makes no release */
	world_git(w, (struct world_git){ .error = "no such ref" });
	world_two_go_live(w, COMMIT_B, COMMIT_C);
	world_answers_last(w, WORLD_ADMIN, "/history staging", "#3 bbbbbbb");
	(void)world_text(w, WORLD_ADMIN, "/rollback staging #3");
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_B);
	world_answers(
	    w, WORLD_ADMIN, "/rollback staging #2", "staging has no release #2. There are:");
}

WORLD_TEST(a_rollback_to_what_is_not_there_lists_what_is)
{
	world_answers(w, WORLD_ADMIN, "/rollback staging",
	    "⛔ Not rolled back: staging has no earlier release to roll back to.");
	world_deploy_goes_live(w, COMMIT_A);
	world_answers(w, WORLD_ADMIN, "/rollback staging 77",
	    "⛔ Not rolled back: staging has no release 77. There are:\n• release 1 aaaaaaa");
	world_answers(w, WORLD_ADMIN, "/rollback staging #77",
	    "staging has no release #77. There are:\n• release 1 ");
	world_answers(w, WORLD_ADMIN, "/rollback staging aaaaaaa1",
	    "⛔ Runs already: staging aaaaaaa, so it is not rolled back to.");
	assert_int_equal(world_count(w, EFFECT_TIMER), 2); /* the daily one, the audit's line */
}

/* After DOWN nobody knows what runs: the release that was healthy last is the way out. */
WORLD_TEST_BARE(from_down_a_rollback_goes_to_the_last_that_was_healthy)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	world_answers_last(w, WORLD_ADMIN, "/rollback staging",
	    "Roll back staging?\nwhat runs is not known → aaaaaaa");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_is_probed(w, NULL);
	assert_false(world_environment(w, "staging").is_down);
}

/* The second went forward again, to the release that had just been fled, with one button. */
WORLD_TEST(rolling_back_twice_goes_back_twice)
{
	world_three_go_live(w);
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"),
	    "Roll back staging?\nbbbbbbb → aaaaaaa \"Make it"));
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B " " COMMIT_C);
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"),
	    "⛔ Not rolled back: staging has no earlier release to roll back to. It runs release 5, and no older "
	    "one is left that was not rolled back or removed. There are:\n• release 5 aaaaaaa \"Make it blue\", just now, "
	    "live\n• release 4 bbbbbbb \"Make it blue\", just now, rolled back, newer than what runs"));
}

/* Its automatic rollback went to C, which a person had just fled. */
WORLD_TEST(an_automatic_rollback_goes_to_nothing_that_was_left)
{
	world_three_go_live(w);
	world_rolls_back(w, "/rollback staging");
	world_deploy_starts(w, COMMIT_B);
	world_run_ends(w, TOUCHED);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B " " COMMIT_C);
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback staging"), "has no earlier release"));
}

WORLD_TEST(a_newer_release_is_called_forward_with_a_warning)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_rollback_says(w, "/rollback staging 2"),
	    "❓ Roll forward staging?\naaaaaaa → bbbbbbb \"Make it blue\"\nrelease 2, just now\n⚠️ "
	    "newer than what runs: this goes forward\nrequested by @ada\n⚠️ this commit is "
	    "blocked: rolled back by @ada, just now (to release 1, aaaaaaa). A yes "
	    "allows it; once live it is not blocked any more.\nNo health check configured: "
	    "success means the script exits with 0.\n⏳ open until 00:02");
	world_rolls_back(w, "/rollback staging 2");
	assert_non_null(world_says(w, "✅ Rolled forward: staging (not checked) to "));
	assert_string_equal(world_blocked(w, "staging"), ""); /* nor what it left */
	assert_non_null(strstr(
	    world_rollback_says(w, "/rollback staging"), "Roll back staging?\nbbbbbbb → aaaaaaa"));
}

/* It failed with no release to roll back to: B is what was left. */
WORLD_TEST_BARE(from_a_deployment_that_failed_a_rollback_blocks_that)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "no-rollback");
	world_run_step(w, 1, "release");
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .released = true, .no_rollback = true, .exit_status = 1 });
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_true(world_environment(w, "staging").is_down);
	assert_string_equal(world_blocked(w, "staging"), "");
	world_rolls_back(w, "/rollback staging");
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_non_null(world_says(w, "bbbbbbb is blocked: a push does not deploy it again"));
}

/* A, which was live before B, was blocked: nobody had left it. */
WORLD_TEST(from_down_a_rollback_to_what_was_live_blocks_what_failed_alone)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_C);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_C);
	world_rolls_back(w, "/rollback staging");
	assert_null(strstr(
	    world_plain(world_says(w, "↩️ Rolled back: staging")), "was ")); /* nobody knew */
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C }); /* its reason is not lost */
	assert_non_null(world_says(w, "(to release 2, bbbbbbb; before: script failed"));
	assert_non_null(strstr(
	    world_rollback_says(w, "/rollback staging"), "Roll back staging?\nbbbbbbb → aaaaaaa"));
}

WORLD_TEST(one_release_is_live_and_those_before_were)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	w->aid.at += 12 * 60000;
	assert_non_null(strstr(world_rollback_says(w, "/history staging"),
	    "bbbbbbb \"Make it blue\"\n    live since 00:00 · @ada"));
	assert_non_null(strstr(world_rollback_says(w, "/history staging"),
	    "aaaaaaa \"Make it blue\"\n    was live until 12 min ago · @ada"));
	world_rolls_back(w, "/rollback staging");
	assert_non_null(strstr(world_rollback_says(w, "/history staging"),
	    "aaaaaaa \"Make it blue\"\n    rollback, live since 00:12"));
	assert_non_null(strstr(world_rollback_says(w, "/history staging"),
	    "bbbbbbb \"Make it blue\"\n    was live until just now, then rolled back"));
}

/* What runs may have changed since it was asked for. */
WORLD_TEST(what_is_forward_is_known_when_it_starts)
{
	char first[LIMIT_BUTTON_ID];

	world_three_go_live(w);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging 2");
	(void)text_copy(first, sizeof(first), world_last(w)->buttons.at[0].id);
	world_rolls_back(w, "/rollback staging 1");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, first);
	if (world_peek(w, EFFECT_RUN) == NULL) /* asked anew */
		(void)world_press(
		    w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll"));
	assert_non_null(world_says(w, "⏳ Rolling forward staging → \"Make it blue\" bbbbbbb"));
	(void)world_text(w, WORLD_ADMIN, "/rollback staging 3");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll"));
	assert_non_null(world_says(w, "@bob rolls forward to bbbbbbb"));
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_says(w, "⏳ Queued: 1st"), "Cancel"));
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_non_null(world_says(w, "✅ Rolled forward: staging (not checked) to "));
	assert_non_null(
	    strstr(world_rollback_says(w, "/history staging"), "roll forward, live since 00:"));
	assert_non_null(strstr(
	    world_rollback_says(w, "/history staging"), "rollback, was live until just now"));
	assert_string_equal(world_blocked(w, "staging"), COMMIT_C);
}

/* An earlier version asked, and named the commit alone. */
WORLD_TEST(a_rollback_asked_for_before_the_upgrade_leaves_its_release)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	assert_true(db_run(w->aid.store->db, &w->aid.err, "UPDATE work SET to_release = 0"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_last(w)->buttons.at[0].id);
	world_run_ends(w, GOOD);
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback staging"), "has no earlier release"));
}

#define TWIN_OF_A "aaaaaaa9eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

WORLD_TEST(two_commits_that_begin_alike_are_told_apart_by_who_asks)
{
	world_two_go_live(w, COMMIT_A, TWIN_OF_A);
	world_deploy_goes_live(w, COMMIT_B);
	assert_string_equal(world_rollback_says(w, "/rollback staging AAAAAAA"),
	    "⛔ Not rolled back: staging: which release is AAAAAAA? Two commits begin with that.\n"
	    "• release 2 aaaaaaa \"Make it blue\", just now: /rollback staging aaaaaaa9\n"
	    "• release 1 aaaaaaa \"Make it blue\", just now: /rollback staging aaaaaaa1");
	assert_string_equal(world_labels(world_last(w)), "");
	(void)world_rollback_asks(w, "/rollback staging aaaaaaa9");
	assert_string_equal(world_newest(w, "staging").commit, TWIN_OF_A);
	(void)world_rollback_asks(w, "/rollback staging aaaaaaa1");
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_A);
	(void)world_rollback_asks(w, "/rollback staging 2");
	assert_string_equal(world_newest(w, "staging").commit, TWIN_OF_A);
	assert_non_null(world_says(w, "Roll back staging?"));
}

#define DAY_MS (24 * 3600 * INT64_C(1000))

static void
renumber(struct world *w, int64_t days_ago)
{
	assert_true(db_run(w->aid.store->db, &w->aid.err,
	    "UPDATE release SET renumbered_at = $1 WHERE environment = 'staging'",
	    DB_I64(STORE_AID_AT - days_ago * DAY_MS)));
}

/* Ids 1 to 4 were numbers: 1 staging, 2 production, 3 and 4 staging, which are 2 and 3 now. */
WORLD_TEST(a_number_that_was_another_releases_is_refused_for_ninety_days)
{
	world_deploy_goes_live(w, COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy production main", COMMIT_A);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Deploy to production?"), "Deploy to"));
	world_git(w, (struct world_git){ .commit = COMMIT_A }); /* has it moved on? */
	world_run_ends(w, GOOD);
	world_two_go_live(w, COMMIT_B, COMMIT_C);
	world_deploy_goes_live(w, COMMIT_D);
	renumber(w, 89);
	assert_string_equal(world_rollback_says(w, "/rollback staging 3"),
	    "⛔ Not rolled back: staging: which release is 3? Since an upgrade 89 d ago each environment counts "
	    "its own.\nNow it is\n• release 3 ccccccc \"Make it blue\", just now\nBefore it was what is "
	    "now\n• release 2 bbbbbbb \"Make it blue\", just now\nName its commit: /rollback staging "
	    "<commit>");
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging 5"),
	    "Before it was what is now\n• release 4 ddddddd \"Make it blue\", just now\nName its commit: "
	    "/rollback staging <commit>"));
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback staging 1"), "Roll back staging?"));
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback staging 2"), "Roll back staging?"));
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback staging ccccccc"), "Roll back staging?"));
	renumber(w, 91);
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging 3"), "ddddddd → ccccccc"));
}
