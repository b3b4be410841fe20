/* Goal: what is live comes to the hosts that do not run it, and to no other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"
#include "decide_aid_inside.h"
#include "lib/text.h"
#include "store/store_inside.h"
#include "waves_aid.h"

#define IMAGE "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define FAILED_TEST(name) \
	WORLD_TEST_OF(name, HOSTS, "STAGING_FAILURES_MAX=1", "STAGING_IMAGE_SOURCE=registry")

/* B is live on h1 and h2; h3 has A. */
static void
live_on_two(struct world *w)
{
	waves_begin(w);
	waves_say(w, "h1 began, h1 ok");
	(void)world_run_starts(w);
	world_run_ships(w, 0, "release", IMAGE);
	world_run_ends(w, GOOD);
	waves_ordered(w, "2/2", "h2:22\nh3:22\n");
	waves_say(w, "h2 began, h3 began, h2 ok, h3 failed: no space left");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(world_environment(w, "staging").current.image, IMAGE);
	waves_is(w, 3, HOST_IS_FAILED, COMMIT_A);
}

static void
yes(struct world *w)
{
	struct world_message *asked = world_says(w, "which is live");

	assert_non_null(asked);
	(void)world_press(w, WORLD_ADMIN, asked->chat, world_button(asked, "Deploy"));
	world_git_same(w);
}

