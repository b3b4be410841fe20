/* Goal: whatever a run or a gate does, each deployment ends once, truthfully told.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

/* --- scripts that fail --- */

WORLD_TEST_BARE(a_script_that_fails_before_the_release_rolls_nothing_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "build");
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_GROUP, "staging still runs aaaaaaa"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "staging still runs aaaaaaa"));
	assert_non_null(world_says(w, "\nscript failed: no such file\n"));
	assert_string_equal(world_blocked(w, "staging"), "");
	assert_int_equal(world_active(w, "staging").id, 0);
	assert_int_equal(world_audited(w, "deploy_failed", COMMIT_B), 1);
	assert_string_equal(w->counted, "failed");
}

/* Goal: that is the status of the run, whatever its script said last. */
TEST(what_could_not_be_reached_is_known_by_its_status)
{
	static const struct {
		int status;
		const char *last;
		const char *says;
	} rows[] = {
		{ 69, "h1 is away", "was not replaced; whether it still runs is not known" },
		{ 1, "exit 69", "staging still runs aaaaaaa" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct run_ended ended = FAILED_BEFORE_RELEASE;
		struct world w;

		ended.exit_status = rows[i].status;
		(void)text_copy(ended.detail, sizeof(ended.detail), rows[i].last);
		world_b_over_a(&w, STAGING_URL);
		world_run_ends(&w, ended);
		assert_non_null(world_says(&w, rows[i].says));
		world_close(&w);
	}
}

/* Regression: the block of a commit named what went wrong with its rollback. */
WORLD_TEST_BARE(a_block_says_what_was_wrong_with_its_commit)
{
	struct run_ended boom = TOUCHED, away = TOUCHED;

	(void)text_copy(boom.detail, sizeof(boom.detail), "boom");
	(void)text_copy(away.detail, sizeof(away.detail), "No route to host");
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, boom);
	world_run_ends(w, away);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_true(world_environment(w, "staging").is_down);
	assert_false(world_environment(w, "staging").is_unacknowledged); /* nothing serves again */
	world_answers(w, WORLD_ADMIN, "/status", "(script failed: exit 1: boom)");
}

WORLD_TEST_BARE(a_script_that_fails_after_release_is_rolled_back)
{
	const struct effect *run, *probe;

	world_b_over_a(w, STAGING_URL);
	world_run_releases(w, TOUCHED);
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, COMMIT_A);
	assert_string_equal(run->u.run.previous, COMMIT_B);
	assert_int_equal(world_run_starts(w), 200);
	assert_non_null(world_says(w, "↩️ rolling back to aaaaaaa"));
	world_run_ends(w, GOOD);
	probe = world_peek(w, EFFECT_PROBE);
	assert_non_null(probe);
	assert_string_equal(probe->u.probe.targets[0].commit, COMMIT_A);
	/* The gate of a rollback is that of a release, with a deadline of its own. */
	assert_int_equal(probe->u.probe.plan.successes, 2);
	assert_int_equal(probe->u.probe.plan.failures, 10);
	assert_int_equal(probe->u.probe.plan.interval_s, 10);
	assert_int_equal(probe->u.probe.plan.timeout_s, 5);
	assert_int_equal(probe->u.probe.plan.deadline_s, 300);
	assert_in_range(probe->u.probe.plan.until, w->aid.at + 299000, w->aid.at + 300000);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "staging is NOT running bbbbbbb; it runs aaaaaaa again"));
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
	assert_true(world_environment(w, "staging").is_unacknowledged);
	assert_int_equal(world_audited(w, "rollback_started", NULL), 1);
	assert_int_equal(world_audited(w, "auto_rollback_completed", NULL), 1);
	assert_string_equal(w->counted, "rolled_back");
}

/* A rollback began beside a deployment that was alive, below "everything it had started was
 * ended". */
