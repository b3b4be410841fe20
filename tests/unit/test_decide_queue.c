/* Goal: people wait in order, and nothing runs backwards unasked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/row_queue.h"
#include "store/store_inside.h"

#define HOUR_MS (3600 * INT64_C(1000))

/* --- what people do --- */

/* /deploy staging of that commit, which needs no confirmation. */
static int64_t
ask(struct world *w, int64_t person, const char *commit)
{
	(void)world_text(w, person, "/deploy staging");
	world_git(w, (struct world_git){ .commit = commit, .ref = commit });
	return world_newest(w, "staging").id;
}

static enum deploy_state
state_of(struct world *w, int64_t id)
{
	return world_deployment(w, id).state;
}

static void
go_live(struct world *w)
{
	assert_int_equal(world_run_starts(w), 200);
	world_run_step(w, 0, "release");
	world_run_ends(w, GOOD);
}

/* Git compares a queued commit with the live one: it is so many commits ahead of it. */
static void
is_ahead(struct world *w, int count)
{
	const struct effect *query = world_peek(w, EFFECT_GIT_QUERY);
	char commit[LIMIT_COMMIT];

	assert_non_null(query);
	(void)text_copy(commit, sizeof(commit), query->u.git_query.ref);
	world_git(w, (struct world_git){ .commit = commit, .count = count });
}

static void
is_ancestor(struct world *w)
{
	const struct effect *query = world_peek(w, EFFECT_GIT_QUERY);
	char commit[LIMIT_COMMIT];

	assert_non_null(query);
	(void)text_copy(commit, sizeof(commit), query->u.git_query.ref);
	world_git(w, (struct world_git){ .commit = commit, .is_force_push = true });
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
push(struct world *w, const char *commit)
{
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = commit });
}

/* The queue as "#3 #1", by the rows; valid until the next call. */
static void
look_at_queue(struct tx *tx, void *arg)
{
	char *out = arg;
	int64_t ids[ROW_QUEUE_LIST];
	size_t n = row_queue_list(tx, "staging", ids), used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(
		    out + used, 200 - used, "%s#%" PRId64, i > 0 ? " " : "", ids[i]);
}

static const char *
queue(struct world *w)
{
	static char line[200];

	store_aid_act(&w->aid, look_at_queue, line);
	return line;
}

/* --- order --- */

static void
people_wait_in_the_order_in_which_they_came(void **state)
{
	struct world w;
	int64_t a, b, c;

	(void)state;
	world_open(&w, NULL);
	a = ask(&w, WORLD_ADMIN, COMMIT_A);
	b = ask(&w, WORLD_STAGING_USER, COMMIT_B);
	c = ask(&w, WORLD_OTHER_ADMIN, COMMIT_C);
	assert_int_equal(state_of(&w, a), DEPLOY_RUNNING);
	assert_int_equal(state_of(&w, b), DEPLOY_QUEUED);
	assert_int_equal(state_of(&w, c), DEPLOY_QUEUED);
	assert_non_null(world_says(&w, "⏳ Queued: 1st in staging \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(&w, "⏳ Queued: 2nd in staging \"Make it blue\" ccccccc"));
	assert_non_null(world_says(&w, "starts after #2: @cy deploys bbbbbbb"));
	go_live(&w);
	is_ahead(&w, 1); /* B of A */
	assert_int_equal(state_of(&w, b), DEPLOY_RUNNING);
	assert_int_equal(state_of(&w, c), DEPLOY_QUEUED);
	assert_non_null(world_says(&w, "⏳ Queued: 1st in staging \"Make it blue\" ccccccc"));
	go_live(&w);
	is_ahead(&w, 1); /* C of B */
	assert_int_equal(state_of(&w, c), DEPLOY_RUNNING);
	go_live(&w);
	assert_string_equal(world_environment(&w, "staging").current.commit, COMMIT_C);
	world_close(&w);
}

