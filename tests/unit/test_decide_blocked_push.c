/* Goal: a push to a target that asks nobody starts when it came behind a block, and asks when before.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "blocked_aid.h"

#include "lib/text.h"
#include "store/row_block.h"
#include "store/store_inside.h"

/* --- pushes, to a target that asks nobody --- */

TEST(fix_forward_starts_as_ever)
{
	struct world w;

	for (int is_polled = 0; is_polled < 2; is_polled++) {
		world_open(&w, "POLL_REPOSITORY_SECONDS=60", NULL);
		world_deploy_goes_live(&w, COMMIT_A);
		blocked_push(&w, "develop", (struct world_git){ .commit = COMMIT_B });
		assert_int_equal(world_run_starts(&w), 200);
		world_polled(&w, COMMIT_B, COMMIT_A);
		blocked_is_rolled_back(&w, "staging");
		if (is_polled != 0) {
			world_polled(&w, COMMIT_B, COMMIT_A);
			world_polled(&w, COMMIT_C, COMMIT_A);
			world_git(
			    &w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
		} else {
			blocked_push(&w, "develop",
			    (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
		}
		blocked_goes_live(&w, COMMIT_C);
		assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_C);
		assert_string_equal(world_blocked(&w, "staging"), "");
		world_close(&w);
	}
}

WORLD_TEST(a_push_from_before_is_asked_about_for_a_day)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "⛔ Not started: staging: " MEANWHILE "\n\n❓ Deploy to staging?"));
	w->aid.at += INT64_C(20) * 3600 * 1000;
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Deploy to");
	blocked_goes_live(w, COMMIT_C);
}

/* The repair: it has the place of what nobody has answered. */
WORLD_TEST(a_later_push_takes_its_place_and_starts)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B });
	blocked_goes_live(w, COMMIT_D);
}

/* It is announced before, and git shows it behind. */
WORLD_TEST(when_a_push_came_is_when_it_was_announced)
{
	struct event *announced;

	world_starts_over(w, COMMIT_A, COMMIT_B);
	announced = world_push(w, "develop");
	(void)text_copy(announced->u.delivery.after, LIMIT_COMMIT, COMMIT_C);
	assert_int_equal(world_decide(w, announced).status, 200);
	blocked_is_rolled_back(w, "staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN)); /* git was asked before B was blocked */
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* Its head was seen in the freeze. */
WORLD_TEST(a_push_that_a_freeze_held_since_before_is_asked_about)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze staging 2h");
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C });
	blocked_is_rolled_back(w, "staging");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, MEANWHILE));
}

/* --- what people and programs ask for, of a target that asks nobody --- */

WORLD_TEST(a_person_is_shown_it_first)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	blocked_is_rolled_back(w, "staging");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	world_git(w, OVER_B);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "❓ Deploy to staging?"));
	assert_non_null(world_says(w, "\n⚠️ contains bbbbbbb, rolled back by deploybot"));
	blocked_confirm(w, WORLD_STAGING_USER, WORLD_GROUP);
	blocked_goes_live(w, COMMIT_C);
	assert_string_equal(world_blocked(w, "staging"), "");
}

/* B, and behind it as many as git is asked about. */
static void
act_many(struct tx *tx, void *arg)
{
	struct block block = { .by = "deploybot", .commit = COMMIT_B };

	(void)arg;
	row_block_add(tx, "staging", &block);
	for (int i = 0; i < LIMIT_BLOCKED; i++) {
		(void)snprintf(block.commit, sizeof(block.commit), "%040x", 0x1000 + i);
		row_block_add(tx, "staging", &block);
	}
}

WORLD_TEST(what_git_was_not_asked_about_may_be_contained)
{
	world_deploy_goes_live(w, COMMIT_A);
	store_aid_act(&w->aid, act_many, NULL);
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_null(strstr(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.blocked, COMMIT_B));
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "\n⚠️ may contain bbbbbbb, rolled back by deploybot"));
	blocked_confirm(w, WORLD_STAGING_USER, WORLD_GROUP);
	blocked_goes_live(w, COMMIT_C);
}

WORLD_TEST(a_block_stays_when_what_contains_it_is_not_released_from_the_branch)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	blocked_push(w, "develop", (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_C " " COMMIT_B);
	assert_int_equal(world_contained(w), 0); /* nothing is kept of it */
	(void)world_text(w, WORLD_ADMIN, "/deploy staging feature");
	world_git(w,
	    (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B, .is_off_branch = true });
	assert_null(world_peek(w, EFFECT_RUN)); /* a person is shown it first */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "contains bbbbbbb, rolled back by @ada"), "Deploy to"));
	world_git_same(w);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_D);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_C " " COMMIT_B);
}