WORLD_TEST_BARE(a_run_that_could_not_be_swept_is_left_to_a_person)
{
	world_b_over_a(w, STAGING_URL);
	world_run_step(w, 0, "release");
	world_run_ends(w,
	    (struct run_ended){
		.gate_opened = true, .lost = true, .unswept = true, .released = true });
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "it was killed; some of it may still be running"));
	assert_null(world_says(w, "was ended"));
	assert_int_not_equal(world_environment(w, "staging").unknown_since, 0);
	assert_non_null(world_says_in(w, WORLD_TEAM, "Nothing is started there by itself"));
}

WORLD_TEST_BARE(a_large_log_goes_when_a_newer_run_of_its_environment_has_ended)
{
	struct run_ended large = TOUCHED;

	world_b_over_a(w, STAGING_URL);
	large.log_size = INT64_C(11) << 30; /* above RUN_LOGS_TOTAL */
	world_run_ends(w, large);
	assert_null(world_peek(w, EFFECT_PURGE_RUN)); /* it is the newest that has ended */
	world_run_ends(w, GOOD);
	assert_non_null(world_peek(w, EFFECT_PURGE_RUN));
	assert_int_equal(world_peek(w, EFFECT_PURGE_RUN)->u.purge_run.run, 2);
}

WORLD_TEST_BARE(a_release_that_is_not_healthy_is_rolled_back)
{
	world_b_over_a(w, STAGING_URL);
	world_run_is_probed(w, "HTTP 500");
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "unhealthy: HTTP 500"));
}

WORLD_TEST_BARE(a_rollback_that_fails_too_is_down)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, TOUCHED);
	world_run_step(w, 0, "release");
	world_run_ends(w,
	    (struct run_ended){ .gate_opened = true, .exit_status = 1, .detail = "no such image" });
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(w,
	    "staging may be DOWN: the rollback from bbbbbbb to aaaaaaa failed: what runs is not known"));
	assert_non_null(
	    world_says(w, "script failed: exit 1; the rollback: exit 1: no such image"));
	assert_true(world_environment(w, "staging").is_down);
	assert_int_equal(world_audited(w, "auto_rollback_failed", "critical"), 1);
	assert_int_equal(world_active(w, "staging").id, 0);
	(void)world_text(w, WORLD_ADMIN, "/status staging"); /* what a phone shows of it */
	assert_non_null(world_says(w, "🔥 staging may be DOWN; last live: aaaaaaa"));
	world_probed(w, "HTTP 500");
	assert_non_null(world_says(w, "🔥 staging is DOWN; last live: aaaaaaa"));
	assert_null(strstr(world_plain(world_last(w)), "may be")); /* in the same breath */
}

/* It said "neither is healthy", of a rollback that nobody had tried. */
WORLD_TEST_BARE(a_rollback_that_could_not_begin_is_told_so)
{
	world_b_over_a(w, STAGING_URL);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, (struct run_ended){ .refused = true, .detail = "no space left" });
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(w,
	    "staging may be DOWN: bbbbbbb failed, what it left is not known: rolling back to aaaaaaa did not begin to change anything"));
	assert_non_null(world_says(w, "the rollback: could not be started: no space left"));
	assert_null(world_says(w, "neither"));
	assert_true(world_environment(w, "staging").is_down);
}

/* What its end and its step `release` say, and nothing else that it printed, tells one that changed
 * the target from one that did not. */
TEST(whether_a_rollback_began_is_read_off_its_end)
{
#define SENTENCE "could not be started: or so it printed"
	static const struct {
		struct run_ended ended;
		bool began;
	} cases[] = {
		{ { .gate_opened = true, .exec_errno = 2, .detail = "No such file" }, false },
		{ { .gate_opened = true, .exit_status = 65, .detail = SENTENCE }, false },
		{ { .gate_opened = true, .exit_status = 65, .released = true, .detail = SENTENCE },
		    true },
		{ { .gate_opened = true,
		      .exit_status = -1,
		      .signal_number = 9,
		      .detail = SENTENCE },
		    true },
		{ { .gate_opened = true,
		      .timed_out = true,
		      .signal_number = 15,
		      .detail = SENTENCE },
		    true },
	};
	struct world w;

	for (size_t i = 0; i < COUNT(cases); i++) {
		world_b_over_a(&w, STAGING_URL);
		world_run_ends(&w, TOUCHED);
		if (cases[i].ended.released)
			world_run_step(&w, 0, "release");
		world_run_ends(&w, cases[i].ended);
		assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
		assert_int_equal(
		    world_says(&w, "did not begin to change anything") == NULL, cases[i].began);
		assert_int_equal(world_says(&w, "what runs is not known") != NULL, cases[i].began);
		world_close(&w);
	}
}

