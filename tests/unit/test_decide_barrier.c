/* Goal: what the repository says cannot be rolled back past is rolled back past by nobody unasked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define DROPS "drops column price"

/* /deploy staging of a commit with a barrier, up to the run. */
static void
barred_starts(struct world *w, const char *commit, const char *reason)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = commit, .barrier = reason });
	assert_int_equal(world_run_starts(w), 200);
	world_run_step(w, 0, "release");
}

static void
barred_goes_live(struct world *w, const char *commit, const char *reason)
{
	barred_starts(w, commit, reason);
	world_run_ends(w, GOOD);
	if (world_peek(w, EFFECT_PROBE) != NULL)
		world_probed(w, NULL);
	assert_string_equal(world_environment(w, "staging").current.commit, commit);
}

static const char *
said(struct world *w, const char *text)
{
	(void)world_text(w, WORLD_ADMIN, text);
	return world_plain(world_last(w));
}

/* The last message's button, which asks, and its answer, which begins. */
static void
rolls_back_all_the_same(struct world *w)
{
	const char *button =
	    world_button(world_says_in(w, WORLD_GROUP, "ot rolled back"), "all the same");

	assert_string_not_equal(button, "");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
	assert_non_null(world_says(w, "Roll back staging?"));
	assert_non_null(strstr(world_plain(world_last(w)), "\n⛔ No rollback past "));
	assert_null(world_peek(w, EFFECT_RUN));
	button = world_button(world_last(w), "all the same");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, button);
}

/* Found by the simulation (SEED=565): when git was asked nothing was live, and it showed no
 * barrier. */
WORLD_TEST_OF(what_went_live_since_git_was_asked_is_compared_with, STAGING_URL)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_run_starts(w), 200);
	(void)world_decide(w, world_push(w, "develop")); /* nothing is live yet to compare with */
	world_run_is_probed(w, NULL);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, (struct world_git){ .commit = COMMIT_B, .barrier = DROPS });
	assert_int_equal(world_run_starts(w), 200);
	world_run_releases(w, GOOD);
	world_probed(w, "HTTP 500");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_FAILED);
}

