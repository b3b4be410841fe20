/* Goal: each repository is polled once for all its applications, spread, and never too many at once.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide/git/decide_poll.h"

#include "applications_aid.h"
#include "decide_aid.h"
#include "lib/text.h"

/* The main application wants no polls; those that are added do. */
static void
open_scene(struct world *w)
{
	world_open(w, "ENVIRONMENTS=staging", "POLL_REPOSITORY_SECONDS=0", NULL);
}

static const struct effect_git_query *
query_at(struct world *w, size_t n)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_GIT_QUERY && n-- == 0)
			return &w->open[i]->u.git_query;
	return NULL;
}

static const struct effect *
timer(struct world *w)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_POLL)
			return w->open[i];
	return NULL;
}

/* git cannot say, or the runner is disconnected. */
static void
fails(struct world *w)
{
	struct effect *effect = world_take(w, EFFECT_GIT_QUERY);

	effect->result->u.git_answered.exit_status = 69;
	effect->result->u.git_answered.unreachable = true;
	effect->result->u.git_answered.answer = strdup("repository not found");
	(void)store_aid_report(&w->aid, effect);
	world_settings_read(w);
}

static void
heads(struct world *w, const char *lines)
{
	struct effect *effect = world_take(w, EFFECT_GIT_QUERY);
	char text[1024];

	assert_int_equal(effect->u.git_query.kind, GIT_QUERY_HEADS);
	(void)snprintf(text, sizeof(text), "%send\n", lines);
	effect->result->u.git_answered.answer = strdup(text);
	(void)store_aid_report(&w->aid, effect);
	world_settings_read(w); /* takes in what came of it */
}

WORLD_TEST_BARE(a_repository_is_asked_once_for_the_branches_of_all_its_applications)
{
	const struct effect_git_query *query;

	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/mono",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "docs", "GITHUB_REPOSITORY=acme/docs",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "shop", "GITHUB_REPOSITORY=acme/mono",
	    "ENVIRONMENTS=staging,qa", "GITHUB_BRANCH_QA=qa", "POLL_REPOSITORY_SECONDS=60", NULL);
	world_settings_read(w);
	world_due(w, TIMER_POLL); /* nobody of the main one */
	for (int i = 0; i < 3 && world_count(w, EFFECT_GIT_QUERY) < 2; i++)
		world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 2);
	query = query_at(w, 0);
	assert_string_equal(query->environment, "blog/staging");
	assert_int_equal(query->n_branches, 3);
	assert_string_equal(query->branches[0], "develop");
	assert_string_equal(query->branches[1], "main");
	assert_string_equal(query->branches[2], "qa");
	query = query_at(w, 1);
	assert_string_equal(query->environment, "docs/staging");
	assert_int_equal(query->n_branches, 2);
}

/* Of another repository's branch of the same name nothing follows. */
WORLD_TEST_BARE(heads_are_matched_to_their_repository)
{
	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/blog",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "docs", "GITHUB_REPOSITORY=acme/docs",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	world_settings_read(w);
	while (world_count(w, EFFECT_GIT_QUERY) < 2)
		world_due(w, TIMER_POLL);
	heads(w, "head " COMMIT_A " develop\n");
	assert_string_equal(world_environment(w, "blog/staging").polled_commit, COMMIT_A);
	assert_string_equal(world_environment(w, "docs/staging").polled_commit, "");
	assert_string_equal(world_environment(w, "staging").polled_commit, "");
}

WORLD_TEST_BARE(one_that_is_not_answered_yet_is_not_asked_again)
{
	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/blog",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	world_settings_read(w);
	for (int i = 0; i < 10; i++)
		world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	heads(w, "head " COMMIT_A " develop\n");
	for (int i = 0; i < 3; i++)
		world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

/* It is not of the main application's repository. */
WORLD_TEST_BARE(an_answer_for_an_application_that_is_gone_says_nothing_of_another)
{
	open_scene(w);
	for (int fail = 0; fail < 2; fail++) {
		world_settings(w, "ENVIRONMENTS=staging", "POLL_REPOSITORY_SECONDS=0", NULL);
		applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/blog",
		    "POLL_REPOSITORY_SECONDS=60", NULL);
		world_settings_read(w);
		while (world_count(w, EFFECT_GIT_QUERY) == 0)
			world_due(w, TIMER_POLL);
		world_settings(w, "ENVIRONMENTS=staging", "POLL_REPOSITORY_SECONDS=60", NULL);
		if (fail)
			fails(w);
		else
			heads(w, "head " COMMIT_A " develop\n");
		assert_string_equal(world_environment(w, "staging").polled_commit, "");
		assert_int_equal(world_environment(w, "blog/staging").poll_failing_since, 0);
	}
	while (world_count(w, EFFECT_GIT_QUERY) == 0)
		world_due(w, TIMER_POLL);
	heads(w, "head " COMMIT_A " develop\n");
	assert_string_equal(world_environment(w, "staging").polled_commit, COMMIT_A);
}

