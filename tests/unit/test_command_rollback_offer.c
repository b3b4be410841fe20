/* Goal: what is offered to roll back to, and what a rollback leaves, is known and shown.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_environment.h"

/* B is not blocked, for it did not run, and is newer than what does. */
WORLD_TEST(what_a_rollback_went_over_is_not_offered)
{
	world_three_go_live(w);
	world_rolls_back(w, "/rollback staging 1");
	assert_string_equal(world_blocked(w, "staging"), COMMIT_C);
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback staging"), "has no earlier release"));
}

/* Deployed once more it is its own release: what was left before it stays left. */
WORLD_TEST(what_was_left_is_not_offered_after_the_same_commit_again)
{
	world_three_go_live(w);
	world_rolls_back(w, "/rollback staging");
	world_deploy_goes_live(w, COMMIT_B);
	assert_non_null(strstr(
	    world_rollback_says(w, "/rollback staging"), "Roll back staging?\nbbbbbbb → aaaaaaa"));
}

/* B had been released before A too: that is the commit that was just fled. */
WORLD_TEST(an_earlier_release_of_what_was_rolled_back_is_not_offered)
{
	world_two_go_live(w, COMMIT_C, COMMIT_B);
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	assert_non_null(strstr(
	    world_rollback_says(w, "/rollback staging"), "Roll back staging?\naaaaaaa → ccccccc"));
}

static struct world_message *
older(struct world *w, const char *text)
{
	(void)world_text(w, WORLD_ADMIN, text);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Older…"));
	assert_string_equal(w->toast, "Listed below.");
	return world_last(w);
}

WORLD_TEST(several_releases_are_offered_with_what_each_takes_back)
{
	struct world_message *message;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	w->aid.at += 3600000;
	world_two_go_live(w, COMMIT_C, COMMIT_D);
	world_deploy_goes_live(w, COMMIT_C); /* once more: one place */
	w->aid.at += 300000;
	message = older(w, "/rollback staging");
	assert_string_equal(world_plain(message),
	    "❓ Roll back staging? To which release:\nlive: ccccccc \"Make it blue\", 5 min ago"
	    "\n• release 4 ddddddd \"Make it blue\", 5 min ago by @ada, was live until 5 min ago"
	    "\n   rolls back ccccccc \"Make it blue\""
	    "\n• release 2 bbbbbbb \"Make it blue\", 1 h ago by @ada, was live until 5 min ago"
	    "\n   rolls back ccccccc \"Make it blue\", ddddddd \"Make it blue\""
	    "\n• release 1 aaaaaaa \"Make it blue\", 1 h ago by @ada, was live until 1 h ago"
	    "\n   rolls back ccccccc \"Make it blue\", ddddddd \"Make it blue\", bbbbbbb \"Make it blue\"");
	assert_int_equal(message->buttons.n, 3);
	assert_string_equal(message->buttons.at[1].label, "↩️ to bbbbbbb Make it blue");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);

	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, message->buttons.at[1].id);
	assert_true(w->is_alert); /* another's */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, message->buttons.at[1].id);
	assert_non_null(world_says(w, "@ada: /rollback staging 2"));
	message = world_says(w, "Roll back staging?\nccccccc → bbbbbbb");
	assert_non_null(message);
	assert_non_null(strstr(world_plain(message),
	    "\nrolls back ccccccc \"Make it blue\", ddddddd \"Make it blue\"\n"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "Roll back"));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* What its clean-up says, as the run behind the newest release. */
static void
clean_up_says(struct world *w, const char *step)
{
	world_run_step(w, 0, "release");
	world_run_step(w, 1, "clean-later");
	world_run_ends(w, GOOD);
	assert_int_equal(world_run_starts(w), 200);
	world_run_step(w, 0, step);
	world_run_ends(w, GOOD);
}

