/* Goal: behind a migration that may be at work nothing is rolled back but a release, and that is said.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "decide/work/decide_end.h"
#include "lib/text.h"

WORLD_TEST_BARE(a_script_that_says_no_rollback_cannot_roll_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "no-rollback");
	world_run_step(w, 1, "release");
	world_run_is_probed(w, "HTTP 500");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "Last known release: aaaaaaa"));
}

static void
migrates_and_goes_live(struct world *w, const char *commit)
{
	world_deploy_starts(w, commit);
	world_run_step(w, 0, "migrate");
	world_run_step(w, 1, "migrated");
	world_run_step(w, 2, "release");
	world_run_is_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, commit);
}

static const char *
status_of_staging(struct world *w)
{
	struct world_message *message;

	(void)world_text(w, WORLD_ADMIN, "/status staging");
	message = world_last(w);
	world_probed(w, NULL);
	return world_plain(message);
}

#define BEHIND "\n⚠️ the migration of bbbbbbb failed; the database may be half migrated"

/* What was live serves on: nothing is rolled back, and no push does it again. */
WORLD_TEST_BARE(what_ends_behind_its_migration_is_blocked_and_not_rolled_back)
{
	const char *status;

	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "migrate");
	assert_null(strstr(status_of_staging(w), "the migration of")); /* it is at work */
	world_run_step(w, 1, "migrate-failed 1");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .migration = true, .exit_status = 70 });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w,
	    "staging: the migration failed (exit 1); aaaaaaa still serves; the database may be half migrated"));
	assert_null(world_says(w, "nothing was changed"));
	assert_string_not_equal(
	    world_button(world_says_in(w, WORLD_TEAM, "Migration failed"), "🚀 Deploy to staging"),
	    "");
	assert_string_equal(
	    world_button(world_says_in(w, WORLD_TEAM, "Migration failed"), "Roll back"), "");
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_false(world_environment(w, "staging").is_unacknowledged);
	assert_false(world_environment(w, "staging").is_down);
	status = status_of_staging(w);
	assert_non_null(strstr(status,
	    "\nblocked: bbbbbbb: its deployment failed, just now (script failed: exit 70)"));
	assert_null(strstr(status, "rolled back"));
	assert_non_null(strstr(status, BEHIND));
	migrates_and_goes_live(w, COMMIT_C); /* nothing waits for it */
	assert_null(strstr(status_of_staging(w), "the migration of"));
}

/* Goal: why it failed is read where it is looked at first, by who may read such words. */
TEST(the_last_words_of_a_failed_migration_are_said_as_the_applications)
{
	static const char words[] = "1\n2\n3\n4\n5\nOperationalError: duplicate column name: price";
	struct run_ended failed = { .gate_opened = true, .migration = true, .exit_status = 70 };
	struct world w;

	(void)text_copy(failed.application_log, sizeof(failed.application_log), words);
	(void)text_copy(
	    failed.detail, sizeof(failed.detail), "deploy.sh: the migration failed (exit 1)");
	for (int shown = 0; shown < 2; shown++) {
		world_open(&w, STAGING_URL, shown ? "FAILURE_LOG_IN_CHAT=true" : NULL, NULL);
		world_deploy_starts(&w, COMMIT_A);
		world_run_step(&w, 0, "migrate");
		world_run_step(&w, 1, "migrate-failed 1");
		world_run_ends(&w, failed);
		assert_int_equal(world_state(&w), DEPLOY_FAILED);
		if (shown) {
			assert_non_null(world_says_in(&w, WORLD_TEAM,
			    "the application logged:\n2\n3\n4\n5\nOperationalError: duplicate"));
		} else {
			assert_null(world_says_in(&w, WORLD_TEAM, "duplicate column"));
			(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM,
			    world_button(world_says_in(&w, WORLD_TEAM, "Migration failed"),
				"📄 Application log"));
			assert_non_null(world_says_in(&w, WORLD_ADMIN, words));
		}
		world_close(&w);
	}
}