WORLD_TEST_BARE(a_rollback_that_is_not_healthy_is_down)
{
	world_b_over_a(w, STAGING_URL);
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, "no answer");
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(w, "\nunhealthy: HTTP 500; after the rollback: no answer"));
}

/* Goal: DOWN is said of the hosts that are: the others serve. */
TEST(down_is_said_of_the_hosts_that_are)
{
	static const char urls[] =
	    "STAGING_HEALTH_URL=http://h1/health,http://h1/more,http://h2:8080/health";
	struct world w;

	world_b_over_a(&w, urls);
	world_run_ends(&w, GOOD);
	world_probed_but(&w, 2, "HTTP 500");
	world_run_ends(&w, GOOD);
	world_probed_but(&w, 2, "no answer");
	assert_int_equal(world_state(&w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(&w, "🔥 DOWN: staging, rollback failed: on h2 (1 of 2 hosts),"));
	assert_non_null(world_says(&w,
	    "\nstaging is DOWN on h2 (1 of 2 hosts): aaaaaaa is back, and is not healthy either"));
	assert_non_null(world_says(&w,
	    "unhealthy: on h2 (1 of 2 hosts): HTTP 500; after the rollback: on h2 (1 of 2 hosts)"));
	world_close(&w);
	world_open(&w, urls, NULL);
	world_deploy_starts(&w, COMMIT_A);
	world_run_ends(&w, GOOD);
	world_probed_but(&w, 2, "HTTP 500");
	assert_non_null(
	    world_says(&w, "🔥 DOWN: staging on h2 (1 of 2 hosts), nothing to roll back"));
	assert_non_null(
	    world_says(&w, "\nstaging is DOWN on h2 (1 of 2 hosts): aaaaaaa was left running"));
	world_close(&w);
	/* Of one host with several addresses, and where all are, nothing is added. */
	for (size_t well = 0; well < 2; well++) {
		world_open(&w, urls, NULL);
		world_deploy_starts(&w, COMMIT_A);
		world_run_ends(&w, GOOD);
		world_probed_but(&w, well, "HTTP 500");
		assert_non_null(world_says(&w, "\nstaging is DOWN: aaaaaaa was left running"));
		world_close(&w);
	}
}

WORLD_TEST_OF(nothing_to_go_back_to_is_failed_and_not_known_to_be_well, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_is_probed(w, "HTTP 500");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "staging is DOWN: "));
	assert_non_null(world_says(w, "Last known release: none"));
}

/* --- what ran before deploybot --- */

WORLD_TEST_OF(a_first_release_that_fails_is_rolled_back_to_what_ran_before_deploybot, STAGING_URL)
{
	const struct effect *run, *probe;

	world_deploy_starts(w, COMMIT_B);
	world_run_step(w, 0, "previous target:before-12");
	world_run_step(w, 1, "release");
	world_run_ends(w, TOUCHED);
	run = world_peek(w, EFFECT_RUN);
	assert_non_null(run);
	assert_int_equal(run->u.run.program, PROGRAM_ROLLBACK);
	assert_string_equal(run->u.run.commit, "target:before-12");
	assert_string_equal(run->u.run.image, "");
	assert_string_equal(run->u.run.previous, COMMIT_B);
	assert_int_equal(world_run_starts(w), 200);
	assert_non_null(world_says(w, "↩️ rolling back to what ran before deploybot"));
	world_run_ends(w, GOOD);
	probe = world_peek(w, EFFECT_PROBE);
	assert_non_null(probe);
	assert_string_equal(probe->u.probe.targets[0].commit, "");
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(
	    w, "staging is NOT running bbbbbbb; it is back to what ran before deploybot"));
	assert_int_equal(world_environment(w, "staging").current.id, 0);
	assert_int_equal(world_environment(w, "staging").previous.id, 0);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	assert_int_equal(world_audited(w, "auto_rollback_completed", "target:before-12"), 1);
}

