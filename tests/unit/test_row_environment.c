/* Goal: what runs, what was before, what is held; and its state file.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/row_environment.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"
#include "store/row_block.h"
#include "store/row_deployment.h"
#include "store/row_rename.h"
#include "store/store_inside.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

static void
act_release(struct tx *tx, void *arg)
{
	struct release release = { .environment = "staging",
		.at = tx->at,
		.deployment = 9,
		.by = "@ada",
		.subject = "Blue" };

	(void)text_copy(release.commit, sizeof(release.commit), arg);
	assert_true(row_environment_release(tx, &release) > 0);
}

static void
act_release_of_shop(struct tx *tx, void *arg)
{
	struct release release = {
		.environment = "shop/staging", .commit = "eeee333", .at = tx->at
	};

	(void)arg;
	assert_true(row_environment_release(tx, &release) > 0);
}

static void
act_empty(struct tx *tx, void *arg)
{
	struct environment environment;

	row_environment_get(tx, "staging", &environment);
	(void)arg;
	assert_string_equal(environment.name, "staging");
	assert_int_equal(environment.current.id, 0);
	assert_string_equal(environment.seen_commit, "");
}

static void
act_holds(struct tx *tx, void *arg)
{
	struct environment environment;

	(void)arg;
	row_environment_set_seen(tx, "staging", "cccc", "");
	row_environment_rolled_back(tx, "staging");
	row_block_add(tx, "staging", &(struct block){ .commit = "bbbb", .by = "@ada" });
	row_block_add(tx, "staging", &(struct block){ .commit = "dddd222", .by = "@ada" });
	row_environment_get(tx, "staging", &environment);
	assert_string_equal(environment.current.commit, "aaaa111");
	assert_true(row_block_find(tx, "staging", "bbbb", NULL));
	assert_true(row_block_find(tx, "staging", "dddd222", NULL));
	assert_false(row_block_find(tx, "production", "bbbb", NULL));
	assert_string_equal(environment.seen_commit, "cccc");
	assert_true(environment.is_unacknowledged && !environment.is_down);
}

static void
act_down(struct tx *tx, void *arg)
{
	struct environment environment;

	(void)arg;
	row_environment_down(tx, "staging");
	row_environment_get(tx, "staging", &environment);
	assert_true(environment.is_down && !environment.is_unacknowledged);
}

static void
act_after(struct tx *tx, void *arg)
{
	struct environment environment;

	row_environment_get(tx, "staging", &environment);
	(void)arg;
	assert_string_equal(environment.current.commit, "dddd222");
	assert_string_equal(environment.current.by, "@ada");
	assert_string_equal(environment.previous.commit, "aaaa111");
	assert_true(row_block_find(tx, "staging", "bbbb", NULL));
	assert_false(row_block_find(tx, "staging", "dddd222", NULL));
	assert_string_equal(environment.seen_commit, "cccc");
	assert_false(environment.is_down || environment.is_unacknowledged);
}

STORE_TEST(a_new_release_moves_the_last_one_back_and_ends_its_block_and_alarm)
{
	char first[] = "aaaa111", second[] = "dddd222";

	store_aid_act(aid, act_empty, NULL);
	store_aid_act(aid, act_release, first);
	store_aid_act(aid, act_holds, NULL);
	store_aid_act(aid, act_release, second);
	store_aid_act(aid, act_after, NULL);
}

static void
act_find(struct tx *tx, void *arg)
{
	struct release list[8];

	(void)arg;
	assert_int_equal(row_release_list(tx, "staging", list, 8), 3);
	assert_string_equal(list[0].commit, "1a2b3c4dff");
	assert_int_equal(row_release_find(tx, "staging", "2").id, 2);
	assert_int_equal(row_release_find(tx, "production", "2").id, 0);
	assert_int_equal(row_release_find(tx, "staging", "1A2B3C4").id, 3);
	assert_int_equal(row_release_find(tx, "staging", "1a2b3c").id, 0);  /* too short */
	assert_int_equal(row_release_find(tx, "staging", "1234567").id, 2); /* no such number */
	assert_int_equal(row_release_find(tx, "staging", "main").id, 0);
	assert_int_equal(row_release_find(tx, "staging", "1a2b3c%").id, 0);
	assert_int_equal(row_release_find_twin(tx, &list[0], "1A2B3C4").id, 1);
	assert_int_equal(row_release_find_twin(tx, &list[0], "1a2b3c4dff").id, 0);
	assert_int_equal(row_release_find_twin(tx, &list[1], "1234567").id, 0);
	assert_int_equal(row_release_find_twin(tx, &list[0], "3").id, 0); /* its number */
}