/* Of two repositories, and of no environment beside the one whose settings were used. */
WORLD_TEST_BARE(polls_that_fail_are_known_since_the_first_until_git_answers)
{
	int64_t since;

	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/mono",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "docs", "GITHUB_REPOSITORY=acme/docs",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	world_settings_read(w);
	while (world_count(w, EFFECT_GIT_QUERY) < 2)
		world_due(w, TIMER_POLL);
	fails(w);
	heads(w, "head " COMMIT_A " develop\n");
	since = world_environment(w, "blog/staging").poll_failing_since;
	assert_true(since > 0);
	assert_int_equal(world_environment(w, "blog/production").poll_failing_since, 0);
	world_answers_last(w, WORLD_ADMIN, "/status blog/staging",
	    "\n⚠️ git does not answer (noticed just now): what is newer is not known");
	assert_int_equal(world_environment(w, "docs/staging").poll_failing_since, 0);
	while (world_count(w, EFFECT_GIT_QUERY) < 2)
		world_due(w, TIMER_POLL);
	fails(w);
	assert_int_equal(world_environment(w, "blog/staging").poll_failing_since, since);
	while (world_count(w, EFFECT_GIT_QUERY) < 2)
		world_due(w, TIMER_POLL);
	heads(w, "head " COMMIT_A " develop\n");
	heads(w, "head " COMMIT_A " develop\n");
	assert_int_equal(world_environment(w, "blog/staging").poll_failing_since, 0);
}

/* It has the branch of one that is polled, and wants no polls of its own. */
WORLD_TEST_BARE(whoever_wants_no_polls_takes_no_head_of_anothers)
{
	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/mono",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "news", "GITHUB_REPOSITORY=acme/mono",
	    "POLL_REPOSITORY_SECONDS=0", NULL);
	world_settings_read(w);
	while (world_count(w, EFFECT_GIT_QUERY) == 0)
		world_due(w, TIMER_POLL);
	heads(w, "head " COMMIT_A " develop\n");
	assert_string_equal(world_environment(w, "blog/staging").polled_commit, COMMIT_A);
	assert_string_equal(world_environment(w, "news/staging").polled_commit, "");
}

static void
act_fail_everywhere(struct tx *tx, UNUSED void *arg)
{
	for (size_t i = 0; i < tx->settings->environment_count; i++)
		row_environment_set_poll_failing(tx, tx->settings->environments[i].name, 7);
	row_environment_set_unknown(tx, "blog/production", "seen by hand");
}

/* Since when, as the gauges of what has just changed have it. */
static int64_t
failing_gauge(const struct gauges *gauges, const char *name)
{
	for (size_t i = 0; i < gauges->n_environments; i++)
		if (strcmp(gauges->environment[i].name, name) == 0)
			return gauges->environment[i].poll_failing_since;
	fail_msg("no gauge of %s", name);
	return -1;
}

WORLD_TEST_BARE(a_gauge_says_that_polls_fail_only_of_what_is_polled)
{
	struct outcome *outcome;

	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/blog",
	    "ENVIRONMENTS=staging,production,qa", "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "docs", "GITHUB_REPOSITORY=acme/docs",
	    "POLL_REPOSITORY_SECONDS=0", NULL);
	world_settings_read(w);
	store_aid_forget(&w->aid);
	store_aid_act(&w->aid, act_fail_everywhere, NULL);
	outcome = store_aid_take_outcome(&w->aid, OUTCOME_GAUGES);
	assert_non_null(outcome);
	assert_int_equal(failing_gauge(outcome->gauges, "blog/staging"), 7);
	assert_int_equal(failing_gauge(outcome->gauges, "blog/production"), 0); /* not known */
	assert_int_equal(failing_gauge(outcome->gauges, "blog/qa"), 0);		/* no branch */
	assert_int_equal(failing_gauge(outcome->gauges, "docs/staging"), 0);
	outcome_free(outcome);
}

static void
add_many(struct world *w, int n)
{
	char name[16], repository[64];

	for (int i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "app-%03d", i);
		(void)snprintf(
		    repository, sizeof(repository), "GITHUB_REPOSITORY=acme/app-%03d", i);
		applications_aid_add(w->aid.settings, name, repository, "ENVIRONMENTS=staging",
		    "POLL_REPOSITORY_SECONDS=60", NULL);
	}
}

WORLD_TEST_BARE(many_are_spread_over_the_interval)
{
	int64_t began, most = 0;
	size_t before = 0;

	open_scene(w);
	add_many(w, 24);
	world_settings_read(w);
	began = timer(w)->due;
	while (world_count(w, EFFECT_GIT_QUERY) < 8) {
		world_due(w, TIMER_POLL);
		if ((int64_t)(world_count(w, EFFECT_GIT_QUERY) - before) > most)
			most = (int64_t)(world_count(w, EFFECT_GIT_QUERY) - before);
		before = world_count(w, EFFECT_GIT_QUERY);
	}
	assert_in_range(most, 1, 3);
	assert_in_range(w->aid.at - began, 60000 / 24 * 4, 60000);
}

/* What was pushed while nobody listened is not found an interval later: each repository is asked
 * once, no more than eight at a time, and the next round is one of those that take their time. */
