/* Goal: what is said of a fleet is true of its hosts: live on some, left, unknown, rolled back.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid_inside.h"
#include "lib/text.h"
#include "waves_aid.h"

#define TOLERANT HOSTS, "STAGING_FAILURES_MAX=1", "STAGING_ROLLBACK_NAG_MINUTES=15"

/* B is live on h1 and h2; h3 has A. */
static void
live_on_two(struct world *w)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h3 began, h2 ok, h3 failed: no space left");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

WORLD_TEST_OF(live_on_some_hosts_is_said_within_forty_letters, TOLERANT)
{
	live_on_two(w);
	assert_non_null(world_says(w, "🟡 Live: staging on 2 of 3 hosts"));
	world_answers(w, WORLD_ADMIN, "/status staging", "staging: 2 of 3 run bbbbbbb");
	world_answers(w, WORLD_ADMIN, "/history staging", "live on 2 of 3 hosts since");
	assert_non_null(strstr(world_plain(world_last(w)), "🟡 #"));
}

WORLD_TEST_OF(hosts_that_lag_are_offered_what_is_live, TOLERANT)
{
	struct world_message *nag;

	live_on_two(w);
	world_due(w, TIMER_NAG);
	nag = world_says(w, "🟡 Failed hosts: staging");
	assert_non_null(nag);
	(void)world_press(w, WORLD_ADMIN, nag->chat, world_button(nag, "Deploy to them"));
	world_git_at(w, COMMIT_B);
	assert_non_null(
	    world_says(w, "❓ Deploy to staging: 1 host that does not run what is live?"));
}

/* B is rolled back; what h2 runs since is not known. */
static void
back_on_two(struct world *w)
{
	waves_come_to_2(w);
	waves_say(w, "h2 began, h2 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_say(w, "h1 began, h2 began, h1 ok, h2 failed: does not answer");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
}

WAVES_TEST(rolled_back_without_some_hosts_says_how_many)
{
	back_on_two(w);
	assert_non_null(world_says(w, "❌ Rolled back: staging, 1 host unknown, from"));
	assert_non_null(world_says(
	    w, "staging: aaaaaaa runs again on 2 of 3 hosts; 1 is unknown and may run bbbbbbb"));
	assert_null(world_says(w, "NOT running"));
	assert_non_null(world_says(w, "1 host failed; FAILURES_MAX allows 0: h2: no space left"));
}

/* A is rolled back to twice; the second time what runs is not known before it. */
WORLD_TEST_OF(
    a_rollback_ends_earlier_reminders_as_what_it_is, HOSTS, "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	back_on_two(w);
	world_due(w, TIMER_NAG);
	world_rewrite(w,
	    "UPDATE environment SET unknown_since = 1, unknown_why = 'a test'"
	    " WHERE name = 'staging'");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	if (world_state(w) == DEPLOY_AWAITING_CONFIRMATION) {
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy"));
		world_git_same(w);
	}
	waves_say(w, "h1 began, h1 failed: no space left");
	world_run_releases(w, TOUCHED);
	waves_say(w, "h1 began, h2 began, h1 ok, h2 ok");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_non_null(world_says(w, "✅ Over: staging, rolled back at "));
	assert_null(world_says(w, "a release is live since"));
}

WAVES_TEST(a_batch_of_hosts_is_said_once_in_a_while)
{
	waves_come_to_2(w);
	world_due(w, TIMER_WAVES);
	waves_say(w, "h2 began, h3 began");
	waves_say(w, "h2 ok");
	assert_non_null(world_says(w, "0 of its 2 hosts"));
	assert_int_equal(world_count(w, EFFECT_TIMER) > 0, true);
	world_due(w, TIMER_WAVES);
	assert_non_null(world_says(w, "1 of its 2 hosts"));
}