STORE_TEST(a_release_is_found_by_number_or_by_the_start_of_its_commit)
{
	char first[] = "1a2b3c4d", second[] = "1234567890", third[] = "1a2b3c4dff";

	store_aid_act(aid, act_release, first);
	store_aid_act(aid, act_release, second);
	store_aid_act(aid, act_release, third);
	store_aid_act(aid, act_find, NULL);
}

static void
act_release_elsewhere(struct tx *tx, void *arg)
{
	struct release release = { .environment = "production", .at = tx->at };

	(void)text_copy(release.commit, sizeof(release.commit), arg);
	assert_true(row_environment_release(tx, &release) > 0);
}

static void
act_find_numbers(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(row_release_find(tx, "staging", "1").id, 1);
	assert_int_equal(row_release_find(tx, "production", "1").id, 2);
	assert_int_equal(row_release_find(tx, "staging", "2").id, 3);
	assert_int_equal(row_release_find(tx, "staging", "3").id, 0);
	assert_int_equal(
	    row_environment_get(tx, "staging", &(struct environment){ 0 })->current.number, 2);
	assert_int_equal(row_release_get(tx, 3).origin, 3);
}

STORE_TEST(releases_are_counted_in_each_environment)
{
	char first[] = "aaaa111", second[] = "bbbb222", third[] = "cccc333";

	store_aid_act(aid, act_release, first);
	store_aid_act(aid, act_release_elsewhere, second);
	store_aid_act(aid, act_release, third);
	store_aid_act(aid, act_find_numbers, NULL);
}

static void
act_block_what_is_live(struct tx *tx, void *arg)
{
	row_block_add(tx, "staging", &(struct block){ .commit = "aaaa111", .by = "@ada" });
	assert_false(row_block_find(tx, "staging", arg, NULL));
}

STORE_TEST(what_is_live_is_never_blocked)
{
	char commit[] = "aaaa111";

	store_aid_act(aid, act_release, commit);
	store_aid_act(aid, act_block_what_is_live, commit);
}

static void
act_many_blocks(struct tx *tx, void *arg)
{
	struct block list[4];
	int64_t all;

	(void)arg;
	for (int i = 0; i < 6; i++) {
		struct block block = { .by = "@ada", .at = 100 - i, .why = "to release 1" };

		(void)snprintf(block.commit, sizeof(block.commit), "%d", i);
		row_block_add(tx, "staging", &block);
	}
	row_block_add(tx, "staging", &(struct block){ .commit = "2", .by = "deploybot" });
	assert_int_equal(row_block_list(tx, "staging", list, 4, &all), 4);
	assert_int_equal(all, 6);
	assert_string_equal(list[0].commit, "2");
	assert_string_equal(list[0].by, "deploybot");
	assert_string_equal(list[1].commit, "5");
	assert_string_equal(list[1].why, "to release 1");
	assert_int_equal(list[1].at, 95);
}

/* Blocked once more it is the newest, whatever the clock says. */
TEST_WITH(blocks_are_listed_newest_first_and_counted, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_many_blocks, NULL);
}