/* Found by the simulation (SEED=2749): who had come last was compared already. */
static void
nobody_is_overtaken_while_git_is_asked_about_them(void **state)
{
	struct world w;
	int64_t c, d;

	(void)state;
	world_open(&w, NULL);
	(void)ask(&w, WORLD_ADMIN, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	c = ask(&w, WORLD_OTHER_ADMIN, COMMIT_C);
	go_live(&w);
	is_ahead(&w, 1); /* B of A */
	d = ask(&w, WORLD_ADMIN, COMMIT_D);
	assert_int_equal(world_run_starts(&w), 200);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(state_of(&w, d), DEPLOY_QUEUED);
	is_ahead(&w, 1); /* C of A */
	assert_int_equal(state_of(&w, c), DEPLOY_RUNNING);
	assert_int_equal(state_of(&w, d), DEPLOY_QUEUED);
	world_close(&w);
}

static void
who_comes_to_the_front_is_told_and_nobody_else(void **state)
{
	const struct world_message *next, *turn;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)ask(&w, WORLD_ADMIN, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_C);
	assert_null(world_says(&w, "You are next")); /* their messages say it */
	w.aid.at += 120 * INT64_C(1000);
	go_live(&w);
	is_ahead(&w, 1);
	turn = world_says_in(&w, WORLD_GROUP, "🚀 Begun: staging \"Make it blue\" bbbbbbb");
	next =
	    world_says_in(&w, WORLD_GROUP, "⏳ You are next in staging: \"Make it blue\" ccccccc");
	assert_non_null(turn);
	assert_non_null(next);
	assert_int_not_equal(turn->reply_to, 0);
	assert_int_not_equal(next->reply_to, 0);
	assert_int_not_equal(turn->reply_to, next->reply_to);
	assert_false(turn->is_silent); /* two minutes */
	assert_null(world_says_in(&w, WORLD_TEAM, "Begun: "));
	go_live(&w);
	is_ahead(&w, 1);
	assert_null(world_says(&w, "You are next in staging: bbbbbbb"));
	world_close(&w);
}

static void
a_rollback_goes_to_the_front_behind_earlier_ones(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_deploy_goes_live(&w, COMMIT_D);
	world_deploy_starts(&w, COMMIT_E);
	assert_int_equal(ask(&w, WORLD_STAGING_USER, COMMIT_C), 5);
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
	press(&w, WORLD_ADMIN, world_last(&w), "Roll back");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/rollback staging 2");
	press(&w, WORLD_OTHER_ADMIN, world_last(&w), "Roll back");
	assert_string_equal(queue(&w), "#6 #7 #5");
	world_close(&w);
}

/* --- refusals --- */

static void
a_persons_fourth_place_is_refused(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_C);
	(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging");
	(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging"); /* two places, as yet */
	world_git(&w, (struct world_git){ .commit = COMMIT_D });
	world_git(&w, (struct world_git){ .commit = COMMIT_E });
	assert_string_equal(queue(&w), "#2 #3 #4");
	assert_int_equal(state_of(&w, 5), DEPLOY_REFUSED);
	assert_non_null(world_says(
	    &w, "you have 3 places in its queue already: leave one first, in /queue staging"));
	(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging"); /* git is not even asked */
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
	assert_string_equal(world_plain(world_last(&w)),
	    "🚫 Not queued: staging: you have 3 places in its queue already: leave one first, in /queue staging");
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_E); /* somebody else */
	assert_string_equal(queue(&w), "#2 #3 #4 #6");
	world_close(&w);
}

#define FOUR_USERS "STAGING_TELEGRAM_IDS=33,34,35,36"

/* Of four people. */
static void
fill(struct world *w)
{
	char commit[LIMIT_COMMIT];

	for (int i = 0; i < ROW_QUEUE_MOST; i++) {
		(void)snprintf(commit, sizeof(commit), "%040d", i + 1);
		(void)ask(w, 33 + i % 4, commit);
	}
}

static void
the_eleventh_place_is_refused_and_a_push_is_not(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, FOUR_USERS, NULL);
	world_deploy_starts(&w, COMMIT_A);
	fill(&w);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	assert_string_equal(world_plain(world_last(&w)),
	    "🚫 Not queued: staging: 10 are queued there already: try again when one has ended, or after /cancel staging");
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 0);
	push(&w, COMMIT_B);
	assert_int_equal(state_of(&w, 12), DEPLOY_QUEUED);
	world_close(&w);
}