WORLD_TEST_OF(an_automatic_rollback_past_a_barrier_is_not_tried, STAGING_URL)
{
	size_t rings;

	world_deploy_goes_live(w, COMMIT_A);
	barred_starts(w, COMMIT_B, DROPS);
	world_run_ends(w, GOOD);
	rings = world_rings(w);
	world_probed(w, "HTTP 500");
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_true(world_environment(w, "staging").is_down);
	assert_true(world_rings(w) > rings);
	assert_true(text_starts(world_plain(world_last(w)),
	    "🔥 DOWN: staging, not rolled back: \"Make it blue\" (HTTP 500)\n"
	    "staging is DOWN: bbbbbbb was left running, unhealthy\n"
	    "1. /status staging: does it answer?\n"
	    "2. /logs staging: why?\n"
	    "3. /deploy staging: with a fix\n"));
	assert_non_null(world_says(w,
	    "\n⛔ No rollback past this release: " DROPS
	    "\nSomething was changed there. Last known release: aaaaaaa"));
	rolls_back_all_the_same(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_audited(w, "\"past\":\"" DROPS "\"", "telegram:11"), 1);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

/* Also where its script failed: what it left is not known then. */
WORLD_TEST(a_script_that_fails_behind_a_barrier_is_not_rolled_back)
{
	world_deploy_goes_live(w, COMMIT_A);
	barred_starts(w, COMMIT_B, DROPS);
	world_run_ends(w, TOUCHED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w,
	    "🔥 May be DOWN: staging, not rolled back: \"Make it blue\"\nstaging may be DOWN: bbbbbbb failed, what it left is not known"));
	/* A person without a word for it is refused, and offered the same. */
	assert_string_equal(said(w, "/rollback staging"),
	    "⛔ Not rolled back: staging → aaaaaaa\n⛔ No rollback past bbbbbbb: " DROPS);
	rolls_back_all_the_same(w);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(every_release_in_the_way_is_named)
{
	world_deploy_goes_live(w, COMMIT_A);
	barred_goes_live(w, COMMIT_B, DROPS);
	barred_goes_live(w, COMMIT_C, "drops table orders");
	world_deploy_goes_live(w, COMMIT_D);
	(void)said(w, "/rollback staging");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Older"));
	assert_string_equal(world_plain(world_last(w)),
	    "❓ Roll back staging? To which release:\nlive: ddddddd \"Make it blue\", just now"
	    "\n• release 3 ccccccc \"Make it blue\", just now by @ada, was live until just now"
	    "\n   rolls back ddddddd \"Make it blue\""
	    "\n• release 2 bbbbbbb \"Make it blue\", just now by @ada, was live until just now"
	    "\n   rolls back ddddddd \"Make it blue\", ccccccc \"Make it blue\""
	    "\n⛔ No rollback past release 3, ccccccc: drops table orders"
	    "\n• release 1 aaaaaaa \"Make it blue\", just now by @ada, was live until just now"
	    "\n   rolls back ddddddd \"Make it blue\", ccccccc \"Make it blue\", bbbbbbb \"Make it blue\""
	    "\n⛔ No rollback past release 3, ccccccc: drops table orders"
	    "\n⛔ No rollback past release 2, bbbbbbb: " DROPS);
	assert_non_null(
	    strstr(said(w, "/rollback staging 3"), "Roll back staging?\nddddddd → ccccccc"));
	assert_null(strstr(world_plain(world_last(w)), "⛔"));
	assert_string_equal(said(w, "/rollback staging 2"),
	    "⛔ Not rolled back: staging → bbbbbbb\n"
	    "⛔ No rollback past release 3, ccccccc: drops table orders");
	assert_string_equal(said(w, "/rollback staging 1"),
	    "⛔ Not rolled back: staging → aaaaaaa\n"
	    "⛔ No rollback past release 3, ccccccc: drops table orders\n"
	    "⛔ No rollback past release 2, bbbbbbb: " DROPS);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	rolls_back_all_the_same(w);
	world_run_ends(w, GOOD);
	/* Forward is no rollback, and back again goes past the same ones. */
	(void)said(w, "/rollback staging 3");
	assert_non_null(world_says(w, "Roll forward staging?")); /* which was asked before */
	world_rolls_back(w, "/rollback staging 3");
	assert_non_null(strstr(said(w, "/rollback staging 5"),
	    "⛔ No rollback past release 3, ccccccc: drops table orders"));
}

WORLD_TEST(a_deployment_behind_a_barrier_is_rolled_back_as_ever)
{
	world_deploy_goes_live(w, COMMIT_A);
	barred_goes_live(w, COMMIT_B, DROPS);
	world_deploy_starts(w, COMMIT_C);
	world_run_releases(w, TOUCHED);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
}

/* The release before it is of another commit: that is past the live one. */
WORLD_TEST(the_live_commit_once_more_keeps_its_barrier)
{
	world_deploy_goes_live(w, COMMIT_A);
	barred_goes_live(w, COMMIT_B, DROPS);
	world_deploy_starts(w, COMMIT_B);
	world_run_releases(w, TOUCHED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says(w, "\n⛔ No rollback past release 2, bbbbbbb: " DROPS));
}

WORLD_TEST_OF(the_question_says_what_nobody_rolls_back_past, "STAGING_CONFIRM=true")
{
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .no_history = true });
	assert_null(strstr(world_plain(world_last(w)), "no common history")); /* with nothing */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to"));
	world_git_same(w);
	world_run_plays(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .barrier = DROPS });
	assert_non_null(world_says(w, "Deploy to staging?\nbbbbbbb \"Make it blue\"\n"));
	assert_non_null(
	    strstr(world_plain(world_last(w)), "\n⛔ No rollback past this release: " DROPS));
	assert_null(world_says(w, "you can roll back to"));
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .no_history = true });
	assert_non_null(world_says(w,
	    "⚠️ no common history with what is live: whether it can be rolled back is not known"));
	assert_null(strstr(world_plain(world_last(w)), "⛔"));
}

/* It was asked about and confirmed while the one before it was on its way. */
WORLD_TEST(a_rollback_that_was_queued_before_the_barrier_is_refused)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	barred_starts(w, COMMIT_C, DROPS);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging 1");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Roll back"));
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_C);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "a release is live now that nobody rolls back past"));
}

WORLD_TEST(who_may_not_roll_back_may_not_all_the_same)
{
	const char *button;

	world_deploy_goes_live(w, COMMIT_A);
	barred_goes_live(w, COMMIT_B, DROPS);
	(void)said(w, "/rollback staging");
	button = world_button(world_last(w), "all the same");
	(void)world_press(w, WORLD_STRANGER, WORLD_GROUP, button);
	assert_null(world_says(w, "Roll back staging?"));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* What the last message's button past it asks, up to git's answer. */
static struct world_message *
asks_past(struct world *w, int64_t person)
{
	const char *button;

	(void)world_text_in(w, person, WORLD_GROUP, "/rollback staging 1");
	button = world_button(world_says_in(w, WORLD_GROUP, "ot rolled back"), "all the same");
	assert_string_not_equal(button, "");
	(void)world_press(w, person, WORLD_GROUP, button);
	if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
		world_git(w, (struct world_git){ .commit = COMMIT_A });
	return world_last(w);
}

WORLD_TEST(two_who_roll_back_all_the_same_are_asked_one_question)
{
	world_deploy_goes_live(w, COMMIT_A);
	barred_goes_live(w, COMMIT_B, DROPS);
	assert_non_null(strstr(world_plain(asks_past(w, WORLD_ADMIN)), "Roll back staging?"));
	(void)asks_past(w, WORLD_OTHER_ADMIN); /* asked again below, of both */
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_SUPERSEDED);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "all the same"));
	assert_int_equal(world_run_starts(w), 200);
}