WORLD_TEST_OF(a_first_release_that_is_not_healthy_either, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_B);
	world_run_step(w, 0, "previous target:before-12");
	world_run_step(w, 1, "release");
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, "HTTP 500");
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(
	    w, "staging is DOWN: what ran before deploybot is back, and is not healthy either"));
}

/* A script's word never takes the place of the release that the database knows. */
WORLD_TEST_OF(what_ran_before_deploybot_is_never_taken_for_the_current_release, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	world_deploy_starts(w, COMMIT_A); /* the same again: there is nothing before it */
	world_run_step(w, 0, "previous target:before-12");
	world_run_step(w, 1, "release");
	assert_string_equal(world_newest(w, "staging").previous, "");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

WORLD_TEST_OF(
    a_word_for_what_ran_before_deploybot_is_checked_and_comes_before_the_release, STAGING_URL)
{
	static const char *const odd[] = { "previous target:", "previous target:-x",
		"previous target:a b", "previous target:../x", ("previous " COMMIT_A),
		"previous target:a2345678901234567890123456789012" };
	int n = 0;

	world_deploy_starts(w, COMMIT_B);
	for (size_t i = 0; i < COUNT(odd); i++)
		world_run_step(w, n++, odd[i]);
	world_run_step(w, n++, "release");
	world_run_step(w, n++, "previous target:late");
	assert_string_equal(world_newest(w, "staging").previous, "");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
}

/* A hook before it has stopped it: what was released runs, well or not. */
WORLD_TEST_BARE(a_rollback_that_ends_before_it_changed_anything_has_not_started)
{
	world_b_over_a(w, STAGING_URL);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_non_null(world_says(w,
	    "staging may be DOWN: bbbbbbb failed, what it left is not known: rolling back to aaaaaaa did not begin to change anything"));
}

WORLD_TEST_BARE(what_ran_out_of_time_says_so)
{
	world_b_over_a(w, STAGING_URL);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.deadline_s, 600);
	world_run_ends(w,
	    (struct run_ended){ .gate_opened = true,
		.released = true,
		.timed_out = true,
		.exit_status = -1,
		.signal_number = 9 });
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
	world_run_is_probed(w, NULL);
	assert_non_null(world_says(w, "timed out: killed by signal 9"));
}

/* --- any end --- */

WORLD_TEST_BARE(a_result_whose_effect_is_closed_changes_nothing)
{
	struct event *again;
	int64_t effect, run;

	world_b_over_a(w, STAGING_URL);
	effect = world_peek(w, EFFECT_RUN)->id;
	run = world_peek(w, EFFECT_RUN)->u.run.run;
	world_run_ends(w, GOOD);
	again = store_aid_event(&w->aid, EVENT_RUN_ENDED);
	again->effect = effect;
	again->u.run_ended = TOUCHED;
	again->u.run_ended.run = run;
	(void)world_decide(w, again);
	assert_int_equal(world_state(w), DEPLOY_VERIFYING);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_BARE(what_a_deployment_needs_to_end_is_what_it_started_with)
{
	world_b_over_a(w, STAGING_URL);
	world_settings(w, "STAGING_HEALTH_URL=http://127.0.0.1:1/other", NULL);
	world_run_ends(w, GOOD);
	assert_string_equal(
	    world_peek(w, EFFECT_PROBE)->u.probe.targets[0].url, "http://127.0.0.1:1/health");
}