static void
a_full_queue_refuses_no_rollback_and_not_the_locks_owner(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, FOUR_USERS, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_deploy_starts(&w, COMMIT_C);
	fill(&w);
	(void)world_text(&w, WORLD_ADMIN, "/lock staging");
	for (int i = 0; i < ROW_QUEUE_PERSONS; i++)
		(void)ask(&w, WORLD_ADMIN, COMMIT_D);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(state_of(&w, 14), DEPLOY_QUEUED);
	assert_int_equal(state_of(&w, 16), DEPLOY_QUEUED);
	assert_int_equal(world_newest(&w, "staging").id, 16);	    /* the fourth is refused */
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/deploy staging"); /* the lock holds */
	assert_int_equal(world_newest(&w, "staging").id, 16);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/rollback staging 1");
	press(&w, WORLD_OTHER_ADMIN, world_last(&w), "Roll back");
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
	press(&w, WORLD_ADMIN, world_last(&w), "Roll back");
	assert_int_equal(state_of(&w, 17), DEPLOY_QUEUED);
	assert_int_equal(state_of(&w, 18), DEPLOY_QUEUED);
	assert_int_equal(strncmp(queue(&w), "#17 #18 #4 ", 11), 0);
	world_run_ends(&w, FAILED_BEFORE_RELEASE); /* B is live still: as it was answered */
	assert_int_equal(state_of(&w, 17), DEPLOY_RUNNING);
	world_close(&w);
}

static void
a_persons_fourth_rollback_is_refused(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	world_deploy_goes_live(&w, COMMIT_B);
	world_deploy_starts(&w, COMMIT_C);
	for (int i = 0; i < ROW_QUEUE_PERSONS; i++) {
		(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
		press(&w, WORLD_ADMIN, world_last(&w), "Roll back");
	}
	assert_string_equal(queue(&w), "#4 #5 #6");
	(void)world_text(&w, WORLD_ADMIN, "/rollback staging 1");
	assert_non_null(world_says(&w, "you have 3 places in its queue already"));
	(void)ask(&w, WORLD_ADMIN, COMMIT_D);
	assert_string_equal(queue(&w), "#4 #5 #6 #7");
	world_close(&w);
}

/* --- pushes --- */

static void
a_push_replaces_a_push_and_no_person(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	push(&w, COMMIT_B);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_C);
	push(&w, COMMIT_D);
	assert_int_equal(state_of(&w, 2), DEPLOY_SUPERSEDED);
	assert_string_equal(queue(&w), "#4 #3"); /* in the place of the older push */
	world_close(&w);
}

static void
a_push_that_is_an_ancestor_of_what_is_live_is_superseded(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	push(&w, COMMIT_B);
	go_live(&w);
	is_ancestor(&w);
	assert_int_equal(state_of(&w, 2), DEPLOY_SUPERSEDED);
	assert_non_null(world_says(&w, "older than what is live"));
	assert_int_equal(world_count(&w, EFFECT_RUN), 0);
	world_close(&w);
}

static void
what_is_live_by_now_ends_unless_it_was_asked_for_again(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_B);
	go_live(&w);
	is_ahead(&w, 1);
	go_live(&w);
	assert_int_equal(state_of(&w, 3), DEPLOY_REFUSED);
	assert_non_null(world_says(&w, "Runs already: staging \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(&w, "already live"));
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	press(&w, WORLD_ADMIN, world_last(&w), "Deploy again");
	world_git_same(&w);
	assert_int_equal(world_count(&w, EFFECT_RUN), 1);
	world_close(&w);
}

/* --- asked anew --- */

static void
nothing_goes_back_unasked(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_B);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_A);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_C);
	go_live(&w);
	is_ancestor(&w); /* A, of B */
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	assert_true(world_deployment(&w, 2).is_asked_anew);
	assert_non_null(world_says(&w, "Not started: staging runs bbbbbbb now, which is newer"));
	is_ahead(&w, 1); /* nobody behind waits for the answer */
	assert_int_equal(state_of(&w, 3), DEPLOY_RUNNING);
	press(&w, WORLD_STAGING_USER, world_says(&w, "Not started:"), "Go back to aaaaaaa");
	assert_string_equal(w.toast, "Queued.");
	assert_string_equal(queue(&w), "#2");
	world_run_ends(&w, FAILED_BEFORE_RELEASE); /* B is live still: as it was answered */
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	world_close(&w);
}

