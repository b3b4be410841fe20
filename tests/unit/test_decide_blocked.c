/* Goal: a yes covers what was shown, and ends when a commit in it is rolled back.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "lib/text.h"
#include "store/row_block.h"
#include "store/store_inside.h"
#include "types/principal.h"

#define MEANWHILE "contains bbbbbbb, rolled back meanwhile (script failed: exit 1)"

/* C is one commit on top of B. */
#define OVER_B ((struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B, .count = 2 })

static void
ask(struct world *w, const char *commit)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = commit, .count = 1 });
}

static void
push(struct world *w, const char *branch, struct world_git git)
{
	struct event *delivery = world_push(w, branch);

	(void)text_copy(delivery->u.delivery.after, LIMIT_COMMIT, git.commit);
	assert_int_equal(world_decide(w, delivery).status, 200);
	world_git(w, git);
}

static void
confirm(struct world *w, int64_t person, int64_t chat)
{
	approval_press_in(w, person, chat, "Deploy to");
	world_git_same(w);
}

/* A is live in production, and B, which will fail, has begun. */
static void
b_over_a(struct world *w)
{
	ask(w, COMMIT_A);
	confirm(w, WORLD_ADMIN, WORLD_GROUP);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ends(w, GOOD);
	ask(w, COMMIT_B);
	confirm(w, WORLD_ADMIN, WORLD_GROUP);
	assert_int_equal(world_run_starts(w), 200);
}

/* What has begun fails, and is rolled back. */
static void
is_rolled_back(struct world *w, const char *environment)
{
	world_run_step(w, 0, "release");
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, environment).current.commit, COMMIT_A);
	assert_string_equal(world_blocked(w, environment), COMMIT_B);
	assert_null(world_peek(w, EFFECT_RUN));
}

static void
goes_live(struct world *w, const char *commit)
{
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, commit);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ends(w, GOOD);
}

/* --- a place in the queue --- */

static void
what_was_confirmed_while_it_ran_is_asked_anew_when_that_is_rolled_back(void **state)
{
	struct world w;

	(void)state;
	for (int by_push = 0; by_push < 2; by_push++) {
		int64_t chat = by_push != 0 ? WORLD_TEAM : WORLD_GROUP;

		world_open(&w, NULL);
		b_over_a(&w);
		if (by_push != 0)
			push(&w, "main", (struct world_git){ .commit = COMMIT_C, .count = 2 });
		else
			ask(&w, COMMIT_C);
		assert_non_null(
		    world_says_in(&w, chat, "\n⏳ #2 deploys bbbbbbb now; this waits for it\n"));
		confirm(&w, WORLD_OTHER_ADMIN, chat);
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
		is_rolled_back(&w, "production");
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
		world_git(&w, OVER_B);
		assert_null(world_peek(&w, EFFECT_RUN));
		assert_non_null(world_says_in(&w, chat,
		    "⛔ Not started: production: " MEANWHILE "\n\n❓ Deploy to production?"));
		assert_non_null(
		    world_says_in(&w, chat, "\n⚠️ contains bbbbbbb, rolled back by deploybot"));
		assert_int_equal(world_audited(&w, "asked anew", MEANWHILE), 1);
		approval_press_in(&w, WORLD_ADMIN, chat, "Deploy to");
		goes_live(&w, COMMIT_C);
		assert_string_equal(world_blocked(&w, "production"), ""); /* it was shown */
		world_close(&w);
	}
}

static void
what_needs_no_approval_any_more_was_shown_to_nobody(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	b_over_a(&w);
	world_settings(&w, "PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", NULL);
	ask(&w, COMMIT_C);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	is_rolled_back(&w, "production");
	world_git(&w, OVER_B);
	assert_non_null(world_says_in(&w, WORLD_TEAM, MEANWHILE));
	world_settings(&w, "PRODUCTION_CONFIRM=false", NULL);
	world_restart(&w);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
	world_close(&w);
}

static void
what_does_not_contain_it_starts_once_git_has_said_so(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	b_over_a(&w);
	ask(&w, COMMIT_C);
	confirm(&w, WORLD_OTHER_ADMIN, WORLD_GROUP);
	is_rolled_back(&w, "production");
	world_git(&w, (struct world_git){ .commit = COMMIT_C });
	goes_live(&w, COMMIT_C);
	assert_string_equal(world_blocked(&w, "production"), COMMIT_B);
	world_close(&w);
}