STORE_TEST(gauges_show_what_is_live_and_whether_a_rollback_waits_for_somebody)
{
	char first[] = "aaaa111";
	struct outcome *outcome;

	store_aid_act(aid, act_release, first);
	store_aid_forget(aid);
	store_aid_act(aid, act_holds, NULL);
	outcome = store_aid_take_outcome(aid, OUTCOME_GAUGES);
	assert_non_null(outcome);
	assert_string_equal(outcome->gauges->environment[0].name, "staging");
	assert_string_equal(outcome->gauges->environment[0].commit, "aaaa111");
	assert_true(outcome->gauges->environment[0].is_unacknowledged);
	assert_false(outcome->gauges->environment[0].is_busy);
	assert_int_equal(outcome->gauges->environment[0].busy_since, 0);
	assert_false(outcome->gauges->environment[0].has_failed);
	assert_int_equal(outcome->gauges->environment[0].released_at, STORE_AID_AT);
	assert_false(outcome->gauges->environment[0].is_down);
	outcome_free(outcome);
}

/* The alert of the one says that the previous release serves. */
STORE_TEST(gauges_show_what_is_down_and_not_as_rolled_back)
{
	char first[] = "aaaa111";
	struct outcome *outcome;

	store_aid_act(aid, act_release, first);
	store_aid_act(aid, act_holds, NULL);
	store_aid_forget(aid);
	store_aid_act(aid, act_down, NULL);
	outcome = store_aid_take_outcome(aid, OUTCOME_GAUGES);
	assert_non_null(outcome);
	assert_string_equal(outcome->gauges->environment[0].name, "staging");
	assert_true(outcome->gauges->environment[0].is_down);
	assert_false(outcome->gauges->environment[0].is_unacknowledged);
	outcome_free(outcome);
}

/* What became of one in staging, and what the gauges say then. */
struct end {
	enum program program;
	enum deploy_state state;
	int64_t started_at;
	int64_t ended_at;
	bool is_failed;
	int64_t busy_since;
};

static void
act_end(struct tx *tx, void *arg)
{
	const struct end *end = arg;
	struct deployment d = { .environment = "staging",
		.program = end->program,
		.state = end->state,
		.started_at = end->started_at,
		.ended_at = end->ended_at };

	row_deployment_add(tx, &d);
}

STORE_TEST(gauges_show_how_the_last_one_that_ran_ended_and_since_when_it_is_busy)
{
	static const struct end ends[] = {
		{ PROGRAM_DEPLOY, DEPLOY_LIVE, 100, 200, false, 0 },
		/* A failed disk-free is no failed deployment, nor does one that works mend it. */
		{ PROGRAM_ACTION, DEPLOY_FAILED, 210, 220, false, 0 },
		{ PROGRAM_DEPLOY, DEPLOY_FAILED, 300, 400, true, 0 },
		{ PROGRAM_ACTION, DEPLOY_DONE, 410, 420, true, 0 },
		{ PROGRAM_DEPLOY, DEPLOY_REFUSED, 0, 500, true,
		    0 }, /* it never began: nothing is better */
		{ PROGRAM_DEPLOY, DEPLOY_CANCELLED, 0, 600, true, 0 },
		{ PROGRAM_DEPLOY, DEPLOY_ROLLED_BACK, 700, 800, false, 0 },
		{ PROGRAM_DEPLOY, DEPLOY_ROLLBACK_FAILED, 900, 1000, true, 0 },
		{ PROGRAM_DEPLOY, DEPLOY_LIVE, 300, 350, true,
		    0 }, /* a later row that ended earlier */
		{ PROGRAM_DEPLOY, DEPLOY_VERIFYING, 1100, 0, true, 1100 },
	};

	for (size_t i = 0; i < COUNT(ends); i++) {
		struct end end = ends[i];
		struct outcome *outcome;

		store_aid_forget(aid);
		store_aid_act(aid, act_end, &end);
		outcome = store_aid_take_outcome(aid, OUTCOME_GAUGES);
		assert_non_null(outcome);
		assert_int_equal(outcome->gauges->environment[0].has_failed, end.is_failed);
		assert_int_equal(outcome->gauges->environment[0].busy_since, end.busy_since);
		assert_int_equal(outcome->gauges->environment[0].is_busy, end.busy_since != 0);
		assert_false(outcome->gauges->environment[1].has_failed);
		outcome_free(outcome);
	}
}

