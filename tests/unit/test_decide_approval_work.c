/* Goal: rollbacks, pushes and what is asked on the machine need others' yes too, each by what it is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "types/principal.h"

WORLD_TEST_OF(
    rollbacks_have_a_number_of_their_own, "STAGING_APPROVALS=0", "STAGING_ROLLBACK_APPROVALS=1")
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	assert_string_equal(w->toast, "It awaits approval now.");
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	assert_string_not_equal(
	    approval_label_in(w, WORLD_TEAM, "Approve rollback of staging"), "");
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "❓ Approve rollback: staging to \"Make it blue\" aaaaaaa"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_A);
}

/* Whatever its approver has pressed before. */
WORLD_TEST_OF(no_rate_limit_keeps_a_rollback_from_its_yes, "PRODUCTION_APPROVALS=1",
    "STAGING_ROLLBACK_APPROVALS=1")
{
	struct world_message *rollback;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	rollback = world_says_in(w, WORLD_TEAM, "Approve rollback: staging");
	assert_non_null(rollback);
	approval_asks(w, COMMIT_C);
	for (int i = 0; i < 60; i++)
		(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "no such button");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve"); /* of the deployment */
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(rollback, "Approve"));
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
}

WORLD_TEST_OF(an_automatic_rollback_waits_for_nobody, STAGING_URL, "STAGING_ROLLBACK_APPROVALS=1")
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_releases(w, GOOD);
	world_probed(w, "status 500");
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_ROLLBACK);
}

static void
push(struct world *w, const char *branch, const char *commit, int count)
{
	assert_int_equal(world_decide(w, world_push(w, branch)).status, 200);
	world_git(w, (struct world_git){ .commit = commit, .count = count });
}

WORLD_TEST_OF(a_push_asks_directly_and_is_replaced_until_somebody_approved, "STAGING_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	push(w, "develop", COMMIT_A, 1);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	push(w, "develop", COMMIT_B, 2);
	assert_non_null(world_says_in(w, WORLD_TEAM, "⛔ Skipped: staging, replaced by bbbbbbb"));
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve staging bbbbbbb");
	assert_string_equal(w->toast, "Approved: staging bbbbbbb: 1 of 2.");
	push(w, "develop", COMMIT_C, 3);
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_B);
	assert_non_null(world_says_in(w, WORLD_TEAM, "ℹ️ 1 newer commit waits, to ccccccc"));
	push(w, "develop", COMMIT_D, 4);
	assert_non_null(world_says_in(w, WORLD_TEAM, "ℹ️ 2 newer commits wait, to ddddddd"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve staging bbbbbbb");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .branch_commit = COMMIT_D });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	world_run_ends(w, GOOD);
	world_due(w, TIMER_HOLDS); /* the newest is asked for */
	world_git(w, (struct world_git){ .commit = COMMIT_D, .count = 4 });
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_D);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
}

/* Two of the three that B was asked about went live meanwhile. */
WORLD_TEST_OF(newer_commits_are_counted_over_what_is_live, "STAGING_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44,55")
{
	push(w, "develop", COMMIT_B, 3);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging " COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve staging aaaaaaa");
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve staging aaaaaaa");
	world_run_ends(w, GOOD);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve staging bbbbbbb"); /* approval_asks anew */
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve staging bbbbbbb");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_non_null(world_says_in(w, WORLD_TEAM, "\n1 new commit:"));
	push(w, "develop", COMMIT_C, 5);
	assert_non_null(world_says_in(w, WORLD_TEAM, "4 newer commits wait, to ccccccc"));
}

WORLD_TEST_OF(the_newest_is_asked_for_instead, "STAGING_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	push(w, "develop", COMMIT_B, 1);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve staging bbbbbbb");
	push(w, "develop", COMMIT_C, 2);
	approval_press_in(w, WORLD_STAGING_USER, WORLD_TEAM, "newest instead");
	assert_non_null(strstr(w->toast, "⛔"));
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "newest instead");
	assert_int_equal(world_state(w), DEPLOY_SUPERSEDED);
	world_due(w, TIMER_HOLDS);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .count = 2 });
	assert_string_equal(world_newest(w, "staging").commit, COMMIT_C);
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 2"));
}

/* Found by the simulation (SEED=44): what was newer went live while it waited. */
WORLD_TEST_OF(a_push_that_is_older_than_what_is_live_by_then_is_not_shipped, "STAGING_APPROVALS=1")
{
	push(w, "develop", COMMIT_A, 1);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging " COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve staging bbbbbbb");
	world_run_ends(w, GOOD);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve staging aaaaaaa");
	assert_string_equal(
	    w->toast, "Not approved: staging aaaaaaa has changed, and is asked again.");
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve staging aaaaaaa");
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_force_push = true });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED);
}

WORLD_TEST_OF(who_confirmed_a_push_has_asked_for_it, "PRODUCTION_APPROVALS=1")
{
	push(w, "main", COMMIT_A, 1);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Deploy to");
	world_git_same(w);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w->toast, "you confirmed it"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

TEST(who_pushed_has_asked_for_it_and_who_is_unknown_takes_one_more)
{
	struct world w;

	world_open(&w, "STAGING_APPROVALS=1", "PERSON_22_GITHUB=Octo", NULL);
	push(&w, "develop", COMMIT_A, 1);
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w.toast, "you asked for it"));
	approval_press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);

	world_open(&w, "STAGING_APPROVALS=1", "PERSON_22_GITHUB=octopus",
	    "APPROVE_UNKNOWN_PUSHER=false", NULL);
	push(&w, "develop", COMMIT_A, 1);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "pushed by octo (GitHub)"));
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "who pushed it is not known here: PERSON_<ID>_GITHUB"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
	world_close(&w);
}

/* The same human may press Approve on a phone. */
TEST(who_asked_on_the_machine_as_a_role_is_unknown)
{
	const int64_t www_data = principal_of_user(33);
	struct world w;

	world_open(&w, "STAGING_APPROVALS=1", "LOCAL_WWW_DATA_IS=role admin",
	    "APPROVE_UNKNOWN_PUSHER=false", NULL);
	world_asks(&w, www_data, "/deploy staging", COMMIT_A);
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "⚠️ asked for on the machine by a role, perhaps by one of you: LOCAL_<USER>_IS=<their "
	    "Telegram id> says who; until then one more must approve"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
	approval_press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(&w, EFFECT_RUN));
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);

	/* Who confirms what another one asked for has asked for it, too. */
	world_open(&w, "PRODUCTION_APPROVALS=1", "LOCAL_WWW_DATA_IS=role admin",
	    "PERSON_22_GITHUB=octo", NULL);
	push(&w, "main", COMMIT_A, 1);
	(void)world_press(&w, www_data, WORLD_TEAM, approval_label_in(&w, WORLD_TEAM, "Deploy to"));
	world_git_same(&w);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "asked for on the machine by a role"));
	assert_null(world_says_in(&w, WORLD_TEAM, "one more must approve"));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 1"));
	world_close(&w);
}