/* Its folder is gone: the run would say so, and no button leads there. */
WORLD_TEST(what_a_clean_up_has_removed_is_not_offered)
{
	const char *said;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_C);
	clean_up_says(w, "removed aaaaaaa1aaaaaaaaaaaaaaaaaaaaaaaa");
	w->aid.at += 300000;
	said = world_rollback_says(w, "/rollback staging");
	assert_non_null(strstr(said, "Roll back staging?\nccccccc → bbbbbbb"));
	assert_null(strstr(said, "removed"));
	assert_string_equal(world_button(world_last(w), "Older…"), "");
	/* Whoever names it reads that, and what to do; the run has the last word. */
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging 1"),
	    "\n⚠️ removed by a clean-up, 5 min ago; to bring it back: /deploy staging aaaaaaa\n"));
	world_rolls_back(w, "/rollback staging");
	assert_int_equal(world_environment(w, "staging").previous.id, 0);
	said = world_rollback_says(w, "/rollback staging");
	assert_non_null(strstr(said, "has no earlier release to roll back to."));
	assert_non_null(
	    strstr(said, "• release 1 aaaaaaa \"Make it blue\", 5 min ago, removed 5 min ago"));
	/* Deployed anew it is there again, also as what it was. */
	world_two_go_live(w, COMMIT_A, COMMIT_D);
	said = world_rollback_says(w, "/rollback staging");
	assert_non_null(strstr(said, "Roll back staging?\nddddddd → aaaaaaa"));
	assert_null(strstr(said, "removed"));
	assert_null(strstr(world_rollback_says(w, "/rollback staging 1"), "removed"));
}

#define IMAGE_OF_A "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define IMAGE_OF_B "sha256:2222222222222222222222222222222222222222222222222222222222222222"

/* A, and B over it, in both environments; in the given one alone. */
static void
release_images(struct tx *tx, void *arg)
{
	static const char *const names[] = { "staging", "production" };
	const char *only = arg;

	for (size_t i = 0; i < 2 * COUNT(names); i++) {
		struct release is = { .at = tx->at };

		if (only != NULL && strcmp(names[i % 2], only) != 0)
			continue;
		(void)text_copy(is.environment, sizeof(is.environment), names[i % 2]);
		(void)text_copy(is.commit, sizeof(is.commit), i < 2 ? COMMIT_A : COMMIT_B);
		(void)text_copy(is.image, sizeof(is.image), i < 2 ? IMAGE_OF_A : IMAGE_OF_B);
		(void)row_environment_release(tx, &is);
	}
}

/* What is no such word removes nothing, and of two that are built of one commit one may go. */
WORLD_TEST(an_image_that_was_removed_is_so_in_all_environments)
{
	static const char *const none[] = { "removed", "removed aaaaaaa1", "removed sha256:1111111",
		"removed bbbbbbb2", "removed sha256:3333333333333333333333333333333" };

	world_act(w, release_images, NULL);
	for (size_t i = 0; i < COUNT(none); i++) {
		world_deploy_starts(w, COMMIT_C);
		clean_up_says(w, none[i]);
	}
	assert_non_null(strstr(world_rollback_says(w, "/rollback production"), " → aaaaaaa"));
	world_deploy_starts(w, COMMIT_C);
	clean_up_says(w, "removed sha256:11111111111111111111111111111111");
	assert_non_null(
	    strstr(world_rollback_says(w, "/rollback production"), "has no earlier release"));
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"), " → bbbbbbb"));
	/* Released anew in one of them it is there again for both. */
	world_act(w, release_images, (void *)"staging");
	assert_non_null(strstr(world_rollback_says(w, "/rollback production"), " → aaaaaaa"));
}

/* Also by the question about it alone; what went live since is not. */
WORLD_TEST(what_failed_there_since_is_marked)
{
	static const char mark[] = "⚠️ failed there since it was live, 5 min ago";
	struct world_message *message;

	world_three_go_live(w);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging 1"), "Roll"));
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	w->aid.at += 300000;
	message = older(w, "/rollback staging");
	assert_non_null(strstr(world_plain(message), mark));
	assert_null(strstr(strstr(world_plain(message), mark) + 1, mark));
	assert_true(
	    strstr(world_plain(message), mark) > strstr(world_plain(message), "release 1 aaaaaaa"));
	assert_non_null(strstr(world_plain(world_rollback_asks(w, "/rollback staging 1")), mark));
	world_rolls_back(w, "/rollback staging 1");
	world_deploy_goes_live(w, COMMIT_D);
	assert_null(strstr(world_plain(world_rollback_asks(w, "/rollback staging")), mark));
}

/* Regression: three in the morning's first button led, without a word, to what had just not
 * started. */