/* The place is kept, and nothing starts on what is not known. */
static void
it_waits_as_long_as_git_does_not_answer(void **state)
{
	struct event *delayed;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	b_over_a(&w);
	ask(&w, COMMIT_C);
	confirm(&w, WORLD_OTHER_ADMIN, WORLD_GROUP);
	is_rolled_back(&w, "production");
	assert_true(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.is_patient);
	delayed = store_aid_event(&w.aid, EVENT_GIT_DELAYED);
	delayed->u.git_delayed.query = world_peek(&w, EFFECT_GIT_QUERY)->id;
	delayed->u.git_delayed.failed = true;
	(void)snprintf(delayed->u.git_delayed.text, sizeof(delayed->u.git_delayed.text), "timeout");
	(void)world_decide(&w, delayed);
	assert_non_null(world_says(&w, "git does not answer (timeout): its place is kept"));
	w.aid.at += INT64_C(600000);
	(void)world_text(&w, WORLD_ADMIN, "/queue production"); /* each look finds the same */
	assert_null(world_peek(&w, EFFECT_RUN));
	world_git(&w, OVER_B);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says(&w, MEANWHILE));
	world_close(&w);
}

/* What the repository has lost may have anything in its history. */
static void
what_git_has_lost_may_contain_it(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	push(&w, "develop", (struct world_git){ .commit = COMMIT_C });
	is_rolled_back(&w, "staging");
	world_git(&w, (struct world_git){ .error = "no such ref" });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "may contain bbbbbbb, rolled back meanwhile"));
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "\n⚠️ may contain bbbbbbb, rolled back by deploybot"));
	approval_press_in(&w, WORLD_ADMIN, WORLD_TEAM, "Deploy to");
	goes_live(&w, COMMIT_C);
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B); /* nobody knows */
	world_close(&w);
}

/* --- an open question --- */

static void
an_open_question_says_how_that_ended_and_is_asked_anew_when_it_is_pressed(void **state)
{
	const struct world_message *question;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	b_over_a(&w);
	push(&w, "main", (struct world_git){ .commit = COMMIT_C, .count = 2 });
	question = world_says_in(&w, WORLD_TEAM, "Deploy to production?");
	assert_non_null(strstr(world_plain(question), "\n⏳ #2 deploys bbbbbbb now"));
	is_rolled_back(&w, "production");
	assert_non_null(
	    strstr(world_plain(question), "\n⚠️ #2 has ended: rolled back (exit 1)\n"));
	assert_null(strstr(world_plain(question), "this waits for it"));
	assert_non_null(strstr(world_plain(question), "Change 2")); /* git's words stay */
	assert_int_equal(question->buttons.n, 2);
	assert_ptr_equal(world_says_in(&w, WORLD_TEAM, "Deploy to production?"), question);
	w.aid.at += INT64_C(7000);
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Deploy to");
	world_git(&w, OVER_B);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "⛔ Not started: production: " MEANWHILE "\n\n❓ Deploy to production?"));
	confirm(&w, WORLD_OTHER_ADMIN, WORLD_TEAM);
	goes_live(&w, COMMIT_C);
	world_close(&w);
}

static void
an_open_question_says_that_what_it_waited_for_is_live(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	b_over_a(&w);
	ask(&w, COMMIT_C);
	world_run_ends(&w, GOOD);
	assert_non_null(world_says(&w, "\nℹ️ #2 has ended: live\n"));
	approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(&w);
	assert_non_null(world_says(&w, "production runs bbbbbbb now, not aaaaaaa"));
	world_close(&w);
}

/* A question from before, and the rollback is a person's. */
static void
what_somebody_rolled_back_by_hand_is_noticed_too(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging");
	approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	assert_int_equal(world_run_starts(&w), 200);
	push(&w, "develop", (struct world_git){ .commit = COMMIT_C }); /* behind it */
	world_run_ends(&w, GOOD);
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_B);
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "contains bbbbbbb, rolled back meanwhile (to release 1, aaaaaaa)"));
	world_close(&w);
}

/* Live again, and rolled back again: what was shown was the first time. */
static void
block_again(struct tx *tx, void *arg)
{
	struct block block = { .commit = COMMIT_B, .by = "deploybot", .why = "HTTP 500" };

	(void)arg;
	block.at = tx->at;
	row_block_free(tx, "production", COMMIT_B);
	row_block_add(tx, "production", &block);
}

