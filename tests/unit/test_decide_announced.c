/* Goal: a push that git does not show, or that cannot be looked up, is neither lost nor silent.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define NOT_SHOWN ((struct world_git){ .commit = COMMIT_C, .lacks_after = true })

static struct event *
push_of(struct world *w, const char *commit)
{
	struct event *event = world_push(w, "develop");

	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, commit);
	return event;
}

/* Seen: C; announced: A, which git does not show yet. */
static void
open_scene(struct world *w, const char *polls)
{
	world_open(w, polls, NULL);
	(void)world_decide(w, push_of(w, COMMIT_C));
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	world_run_ends(w, GOOD);
	assert_int_equal(world_newest(w, "staging").id, 1);
	(void)world_decide(w, push_of(w, COMMIT_A));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.push.after, COMMIT_A);
	world_git(w, NOT_SHOWN);
}

static const struct effect *
timer(struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_PUSH)
			return w->open[i];
	return NULL;
}

WORLD_TEST_BARE(a_push_that_git_does_not_show_is_asked_again_5_10_20_s_later)
{
	static const int pauses_s[] = { 5, 10, 20, 40 };
	int64_t asked;

	open_scene(w, "POLL_REPOSITORY_SECONDS=0");
	for (size_t i = 0; i < COUNT(pauses_s); i++) {
		assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0); /* not in the lane */
		asked = w->aid.at;
		assert_in_range(
		    timer(w)->due - asked, pauses_s[i] * 1000 - 2000, pauses_s[i] * 1000);
		world_due(w, TIMER_PUSH);
		world_git(w, NOT_SHOWN);
		assert_int_equal(world_newest(w, "staging").id, 1);
	}
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_non_null(world_says(w, "pushed by octo (GitHub)"));
	assert_null(timer(w));
}

/* A replica does not even have the branch yet. */
WORLD_TEST_OF(a_push_of_a_branch_that_git_does_not_show_is_asked_again, "POLL_REPOSITORY_SECONDS=0")
{
	(void)world_decide(w, push_of(w, COMMIT_A));
	world_git(w, (struct world_git){ .error = "no branch, tag or commit: develop" });
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

WORLD_TEST_BARE(none_is_asked_again_where_pushes_are_no_longer_deployed)
{
	open_scene(w, "POLL_REPOSITORY_SECONDS=0");
	world_settings(w, "STAGING_DEPLOY_PUSHES=false", NULL);
	world_due(w, TIMER_PUSH);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_null(timer(w));
}

WORLD_TEST_OF(
    after_two_minutes_the_chat_is_told_once_and_redeliver_asks_again, "POLL_REPOSITORY_SECONDS=0")
{
	struct event *first, *again;

	first = push_of(w, COMMIT_A);
	again = push_of(w, COMMIT_A);
	(void)text_copy(again->u.delivery.id, LIMIT_DELIVERY, first->u.delivery.id);
	memcpy(again->u.delivery.digest, first->u.delivery.digest, 32);
	(void)world_decide(w, first);
	world_git(w, (struct world_git){ .error = "no such branch" });
	w->aid.at = timer(w)->u.timer.push.until; /* whatever lasted so long */
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .error = "no such branch" });
	assert_null(timer(w));
	assert_string_equal(world_plain(world_last(w)),
	    "❌ Push not found: staging: git does not show aaaaaaa, pushed by octo (GitHub). Asked for two minutes; "
	    "not asked again: Redeliver it at GitHub or /deploy staging.");
	assert_int_equal(w->n_screen, 1);
	again->context.at = w->aid.at;
	assert_false(world_decide(w, again).is_duplicate);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

WORLD_TEST(a_push_that_is_waited_for_is_not_taken_twice)
{
	struct event *first, *again;

	first = push_of(w, COMMIT_A);
	again = push_of(w, COMMIT_A);
	memcpy(again->u.delivery.digest, first->u.delivery.digest, 32);
	(void)world_decide(w, first);
	world_git(w, NOT_SHOWN);
	assert_true(world_decide(w, again).is_duplicate);
}