/* Its deadline is its own: the alert of deployments is not rung for it. */
STORE_TEST(a_busy_action_is_no_busy_deployment)
{
	struct end end = { PROGRAM_ACTION, DEPLOY_RUNNING, 100, 0, false, 0 };
	struct outcome *outcome;

	store_aid_forget(aid);
	store_aid_act(aid, act_end, &end);
	outcome = store_aid_take_outcome(aid, OUTCOME_GAUGES);
	assert_non_null(outcome);
	assert_false(outcome->gauges->environment[0].is_busy);
	assert_int_equal(outcome->gauges->environment[0].busy_since, 0);
	outcome_free(outcome);
}

/* --- the state file --- */

static char *
state_file(struct store_aid *aid, char *path, size_t room)
{
	(void)snprintf(path, room, "%s/staging.json", aid->environments_path);
	return store_aid_read(path);
}

STORE_TEST(the_state_file_follows_the_release_and_is_mended_at_start)
{
	char first[] = "aaaa111", second[] = "dddd222", path[160], *text;

	assert_false(store_project(aid->store, &aid->outcomes));
	text = state_file(aid, path, sizeof(path));
	assert_string_equal(text, "");
	free(text);

	assert_false(store_is_release_unreported(aid->store));
	store_aid_act(aid, act_release, first);
	assert_true(
	    store_is_release_unreported(aid->store)); /* written before anybody hears of it */
	assert_false(store_project(aid->store, &aid->outcomes));
	assert_false(store_is_release_unreported(aid->store));
	text = state_file(aid, path, sizeof(path));
	assert_string_equal(text,
	    "{\"environment\":\"staging\",\"release\":1,\"commit\":\"aaaa111\",\"source\":\"git\","
	    "\"image\":null,\"deployed_at\":\"2026-01-01T00:00:00Z\",\"previous\":null,"
	    "\"live\":[\"aaaa111\"]}\n");
	free(text);

	store_aid_act(aid, act_release, second);
	assert_int_equal(unlink(path), 0); /* somebody */
	store_aid_reopen(aid);
	assert_false(store_project(aid->store, &aid->outcomes));
	text = state_file(aid, path, sizeof(path));
	assert_string_equal(text,
	    "{\"environment\":\"staging\",\"release\":2,\"commit\":\"dddd222\",\"source\":\"git\","
	    "\"image\":null,\"deployed_at\":\"2026-01-01T00:00:00Z\",\"previous\":"
	    "{\"release\":1,\"commit\":\"aaaa111\",\"source\":\"git\",\"image\":null},"
	    "\"live\":[\"dddd222\",\"aaaa111\"]}\n");
	free(text);
}

static void
expect_state(struct store_aid *aid, const char *environment, const char *body)
{
	struct outcome *outcome = store_aid_take_outcome(aid, OUTCOME_STATE);

	assert_non_null(outcome);
	assert_string_equal(outcome->state->environment, environment);
	assert_int_equal(outcome->state->size, strlen(body));
	assert_memory_equal(outcome->state->body, body, strlen(body));
	assert_int_equal(outcome->state->number, aid->store->mark.audit.seq);
	outcome_free(outcome);
}

static void
act_rename(struct tx *tx, UNUSED void *arg)
{
	row_rename(tx, "staging", "blog/staging");
}

