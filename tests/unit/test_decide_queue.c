/* Goal: people wait in order, and nothing runs backwards unasked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "queue_aid.h"

#include "lib/text.h"
#include "store/row_queue.h"

#define HOUR_MS (3600 * INT64_C(1000))

/* --- order --- */

WORLD_TEST(people_wait_in_the_order_in_which_they_came)
{
	int64_t a, b, c;

	a = queue_aid_ask(w, WORLD_ADMIN, COMMIT_A);
	b = queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_B);
	c = queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	assert_int_equal(queue_aid_state(w, a), DEPLOY_RUNNING);
	assert_int_equal(queue_aid_state(w, b), DEPLOY_QUEUED);
	assert_int_equal(queue_aid_state(w, c), DEPLOY_QUEUED);
	assert_non_null(world_says(w, "⏳ Queued: 1st in staging \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(w, "⏳ Queued: 2nd in staging \"Make it blue\" ccccccc"));
	assert_non_null(world_says(w, "starts after #2: @cy deploys bbbbbbb"));
	queue_aid_go_live(w);
	queue_aid_is_ahead(w, 1); /* B of A */
	assert_int_equal(queue_aid_state(w, b), DEPLOY_RUNNING);
	assert_int_equal(queue_aid_state(w, c), DEPLOY_QUEUED);
	assert_non_null(world_says(w, "⏳ Queued: 1st in staging \"Make it blue\" ccccccc"));
	queue_aid_go_live(w);
	queue_aid_is_ahead(w, 1); /* C of B */
	assert_int_equal(queue_aid_state(w, c), DEPLOY_RUNNING);
	queue_aid_go_live(w);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_C);
}

/* Found by the simulation (SEED=2749): who had come last was compared already. */
WORLD_TEST(nobody_is_overtaken_while_git_is_asked_about_them)
{
	int64_t c, d;

	(void)queue_aid_ask(w, WORLD_ADMIN, COMMIT_A);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_B);
	c = queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	queue_aid_go_live(w);
	queue_aid_is_ahead(w, 1); /* B of A */
	d = queue_aid_ask(w, WORLD_ADMIN, COMMIT_D);
	world_run_plays(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(queue_aid_state(w, d), DEPLOY_QUEUED);
	queue_aid_is_ahead(w, 1); /* C of A */
	assert_int_equal(queue_aid_state(w, c), DEPLOY_RUNNING);
	assert_int_equal(queue_aid_state(w, d), DEPLOY_QUEUED);
}

WORLD_TEST(who_comes_to_the_front_is_told_and_nobody_else)
{
	const struct world_message *next, *turn;

	(void)queue_aid_ask(w, WORLD_ADMIN, COMMIT_A);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	assert_null(world_says(w, "You are next")); /* their messages say it */
	w->aid.at += 120 * INT64_C(1000);
	queue_aid_go_live(w);
	queue_aid_is_ahead(w, 1);
	turn = world_says_in(w, WORLD_GROUP, "⏳ Started: staging \"Make it blue\" bbbbbbb");
	next = world_says_in(w, WORLD_GROUP, "⏳ You are next in staging: \"Make it blue\" ccccccc");
	assert_non_null(turn);
	assert_non_null(next);
	assert_int_not_equal(turn->reply_to, 0);
	assert_int_not_equal(next->reply_to, 0);
	assert_int_not_equal(turn->reply_to, next->reply_to);
	assert_false(turn->is_silent); /* two minutes */
	assert_null(world_says_in(w, WORLD_TEAM, "Started: "));
	queue_aid_go_live(w);
	queue_aid_is_ahead(w, 1);
	assert_null(world_says(w, "You are next in staging: bbbbbbb"));
}

WORLD_TEST(a_rollback_goes_to_the_front_behind_earlier_ones)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_starts_over(w, COMMIT_D, COMMIT_E);
	assert_int_equal(queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_C), 5);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging 1");
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Roll back");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging 2");
	queue_aid_press(w, WORLD_OTHER_ADMIN, world_last(w), "Roll back");
	assert_string_equal(queue_aid_list(w), "#6 #7 #5");
}

/* --- refusals --- */

