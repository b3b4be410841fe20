/* Goal: one open question for a commit, and a yes to what it showed and to nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_block.h"
#include "store/store_inside.h"

static void
ask_in(struct world *w, int64_t person, int64_t chat, const char *commit)
{
	world_asks_in(w, person, chat, "/deploy production", commit);
}

static void
push(struct world *w, const char *commit)
{
	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = commit });
}

static void
press(struct world *w, int64_t person, const struct world_message *message, const char *label)
{
	char id[LIMIT_BUTTON_ID];

	(void)text_copy(id, sizeof(id), world_button(message, label));
	assert_string_not_equal(id, "");
	(void)world_press(w, person, message->chat, id);
}

static void
confirm(struct world *w, int64_t person, const struct world_message *message)
{
	press(w, person, message, "Deploy to");
	world_git_same(w);
}

static void
go_live(struct world *w)
{
	assert_int_equal(world_run_starts(w), 200);
	world_run_releases(w, GOOD);
}

static size_t
open_questions(struct world *w)
{
	size_t n = 0;

	for (int64_t id = 1; world_deployment(w, id).id != 0; id++)
		n += world_deployment(w, id).state == DEPLOY_AWAITING_CONFIRMATION;
	return n;
}

/* --- shared --- */

WORLD_TEST(a_deploy_of_what_is_asked_about_opens_no_second_question)
{
	push(w, COMMIT_A);
	ask_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, COMMIT_A);
	assert_int_equal(open_questions(w), 1);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_SUPERSEDED);
	assert_non_null(world_says(w,
	    "❓ production: asked about already, as #1. You may answer it too, @bob.\n\n"
	    "❓ Deploy to production?\naaaaaaa \"Make it blue\""));
	assert_int_equal(world_last(w)->buttons.n, 2);
	assert_int_equal(w->n_screen, 2); /* the one that they asked with, and ... */
	assert_int_equal(w->screen[0].buttons.n, 0);
	assert_non_null(
	    world_says(w, "❓ production: asked again below — \"Make it blue\" aaaaaaa"));
	assert_null(world_says(w, "Closed: "));
	confirm(w, WORLD_OTHER_ADMIN, world_says(w, "Deploy to production?"));
	go_live(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(open_questions(w), 0);
}

WORLD_TEST(who_asks_twice_is_not_invited_as_somebody_else)
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	assert_int_equal(open_questions(w), 1);
	assert_non_null(
	    world_says(w, "asked about already, as #1, by @ada.\n\n❓ Deploy to production?"));
	assert_null(world_says(w, "You may answer it too"));
	confirm(w, WORLD_ADMIN, world_last(w));
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* It used to say "You may answer it too" of a question whose button was gone. */
WORLD_TEST(who_asks_for_what_is_confirmed_is_told_so)
{
	push(w, COMMIT_A);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "/deploy production");
	press(w, WORLD_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says(w,
	    "asked about already, as #1.\n\n⏳ production: confirmed by @ada, asking git once more"));
	assert_null(world_says(w, "You may answer it too"));
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* In a chat where the question does not stand it does then, to its end. */
WORLD_TEST(who_asks_in_another_chat_answers_there)
{
	const struct world_message *theirs, *first;

	push(w, COMMIT_A);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .count = 3 });
	assert_int_equal(open_questions(w), 1);
	theirs = world_says_in(w, WORLD_OTHER_ADMIN, "Deploy to production?");
	assert_int_equal(theirs->buttons.n, 2);
	assert_true(theirs->is_silent); /* who asked is looking */
	assert_non_null(strstr(world_plain(theirs), "Change 3"));
	first = theirs;
	ask_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, COMMIT_A); /* and once more */
	theirs = world_says_in(w, WORLD_OTHER_ADMIN, "asked about already, as #1");
	assert_non_null(strstr(world_plain(first), "asked again below"));
	assert_int_equal(first->buttons.n, 0);
	confirm(w, WORLD_OTHER_ADMIN, theirs);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_non_null(strstr(world_plain(theirs), "⏳ Deploying production "));
	assert_non_null(world_says_in(w, WORLD_TEAM, "⏳ Deploying production "));
	go_live(w);
	assert_non_null(
	    strstr(world_plain(theirs), "Live: production, not checked \"Make it blue\" aaaaaaa"));
}