STORE_TEST(remote_runners_are_sent_what_the_state_files_have)
{
	char first[] = "aaaa111", second[] = "dddd222", path[160], *text;

	aid->settings->link.address = "link.example.org:9443";
	store_aid_act(aid, act_release, first);
	store_aid_act(aid, act_release_of_shop, NULL);
	assert_false(store_project(aid->store, &aid->outcomes));
	(void)snprintf(path, sizeof(path), "%s/shop.staging.json", aid->environments_path);
	text = store_aid_read(path);
	expect_state(aid, "shop/staging", text);
	free(text);
	text = state_file(aid, path, sizeof(path));
	expect_state(aid, "staging", text);
	free(text);
	expect_state(aid, "", "");
	store_aid_act(aid, act_release, second);
	assert_false(store_project(aid->store, &aid->outcomes));
	text = state_file(aid, path, sizeof(path));
	expect_state(aid, "staging", text);
	free(text);
	store_aid_act(aid, act_rename, NULL);
	assert_false(store_project(aid->store, &aid->outcomes));
	assert_int_equal(access(path, F_OK), -1);
	(void)snprintf(path, sizeof(path), "%s/blog.staging.json", aid->environments_path);
	text = store_aid_read(path);
	expect_state(aid, "blog/staging", text);
	free(text);
	expect_state(aid, "staging", "");
	aid->settings->link.address = NULL;
	store_aid_act(aid, act_release, first);
	assert_false(store_project(aid->store, &aid->outcomes));
	assert_null(store_aid_take_outcome(aid, OUTCOME_STATE));
}

/* In one folder, for which no name of an environment is a path. */
STORE_TEST(an_applications_state_file_has_a_name_of_its_own)
{
	char path[160], first[] = "aaaa111", *text;

	store_aid_act(aid, act_release, first);
	store_aid_act(aid, act_release_of_shop, NULL);
	assert_false(store_project(aid->store, &aid->outcomes));
	(void)snprintf(path, sizeof(path), "%s/shop.staging.json", aid->environments_path);
	text = store_aid_read(path);
	assert_non_null(
	    strstr(text, "{\"environment\":\"shop/staging\",\"release\":1,\"commit\":\"eeee333\""));
	free(text);
	text = state_file(aid, path, sizeof(path));
	assert_non_null(strstr(text, "aaaa111"));
	free(text);
}

STORE_TEST(a_state_file_that_cannot_be_written_is_written_later)
{
	char first[] = "aaaa111", path[160], *text;
	FILE *in_the_way = fopen(aid->environments_path, "we");

	assert_non_null(in_the_way);
	assert_int_equal(fclose(in_the_way), 0);
	store_aid_act(aid, act_release, first);
	assert_true(store_project(aid->store, &aid->outcomes));
	assert_true(store_idle(aid->store, &aid->outcomes));
	assert_int_equal(unlink(aid->environments_path), 0);
	assert_false(store_idle(aid->store, &aid->outcomes));
	text = state_file(aid, path, sizeof(path));
	assert_non_null(strstr(text, "aaaa111"));
	free(text);
}

#define IMAGE_DIGITS "11111111111111111111111111111111"

static void
act_remove_images(struct tx *tx, void *arg)
{
	static const char *const names[] = { "staging", "production", "shop/staging",
		"shop/production", "blog/staging" };

	(void)arg;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct release release = { .commit = "aaaa111",
			.image = "sha256:" IMAGE_DIGITS IMAGE_DIGITS,
			.at = tx->at };

		(void)text_copy(release.environment, sizeof(release.environment), names[i]);
		assert_true(row_environment_release(tx, &release) > 0);
	}
	row_release_removed(tx, "shop/staging", "sha256:" IMAGE_DIGITS);
	assert_int_equal(tx_number(tx, "SELECT COUNT(*) FROM release WHERE removed_at > 0"), 2);
	assert_int_equal(
	    tx_number(tx,
		"SELECT COUNT(*) FROM release WHERE removed_at > 0 AND environment LIKE 'shop/%'"),
	    2);
	row_release_removed(tx, "staging", "sha256:" IMAGE_DIGITS);
	assert_int_equal(tx_number(tx, "SELECT COUNT(*) FROM release WHERE removed_at > 0"), 4);
}

/* What a script of one application says hides no release of another one. */
TEST_WITH(an_image_is_removed_of_its_application_alone, store_aid_setup, store_aid_teardown)
{
	store_aid_act(*state, act_remove_images, NULL);
}