static void
what_is_rolled_back_once_more_was_not_shown(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	b_over_a(&w);
	is_rolled_back(&w, "production");
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, OVER_B);
	assert_non_null(world_says(&w, "contains bbbbbbb, rolled back by deploybot"));
	store_aid_act(&w.aid, block_again, NULL);
	approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(&w, OVER_B);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says(&w, "contains bbbbbbb, rolled back meanwhile (HTTP 500)"));
	confirm(&w, WORLD_ADMIN, WORLD_GROUP);
	goes_live(&w, COMMIT_C);
	world_close(&w);
}

/* --- approvals --- */

#define ONE "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44"

static void
approved(struct world *w, const char *commit, int64_t by)
{
	char label[64];

	(void)snprintf(label, sizeof(label), "Approve production %.7s", commit);
	approval_press_in(w, by, WORLD_TEAM, label);
}

static void
b_over_a_approved(struct world *w)
{
	const char *const commits[] = { COMMIT_A, COMMIT_B };

	for (size_t i = 0; i < COUNT(commits); i++) {
		approval_asks(w, commits[i]);
		approved(w, commits[i], WORLD_OTHER_ADMIN);
		assert_int_equal(world_run_starts(w), 200);
		if (i == 0)
			world_run_ends(w, GOOD);
	}
}

/* They read why, whoever confirmed it too; then both say yes to that. */
static void
is_approved_anew(struct world *w)
{
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "⚠️ asked again: " MEANWHILE "\n"));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "\n⚠️ contains bbbbbbb, rolled back by deploybot"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 1"));
	approved(w, COMMIT_C, WORLD_OTHER_ADMIN);
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	goes_live(w, COMMIT_C);
}

static void
an_approval_given_before_is_void_and_says_why(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ONE, NULL);
	b_over_a_approved(&w);
	approval_asks(&w, COMMIT_C);
	assert_non_null(
	    world_says_in(&w, WORLD_TEAM, "\n⏳ #2 deploys bbbbbbb now; this waits for it\n"));
	approved(&w, COMMIT_C, WORLD_OTHER_ADMIN);
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
	is_rolled_back(&w, "production");
	world_git(&w, OVER_B);
	assert_int_equal(world_audited(&w, "approval_void",
			     "\"a commit that it contains was rolled back since\""),
	    1);
	is_approved_anew(&w);
	world_close(&w);
}

static void
an_approval_given_behind_it_is_asked_for_anew(void **state)
{
	struct world w;

	(void)state;
	for (int is_answered = 0; is_answered < 2; is_answered++) {
		world_open(&w, ONE, NULL);
		b_over_a_approved(&w);
		approval_asks(&w, COMMIT_C);
		is_rolled_back(&w, "production");
		assert_non_null(world_says_in(&w, WORLD_TEAM, "⚠️ #2 has ended: rolled back"));
		assert_non_null(world_peek(&w, EFFECT_GIT_QUERY)); /* at once */
		if (is_answered != 0)
			world_git(&w, OVER_B);
		else
			approved(&w, COMMIT_C, WORLD_OTHER_ADMIN);
		assert_null(world_peek(&w, EFFECT_RUN));
		if (is_answered == 0)
			world_git(&w, OVER_B);
		is_approved_anew(&w);
		world_close(&w);
	}
}

static void
the_first_of_two_approvals_is_void_as_soon_as_git_says_so(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVALS_IF=forced=2",
	    "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	b_over_a_approved(&w);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .is_force_push = true, .count = 1 });
	approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .is_force_push = true, .count = 1 });
	approved(&w, COMMIT_C, WORLD_OTHER_ADMIN);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 1 of 2: @bob"));
	is_rolled_back(&w, "production");
	world_git(&w,
	    (struct world_git){
		.commit = COMMIT_C, .contains = COMMIT_B, .is_force_push = true, .count = 1 });
	assert_non_null(world_says_in(&w, WORLD_TEAM, "⚠️ asked again: " MEANWHILE));
	assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
	world_close(&w);
}

/* --- pushes, to a target that asks nobody --- */

