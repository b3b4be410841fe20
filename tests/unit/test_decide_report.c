/* Goal: GitHub is told once of each step of a deployment that its page shows, in order.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_report.h"

#include "decide_aid.h"

#define DAY    (24 * 3600 * INT64_C(1000))
#define GITHUB "GITHUB_REPOSITORY=octo/shop", "GITHUB_API_TOKEN=ghp_0123456789abcdef0123"

#define REPORT_TEST(name)	  WORLD_TEST_OF(name, GITHUB)
#define REPORT_TEST_OF(name, ...) WORLD_TEST_OF(name, GITHUB, __VA_ARGS__)

/* Takes the only one that is handed out: its state, for that work and commit. */
static void
told(struct world *w, int64_t work, const char *commit, const char *state)
{
	const struct effect *effect = world_peek(w, EFFECT_FORGE_REPORT);

	assert_non_null(effect);
	assert_int_equal(world_count(w, EFFECT_FORGE_REPORT), 1);
	assert_int_equal(effect->subject, work);
	assert_string_equal(effect->u.forge_report.commit, commit);
	assert_string_equal(effect->u.forge_report.state, state);
	world_forge(w, EFFECT_FORGE_REPORT, &(struct forge_said){ .verdict = FORGE_SAYS_DONE });
}

static void
told_nothing(struct world *w)
{
	assert_int_equal(world_count(w, EFFECT_FORGE_REPORT), 0);
}

static void
deploys(struct world *w, const char *commit, struct run_ended ended)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
	world_run_plays(w, ended);
}

REPORT_TEST(each_state_comes_after_the_one_before_it)
{
	const struct effect *effect;

	deploys(w, COMMIT_A, GOOD);
	effect = world_peek(w, EFFECT_FORGE_REPORT);
	assert_string_equal(effect->u.forge_report.repository, "octo/shop");
	assert_string_equal(effect->u.forge_report.target, "staging");
	assert_false(effect->u.forge_report.is_production);
	assert_true(effect->u.forge_report.requested_at > 0);
	told(w, 1, COMMIT_A, "in_progress");
	told(w, 1, COMMIT_A, "success");
	told_nothing(w);
}

REPORT_TEST(what_fails_is_a_failure_and_a_rollback_is_one_of_its_own)
{
	deploys(w, COMMIT_A, GOOD);
	deploys(w, COMMIT_B, FAILED_BEFORE_RELEASE);
	deploys(w, COMMIT_C, GOOD);
	world_text(w, WORLD_ADMIN, "/rollback staging");
	world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll back"));
	world_run_plays(w, GOOD);
	told(w, 1, COMMIT_A, "in_progress");
	told(w, 1, COMMIT_A, "success");
	told(w, 2, COMMIT_B, "in_progress");
	told(w, 2, COMMIT_B, "failure");
	told(w, 3, COMMIT_C, "in_progress");
	told(w, 3, COMMIT_C, "success");
	told(w, 4, COMMIT_A, "in_progress");
	told(w, 4, COMMIT_A, "success");
	told_nothing(w);
}

REPORT_TEST(what_is_stopped_is_a_failure_and_what_never_began_is_not_shown)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_run_starts(w);
	world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	world_text(w, WORLD_ADMIN, "/deploy production");
	world_git_at(w, COMMIT_B);
	world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Not now"));
	told(w, 1, COMMIT_A, "in_progress");
	told(w, 1, COMMIT_A, "failure");
	told_nothing(w);
}

REPORT_TEST(what_goes_back_to_the_queue_is_in_progress_no_more)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy"));
	world_git_same(w);
	w->settings = "KEEP_RELEASES=bbbbbbbbbbbbbbbb";
	world_run_refused(w);
	told(w, 1, COMMIT_A, "in_progress");
	told(w, 1, COMMIT_A, "inactive");
	told_nothing(w);
}

REPORT_TEST(a_day_later_nobody_is_told_of_it)
{
	deploys(w, COMMIT_A, GOOD);
	deploys(w, COMMIT_B, GOOD);
	w->aid.at += DAY + 1;
	deploys(w, COMMIT_C, GOOD);
	told(w, 1, COMMIT_A, "in_progress"); /* it was out */
	told(w, 3, COMMIT_C, "in_progress");
	told(w, 3, COMMIT_C, "success");
	told_nothing(w);
}

REPORT_TEST_OF(an_action_is_none, "PIPELINE_NIGHTLY=nightly.yml ref=main")
{
	world_text(w, WORLD_ADMIN, "/do run-pipeline staging nightly");
	world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Run nightly"));
	assert_int_equal(world_count(w, EFFECT_FORGE_START), 1);
	told_nothing(w);
}

REPORT_TEST_OF(nothing_is_told_where_that_is_off, "REPORT_DEPLOYMENTS=false")
{
	deploys(w, COMMIT_A, GOOD);
	told_nothing(w);
}

WORLD_TEST_OF(nothing_is_told_without_a_credential, "GITHUB_REPOSITORY=octo/shop")
{
	deploys(w, COMMIT_A, GOOD);
	told_nothing(w);
}