WORLD_TEST(a_persons_fourth_place_is_refused)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_C);
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging"); /* two places, as yet */
	world_git(w, (struct world_git){ .commit = COMMIT_D });
	world_git(w, (struct world_git){ .commit = COMMIT_E });
	assert_string_equal(queue_aid_list(w), "#2 #3 #4");
	assert_int_equal(queue_aid_state(w, 5), DEPLOY_REFUSED);
	assert_non_null(world_says(
	    w, "you have 3 places in its queue already: leave one first, in /queue staging"));
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging"); /* git is not even asked */
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Not queued: staging: you have 3 places in its queue already: leave one first, in /queue staging");
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_E); /* somebody else */
	assert_string_equal(queue_aid_list(w), "#2 #3 #4 #6");
}

#define FOUR_USERS "STAGING_TELEGRAM_IDS=33,34,35,36"

/* Of four people. */
static void
fill(struct world *w)
{
	char commit[LIMIT_COMMIT];

	for (int i = 0; i < ROW_QUEUE_MOST; i++) {
		(void)snprintf(commit, sizeof(commit), "%040d", i + 1);
		(void)queue_aid_ask(w, 33 + i % 4, commit);
	}
}

WORLD_TEST_OF(the_eleventh_place_is_refused_and_a_push_is_not, FOUR_USERS)
{
	world_deploy_starts(w, COMMIT_A);
	fill(w);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Not queued: staging: 10 are queued there already: try again when one has ended, or after /cancel staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	world_push_is_at(w, COMMIT_B);
	assert_int_equal(queue_aid_state(w, 12), DEPLOY_QUEUED);
}

WORLD_TEST_OF(a_full_queue_refuses_no_rollback_and_not_the_locks_owner, FOUR_USERS)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_C);
	fill(w);
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	for (int i = 0; i < ROW_QUEUE_PERSONS; i++)
		(void)queue_aid_ask(w, WORLD_ADMIN, COMMIT_D);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(queue_aid_state(w, 14), DEPLOY_QUEUED);
	assert_int_equal(queue_aid_state(w, 16), DEPLOY_QUEUED);
	assert_int_equal(world_newest(w, "staging").id, 16);	   /* the fourth is refused */
	(void)world_text(w, WORLD_OTHER_ADMIN, "/deploy staging"); /* the lock holds */
	assert_int_equal(world_newest(w, "staging").id, 16);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging 1");
	queue_aid_press(w, WORLD_OTHER_ADMIN, world_last(w), "Roll back");
	(void)world_text(w, WORLD_ADMIN, "/rollback staging 1");
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Roll back");
	assert_int_equal(queue_aid_state(w, 17), DEPLOY_QUEUED);
	assert_int_equal(queue_aid_state(w, 18), DEPLOY_QUEUED);
	assert_int_equal(strncmp(queue_aid_list(w), "#17 #18 #4 ", 11), 0);
	world_run_ends(w, FAILED_BEFORE_RELEASE); /* B is live still: as it was answered */
	assert_int_equal(queue_aid_state(w, 17), DEPLOY_RUNNING);
}

WORLD_TEST(a_persons_fourth_rollback_is_refused)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_deploy_starts(w, COMMIT_C);
	for (int i = 0; i < ROW_QUEUE_PERSONS; i++) {
		(void)world_text(w, WORLD_ADMIN, "/rollback staging 1");
		queue_aid_press(w, WORLD_ADMIN, world_last(w), "Roll back");
	}
	assert_string_equal(queue_aid_list(w), "#4 #5 #6");
	world_answers(
	    w, WORLD_ADMIN, "/rollback staging 1", "you have 3 places in its queue already");
	(void)queue_aid_ask(w, WORLD_ADMIN, COMMIT_D);
	assert_string_equal(queue_aid_list(w), "#4 #5 #6 #7");
}

/* --- pushes --- */

WORLD_TEST(a_push_replaces_a_push_and_no_person)
{
	world_deploy_starts(w, COMMIT_A);
	world_push_is_at(w, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_STAGING_USER, COMMIT_C);
	world_push_is_at(w, COMMIT_D);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_SUPERSEDED);
	assert_string_equal(queue_aid_list(w), "#4 #3"); /* in the place of the older push */
}