WORLD_TEST(what_an_automatic_rollback_did_not_bring_back_is_marked)
{
	static const char mark[] = "\n   ⚠️ failed there since it was live, 5 min ago";
	struct world_message *message;
	const char *marked;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_C);
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	w->aid.at += 300000;
	message = older(w, "/rollback staging");
	marked = strstr(world_plain(message), mark);
	assert_non_null(marked);
	assert_true(marked > strstr(world_plain(message), "release 2 bbbbbbb"));
	assert_true(marked < strstr(world_plain(message), "release 1 aaaaaaa"));
	assert_null(strstr(marked + 1, mark));
	world_rolls_back(w, "/rollback staging 2");
	world_deploy_goes_live(w, COMMIT_D);
	assert_null(strstr(world_plain(world_rollback_asks(w, "/rollback staging")), mark + 4));
}

/* Regression: the button of a message led to what that very message called unhealthy, and again
 * behind the second one. */
WORLD_TEST_OF(what_the_trouble_showed_to_be_bad_is_not_what_is_offered, STAGING_URL)
{
	static const char *const live[] = { COMMIT_A, COMMIT_B, COMMIT_C };
	struct world_message *rang;

	for (size_t i = 0; i < COUNT(live); i++) {
		world_deploy_starts(w, live[i]);
		world_run_is_probed(w, NULL);
	}
	world_deploy_starts(w, COMMIT_D);
	for (int i = 0; i < 2; i++) {
		world_run_releases(w, GOOD);
		world_probed(w, "HTTP 500");
	}
	rang = world_says_in(w, WORLD_TEAM, "🔥 DOWN: staging");
	assert_non_null(
	    strstr(world_plain(rang), "\n2. /rollback staging to bbbbbbb: asks first\n"));
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_TEAM, world_button(rang, "↩️ Roll back staging"));
	assert_non_null(world_says(w, "Roll back staging?\nwhat runs is not known → bbbbbbb"));
	/* It is behind a press, and marked. */
	assert_non_null(strstr(world_plain(older(w, "/rollback staging")), "release 3 ccccccc"));
	assert_non_null(
	    strstr(world_plain(world_last(w)), "⚠️ failed there since it was live"));

	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging"), "Roll back"));
	world_run_releases(w, GOOD);
	world_probed(w, "HTTP 500");
	rang = world_says_in(w, WORLD_TEAM, "🔥 ");
	assert_non_null(
	    strstr(world_plain(rang), "\n2. /rollback staging to aaaaaaa: asks first\n"));
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"), "not known → aaaaaaa"));
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging 3"), "→ ccccccc"));
}

/* Regression: behind a rollback that had just failed the message said to roll back to the same
 * release, and a question that one could. */
WORLD_TEST_OF(no_message_advises_what_has_just_failed_there, STAGING_URL)
{
	const char *said;

	world_deploy_starts(w, COMMIT_A);
	world_run_is_probed(w, NULL);
	world_deploy_starts(w, COMMIT_B);
	for (int i = 0; i < 2; i++) {
		world_run_releases(w, GOOD);
		world_probed(w, "HTTP 500");
	}
	said = world_plain(world_says_in(w, WORLD_TEAM, "🔥 "));
	assert_null(strstr(said, "/rollback"));
	assert_non_null(strstr(said, "\n2. /logs staging: why?\n3. /deploy staging: with a fix"));
	w->aid.at += 300000;
	world_settings(w, "STAGING_CONFIRM=true", STAGING_URL, NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	said = world_plain(world_last(w));
	assert_null(strstr(said, "you can roll back to it"));
	assert_non_null(strstr(said, "), ⚠️ failed there since it was live, 5 min ago"));
}

/* What did not get as far as to change anything says nothing of its release; and where all have
 * failed the newest is asked about. */
WORLD_TEST_OF(what_never_began_or_is_the_only_one_is_still_offered, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_is_probed(w, NULL);
	world_deploy_starts(w, COMMIT_B);
	world_run_is_probed(w, NULL);
	world_deploy_starts(w, COMMIT_C);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"), "not known → bbbbbbb"));
	for (int release = 2; release >= 1; release--) {
		char text[32];

		(void)snprintf(text, sizeof(text), "/rollback staging %d", release);
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
		    world_button(world_rollback_asks(w, text), "Roll back"));
		world_run_ends(w, TOUCHED);
	}
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"),
	    "not known → bbbbbbb \"Make it blue\"\n⚠️ failed there since it was live"));
}