FAILED_TEST(it_is_asked_and_ordered_for_these_hosts_alone)
{
	struct world_message *asked;

	live_on_two(w);
	assert_non_null(world_says(w, "/deploy staging failed"));
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	asked = world_says(w, "❓ Deploy to staging: 1 host that does not run what is live?");
	assert_non_null(asked);
	assert_non_null(strstr(world_labels(asked), "🚀 Deploy to hosts of staging | "));
	assert_non_null(world_says(w, "\n1 host: h3"));
	assert_non_null(world_says(w, "where it fails they get back what they run now"));
	assert_null(world_says(w, "This is live already"));
	assert_null(world_says(w, "you can roll back to"));
	assert_non_null(world_says(w, "release bbbbbbb, which is live"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	yes(w);
	waves_ordered(w, "1/1", "h3:22\n");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.image, IMAGE);
	assert_true(world_peek(w, EFFECT_RUN)->u.run.is_promoted);
	waves_say(w, "h3 began, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "Live: staging on 1 more host, 3 of 3 run it"));
	assert_non_null(world_says(w, "\n3 of all 3 hosts run it"));
	for (int i = 1; i <= 3; i++)
		waves_is(w, i, HOST_IS_CURRENT, COMMIT_B);
	assert_string_equal(waves_live(w), COMMIT_B);
}

FAILED_TEST(where_none_failed_there_is_nothing_to_do)
{
	live_on_two(w);
	world_rewrite(w, "UPDATE host SET state = 'current', release = '" COMMIT_B "'");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging failed");
	assert_non_null(
	    world_says(w, "each host that is known runs what is live: none has failed"));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

FAILED_TEST(a_host_that_failed_and_runs_what_is_live_gets_no_order)
{
	live_on_two(w);
	world_rewrite(w, "UPDATE host SET state = 'failed' WHERE name = 'h1:22'");
	world_rewrite(w, "UPDATE host SET state = 'unknown' WHERE name = 'h2:22'");
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	assert_non_null(world_says(w, "\n2 hosts: h2, h3"));
}

FAILED_TEST(one_that_came_to_it_meanwhile_gets_no_order)
{
	live_on_two(w);
	world_rewrite(w, "UPDATE host SET state = 'unknown' WHERE name = 'h2:22'");
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	assert_non_null(world_says(w, "\n2 hosts: h2, h3"));
	world_rewrite(w, "UPDATE host SET state = 'current' WHERE name = 'h2:22'");
	yes(w);
	waves_ordered(w, "1/1", "h3:22\n");
}

FAILED_TEST(all_that_came_to_it_meanwhile_refuse_it)
{
	live_on_two(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	world_rewrite(
	    w, "UPDATE host SET state = 'current', release = '" COMMIT_B "' WHERE name = 'h3:22'");
	yes(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_non_null(world_says(w, "none has failed"));
}

WORLD_TEST_OF(it_fails_again_and_the_others_stay, HOSTS, "STAGING_FAILURES_MAX=1",
    "STAGING_IMAGE_SOURCE=registry", "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	live_on_two(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	yes(w);
	waves_say(w, "h3 began, h3 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_ordered(w, "", "= " COMMIT_A "\nh3:22\n");
	waves_say(w, "h3 began, h3 ok");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "❌ Hosts failed: staging, 2 of 3 run bbbbbbb: "));
	assert_non_null(
	    world_says(w, "staging runs bbbbbbb on 2 of 3 hosts: no other host was touched"));
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_B);
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_A);
	assert_string_equal(waves_live(w), COMMIT_B);
	assert_string_equal(world_blocked(w, "staging"), "");
	for (int i = 0; i < 2; i++) /* one is of hosts that lag, and was before this end */
		world_due(w, TIMER_NAG);
	for (size_t i = 0; i < w->n_screen; i++)
		if (world_button(&w->screen[i], "Seen")[0] != '\0')
			(void)world_press(
			    w, WORLD_ADMIN, w->screen[i].chat, world_button(&w->screen[i], "Seen"));
	for (int i = 0; i < 2; i++) /* one is of what was seen */
		world_due(w, TIMER_NAG);
	assert_non_null(world_says(w, "these hosts failed:\nh3: runs aaaaaaa"));
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	yes(w);
	waves_ordered(w, "1/1", "= " COMMIT_A "\nh3:22\n");
}

/* What is live stays live where it is: that some hosts failed to get it is no rollback from it. */
WORLD_TEST_OF(what_failed_there_marks_no_release, HOSTS, "STAGING_FAILURES_MAX=1",
    "STAGING_IMAGE_SOURCE=registry", "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	live_on_two(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	yes(w);
	waves_say(w, "h3 began, h3 failed: no space left");
	world_run_releases(w, GOOD);
	assert_non_null(world_says(w, "(no host has its release: h3: no space left)"));
	assert_non_null(world_says(w, "❌ Hosts failed: staging, the others run on: "));
	assert_non_null(world_says(w, "its hosts get back what they ran"));
	assert_null(world_says(w, "rolling back to"));
	waves_say(w, "h3 began, h3 ok");
	world_run_ends(w, GOOD);
	world_answers(
	    w, WORLD_ADMIN, "/status staging", "seen yet that it failed again with bbbbbbb");
	world_answers(w, WORLD_ADMIN, "/history staging", "to some hosts, rolled back");
	(void)world_rollback_asks(w, "/rollback staging");
	assert_null(world_says(w, "goes further back"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_say(w, "h1 ok, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	waves_say(w, "h1 ok, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_string_equal(waves_live(w), COMMIT_C);
	(void)world_rollback_asks(w, "/rollback staging");
	assert_null(world_says(w, "failed there since"));
}

FAILED_TEST(while_a_release_comes_to_its_hosts_it_is_not_asked_for)
{
	live_on_two(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging failed");
	assert_non_null(world_says(w, "a release is being brought to its hosts: ask again"));
}

FAILED_TEST(it_is_no_promotion_that_spares_approvals)
{
	live_on_two(w);
	world_settings(w, HOSTS, "STAGING_FAILURES_MAX=1", "STAGING_IMAGE_SOURCE=registry",
	    "STAGING_APPROVALS_IF=not-promoted=1", NULL);
	world_settings_read(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	yes(w);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
}

FAILED_TEST(who_may_not_deploy_may_not_bring_it_there)
{
	live_on_two(w);
	(void)world_text(w, WORLD_STRANGER, "/deploy staging failed");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

WORLD_TEST_OF(a_user_of_the_machine_brings_it_there_as_somebody_of_the_chat, HOSTS,
    "STAGING_FAILURES_MAX=1", "STAGING_IMAGE_SOURCE=registry", STAGING_IS, STRANGER_IS, TEAM)
{
	live_on_two(w);
	assert_int_equal(
	    api_aid_ask(w, STAGING, DEPLOY, "{\"arguments\": [\"staging\", \"failed\"]}"), 200);
	world_git_same(w);
	yes(w);
	waves_ordered(w, "1/1", "h3:22\n");
	assert_int_equal(
	    api_aid_ask(w, STRANGER, DEPLOY, "{\"arguments\": [\"staging\", \"failed\"]}"), 403);
}

FAILED_TEST(without_an_image_it_is_the_commit_alone)
{
	live_on_two(w);
	world_rewrite(w, "UPDATE release SET image = ''");
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	yes(w);
	waves_ordered(w, "1/1", "h3:22\n");
	assert_false(world_peek(w, EFFECT_RUN)->u.run.is_promoted);
}

WORLD_TEST(without_waves_it_is_a_branch)
{
	world_released(w, "staging");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging failed");
	assert_string_equal(world_newest(w, "staging").ref, "failed");
}

/* Regression: a policy that asks for promotions let any release through that failed once. */
FAILED_TEST(opa_is_not_told_that_it_is_a_promotion)
{
	live_on_two(w);
	world_settings(w, HOSTS, "STAGING_FAILURES_MAX=1", "STAGING_IMAGE_SOURCE=registry",
	    "OPA_URL=http://127.0.0.1:8181/v1/data/deploybot/allow", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_B);
	assert_non_null(strstr(world_peek(w, EFFECT_OPA)->u.opa.input, "\"promoted_from\":\"\""));
}

/* Regression: hosts of later waves were said to run what the rollback had not brought back. */
WORLD_TEST(the_first_waves_behind_a_rollback_that_failed_know_of_no_host_what_it_runs)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_ROLLBACK_FAILED);
	world_settings(w, HOSTS, NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	waves_ordered(w, "1/2", "h1:22\n");
	for (int i = 1; i <= 3; i++)
		waves_is(w, i, HOST_IS_UNKNOWN, COMMIT_A);
}
