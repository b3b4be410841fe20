/* Goal: what a poll finds is deployed once, and what touches none of the paths is not.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/store_inside.h"

#define POLLING "POLL_REPOSITORY_SECONDS=60"

static void
push(struct world *w, const char *branch, const char *commit)
{
	assert_int_equal(world_decide(w, world_push(w, branch)).status, 200);
	world_git(w, (struct world_git){ .commit = commit });
}

/* --- polls --- */

WORLD_TEST_OF(the_first_poll_of_all_only_remembers, POLLING)
{
	world_polled(w, COMMIT_A, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_string_equal(world_environment(w, "staging").polled_commit, COMMIT_A);
	assert_string_equal(world_environment(w, "production").polled_commit, COMMIT_B);
	assert_int_equal(w->n_screen, 0);

	world_polled(w, COMMIT_A, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);

	world_polled(w, COMMIT_C, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	world_git(w, (struct world_git){ .commit = COMMIT_C });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	assert_int_equal(world_newest(w, "staging").trigger, TRIGGER_POLL);
}

WORLD_TEST_OF(a_poll_that_fails_is_tried_again, POLLING)
{
	struct effect *ask;

	world_due(w, TIMER_POLL);
	ask = world_take(w, EFFECT_GIT_QUERY);
	ask->result->u.git_answered.exit_status = 69;
	ask->result->u.git_answered.unreachable = true;
	ask->result->u.git_answered.answer = strdup("error fatal: no route\n");
	(void)store_aid_report(&w->aid, ask);
	(void)world_text(w, WORLD_ADMIN, "/history staging"); /* takes in what came out */
	world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* The question about heads is answered before older ones. */
static void
heads_first(struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];

		if (effect->kind != EFFECT_GIT_QUERY || effect->u.git_query.kind != GIT_QUERY_HEADS)
			continue;
		w->open[i] = w->open[0];
		w->open[0] = effect;
	}
}

/* git answers slowly or not at all: polls do not pile up questions behind it. */
WORLD_TEST_OF(polls_do_not_pile_up_questions, POLLING)
{
	world_polled(w, COMMIT_A, COMMIT_B);
	for (int i = 0; i < 20; i++) {
		world_due(w, TIMER_POLL);
		heads_first(w);
		world_git_heads(w, COMMIT_C, COMMIT_D);
	}
	assert_true(world_count(w, EFFECT_GIT_QUERY) <= 2);
}

WORLD_TEST_OF(the_webhook_and_the_poll_deploy_a_commit_once, POLLING)
{
	push(w, "develop", COMMIT_A);
	world_run_ends(w, GOOD);
	world_polled(w, COMMIT_A, COMMIT_B);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(world_newest(w, "staging").id, 1);
}

/* --- polls beside webhooks --- */

static void
poll(struct world *w, const char *develop)
{
	world_due(w, TIMER_POLL);
	heads_first(w);
	world_git_heads(w, develop, COMMIT_D);
}

/* It is asked about already when the first poll of all is answered. */
WORLD_TEST_OF(a_push_in_hand_is_not_swallowed_by_the_first_poll, POLLING)
{
	(void)world_decide(w, world_push(w, "develop"));
	poll(w, COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	poll(w, COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 1);
}

WORLD_TEST_OF(a_push_that_the_first_poll_saw_first_is_deployed_when_it_is_delivered, POLLING)
{
	poll(w, COMMIT_A);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	push(w, "develop", COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

/* It had webhooks alone, and the branch has moved on since one that GitHub could not deliver. */
WORLD_TEST_OF(
    the_first_poll_behind_webhooks_deploys_nothing_and_says_what_waits, "POLL_REPOSITORY_SECONDS=0")
{
	push(w, "develop", COMMIT_A);
	world_run_ends(w, GOOD);
	world_settings(w, POLLING, NULL);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	poll(w, COMMIT_C);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .count = 3 });
	assert_int_equal(world_newest(w, "staging").id, 1);
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Not deployed: staging: develop is 3 commits ahead of what is live (aaaaaaa). Git is polled from now "
	    "on; what was pushed before is not deployed by itself: /deploy staging.");
	assert_non_null(world_says_in(w, WORLD_TEAM, "3 commits ahead"));
	poll(w, COMMIT_C);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	poll(w, COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST_OF(a_branch_that_is_set_back_to_what_the_first_poll_saw_is_found, POLLING)
{
	poll(w, COMMIT_A);
	push(w, "develop", COMMIT_B);
	world_run_ends(w, GOOD);
	poll(w, COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .is_force_push = true });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

WORLD_TEST_OF(what_a_poll_found_and_its_late_delivery_are_one_deployment, POLLING)
{
	poll(w, COMMIT_C);
	poll(w, COMMIT_A);
	world_push_is_at(w, COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_newest(w, "staging").id, 1);
	world_run_ends(w, GOOD);
	push(w, "develop", COMMIT_A);
	assert_int_equal(world_newest(w, "staging").id, 1);
}

/* The poll's answer and the delivery, in this order or the other, in one commit. */
static void
decide_together(struct world *w, bool poll_first)
{
	struct effect *heads;
	struct event *answered, *delivered = world_push(w, "develop");
	struct queue_list events = { 0 };
	char text[256];

	world_due(w, TIMER_POLL);
	heads_first(w);
	heads = world_take(w, EFFECT_GIT_QUERY);
	(void)snprintf(
	    text, sizeof(text), "head %s develop\nhead %s main\nend\n", COMMIT_A, COMMIT_D);
	answered = TAKE(heads->result);
	answered->u.git_answered.answer = strdup(text);
	event_set_context(answered, delivered);
	queue_list_add(&events, poll_first ? &answered->link : &delivered->link);
	queue_list_add(&events, poll_first ? &delivered->link : &answered->link);
	assert_true(store_batch(w->aid.store, &events, &w->aid.outcomes, &w->aid.err));
	effect_free(heads);
	(void)world_text(w, WORLD_ADMIN, "/history staging"); /* takes in what came out */
}

TEST(a_poll_and_a_delivery_in_one_batch_are_one_deployment)
{
	struct world w;

	for (int poll_first = 0; poll_first < 2; poll_first++) {
		world_open(&w, POLLING, NULL);
		poll(&w, COMMIT_C);
		decide_together(&w, poll_first == 1);
		while (world_count(&w, EFFECT_GIT_QUERY) > 0)
			world_git(&w, (struct world_git){ .commit = COMMIT_A });
		assert_int_equal(world_newest(&w, "staging").id, 1);
		assert_int_equal(world_count(&w, EFFECT_RUN), 1);
		world_close(&w);
	}
}

WORLD_TEST_OF(a_poll_that_is_left_over_asks_nothing_where_polling_was_turned_off, POLLING)
{
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	world_settings(w, "POLL_REPOSITORY_SECONDS=0", NULL);
	world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

/* --- PATHS --- */

#define UNTOUCHED(c, n) ((struct world_git){ .commit = (c), .count = (n), .is_untouched = true })

/* A is live, and C is pushed, of which git says this. */
static void
push_over_a(struct world *w, struct world_git git)
{
	world_open(w, "PATHS=src/**,!src/docs/**", NULL);
	world_deploy_goes_live(w, COMMIT_A);
	(void)world_decide(w, world_push(w, "develop"));
	assert_string_equal(
	    world_peek(w, EFFECT_GIT_QUERY)->u.git_query.paths, "src/**,!src/docs/**");
	world_git(w, git);
}

WORLD_TEST_BARE(a_push_that_touches_none_of_the_paths_is_seen_and_no_more)
{
	size_t said;

	push_over_a(w, UNTOUCHED(COMMIT_C, 3));
	assert_int_equal(world_newest(w, "staging").id, 1);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(world_environment(w, "staging").seen_commit, COMMIT_C);
	said = w->n_screen;
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_int_equal(w->n_screen, said + 1);
	assert_non_null(strstr(world_plain(world_last(w)),
	    "3 newer commits in develop, none in PATHS (asked git just now)"));
	/* One that does is deployed, with all that lies between. */
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, (struct world_git){ .commit = COMMIT_D, .count = 4 });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_D);
	assert_int_equal(world_environment(w, "staging").skipped_count, 0);
}

/* Where nothing is live there is nothing that it could be the same as. */
WORLD_TEST_OF(what_nothing_is_live_of_counts_as_touched, "PATHS=src/**")
{
	(void)world_decide(w, world_push(w, "develop"));
	world_git(w, UNTOUCHED(COMMIT_C, 1));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

/* Another release went live while git looked: what it compared with is history. */
WORLD_TEST_OF(what_was_compared_with_another_release_is_looked_at_again, "PATHS=src/**")
{
	struct effect *query;

	world_deploy_goes_live(w, COMMIT_A);
	(void)world_decide(w, world_push(w, "develop"));
	query = world_peek(w, EFFECT_GIT_QUERY);
	(void)text_copy(query->u.git_query.base, LIMIT_COMMIT, COMMIT_B);
	world_git(w, UNTOUCHED(COMMIT_C, 1));
	assert_null(world_peek(w, EFFECT_RUN));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.base, COMMIT_A);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .count = 1 });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

/* Who asks for it by hand means it. */
WORLD_TEST_BARE(what_a_person_asks_for_is_deployed_whatever_it_touches)
{
	push_over_a(w, UNTOUCHED(COMMIT_C, 1));
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.paths, "");
	world_git(w, (struct world_git){ .commit = COMMIT_C, .count = 1 });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
	world_run_ends(w, GOOD);
	assert_int_equal(world_environment(w, "staging").skipped_count, 0);
}