/* Regression: who typed it after two that were rolled back by themselves fled the good one. */
WORLD_TEST(the_question_says_what_has_been_rolled_back_just_now)
{
	static const char said[] = " was rolled back 9 s ago; this goes further back\n";

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_C);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	w->aid.at += 9000;
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging"), said));
	assert_non_null(world_says(w, "\n⚠️ ccccccc was rolled back 9 s ago"));
	w->aid.at += 3600000;
	assert_null(strstr(world_rollback_says(w, "/rollback staging"), "further back"));
	world_deploy_goes_live(w, COMMIT_D);
	world_rolls_back(w, "/rollback staging 2"); /* by a person */
	w->aid.at += 9000;
	assert_non_null(strstr(world_rollback_says(w, "/rollback staging 1"), said));
	assert_non_null(world_says(w, "\n⚠️ ddddddd was rolled back 9 s ago"));
	assert_null(strstr(world_rollback_says(w, "/rollback staging 3"), "further back"));
	world_deploy_goes_live(w, COMMIT_E);
	assert_null(strstr(world_rollback_says(w, "/rollback staging"), "further back"));
}

/* The newest four, and nothing that nobody may go to. */
WORLD_TEST(four_are_offered_and_none_that_was_left)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D, COMMIT_E,
		COMMIT_F };

	for (size_t i = 0; i < COUNT(commits); i++)
		world_deploy_goes_live(w, commits[i]);
	(void)older(w, "/rollback staging");
	assert_int_equal(world_last(w)->buttons.n, 4);
	assert_string_not_equal(world_button(world_last(w), "to eeeeeee"), "");
	assert_string_equal(world_button(world_last(w), "to aaaaaaa"), "");
	world_rolls_back(w, "/rollback staging");
	(void)older(w, "/rollback staging");
	assert_int_equal(world_last(w)->buttons.n, 4);
	assert_string_equal(world_button(world_last(w), "to fffffff"), "");
	assert_string_equal(world_button(world_last(w), "to eeeeeee"), "");
	assert_string_not_equal(world_button(world_last(w), "to aaaaaaa"), "");
}

/* Below the line that rings, too: who wakes up reads no other. */
WORLD_TEST_OF(what_rings_that_it_is_live_has_the_button_as_well, "STAGING_CONFIRM=true")
{
	for (int i = 0; i < 2; i++) {
		(void)world_text(w, WORLD_ADMIN, "/deploy staging");
		world_git(w, (struct world_git){ .commit = i == 0 ? COMMIT_A : COMMIT_B });
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy to"));
		world_git_same(w);
		world_run_ends(w, GOOD);
	}
	assert_non_null(strstr(world_plain(world_last(w)), "Live: staging, not checked"));
	assert_false(world_last(w)->is_silent);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "↩️ Roll back staging"));
	assert_non_null(world_says(w, "Roll back staging?\nbbbbbbb → aaaaaaa"));
}

/* Where nothing is healthy the releases are one press away. */
WORLD_TEST_BARE(what_is_down_has_a_button_that_asks_about_a_release)
{
	struct world_message *rang;

	world_b_over_a(w, STAGING_URL);
	world_run_is_probed(w, "HTTP 500");
	world_run_ends(w, TOUCHED);
	rang = world_says_in(w, WORLD_TEAM, "🔥 Rollback failed: staging");
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_TEAM, world_button(rang, "↩️ Roll back staging"));
	assert_int_equal(strncmp(w->toast, "⛔ Denied: rollback", 12), 0);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_TEAM, world_button(rang, "↩️ Roll back staging"));
	assert_non_null(world_says(w, "Roll back staging?\nwhat runs is not known → aaaaaaa"));
}

/* Regression: an old message's button rolled back the release that had ended its trouble. */
WORLD_TEST_BARE(a_trouble_that_is_over_is_rolled_back_from_by_no_old_button)
{
	struct world_message *rang;
	char old[LIMIT_BUTTON_ID];
	int64_t asked;

	world_b_over_a(w, STAGING_URL);
	world_run_is_probed(w, "HTTP 500");
	world_run_ends(w, TOUCHED);
	rang = world_says_in(w, WORLD_TEAM, "🔥 Rollback failed: staging");
	(void)text_copy(old, sizeof(old), world_button(rang, "↩️ Roll back staging"));
	world_rolls_back(w, "/rollback staging");
	asked = world_newest(w, "staging").id;
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, old);
	assert_string_equal(w->toast,
	    "This trouble is over: staging runs aaaaaaa. To roll that back: /rollback staging");
	assert_int_equal(world_newest(w, "staging").id, asked);
}