TEST(a_question_that_is_shared_is_answered_by_who_asked_and_by_the_role)
{
	struct world_message *question;
	struct world w;

	world_open(&w, "STAGING_CONFIRM=true", "STAGING_TELEGRAM_IDS=33,44", NULL);
	world_asks(&w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	question = world_says(&w, "Deploy to staging?");
	press(&w, 44, question, "Deploy to");
	assert_string_equal(w.toast, "⛔ Only @ada or who may confirm may answer this.");
	world_asks(&w, WORLD_STAGING_USER, "/deploy staging", COMMIT_A);
	question = world_says(
	    &w, "asked about already, as #1, by @ada. You may answer it too, @cy.\n\n❓ Deploy");
	press(&w, 44, question, "Deploy to");
	assert_string_equal(w.toast, "⛔ Only who asked or who may confirm may answer this.");
	assert_int_equal(world_deployment(&w, 1).confirmed_by, 0);
	confirm(&w, WORLD_STAGING_USER, question);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	assert_int_equal(world_deployment(&w, 1).confirmed_by, WORLD_STAGING_USER);
	assert_non_null(world_says(&w, "requested by @ada · confirmed by @cy"));
	world_close(&w);

	world_open(&w, NULL);
	ask_in(&w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A); /* and nobody else did */
	confirm(&w, WORLD_OTHER_ADMIN, world_says(&w, "Deploy to production?"));
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	world_close(&w);
}

/* Whoever has that grant alone: deploys nothing of their own, and answers what others ask. */
WORLD_TEST_OF(who_may_confirm_answers_another_persons_question_and_both_are_named,
    "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=confirm:production", "ROLE_DEV_IDS=33,66",
    "ROLE_DEV_MAY=deploy:production")
{
	struct world_message *question;

	world_answers(w, 44, "/deploy production",
	    "⛔ Denied: production deploy: your role does not grant it.");
	world_asks(w, WORLD_STAGING_USER, "/deploy production", COMMIT_A);
	question = world_says(w, "Deploy to production?");
	press(w, 66, question, "Deploy to");
	assert_string_equal(w->toast, "⛔ Only @cy or who may confirm may answer this.");
	confirm(w, 44, question);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_non_null(world_says(w, "requested by @cy · confirmed by @eve"));
	assert_int_equal(world_audited(w, "\"confirmed\"", "\"requested_by\":\"telegram:33\""), 1);
	assert_int_equal(world_audited(w, "\"confirmed\"", "\"telegram:44\""), 1);
	assert_int_equal(world_audited(w, "deploy_started", "\"telegram:33\""), 1);
	assert_int_equal(world_audited(w, "deploy_started", "\"confirmed_by\":\"telegram:44\""), 1);
}

WORLD_TEST(a_push_of_what_a_person_is_asked_about_lets_the_team_answer_for_a_day)
{
	const struct world_message *question;

	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	push(w, COMMIT_A);
	assert_int_equal(open_questions(w), 1);
	assert_int_equal(world_count(w, EFFECT_TIMER), 2); /* the daily one is the other */
	question = world_says_in(w, WORLD_TEAM, "Deploy to production?");
	assert_non_null(question);
	w->aid.at += INT64_C(3600) * 1000;
	confirm(w, WORLD_OTHER_ADMIN, question);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* --- closed in place --- */

WORLD_TEST_OF(a_start_closes_the_question_about_its_commit_and_no_other, "PRODUCTION_CONFIRM=true")
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	ask_in(w, WORLD_OTHER_ADMIN, WORLD_GROUP, COMMIT_B);
	world_settings(w, "PRODUCTION_CONFIRM=false", NULL);
	push(w, COMMIT_A);
	assert_non_null(world_says(
	    w, "⛔ Closed: production, started by octo (GitHub)\naaaaaaa \"Make it blue\""));
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_AWAITING_CONFIRMATION);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* --- live already --- */

WORLD_TEST(what_runs_already_is_offered_once_more)
{
	struct world_message *question;

	world_deploy_goes_live(w, COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	question = world_says(w, "❓ Deploy to staging again? This is live already:\naaaaaaa");
	press(w, WORLD_ADMIN, question, "Deploy again");
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_true(world_newest(w, "staging").is_again);
	go_live(w);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_LIVE);
}

/* Queued before its commit went live. */
WORLD_TEST(what_went_live_meanwhile_is_not_started_again)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_push_is_at(w, COMMIT_A);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	go_live(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_SUPERSEDED);
	assert_non_null(
	    world_says(w, "⛔ Skipped: staging, already live\naaaaaaa \"Make it blue\""));
}

static void
make_it_a_persons(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(
	    tx, "UPDATE work SET cause = 'chat', requested_by = 11 WHERE state = 'QUEUED'");
}

WORLD_TEST(a_persons_that_went_live_meanwhile_is_refused)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	world_push_is_at(w, COMMIT_A);
	store_aid_act(&w->aid, make_it_a_persons, NULL);
	go_live(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_REFUSED);
	assert_string_equal(world_newest(w, "staging").detail, "already live");
}