static void
fix_forward_starts_as_ever(void **state)
{
	struct world w;

	(void)state;
	for (int is_polled = 0; is_polled < 2; is_polled++) {
		world_open(&w, "POLL_REPOSITORY_SECONDS=60", NULL);
		world_deploy_goes_live(&w, COMMIT_A);
		push(&w, "develop", (struct world_git){ .commit = COMMIT_B });
		assert_int_equal(world_run_starts(&w), 200);
		world_due(&w, TIMER_POLL);
		world_git_heads(&w, COMMIT_B, COMMIT_A);
		is_rolled_back(&w, "staging");
		if (is_polled != 0) {
			world_due(&w, TIMER_POLL);
			world_git_heads(&w, COMMIT_C, COMMIT_A);
			world_git(
			    &w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
		} else {
			push(&w, "develop",
			    (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
		}
		goes_live(&w, COMMIT_C);
		assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_C);
		assert_string_equal(world_blocked(&w, "staging"), "");
		world_close(&w);
	}
}

static void
a_push_from_before_is_asked_about_for_a_day(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	push(&w, "develop", (struct world_git){ .commit = COMMIT_C });
	is_rolled_back(&w, "staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "⛔ Not started: staging: " MEANWHILE "\n\n❓ Deploy to staging?"));
	w.aid.at += INT64_C(20) * 3600 * 1000;
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Deploy to");
	goes_live(&w, COMMIT_C);
	world_close(&w);
}

/* The repair: it has the place of what nobody has answered. */
static void
a_later_push_takes_its_place_and_starts(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	push(&w, "develop", (struct world_git){ .commit = COMMIT_C });
	is_rolled_back(&w, "staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	push(&w, "develop", (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B });
	goes_live(&w, COMMIT_D);
	world_close(&w);
}

/* It is announced before, and git shows it behind. */
static void
when_a_push_came_is_when_it_was_announced(void **state)
{
	struct event *announced;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	announced = world_push(&w, "develop");
	(void)text_copy(announced->u.delivery.after, LIMIT_COMMIT, COMMIT_C);
	assert_int_equal(world_decide(&w, announced).status, 200);
	is_rolled_back(&w, "staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(&w, EFFECT_RUN)); /* git was asked before B was blocked */
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says_in(&w, WORLD_TEAM, MEANWHILE));
	world_close(&w);
}

/* Its head was seen in the freeze. */
static void
a_push_that_a_freeze_held_since_before_is_asked_about(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/freeze staging 2h");
	push(&w, "develop", (struct world_git){ .commit = COMMIT_C });
	is_rolled_back(&w, "staging");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says_in(&w, WORLD_TEAM, MEANWHILE));
	world_close(&w);
}

/* --- what people and programs ask for, of a target that asks nobody --- */

static void
a_person_is_shown_it_first(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_starts(&w, COMMIT_B);
	is_rolled_back(&w, "staging");
	(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging");
	world_git(&w, OVER_B);
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says(&w, "❓ Deploy to staging?"));
	assert_non_null(world_says(&w, "\n⚠️ contains bbbbbbb, rolled back by deploybot"));
	confirm(&w, WORLD_STAGING_USER, WORLD_GROUP);
	goes_live(&w, COMMIT_C);
	assert_string_equal(world_blocked(&w, "staging"), "");
	world_close(&w);
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

static void
what_git_was_not_asked_about_may_be_contained(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	store_aid_act(&w.aid, act_many, NULL);
	(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging");
	assert_null(strstr(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.blocked, COMMIT_B));
	world_git(&w, (struct world_git){ .commit = COMMIT_C });
	assert_null(world_peek(&w, EFFECT_RUN));
	assert_non_null(world_says(&w, "\n⚠️ may contain bbbbbbb, rolled back by deploybot"));
	confirm(&w, WORLD_STAGING_USER, WORLD_GROUP);
	goes_live(&w, COMMIT_C);
	world_close(&w);
}

static void
count_contained(struct tx *tx, void *arg)
{
	*(int64_t *)arg = tx_number(tx, "SELECT COUNT(*) FROM contained");
}

static int64_t
contained(struct world *w)
{
	int64_t n = -1;

	store_aid_act(&w->aid, count_contained, &n);
	return n;
}

static void
a_block_stays_when_what_contains_it_is_not_released_from_the_branch(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_rolls_back(&w, "/rollback staging");
	(void)world_decide(&w, world_push(&w, "develop"));
	world_git(&w, (struct world_git){ .commit = COMMIT_C, .contains = COMMIT_B });
	world_run_ends(&w, TOUCHED);
	world_run_ends(&w, GOOD);
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_C " " COMMIT_B);
	assert_int_equal(contained(&w), 0); /* nothing is kept of it */
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging feature");
	world_git(&w,
	    (struct world_git){ .commit = COMMIT_D, .contains = COMMIT_B, .is_off_branch = true });
	assert_null(world_peek(&w, EFFECT_RUN)); /* a person is shown it first */
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(&w, "contains bbbbbbb, rolled back by @ada"), "Deploy to"));
	world_git_same(&w);
	world_run_ends(&w, GOOD);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_D);
	assert_string_equal(world_blocked(&w, "staging"), COMMIT_C " " COMMIT_B);
	world_close(&w);
}

/* --- rows --- */

static void
act_free(struct tx *tx, void *arg)
{
	struct deployment work = { .program = PROGRAM_DEPLOY, .id = 7 };
	struct block block = { .by = "deploybot" }, found;
	const char *const commits[] = { COMMIT_B, COMMIT_C, COMMIT_D };

	(void)arg;
	(void)text_copy(work.environment, sizeof(work.environment), "staging");
	(void)text_copy(work.commit, sizeof(work.commit), COMMIT_E);
	for (size_t i = 0; i < COUNT(commits); i++) {
		(void)text_copy(block.commit, sizeof(block.commit), commits[i]);
		row_block_add(tx, "staging", &block);
		row_block_contain(tx, 7, commits[i], i == 0);
	}
	assert_true(row_block_find(tx, "staging", COMMIT_C, &found));
	work.shown_block = found.number; /* D came later; of B nobody is sure */
	assert_true(row_block_find_unshown(tx, &work, &found));
	assert_string_equal(found.commit, COMMIT_D);
	row_block_free_contained(tx, &work);
	assert_true(row_block_find(tx, "staging", COMMIT_B, NULL));
	assert_false(row_block_find(tx, "staging", COMMIT_C, NULL));
	assert_true(row_block_find(tx, "staging", COMMIT_D, NULL));
	work.program = PROGRAM_ROLLBACK;
	assert_false(row_block_find_unshown(tx, &work, &found));
}

static void
only_what_was_shown_is_blocked_no_more(void **state)
{
	struct store_aid *aid;

	(void)state;
	store_aid_setup((void **)&aid);
	store_aid_act(aid, act_free, NULL);
	store_aid_teardown((void **)&aid);
}

/* Numbers are given once: the newest is freed, and comes again. */
static void
act_number(struct tx *tx, void *arg)
{
	struct block block = { .by = "deploybot", .commit = COMMIT_B };
	int64_t newest;

	(void)arg;
	row_block_add(tx, "staging", &block);
	newest = row_block_newest(tx, "staging");
	row_block_free(tx, "staging", COMMIT_B);
	assert_int_equal(row_block_newest(tx, "staging"), 0);
	row_block_add(tx, "staging", &block);
	assert_true(row_block_newest(tx, "staging") > newest);
	newest = row_block_newest(tx, "staging");
	row_block_add(tx, "staging", &block); /* while it is there */
	assert_true(row_block_newest(tx, "staging") > newest);
}

static void
a_block_that_comes_again_is_newer(void **state)
{
	struct store_aid *aid;

	(void)state;
	store_aid_setup((void **)&aid);
	store_aid_act(aid, act_number, NULL);
	store_aid_teardown((void **)&aid);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_was_confirmed_while_it_ran_is_asked_anew_when_that_is_rolled_back),
		cmocka_unit_test(what_needs_no_approval_any_more_was_shown_to_nobody),
		cmocka_unit_test(what_does_not_contain_it_starts_once_git_has_said_so),
		cmocka_unit_test(it_waits_as_long_as_git_does_not_answer),
		cmocka_unit_test(what_git_has_lost_may_contain_it),
		cmocka_unit_test(
		    an_open_question_says_how_that_ended_and_is_asked_anew_when_it_is_pressed),
		cmocka_unit_test(an_open_question_says_that_what_it_waited_for_is_live),
		cmocka_unit_test(what_somebody_rolled_back_by_hand_is_noticed_too),
		cmocka_unit_test(what_is_rolled_back_once_more_was_not_shown),
		cmocka_unit_test(an_approval_given_before_is_void_and_says_why),
		cmocka_unit_test(an_approval_given_behind_it_is_asked_for_anew),
		cmocka_unit_test(the_first_of_two_approvals_is_void_as_soon_as_git_says_so),
		cmocka_unit_test(fix_forward_starts_as_ever),
		cmocka_unit_test(a_push_from_before_is_asked_about_for_a_day),
		cmocka_unit_test(a_later_push_takes_its_place_and_starts),
		cmocka_unit_test(when_a_push_came_is_when_it_was_announced),
		cmocka_unit_test(a_push_that_a_freeze_held_since_before_is_asked_about),
		cmocka_unit_test(a_person_is_shown_it_first),
		cmocka_unit_test(what_git_was_not_asked_about_may_be_contained),
		cmocka_unit_test(
		    a_block_stays_when_what_contains_it_is_not_released_from_the_branch),
		cmocka_unit_test(only_what_was_shown_is_blocked_no_more),
		cmocka_unit_test(a_block_that_comes_again_is_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