WORLD_TEST_BARE(behind_a_start_all_are_asked_within_seconds_and_once)
{
	int64_t began;
	size_t n = 0;

	open_scene(w);
	add_many(w, 24);
	world_settings_read(w);
	world_due(w, TIMER_POLL); /* nobody of the main one */
	world_due(w, TIMER_POLL); /* in the middle of a round */
	while (world_count(w, EFFECT_GIT_QUERY) > 0)
		heads(w, "head " COMMIT_A " develop\n");
	w->aid.at += 1000;
	world_restart(w);
	began = timer(w)->due - 3000;
	assert_in_range(w->aid.at - began, 0, 100); /* it is of that decision */
	for (int i = 0; n < 24; i++) {
		assert_true(i < 24);
		world_due(w, TIMER_POLL);
		assert_in_range(world_count(w, EFFECT_GIT_QUERY), 1, DECIDE_POLL_QUERIES);
		while (world_count(w, EFFECT_GIT_QUERY) > 0) {
			char name[24];

			(void)snprintf(name, sizeof(name), "app-%03zu/staging", n++);
			assert_string_equal(query_at(w, 0)->environment, name);
			heads(w, "head " COMMIT_A " develop\n");
		}
	}
	assert_in_range(w->aid.at - began, 3000, 3000 + 24000);
	assert_in_range(timer(w)->due - began, 60000, 64000); /* the next round */
}

/* Where git answers nobody, nobody else is asked; the round takes longer, and is not begun anew. */
WORLD_TEST_BARE(at_most_eight_are_asked_at_a_time)
{
	char turn[LIMIT_BUTTON_ID];

	open_scene(w);
	add_many(w, 24);
	world_settings_read(w);
	for (int i = 0; i < 100; i++)
		world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), DECIDE_POLL_QUERIES);
	(void)text_copy(turn, sizeof(turn), timer(w)->u.timer.name);
	assert_string_equal(turn, "app-008");
	world_due(w, TIMER_POLL);
	assert_string_equal(timer(w)->u.timer.name, turn);
	heads(w, "head " COMMIT_A " develop\n");
	world_due(w, TIMER_POLL);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), DECIDE_POLL_QUERIES);
	assert_string_equal(timer(w)->u.timer.name, "app-009");
}

static int
asked_of(struct world *w, const char *environment, int seconds)
{
	int64_t until = w->aid.at + seconds * INT64_C(1000);
	int n = 0;

	while (timer(w)->due <= until) {
		world_due(w, TIMER_POLL);
		while (world_count(w, EFFECT_GIT_QUERY) > 0) {
			n += strcmp(query_at(w, 0)->environment, environment) == 0;
			heads(w, "head " COMMIT_A " develop\n");
		}
	}
	return n;
}

WORLD_TEST_BARE(a_repository_is_asked_as_often_as_anybody_wants_and_no_more)
{
	open_scene(w);
	applications_aid_add(w->aid.settings, "blog", "GITHUB_REPOSITORY=acme/blog",
	    "POLL_REPOSITORY_SECONDS=60", NULL);
	applications_aid_add(w->aid.settings, "docs", "GITHUB_REPOSITORY=acme/docs",
	    "POLL_REPOSITORY_SECONDS=300", NULL);
	applications_aid_add(w->aid.settings, "news", "GITHUB_REPOSITORY=acme/blog",
	    "POLL_REPOSITORY_SECONDS=300", NULL); /* with the blog, and as often */
	world_settings_read(w);
	world_due(w, TIMER_POLL);
	assert_in_range(asked_of(w, "blog/staging", 3000), 49, 52);
	assert_in_range(asked_of(w, "docs/staging", 3000), 9, 11);
}

/* More than fit into one query: none is left out. */
WORLD_TEST_BARE(a_repository_of_many_branches_is_asked_for_all_of_them)
{
	char environments[256] = "ENVIRONMENTS=", branches[16][64];
	size_t used = strlen(environments), n = 0;

	open_scene(w);
	for (int a = 0; a < 2; a++) {
		used = strlen("ENVIRONMENTS=");
		for (int i = 0; i < 12; i++) {
			used += (size_t)snprintf(environments + used, sizeof(environments) - used,
			    "%se%d", i > 0 ? "," : "", i);
			(void)snprintf(branches[i], sizeof(branches[i]), "GITHUB_BRANCH_E%d=b%d", i,
			    a * 100 + i);
		}
		applications_aid_add(w->aid.settings, a == 0 ? "a" : "b",
		    "GITHUB_REPOSITORY=acme/mono", "POLL_REPOSITORY_SECONDS=60", environments,
		    branches[0], branches[1], branches[2], branches[3], branches[4], branches[5],
		    branches[6], branches[7], branches[8], branches[9], branches[10], branches[11],
		    NULL);
	}
	world_settings_read(w);
	while (world_count(w, EFFECT_GIT_QUERY) == 0)
		world_due(w, TIMER_POLL);
	for (size_t i = 0; i < world_count(w, EFFECT_GIT_QUERY); i++)
		n += query_at(w, i)->n_branches;
	assert_int_equal(n, 24);
}