/* The earlier one is refused, whoever says yes to it. */
WORLD_TEST(who_rolls_back_all_the_same_joins_no_question_from_before_the_barrier)
{
	struct world_message *past;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	barred_starts(w, COMMIT_C, DROPS);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging 1");
	world_run_ends(w, GOOD);
	past = asks_past(w, WORLD_OTHER_ADMIN);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
	assert_non_null(strstr(world_plain(past), "\n⛔ No rollback past "));
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(past, "all the same"));
	assert_int_equal(world_run_starts(w), 200);
}

/* Git's answer is of what was live before: its barrier is found over what is. */
WORLD_TEST(what_was_compared_with_another_release_is_compared_again)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_rolls_back(w, "/rollback staging 1");
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, (struct world_git){ .commit = COMMIT_C, .barrier = DROPS });
	assert_int_equal(world_run_starts(w), 200);
	world_run_releases(w, TOUCHED);
	assert_null(world_peek(w, EFFECT_RUN));
}

/* Live is what has them, and B is one before it: "past COMMIT REASON" of each. */
static struct world_git
goes_back(const char *commit)
{
	return (struct world_git){ .commit = commit,
		.is_force_push = true,
		.past = { COMMIT_D " drops table orders", COMMIT_C " " DROPS } };
}

#define GOES_PAST \
	"\n⛔ Rolls back past ddddddd: drops table orders" \
	"\n⛔ Rolls back past ccccccc: " DROPS

/* Its own rollback goes forward again, and is not forbidden. */
WORLD_TEST(a_deployment_of_an_earlier_commit_is_asked_about_and_names_what_it_goes_past)
{
	world_deploy_goes_live(w, COMMIT_D);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging bbbbbbb");
	world_git(w, goes_back(COMMIT_B));
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "Deploy to staging?"));
	assert_non_null(world_says(w, "\n⚠️ older than what is live"));
	assert_non_null(world_says(w, GOES_PAST));
	assert_null(strstr(world_plain(world_last(w)), "No rollback past"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to"));
	assert_int_equal(world_audited(w, "\"past\":\"drops table orders\"", "telegram:11"), 1);
	world_git(w, goes_back(COMMIT_B));
	assert_int_equal(world_run_starts(w), 200);
	world_run_releases(w, TOUCHED);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_D);
}

/* The role staging grants deploy and no rollback: an older commit's name was a way around that. */
WORLD_TEST(who_may_deploy_and_not_roll_back_confirms_no_step_back_past_a_barrier)
{
	struct world_message *question;

	world_deploy_goes_live(w, COMMIT_D);
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_GROUP, "/deploy staging bbbbbbb");
	world_git(w, goes_back(COMMIT_B));
	question = world_says(w, "Deploy to staging?");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, world_button(question, "Deploy to"));
	assert_string_equal(w->toast,
	    "⛔ Denied: rollback: it rolls back past a barrier, and who confirms that needs the grant rollback.");
	assert_int_equal(world_audited(w, "\"confirmed\"", "telegram:33"), 0);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_CONFIRMATION);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(question, "Deploy to"));
	assert_string_equal(w->toast, "Confirmed.");
	world_git(w, goes_back(COMMIT_B));
	assert_int_equal(world_run_starts(w), 200);
}

/* By whoever: a branch that was reset, found by a push or by a poll. */
WORLD_TEST(a_push_that_goes_back_past_a_barrier_waits_for_a_person)
{
	world_deploy_goes_live(w, COMMIT_D);
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	world_git(w, goes_back(COMMIT_B));
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "Deploy to staging?"));
	assert_non_null(world_says(w, GOES_PAST));
	assert_null(world_says(w, "and this rolls back past it")); /* nothing has changed since */
}

/* One that was asked for before is asked about at its turn, by all that it goes past by then. */
WORLD_TEST(what_was_queued_before_the_barrier_is_asked_anew)
{
	world_deploy_goes_live(w, COMMIT_A);
	barred_starts(w, COMMIT_D, DROPS);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/deploy staging feature");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	world_run_ends(w, GOOD);
	world_git(w,
	    (struct world_git){ .commit = COMMIT_B,
		.count = 1,
		.is_force_push = true,
		.past = { COMMIT_D " " DROPS } });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "staging runs ddddddd now, and this rolls back past it"));
	assert_non_null(world_says(w, "\n⛔ Rolls back past ddddddd"));
}