/* Releases were named, and not what they had brought. */
WORLD_TEST_OF(the_question_names_the_commits_that_go_with_it,
    "REPOSITORY_URL=https://github.com/acme/shop.git")
{
	const char *said;

	world_deploy_goes_live(w, COMMIT_A);
	for (int i = 0; i < 2; i++) {
		(void)world_text(w, WORLD_ADMIN, "/deploy staging");
		world_git(w,
		    (struct world_git){
			.commit = i == 0 ? COMMIT_B : COMMIT_C, .count = i == 0 ? 2 : 12 });
		world_run_ends(w, GOOD);
	}
	said = world_rollback_says(w, "/rollback staging 2");
	assert_non_null(strstr(
	    said, "\nrolls back 12 commits:\n• ccccccc \"Change 1\"\n• ccccccc \"Change 2\"\n"));
	assert_non_null(strstr(said,
	    "\n… and 2 more\n🔗 https://github.com/acme/shop/compare/bbbbbbb2bbbb...ccccccc3cccc\n"));
	said = world_rollback_says(w, "/rollback staging 1");
	assert_non_null(strstr(said, "\nrolls back 14 commits:\n• ccccccc \"Change 1\"\n"));
	assert_non_null(strstr(said, "\n… and 4 more\n"));
	world_rolls_back(w, "/rollback staging 2");
	(void)world_rollback_says(w, "/rollback staging 1"); /* of B alone: C is gone */
	said = world_plain(world_says(w, "asked about already"));
	assert_non_null(strstr(said, "\nrolls back bbbbbbb"));
}

WORLD_TEST(a_fresh_release_has_a_button_that_rolls_it_back_for_an_hour)
{
	struct world_message *fresh, *next;
	char button[LIMIT_BUTTON_ID], late[LIMIT_BUTTON_ID];

	world_deploy_goes_live(w, COMMIT_A);
	assert_string_equal(world_button(world_says(w, "aaaaaaa"), "Roll back"), ""); /* to what? */
	world_deploy_goes_live(w, COMMIT_B);
	fresh = world_says(w, "bbbbbbb");
	(void)text_copy(button, sizeof(button), world_button(fresh, "↩️ Roll back"));
	assert_string_not_equal(button, "");
	(void)world_press(w, WORLD_STAGING_USER, fresh->chat, button);
	assert_int_equal(strncmp(w->toast, "⛔ Denied: rollback", 12), 0);
	(void)world_press(w, WORLD_OTHER_ADMIN, fresh->chat, button);
	assert_non_null(world_says(w, "Roll back staging?\nbbbbbbb → aaaaaaa"));
	assert_null(world_peek(w, EFFECT_RUN));

	world_deploy_goes_live(w, COMMIT_C);
	(void)world_press(w, WORLD_ADMIN, fresh->chat, button);
	assert_string_equal(w->toast,
	    "Release 2 is not live any more: staging runs ccccccc. To roll that back: /rollback staging");
	next = world_says(w, "ccccccc");
	(void)text_copy(late, sizeof(late), world_button(next, "↩️ Roll back"));
	w->aid.at += 3600000;
	(void)world_press(w, WORLD_ADMIN, next->chat, late);
	assert_string_equal(w->toast, "This button has expired or was used.");
}

WORLD_TEST(status_lists_three_blocks_and_counts_the_rest)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D, COMMIT_E,
		COMMIT_F };

	for (size_t i = 0; i < COUNT(commits); i++)
		world_deploy_goes_live(w, commits[i]);
	for (size_t i = 1; i < COUNT(commits); i++)
		world_rolls_back(w, "/rollback staging");
	world_answers_last(w, WORLD_ADMIN, "/status staging",
	    "\nblocked: bbbbbbb rolled back by @ada, just now (to release 1, aaaaaaa)"
	    "\nblocked too: ccccccc, ddddddd and 2 more\nA push does not deploy it; one with a fix on top goes its usual way."
	    " To deploy it all the same: /deploy staging bbbbbbb, which asks first");
}