WORLD_TEST(a_push_that_is_an_ancestor_of_what_is_live_is_superseded)
{
	world_deploy_starts(w, COMMIT_A);
	world_push_is_at(w, COMMIT_B);
	queue_aid_go_live(w);
	queue_aid_is_ancestor(w);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_SUPERSEDED);
	assert_non_null(world_says(w, "older than what is live"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

/* Found by the simulation (SEED=46012): what git had compared it with was rolled back and forward
 * meanwhile: nothing seemed to have changed, and the push started over what a person chose. */
WORLD_TEST(a_push_over_what_is_live_once_more_is_compared_again)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_decide(w, world_push(w, "develop")); /* git is slow */
	world_rolls_back(w, "/rollback staging");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging 2"), "Roll forward"));
	world_git(w, (struct world_git){ .commit = COMMIT_E, .is_force_push = true });
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w, (struct world_git){ .commit = COMMIT_E, .is_force_push = true });
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_SUPERSEDED);
	assert_non_null(world_says_in(w, WORLD_TEAM, "older than what is live"));
}

WORLD_TEST(what_is_live_by_now_ends_unless_it_was_asked_for_again)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_B);
	queue_aid_go_live(w);
	queue_aid_is_ahead(w, 1);
	queue_aid_go_live(w);
	assert_int_equal(queue_aid_state(w, 3), DEPLOY_REFUSED);
	assert_non_null(world_says(w, "Runs already: staging \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(w, "already live"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Deploy again");
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* --- asked anew --- */

WORLD_TEST(nothing_goes_back_unasked)
{
	queue_aid_waits(w, COMMIT_B, WORLD_STAGING_USER, COMMIT_A);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	queue_aid_go_live(w);
	queue_aid_is_ancestor(w); /* A, of B */
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	assert_true(world_deployment(w, 2).wait.is_asked_anew);
	assert_non_null(world_says(w, "Not started: staging runs bbbbbbb now, which is newer"));
	queue_aid_is_ahead(w, 1); /* nobody behind waits for the answer */
	assert_int_equal(queue_aid_state(w, 3), DEPLOY_RUNNING);
	queue_aid_press(w, WORLD_STAGING_USER, world_says(w, "Not started:"), "Go back to aaaaaaa");
	assert_string_equal(w->toast, "Queued.");
	assert_string_equal(queue_aid_list(w), "#2");
	world_run_ends(w, FAILED_BEFORE_RELEASE); /* B is live still: as it was answered */
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
}

WORLD_TEST(what_was_asked_for_an_hour_ago_is_asked_anew_for_ten_minutes)
{
	struct world_message *question;
	int64_t asked;

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	w->aid.at += HOUR_MS + 1000;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	question = world_says(w, "Not started: its place in staging is more than an hour old");
	assert_non_null(question);
	assert_false(question->is_silent);
	(void)world_press(w, WORLD_STRANGER, question->chat, world_button(question, "Deploy to"));
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED); /* neither asked, nor may confirm */
	asked = w->aid.at;
	world_due(w, TIMER_QUESTION);
	assert_in_range(w->aid.at - asked, 590000, 601000);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_EXPIRED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST(within_the_hour_nobody_is_asked_anew)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	w->aid.at += HOUR_MS - 60000;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
}

WORLD_TEST(what_a_question_showed_is_compared_at_the_turn)
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Deploy to");
	world_git_same(w);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_B);
	queue_aid_press(w, WORLD_OTHER_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	world_git_same(w);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	queue_aid_go_live(w); /* A: the question had shown nothing live */
	queue_aid_is_ahead(w, 1);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	queue_aid_press(w, WORLD_OTHER_ADMIN,
	    world_says(w, "Not started: production runs aaaaaaa now"), "Deploy to");
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
	assert_string_equal(w->toast, "Started.");
}