static void
what_was_asked_for_an_hour_ago_is_asked_anew_for_ten_minutes(void **state)
{
	struct world_message *question;
	struct world w;
	int64_t asked;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	w.aid.at += HOUR_MS + 1000;
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	question = world_says(&w, "Not started: its place in staging is more than an hour old");
	assert_non_null(question);
	assert_false(question->is_silent);
	(void)world_press(&w, WORLD_STRANGER, question->chat, world_button(question, "Deploy to"));
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED); /* neither asked, nor may confirm */
	asked = w.aid.at;
	world_due(&w, TIMER_QUESTION);
	assert_in_range(w.aid.at - asked, 590000, 601000);
	assert_int_equal(state_of(&w, 2), DEPLOY_EXPIRED);
	assert_int_equal(world_count(&w, EFFECT_RUN), 0);
	world_close(&w);
}

static void
within_the_hour_nobody_is_asked_anew(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	w.aid.at += HOUR_MS - 60000;
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	world_close(&w);
}

static void
what_a_question_showed_is_compared_at_the_turn(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	press(&w, WORLD_ADMIN, world_last(&w), "Deploy to");
	world_git_same(&w);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	press(&w, WORLD_OTHER_ADMIN, world_says(&w, "Deploy to production?"), "Deploy to");
	world_git_same(&w);
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	go_live(&w); /* A: the question had shown nothing live */
	is_ahead(&w, 1);
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	press(&w, WORLD_OTHER_ADMIN, world_says(&w, "Not started: production runs aaaaaaa now"),
	    "Deploy to");
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	assert_string_equal(w.toast, "Started.");
	world_close(&w);
}

static void
a_question_of_a_place_that_ended_cannot_be_answered(void **state)
{
	char yes[LIMIT_BUTTON_ID];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	w.aid.at += HOUR_MS + 1000;
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	(void)text_copy(yes, sizeof(yes), world_button(world_says(&w, "Not started"), "Deploy to"));
	press(&w, WORLD_STAGING_USER, world_says(&w, "Not started"), "Not now");
	assert_int_equal(state_of(&w, 2), DEPLOY_CANCELLED);
	(void)world_press(&w, WORLD_STAGING_USER, WORLD_GROUP, yes);
	assert_int_equal(state_of(&w, 2), DEPLOY_CANCELLED);
	assert_int_equal(world_count(&w, EFFECT_TIMER), 1); /* the daily one */
	world_close(&w);
}

/* Who was queued before nobody knew what runs there was not told: asked anew, below the reason. */
static void
what_was_queued_before_the_doubt_is_asked_anew(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	world_run_ends(&w, FOLDER_GONE);
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	assert_int_equal(world_count(&w, EFFECT_RUN), 0);
	press(&w, WORLD_STAGING_USER,
	    world_says(&w, "Not started: what staging runs is not known any more"), "Deploy to");
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	world_close(&w);
}

/* --- git away --- */

static void
while_git_is_away_the_place_is_kept_and_says_so(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	go_live(&w);
	assert_true(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.is_patient);
	event = store_aid_event(&w.aid, EVENT_GIT_DELAYED);
	event->u.git_delayed.query = world_peek(&w, EFFECT_GIT_QUERY)->id;
	event->u.git_delayed.failed = true;
	(void)text_copy(event->u.git_delayed.text, LIMIT_LINE, "no route to host");
	(void)world_decide(&w, event);
	assert_non_null(
	    world_says(&w, "git does not answer (no route to host): its place is kept"));
	is_ahead(&w, 1);
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	assert_null(world_says(&w, "git does not answer"));
	world_close(&w);
}

/* Rewritten, or another repository: what was asked for is not refused for it, and nothing that is
 * gone can be an ancestor of what is live. */
static void
a_commit_that_git_no_longer_has_starts_as_it_was_asked_for(void **state)
{
	static const struct world_git gone = { .error = "no branch, tag or commit: bbbbbbb" };
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	push(&w, COMMIT_C);
	go_live(&w);
	world_git(&w, gone);
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	go_live(&w);
	world_git(&w, gone); /* a push no less */
	assert_int_equal(state_of(&w, 3), DEPLOY_RUNNING);
	world_close(&w);
}

