/* Goal: /queue shows who waits for what; a place is given back or away.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "queue_aid.h"

#include "lib/text.h"

WORLD_TEST(the_queue_is_shown_with_who_what_and_since_when)
{
	const struct world_message *shown;

	(void)world_text(w, WORLD_ADMIN, "/queue");
	assert_string_equal(
	    world_plain(world_last(w)), "Nothing is in progress, and nothing is queued.");
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	w->aid.at += 120 * INT64_C(1000);
	(void)world_text(w, WORLD_ADMIN, "/queue staging");
	shown = world_last(w);
	assert_string_equal(world_plain(shown),
	    "staging\n▶️ #1 @ada deploys aaaaaaa, 2 min ago\n1. #2 @cy deploys bbbbbbb, 2 min ago");
	assert_int_equal(shown->buttons.n, 0); /* it is another person's */
	(void)world_text(w, WORLD_STRANGER, "/queue");
	assert_null(world_says_in(w, WORLD_STRANGER, "staging"));
}

WORLD_TEST(what_was_confirmed_is_shown_while_git_is_asked)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Deploy to production");
	assert_null(world_peek(w, EFFECT_RUN));
	world_answers_last(w, WORLD_ADMIN, "/queue", "production\n⏳ #1 @ada deploys aaaaaaa, ");
	assert_non_null(strstr(world_plain(world_last(w)), ", confirmed: git is asked"));
}

WORLD_TEST(about_how_long_is_said_where_it_is_known)
{
	for (int i = 0; i < 5; i++) {
		char commit[LIMIT_COMMIT];

		(void)snprintf(commit, sizeof(commit), "%040d", i + 1);
		world_deploy_starts(w, commit);
		world_run_step(w, 0, "release");
		w->aid.at += 180 * INT64_C(1000);
		world_run_ends(w, GOOD);
	}
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	w->aid.at += 60 * INT64_C(1000);
	world_answers(w, WORLD_ADMIN, "/queue staging",
	    "▶️ #6 @ada deploys aaaaaaa, 1 min ago, about 2 min more");
	assert_non_null(
	    world_says(w, "1. #7 @cy deploys bbbbbbb, 1 min ago, starts in about 2 min"));
}

WORLD_TEST(ones_own_place_is_taken_back)
{
	const struct world_message *shown;
	char id[LIMIT_BUTTON_ID];

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)world_text(w, WORLD_STAGING_USER, "/queue staging");
	shown = world_last(w);
	(void)text_copy(id, sizeof(id), world_button(shown, "Leave the queue: #2"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, id);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_CANCELLED);
	assert_null(strstr(world_plain(shown), "#2"));
	assert_int_equal(shown->buttons.n, 0);
}

WORLD_TEST(a_place_is_given_to_another_person_and_both_are_told)
{
	const struct world_message *to_cy, *to_bob;

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_C);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_D);
	assert_string_equal(queue_aid_list(w), "#2 #3 #4");
	(void)world_text(w, WORLD_STAGING_USER, "/queue staging");
	assert_string_equal(world_button(world_last(w), "to @cy"), ""); /* to another person */
	queue_aid_press(w, WORLD_STAGING_USER, world_last(w), "Give my place #2 to @bob");
	assert_string_equal(w->toast, "@bob has your place.");
	assert_string_equal(queue_aid_list(w), "#4 #3 #2");
	to_cy = world_says(w, "⏳ staging: your place went to @bob — \"Make it blue\" bbbbbbb");
	to_bob = world_says(w, "⏳ staging: you have the place of @cy — \"Make it blue\" ddddddd");
	assert_non_null(to_cy);
	assert_non_null(to_bob);
	assert_int_not_equal(to_cy->reply_to, to_bob->reply_to);
	assert_int_equal(world_audited(w, "place_given", "\"to\":\"telegram:22\""), 1);
}

WORLD_TEST(what_has_started_is_not_given_away)
{
	char id[LIMIT_BUTTON_ID];

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_D);
	(void)world_text(w, WORLD_STAGING_USER, "/queue staging");
	(void)text_copy(id, sizeof(id), world_button(world_last(w), "Give my place #2"));
	world_run_ends(w, FAILED_BEFORE_RELEASE); /* B begins */
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, id);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
	assert_string_equal(queue_aid_list(w), "#3");
}