WORLD_TEST(a_push_of_what_is_live_asks_nobody)
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	confirm(w, WORLD_ADMIN, world_says(w, "Deploy to production?"));
	go_live(w);
	push(w, COMMIT_A);
	assert_int_equal(open_questions(w), 0);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "⛔ Skipped: production, already live\naaaaaaa"));
}

/* --- what was shown, and what is --- */

WORLD_TEST(another_live_release_is_asked_about_anew)
{
	struct world_message *question;

	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	question = world_says(w, "Deploy to production?");
	ask_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, COMMIT_B);
	confirm(w, WORLD_OTHER_ADMIN, world_says_in(w, WORLD_TEAM, "Deploy to production?"));
	go_live(w);
	confirm(w, WORLD_ADMIN, question);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	question = world_says(w, "⛔ Not started: production runs bbbbbbb now");
	assert_int_equal(world_audited(w, "asked anew", "production runs bbbbbbb now"), 1);
	assert_non_null(strstr(world_plain(question), "Deploy to production?"));
	assert_int_equal(world_deployment(w, 1).confirmed_by, 0);
	confirm(w, WORLD_ADMIN, question);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.previous, COMMIT_B);
}

static void
forget_previous(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "UPDATE work SET previous = '' WHERE state = 'AWAITING_CONFIRMATION'");
}

WORLD_TEST(another_release_to_roll_back_to_is_asked_about_anew)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	store_aid_act(&w->aid, forget_previous, NULL);
	press(w, WORLD_ADMIN, world_says(w, "Deploy to staging again?"), "Deploy again");
	world_git_same(w);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_non_null(
	    world_says(w, "⛔ Not started: staging: the release to roll back to is aaaaaaa now"));
}