/* Goal: a first release that its host took back whole is no target in doubt. */
TEST(a_first_release_of_which_nothing_runs_leaves_no_doubt)
{
	struct run_ended failed = {
		.gate_opened = true, .released = true, .undone = true, .exit_status = 70
	};
	struct world w;

	for (int migrates = 0; migrates < 2; migrates++) {
		failed.migration = migrates == 1;
		world_open(&w, STAGING_URL, NULL);
		world_deploy_starts(&w, COMMIT_A);
		if (migrates) {
			world_run_step(&w, 0, "migrate");
			world_run_step(&w, 1, "migrated");
		}
		world_run_step(&w, 2, "release");
		world_run_step(&w, 3, "nothing-runs");
		world_run_ends(&w, failed);
		assert_int_equal(world_state(&w), DEPLOY_FAILED);
		assert_non_null(world_says(&w, "Failed: staging, nothing of it runs: "));
		assert_null(world_says(&w, "may be DOWN"));
		assert_false(world_environment(&w, "staging").is_down);
		assert_string_equal(world_blocked(&w, "staging"),
		    migrates ? COMMIT_A : ""); /* or it migrates again */
		assert_null(strstr(status_of_staging(&w), "DOWN"));
		world_close(&w);
	}
}

/* The record alone knows of it: the server was away. */
WORLD_TEST_BARE(a_migration_of_which_only_the_record_tells_may_be_at_work)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w,
	    (struct run_ended){ .gate_opened = true,
		.migration = true,
		.timed_out = true,
		.exit_status = -1,
		.signal_number = 9 });
	assert_non_null(world_says(w, "the migration was interrupted; it may still be running"));
	assert_null(world_says(w, "nothing was changed"));
}

WORLD_TEST_BARE(a_rollback_behind_a_migration_says_on_what_the_earlier_release_serves)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "migrate");
	world_run_step(w, 1, "migrated");
	world_run_step(w, 2, "release");
	world_run_ends(w, TOUCHED);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(
	    world_says(w, "the migration ran; aaaaaaa now serves on the migrated database"));
}

/* Its record has it from its supervisor's draft: that it was seen at its gate counts for less. */
WORLD_TEST_BARE(what_is_lost_in_its_migration_is_not_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "migrate");
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .lost = true, .migration = true, .exit_status = -1 });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w,
	    "staging: the migration was interrupted; it may still be running; aaaaaaa was not replaced, whether it serves is not known; the database may be half migrated"));
	assert_non_null(
	    world_says(w, "it was killed; all that it had started on deploybot's machine"));
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
}

static void
give_up(struct tx *tx, UNUSED void *arg)
{
	struct deployment active;

	row_deployment_active(tx, "staging", &active);
	decide_give_up(tx, &active, "its result could not be handled");
}

WORLD_TEST_BARE(what_is_given_up_in_its_migration_is_not_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "migrate");
	world_run_step(w, 1, "migrated");
	world_act(w, give_up, NULL);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(
	    world_says(w, "the migration ran; aaaaaaa still serves on the migrated database"));
}

/* It said nothing of the database, neither in its question nor in its end. */
WORLD_TEST_OF(
    a_persons_rollback_past_a_migration_says_on_what_the_earlier_release_serves, STAGING_URL)
{
	migrates_and_goes_live(w, COMMIT_A);
	migrates_and_goes_live(w, COMMIT_B);
	migrates_and_goes_live(w, COMMIT_C);
	(void)world_rollback_asks(w, "/rollback staging");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "\n⚠️ the migration of ccccccc ran; bbbbbbb would serve on the migrated database"));
	world_answers_last(w, WORLD_ADMIN, "/rollback staging 1",
	    "\n⚠️ the migration of ccccccc ran, after 1 earlier migration that began since that release; aaaaaaa would serve on the migrated database");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll back"));
	(void)world_run_starts(w);
	assert_null(strstr(world_plain(world_says(w, "Rolling back staging")), "the migration"));
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	assert_non_null(world_says(w,
	    "aaaaaaa\n⚠️ the database was NOT rolled back: the migration of ccccccc ran, after 1 earlier migration that began since that release; aaaaaaa now serves on the migrated database"));

	/* Forward to what migrated last: the database is that release's. */
	world_answers_last(w, WORLD_ADMIN, "/rollback staging 3", "Roll forward staging?");
	assert_null(strstr(world_plain(world_last(w)), "the migration"));
}