WORLD_TEST(a_question_of_a_place_that_ended_cannot_be_answered)
{
	char yes[LIMIT_BUTTON_ID];

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	w->aid.at += HOUR_MS + 1000;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	(void)text_copy(yes, sizeof(yes), world_button(world_says(w, "Not started"), "Deploy to"));
	queue_aid_press(w, WORLD_STAGING_USER, world_says(w, "Not started"), "Not now");
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_CANCELLED);
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, yes);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_CANCELLED);
	assert_int_equal(world_count(w, EFFECT_TIMER), 2); /* the daily one, the audit's line */
}

/* Who was queued before nobody knew what runs there was not told: asked anew, below the reason. */
WORLD_TEST(what_was_queued_before_the_doubt_is_asked_anew)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	world_run_ends(w, FOLDER_GONE);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	queue_aid_press(w, WORLD_STAGING_USER,
	    world_says(w, "Not started: what staging runs is not known any more"), "Deploy to");
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
}

/* --- git away --- */

WORLD_TEST(while_git_is_away_the_place_is_kept_and_says_so)
{
	struct event *event;

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	queue_aid_go_live(w);
	assert_true(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.is_patient);
	event = store_aid_event(&w->aid, EVENT_GIT_DELAYED);
	event->u.git_delayed.query = world_peek(w, EFFECT_GIT_QUERY)->id;
	event->u.git_delayed.failed = true;
	(void)text_copy(event->u.git_delayed.text, LIMIT_LINE, "no route to host");
	(void)world_decide(w, event);
	assert_non_null(world_says(w, "git does not answer (no route to host): its place is kept"));
	queue_aid_is_ahead(w, 1);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
	assert_null(world_says(w, "git does not answer"));
}

/* Rewritten, or another repository: what was asked for is not refused for it, and nothing that is
 * gone can be an ancestor of what is live. */
WORLD_TEST(a_commit_that_git_no_longer_has_starts_as_it_was_asked_for)
{
	static const struct world_git gone = { .error = "no branch, tag or commit: bbbbbbb" };

	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	world_push_is_at(w, COMMIT_C);
	queue_aid_go_live(w);
	world_git(w, gone);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
	queue_aid_go_live(w);
	world_git(w, gone); /* a push no less */
	assert_int_equal(queue_aid_state(w, 3), DEPLOY_RUNNING);
}

/* Whoever confirmed had been shown a commit of the repository. */
WORLD_TEST_OF(a_confirmed_commit_that_git_no_longer_has_is_asked_anew, "STAGING_CONFIRM=true")
{
	const struct world_message *question;

	(void)queue_aid_ask(w, WORLD_ADMIN, COMMIT_A);
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Deploy to");
	world_git_same(w);
	(void)queue_aid_ask(w, WORLD_ADMIN, COMMIT_B);
	queue_aid_press(w, WORLD_ADMIN, world_last(w), "Deploy to");
	world_git_same(w);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	queue_aid_go_live(w);
	world_git(w, (struct world_git){ .error = "no branch, tag or commit: bbbbbbb" });
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_QUEUED);
	question = world_says(w, "git no longer has it (no branch, tag or commit: bbbbbbb)");
	assert_non_null(question);
	queue_aid_press(w, WORLD_ADMIN, question, "Deploy to");
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_RUNNING);
}

WORLD_TEST(who_leaves_the_queue_takes_the_question_to_git_along)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	queue_aid_go_live(w);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1); /* one for each queue */
	queue_aid_press(w, WORLD_STAGING_USER,
	    world_says(w, "Queued: 1st in staging \"Make it blue\" bbbbbbb"), "Cancel");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, COMMIT_C);
	queue_aid_is_ahead(w, 1);
	assert_int_equal(queue_aid_state(w, 3), DEPLOY_RUNNING);
}

WORLD_TEST(who_may_not_any_more_is_refused_at_the_turn)
{
	queue_aid_waits(w, COMMIT_A, WORLD_STAGING_USER, COMMIT_B);
	(void)queue_aid_ask(w, WORLD_OTHER_ADMIN, COMMIT_C);
	world_settings(w, "STAGING_TELEGRAM_IDS=44", NULL);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(queue_aid_state(w, 2), DEPLOY_REFUSED);
	assert_int_equal(queue_aid_state(w, 3), DEPLOY_RUNNING);
}