/* Whoever confirmed had been shown a commit of the repository. */
static void
a_confirmed_commit_that_git_no_longer_has_is_asked_anew(void **state)
{
	const struct world_message *question;
	struct world w;

	(void)state;
	world_open(&w, "STAGING_CONFIRM=true", NULL);
	(void)ask(&w, WORLD_ADMIN, COMMIT_A);
	press(&w, WORLD_ADMIN, world_last(&w), "Deploy to");
	world_git_same(&w);
	(void)ask(&w, WORLD_ADMIN, COMMIT_B);
	press(&w, WORLD_ADMIN, world_last(&w), "Deploy to");
	world_git_same(&w);
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	go_live(&w);
	world_git(&w, (struct world_git){ .error = "no branch, tag or commit: bbbbbbb" });
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	question = world_says(&w, "git no longer has it (no branch, tag or commit: bbbbbbb)");
	assert_non_null(question);
	press(&w, WORLD_ADMIN, question, "Deploy to");
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	world_close(&w);
}

static void
who_leaves_the_queue_takes_the_question_to_git_along(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_C);
	go_live(&w);
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 1); /* one for each queue */
	press(&w, WORLD_STAGING_USER,
	    world_says(&w, "Queued: 1st in staging \"Make it blue\" bbbbbbb"), "Cancel");
	assert_int_equal(world_count(&w, EFFECT_GIT_QUERY), 1);
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.ref, COMMIT_C);
	is_ahead(&w, 1);
	assert_int_equal(state_of(&w, 3), DEPLOY_RUNNING);
	world_close(&w);
}

static void
who_may_not_any_more_is_refused_at_the_turn(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_C);
	world_settings(&w, "STAGING_TELEGRAM_IDS=44", NULL);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_int_equal(state_of(&w, 2), DEPLOY_REFUSED);
	assert_int_equal(state_of(&w, 3), DEPLOY_RUNNING);
	world_close(&w);
}

/* --- /queue --- */

static void
the_queue_is_shown_with_who_what_and_since_when(void **state)
{
	const struct world_message *shown;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/queue");
	assert_string_equal(
	    world_plain(world_last(&w)), "Nothing is in progress, and nothing is queued.");
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	w.aid.at += 120 * INT64_C(1000);
	(void)world_text(&w, WORLD_ADMIN, "/queue staging");
	shown = world_last(&w);
	assert_string_equal(world_plain(shown),
	    "staging\n▶️ #1 @ada deploys aaaaaaa, 2 min ago\n1. #2 @cy deploys bbbbbbb, 2 min ago");
	assert_int_equal(shown->buttons.n, 0); /* it is another person's */
	(void)world_text(&w, WORLD_STRANGER, "/queue");
	assert_null(world_says_in(&w, WORLD_STRANGER, "staging"));
	world_close(&w);
}

static void
about_how_long_is_said_where_it_is_known(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	for (int i = 0; i < 5; i++) {
		char commit[LIMIT_COMMIT];

		(void)snprintf(commit, sizeof(commit), "%040d", i + 1);
		world_deploy_starts(&w, commit);
		world_run_step(&w, 0, "release");
		w.aid.at += 180 * INT64_C(1000);
		world_run_ends(&w, GOOD);
	}
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	w.aid.at += 60 * INT64_C(1000);
	(void)world_text(&w, WORLD_ADMIN, "/queue staging");
	assert_non_null(
	    world_says(&w, "▶️ #6 @ada deploys aaaaaaa, 1 min ago, about 2 min more"));
	assert_non_null(
	    world_says(&w, "1. #7 @cy deploys bbbbbbb, 1 min ago, starts in about 2 min"));
	world_close(&w);
}

static void
ones_own_place_is_taken_back(void **state)
{
	const struct world_message *shown;
	char id[LIMIT_BUTTON_ID];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)world_text(&w, WORLD_STAGING_USER, "/queue staging");
	shown = world_last(&w);
	(void)text_copy(id, sizeof(id), world_button(shown, "Leave the queue: #2"));
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, id);
	assert_int_equal(state_of(&w, 2), DEPLOY_QUEUED);
	(void)world_press(&w, WORLD_STAGING_USER, WORLD_GROUP, id);
	assert_int_equal(state_of(&w, 2), DEPLOY_CANCELLED);
	assert_null(strstr(world_plain(shown), "#2"));
	assert_int_equal(shown->buttons.n, 0);
	world_close(&w);
}