WORLD_TEST_OF(
    what_git_shows_instead_is_deployed_when_a_push_is_given_up, "POLL_REPOSITORY_SECONDS=60")
{
	(void)world_decide(w, push_of(w, COMMIT_A));
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	assert_null(world_peek(w, EFFECT_RUN));
	w->aid.at = timer(w)->u.timer.push.until;
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .lacks_after = true });
	assert_non_null(world_says(
	    w, "Asked for two minutes; polling goes on, and deploys it when it is there."));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST_BARE(a_newer_delivery_takes_the_place_of_one_that_is_waited_for)
{
	open_scene(w, "POLL_REPOSITORY_SECONDS=0");
	assert_non_null(timer(w));
	(void)world_decide(w, push_of(w, COMMIT_B));
	assert_null(timer(w));
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST_BARE(a_restart_neither_forgets_nor_begins_the_two_minutes_anew)
{
	int64_t until;

	open_scene(w, "POLL_REPOSITORY_SECONDS=0");
	until = timer(w)->u.timer.push.until;
	store_aid_forget(&w->aid);
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	store_aid_reopen(&w->aid);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_non_null(timer(w));
	assert_int_equal(timer(w)->u.timer.push.until, until);
	world_due(w, TIMER_PUSH);
	assert_int_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.push.until, until);
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.push.after, COMMIT_A);
}

/* The clock was 9 h ahead when it came. */
WORLD_TEST_OF(two_minutes_are_never_more, "POLL_REPOSITORY_SECONDS=0")
{
	w->aid.at += INT64_C(9) * 3600 * 1000;
	(void)world_decide(w, push_of(w, COMMIT_A));
	w->aid.at -= INT64_C(9) * 3600 * 1000;
	world_git(w, NOT_SHOWN);
	assert_in_range(timer(w)->u.timer.push.until - w->aid.at, 100000, 120000);
}

WORLD_TEST_BARE(a_poll_leaves_alone_what_a_push_announced)
{
	open_scene(w, "POLL_REPOSITORY_SECONDS=60");
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	world_polled(w, COMMIT_A, COMMIT_D);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	world_due(w, TIMER_PUSH);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

/* --- git does not answer --- */

static void
delayed(struct world *w, bool failed, const char *text)
{
	struct event *event = store_aid_event(&w->aid, EVENT_GIT_DELAYED);

	event->u.git_delayed.query = world_peek(w, EFFECT_GIT_QUERY)->id;
	event->u.git_delayed.failed = failed;
	(void)text_copy(event->u.git_delayed.text, LIMIT_LINE, text);
	(void)world_decide(w, event);
}

WORLD_TEST(the_chat_is_told_once_that_a_push_cannot_be_looked_up_and_once_that_it_can)
{
	(void)world_decide(w, push_of(w, COMMIT_A));
	delayed(w, true, "fatal: no <route>");
	assert_non_null(world_says_in(w, WORLD_TEAM, "Push delayed: staging: "));
	assert_string_equal(world_plain(world_last(w)),
	    "⏳ Push delayed: staging: fatal: no <route>\nIt cannot be looked up yet. Git is asked again until it "
	    "answers.");
	delayed(w, true, "fatal: no <route>");
	assert_int_equal(w->n_screen, 1);
	store_aid_forget(&w->aid);
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	store_aid_reopen(&w->aid);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	delayed(w, true, "fatal: no <route>");
	assert_int_equal(w->n_screen, 1);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "Git answers: staging: the push is looked up."));
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(a_push_that_was_looked_up_at_once_says_nothing_of_git)
{
	(void)world_decide(w, push_of(w, COMMIT_A));
	delayed(w, false, "receiving objects 45 %");
	assert_int_equal(w->n_screen, 0);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_null(world_says(w, "Git answers"));
}

WORLD_TEST(who_waits_is_told_how_far_git_is)
{
	struct event *late;

	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	late = store_aid_event(&w->aid, EVENT_GIT_DELAYED);
	late->u.git_delayed.query = world_peek(w, EFFECT_GIT_QUERY)->id;
	delayed(w, false, "");
	assert_string_equal(
	    world_plain(world_last(w)), "⏳ staging: git is still fetching … to find develop");
	delayed(w, false, "receiving objects 45 % (12.3 MiB)");
	assert_string_equal(world_plain(world_last(w)),
	    "⏳ staging: git is still fetching: receiving objects 45 % (12.3 MiB) … to find develop");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)world_decide(w, late);
	assert_null(world_says(w, "still fetching"));
}