WORLD_TEST(a_branch_that_was_force_pushed_is_asked_about_anew_and_a_newer_commit_is_noted)
{
	struct world_message *question;

	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	press(w, WORLD_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	assert_null(world_peek(w, EFFECT_RUN));
	question =
	    world_says(w, "⛔ Not started: production: main was force-pushed and no longer has it");
	assert_non_null(strstr(world_plain(question), "not on the branch of production"));
	press(w, WORLD_ADMIN, question, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_off_branch = true });
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

WORLD_TEST(what_git_no_longer_has_is_refused_and_a_git_that_is_away_holds_nothing_up)
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	press(w, WORLD_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	world_git(w, (struct world_git){ .error = "no branch, tag or commit: aaaaaaa1" });
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	press(w, WORLD_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	world_git(w, (struct world_git){ .is_unreachable = true });
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

static void
block_it(struct tx *tx, UNUSED void *arg)
{
	row_block_add(tx, "production", &(struct block){ .commit = COMMIT_A, .by = "deploybot" });
}

WORLD_TEST(what_was_rolled_back_meanwhile_is_asked_about_anew)
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	store_aid_act(&w->aid, block_it, NULL);
	confirm(w, WORLD_ADMIN, world_says(w, "Deploy to production?"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_non_null(world_says(w, "⛔ Not started: production: it was blocked meanwhile"));
	confirm(w, WORLD_ADMIN, world_says(w, "Deploy to production?"));
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

/* It used to be refused behind the second yes: "/deploy asks first". */
WORLD_TEST(a_push_confirmed_in_spite_of_its_block_starts)
{
	push(w, COMMIT_A);
	store_aid_act(&w->aid, block_it, NULL);
	confirm(w, WORLD_ADMIN, world_says(w, "Deploy to production?"));
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	confirm(w, WORLD_ADMIN, world_says(w, "it was blocked meanwhile"));
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	go_live(w);
	assert_string_equal(world_blocked(w, "production"), "");
}

static int64_t
question_stands_ms(const struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_QUESTION)
			return w->open[i]->due - w->aid.at;
	return 0;
}

/* Its push came while the yes was looked up, or before it: nothing else will ask about that. */
TEST(what_is_asked_anew_after_its_push_stands_as_long_as_a_pushs)
{
	const int64_t day_ms = INT64_C(24) * 3600 * 1000;
	struct world w;

	for (int is_behind = 0; is_behind < 2; is_behind++) {
		world_open(&w, NULL);
		ask_in(&w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
		(void)world_decide(&w, world_push(&w, "main"));
		if (is_behind == 0)
			world_git(&w, (struct world_git){ .commit = COMMIT_A });
		press(&w, WORLD_ADMIN, world_says(&w, "Deploy to production?"), "Deploy to");
		if (is_behind != 0)
			world_git(&w, (struct world_git){ .commit = COMMIT_A });
		store_aid_act(&w.aid, block_it, NULL);
		world_git_same(&w);
		assert_int_equal(world_count(&w, EFFECT_RUN), 0);
		assert_int_equal(open_questions(&w), 1);
		assert_true(question_stands_ms(&w) > day_ms - 60000);
		confirm(&w, WORLD_OTHER_ADMIN,
		    world_says_in(&w, WORLD_TEAM, "it was blocked meanwhile"));
		assert_int_equal(world_count(&w, EFFECT_RUN), 1);
		world_close(&w);
	}
}

WORLD_TEST(a_rollback_whose_from_has_changed_is_asked_anew_at_once)
{
	struct world_message *question;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	question = world_says(w, "Roll back staging?");
	world_deploy_goes_live(w, COMMIT_C);
	press(w, WORLD_ADMIN, question, "Roll back");
	assert_string_equal(w->toast, "It has changed: look again.");
	assert_true(w->is_alert);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	question = world_says(w, "⛔ Not started: staging runs ccccccc now, not bbbbbbb");
	press(w, WORLD_ADMIN, question, "Roll back");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

static void
production_goes_live(struct world *w, const char *commit)
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, commit);
	confirm(w, WORLD_ADMIN, world_says(w, "Deploy to production?"));
	go_live(w);
}

/* Regression: it listed what git had found over the release before, and hid what was rolled back.
 * The yes, or the request itself, is being looked up. */
TEST(what_a_rollback_overtakes_is_looked_up_over_what_is_live_by_then)
{
	for (int is_request = 0; is_request < 2; is_request++) {
		struct world_message *question, *back;
		const char *text;
		struct world w;

		world_open(&w, NULL);
		production_goes_live(&w, COMMIT_A);
		production_goes_live(&w, COMMIT_B);
		back = world_rollback_asks(&w, "/rollback production");
		(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "/deploy production");
		if (is_request == 0) {
			world_git(&w, (struct world_git){ .commit = COMMIT_C, .count = 1 });
			question = world_says_in(&w, WORLD_TEAM, "Deploy to production?");
			press(&w, WORLD_OTHER_ADMIN, question, "Deploy to");
		}
		press(&w, WORLD_ADMIN, back, "Roll back");
		go_live(&w);
		world_git(&w, (struct world_git){ .commit = COMMIT_C, .count = 1 });
		assert_non_null(world_peek(&w, EFFECT_GIT_QUERY));
		assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.base, COMMIT_A);
		world_git(
		    &w, (struct world_git){ .commit = COMMIT_C, .count = 2, .contains = COMMIT_B });
		assert_int_equal(world_count(&w, EFFECT_RUN), 0);
		question = world_says_in(&w, WORLD_TEAM, "Deploy to production?");
		text = world_plain(question);
		assert_int_equal(strstr(text, "production runs aaaaaaa now, not bbbbbbb") != NULL,
		    is_request == 0);
		assert_non_null(strstr(text, "\n2 new commits"));
		assert_non_null(strstr(text, "contains bbbbbbb, rolled back by @ada"));
		confirm(&w, WORLD_OTHER_ADMIN, question);
		assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_C);
		world_close(&w);
	}
}

/* Regression: a rollback that was confirmed while another one was at work went one further, when
 * that had made all well.  One that failed is fled at once. */
TEST(what_waited_for_a_rollback_is_asked_anew_where_that_has_done_it)
{
	for (int i = 0; i < 3; i++) {
		struct world_message *question;
		struct world w;

		world_open(&w, NULL);
		world_two_go_live(&w, COMMIT_A, COMMIT_B);
		world_deploy_starts(&w, COMMIT_C);
		world_run_releases(&w, TOUCHED);
		assert_int_equal(world_state(&w), DEPLOY_ROLLING_BACK);
		(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
		question = world_says(&w, "is rolling back now; this waits for it");
		if (i < 2)
			press(&w, WORLD_ADMIN, question, "Roll back");
		if (i == 1)
			world_run_step(&w, 0, "release");
		w.aid.at += 5000;
		world_run_ends(&w, i == 1 ? TOUCHED : GOOD);
		if (i == 1) {
			assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
			world_close(&w);
			continue;
		}
		if (i == 2) {
			press(&w, WORLD_ADMIN, question, "Roll back");
			assert_string_equal(w.toast, "It has changed: look again.");
		}
		assert_int_equal(world_count(&w, EFFECT_RUN), 0);
		question = world_says(&w, " runs bbbbbbb again: #");
		assert_non_null(strstr(world_plain(question), " was rolled back meanwhile\n"));
		assert_non_null(strstr(world_plain(question),
		    "⚠️ ccccccc was rolled back just now; this goes further back"));
		press(&w, WORLD_ADMIN, question, "Roll back");
		assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
		world_run_ends(&w, GOOD);
		assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_A);
		world_close(&w);
	}
}

/* It asked "Roll back? aaaaaaa → aaaaaaa", and a second yes released it once more. */
WORLD_TEST(a_yes_to_a_rollback_to_what_is_live_by_now_starts_nothing)
{
	struct world_message *question;
	int64_t asked;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	question = world_last(w);
	asked = world_newest(w, "staging").id;
	world_deploy_goes_live(w, COMMIT_A);
	press(w, WORLD_ADMIN, question, "Roll back");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	assert_int_equal(world_deployment(w, asked).state, DEPLOY_REFUSED);
	assert_non_null(strstr(world_plain(question), "⛔ Runs already: staging"));
}

/* Regression: each of two buttons opened a question, and the second one stood when all was done. */
WORLD_TEST(an_equal_rollback_joins_the_question_that_is_open)
{
	world_three_go_live(w);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging bbbbbbb");
	assert_int_equal(open_questions(w), 1);
	assert_int_equal(world_state(w), DEPLOY_SUPERSEDED);
	assert_non_null(world_says(w, ", by @ada. You may answer it too, @bob."));
	assert_non_null(world_says(w, "asked again below"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging 1"); /* another release */
	assert_int_equal(open_questions(w), 2);
	press(w, WORLD_OTHER_ADMIN, world_says(w, "You may answer it too"), "Roll back");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	assert_int_equal(open_questions(w), 1);
}

/* One who chooses another release below it does not take it from the other. */
WORLD_TEST(a_rollback_that_is_shared_stands_when_one_chooses_another_release)
{
	world_three_go_live(w);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging");
	press(w, WORLD_ADMIN, world_says(w, "You may answer it too"), "Older…");
	press(w, WORLD_ADMIN, world_last(w), "to aaaaaaa");
	assert_int_equal(open_questions(w), 2);
}

WORLD_TEST(a_deadline_ends_nothing_that_was_confirmed_and_a_cancel_does)
{
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	press(w, WORLD_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	assert_int_equal(world_count(w, EFFECT_TIMER), 1); /* only the daily one */
	(void)world_text(w, WORLD_ADMIN, "/cancel production");
	world_git_same(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

WORLD_TEST(a_newer_push_leaves_a_confirmed_question_alone)
{
	push(w, COMMIT_A);
	press(w, WORLD_ADMIN, world_says(w, "Deploy to production?"), "Deploy to");
	(void)world_decide(w, world_push(w, "main"));
	world_git_same(w);
	assert_int_equal(world_active(w, "production").state, DEPLOY_RUNNING);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_int_equal(world_active(w, "production").state, DEPLOY_RUNNING);
}

/* Else who may push could keep an admin's Confirm from ever starting. */
WORLD_TEST(a_newer_push_leaves_a_question_that_a_person_joined)
{
	struct world_message *question;

	push(w, COMMIT_A);
	ask_in(w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
	question = world_says(w, "Deploy to production?");
	push(w, COMMIT_B);
	assert_int_equal(open_questions(w), 2);
	confirm(w, WORLD_ADMIN, question);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_string_equal(world_active(w, "production").commit, COMMIT_A);
}

/* Who joined read that B is live: their yes is to that. */
TEST(who_joins_a_question_that_is_not_true_any_more_reads_what_is)
{
	struct world w;

	for (int by_push = 0; by_push < 2; by_push++) {
		world_open(&w, NULL);
		ask_in(&w, WORLD_ADMIN, WORLD_GROUP, COMMIT_A);
		ask_in(&w, WORLD_ADMIN, WORLD_GROUP, COMMIT_B);
		confirm(&w, WORLD_ADMIN, world_says(&w, "bbbbbbb \"Make it blue\"\nauthor"));
		go_live(&w);
		if (by_push)
			push(&w, COMMIT_A);
		else
			ask_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, COMMIT_A);
		assert_non_null(world_says_in(&w, WORLD_GROUP,
		    "❓ Asked again: production runs bbbbbbb now\n\n❓ Deploy to production?\n"));
		assert_null(world_says(&w, "Not started"));
		confirm(&w, WORLD_OTHER_ADMIN,
		    world_says_in(&w, WORLD_TEAM, "❓ Deploy to production?\naaaaaaa"));
		assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
		world_close(&w);
	}
}