static void
a_place_is_given_to_another_person_and_both_are_told(void **state)
{
	const struct world_message *to_cy, *to_bob;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_C);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_D);
	assert_string_equal(queue(&w), "#2 #3 #4");
	(void)world_text(&w, WORLD_STAGING_USER, "/queue staging");
	assert_string_equal(world_button(world_last(&w), "to @cy"), ""); /* to another person */
	press(&w, WORLD_STAGING_USER, world_last(&w), "Give my place #2 to @bob");
	assert_string_equal(w.toast, "@bob has your place.");
	assert_string_equal(queue(&w), "#4 #3 #2");
	to_cy =
	    world_says(&w, "🤝 staging: your place went to @bob — \"Make it blue\" bbbbbbb");
	to_bob =
	    world_says(&w, "🤝 staging: you have the place of @cy — \"Make it blue\" ddddddd");
	assert_non_null(to_cy);
	assert_non_null(to_bob);
	assert_int_not_equal(to_cy->reply_to, to_bob->reply_to);
	assert_int_equal(world_audited(&w, "place_given", "\"to\":\"telegram:22\""), 1);
	world_close(&w);
}

static void
what_has_started_is_not_given_away(void **state)
{
	char id[LIMIT_BUTTON_ID];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)ask(&w, WORLD_STAGING_USER, COMMIT_B);
	(void)ask(&w, WORLD_OTHER_ADMIN, COMMIT_D);
	(void)world_text(&w, WORLD_STAGING_USER, "/queue staging");
	(void)text_copy(id, sizeof(id), world_button(world_last(&w), "Give my place #2"));
	world_run_ends(&w, FAILED_BEFORE_RELEASE); /* B begins */
	(void)world_press(&w, WORLD_STAGING_USER, WORLD_GROUP, id);
	assert_string_equal(w.toast, "This button has expired or was used.");
	assert_int_equal(state_of(&w, 2), DEPLOY_RUNNING);
	assert_string_equal(queue(&w), "#3");
	world_close(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_wait_in_the_order_in_which_they_came),
		cmocka_unit_test(nobody_is_overtaken_while_git_is_asked_about_them),
		cmocka_unit_test(who_comes_to_the_front_is_told_and_nobody_else),
		cmocka_unit_test(a_rollback_goes_to_the_front_behind_earlier_ones),
		cmocka_unit_test(a_persons_fourth_place_is_refused),
		cmocka_unit_test(the_eleventh_place_is_refused_and_a_push_is_not),
		cmocka_unit_test(a_full_queue_refuses_no_rollback_and_not_the_locks_owner),
		cmocka_unit_test(a_persons_fourth_rollback_is_refused),
		cmocka_unit_test(a_push_replaces_a_push_and_no_person),
		cmocka_unit_test(a_push_that_is_an_ancestor_of_what_is_live_is_superseded),
		cmocka_unit_test(what_is_live_by_now_ends_unless_it_was_asked_for_again),
		cmocka_unit_test(nothing_goes_back_unasked),
		cmocka_unit_test(what_was_asked_for_an_hour_ago_is_asked_anew_for_ten_minutes),
		cmocka_unit_test(within_the_hour_nobody_is_asked_anew),
		cmocka_unit_test(what_a_question_showed_is_compared_at_the_turn),
		cmocka_unit_test(a_question_of_a_place_that_ended_cannot_be_answered),
		cmocka_unit_test(what_was_queued_before_the_doubt_is_asked_anew),
		cmocka_unit_test(while_git_is_away_the_place_is_kept_and_says_so),
		cmocka_unit_test(a_commit_that_git_no_longer_has_starts_as_it_was_asked_for),
		cmocka_unit_test(a_confirmed_commit_that_git_no_longer_has_is_asked_anew),
		cmocka_unit_test(who_leaves_the_queue_takes_the_question_to_git_along),
		cmocka_unit_test(who_may_not_any_more_is_refused_at_the_turn),
		cmocka_unit_test(the_queue_is_shown_with_who_what_and_since_when),
		cmocka_unit_test(about_how_long_is_said_where_it_is_known),
		cmocka_unit_test(ones_own_place_is_taken_back),
		cmocka_unit_test(a_place_is_given_to_another_person_and_both_are_told),
		cmocka_unit_test(what_has_started_is_not_given_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
