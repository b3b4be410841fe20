/* Goal: failed jobs of a run at a forge run again as work of their own, each attempt once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_pipeline.h"

#include "pipeline_aid.h"

PIPELINE_TEST(failed_jobs_run_again_as_work_of_their_own)
{
	int64_t first;

	begins(w);
	first = work(w).id;
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "its run failed"), "🔁 Run failed jobs again"));
	assert_int_equal(work(w).state, DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(strstr(
	    world_plain(world_last(w)), "failed jobs of run 4711 of octo/shop again · " PAGE));
	assert_non_null(world_says(w, "❓ Run? production release 1.4.2-RC1 (failed jobs)\n"));
	assert_string_equal(
	    world_last(w)->buttons.at[0].label, "🔧 Run release 1.4.2-RC1 (failed jobs) production");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	assert_int_not_equal(work(w).id, first);
	assert_int_equal(world_peek(w, EFFECT_FORGE_START)->u.forge.run, RUN);
	github(w, EFFECT_FORGE_START, done(0));
	/* What is said of the first attempt is not its end. */
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_IS_OVER, "failure"));
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	(void)delivered(w, run_of(2, PIPELINE_IS_OVER, "success"));
	assert_int_equal(work(w).state, DEPLOY_DONE);
}

/* It has them, whatever its line asks for by now. */
PIPELINE_TEST(failed_jobs_need_no_words)
{
	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	world_settings(w, GITHUB, "PIPELINE_RELEASE=release.yml ref=main a=? b=?", NULL);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "its run failed"), "🔁 Run failed jobs again"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	assert_int_equal(world_peek(w, EFFECT_FORGE_START)->u.forge.run, RUN);
}

/* Two have pressed it below the same failure. */
PIPELINE_TEST(who_waited_while_another_attempt_ran_has_the_next_one)
{
	struct world_message *failed;

	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	failed = world_says(w, "its run failed");
	for (size_t i = 0; i < 2; i++) {
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(failed, "🔁 Run failed jobs again"));
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	}
	assert_int_equal(work(w).state, DEPLOY_QUEUED);
	github(w, EFFECT_FORGE_START, done(0));
	(void)delivered(w, run_of(2, PIPELINE_IS_OVER, "failure"));
	github(w, EFFECT_FORGE_START, done(0));
	(void)delivered(w, run_of(2, PIPELINE_IS_OVER, "failure"));
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	(void)delivered(w, run_of(3, PIPELINE_IS_OVER, "success"));
	assert_int_equal(work(w).state, DEPLOY_DONE);
}

PIPELINE_TEST(attempts_that_never_come_are_not_waited_for)
{
	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "its run failed"), "🔁 Run failed jobs again"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_NOTHING, "timed out"));
	w->aid.at += 2 * MINUTE;
	github(w, EFFECT_FORGE_LOOK, looks(1, PIPELINE_IS_OVER, "failure"));
	assert_int_equal(work(w).state, DEPLOY_FAILED);
	assert_string_equal(work(w).detail, "whether it was started is not known");
}

/* Else whoever runs them next would take its end for its own. */
PIPELINE_TEST(what_may_have_begun_before_a_restart_is_looked_at_first)
{
	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "its run failed"), "🔁 Run failed jobs again"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	w->aid.at += 40 * MINUTE;
	github(w, EFFECT_FORGE_START, says(FORGE_SAYS_NOTHING, "deploybot was restarted"));
	github(w, EFFECT_FORGE_LOOK, says(FORGE_SAYS_NOTHING, "HTTP 502"));
	assert_int_equal(work(w).state, DEPLOY_RUNNING);
	github(w, EFFECT_FORGE_LOOK, looks(2, PIPELINE_IS_OVER, "success"));
	assert_int_equal(work(w).state, DEPLOY_DONE);
}

/* What GitLab begins again may make no new job; what may not have begun has no end of before. */
WORLD_TEST_OF(at_gitlab_an_end_of_before_is_of_what_was_begun, GITLAB)
{
	for (size_t i = 0; i < 2; i++) {
		ask(w, "/do run-pipeline production release 1.4.2");
		github(w, EFFECT_FORGE_START, done(RUN));
		github(w, EFFECT_FORGE_LOOK, at_gitlab(looks(5, PIPELINE_IS_OVER, "failure")));
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
		    world_button(world_says(w, "its pipeline failed"), "🔁 Run failed jobs again"));
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
		github(w, EFFECT_FORGE_START,
		    i == 0 ? done(0) : says(FORGE_SAYS_NOTHING, "timed out"));
		w->aid.at += MINUTE;
		github(w, EFFECT_FORGE_LOOK, at_gitlab(looks(5, PIPELINE_IS_OVER, "success")));
		assert_int_equal(work(w).state, i == 0 ? DEPLOY_DONE : DEPLOY_RUNNING);
	}
	w->aid.at += MINUTE;
	github(w, EFFECT_FORGE_LOOK, at_gitlab(looks(5, PIPELINE_IS_OVER, "success")));
	assert_string_equal(work(w).detail, "whether it was started is not known");
}

/* The button stays below what has failed. */
PIPELINE_TEST(what_has_passed_since_does_not_run_again)
{
	char again[LIMIT_BUTTON_ID], yes[LIMIT_BUTTON_ID];

	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	(void)text_copy(again, sizeof(again),
	    world_button(world_says(w, "its run failed"), "🔁 Run failed jobs again"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, again);
	(void)text_copy(yes, sizeof(yes), world_button(world_last(w), "🔧 Run "));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, again);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	github(w, EFFECT_FORGE_START, done(0));
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, again);
	assert_string_equal(
	    w->toast, "⛔ Not done: production release 1.4.2-RC1, runs again already: #3");
	(void)delivered(w, run_of(2, PIPELINE_IS_OVER, "success"));
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, again);
	assert_string_equal(w->toast, "⛔ Not done: production release 1.4.2-RC1, passed since: #3");
	assert_int_equal(work(w).id, 3);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, yes);
	assert_string_equal(w->toast, "Refused: passed since: #3.");
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_REFUSED);
}

PIPELINE_TEST(what_has_passed_while_it_waited_is_not_begun)
{
	struct world_message *failed;

	begins(w);
	(void)delivered(w, run_of(1, PIPELINE_IS_OVER, "failure"));
	failed = world_says(w, "its run failed");
	for (size_t i = 0; i < 2; i++) {
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(failed, "🔁 Run failed jobs again"));
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "🔧 Run "));
	}
	github(w, EFFECT_FORGE_START, done(0));
	(void)delivered(w, run_of(2, PIPELINE_IS_OVER, "success"));
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 0);
	assert_int_equal(work(w).why, DEPLOY_WHY_NOT_STARTED);
	assert_string_equal(work(w).detail, "passed since: #2");
}
