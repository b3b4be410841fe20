/* Goal: a pattern of agents is those that are enrolled when it is shown, each a host of its own.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"
#include "decide_aid_inside.h"
#include "waves_aid.h"
#include "store/store_inside.h"

#define AGENT_TEST(name) WORLD_TEST_BETWEEN(name, agent_aid_set_up, agent_aid_tear_down)
#define DIR		 "STAGING_COMPOSE_DIR=/srv/app"
#define PATTERN		 "STAGING_DEPLOY_TRANSPORT=agent", "STAGING_HOST=h*", DIR
#define OPEN(w, ...)	 world_open(w, LINK_AID_LINES(&agent_aid_authority), PATTERN, __VA_ARGS__)

#define CONFIRMED "STAGING_CONFIRM=true"
#define IMAGE	  "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
enrol(struct world *w, const char *name)
{
	static int n;
	char body[160];

	(void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"key\":\"%064d\"}", name, ++n);
	assert_int_equal(agent_aid_ask(w, "enrol", body), 200);
}

static void
revoke(struct world *w, const char *name)
{
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"name\":\"%s\"}", name);
	assert_int_equal(agent_aid_ask(w, "revoke", body), 200);
}

static void
move(struct world *w, const char *name)
{
	static int n;
	char body[160];

	(void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"key\":\"77%062d\"}", name, ++n);
	assert_int_equal(agent_aid_ask(w, "move", body), 200);
}

static void
enrol_three(struct world *w)
{
	enrol(w, "h1");
	enrol(w, "h2");
	enrol(w, "h3");
	enrol(w, "gate"); /* is none of them */
}

static void
yes(struct world *w, const char *part)
{
	struct world_message *asked = world_says(w, part);

	assert_non_null(asked);
	(void)world_press(w, WORLD_ADMIN, asked->chat, world_button(asked, "Deploy"));
	world_git_same(w);
}

/* --- which they are --- */

AGENT_TEST(a_pattern_that_stands_for_nobody_is_refused_by_the_question)
{
	OPEN(w, NULL);
	enrol(w, "gate");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_non_null(world_says(w, "no enrolled agent has a name that its pattern"));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	enrol(w, "h1");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

AGENT_TEST(more_than_a_ticket_is_for_are_refused)
{
	char name[8];

	OPEN(w, NULL);
	for (int i = 0; i < 65; i++) {
		(void)snprintf(name, sizeof(name), "h%d", i);
		w->aid.at += 60000; /* else it is too fast */
		enrol(w, name);
	}
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_non_null(world_says(w, "stands for more than 64 agents"));
	revoke(w, "h7");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

AGENT_TEST(each_agent_that_matches_is_a_host_of_one_wave)
{
	OPEN(w, CONFIRMED, NULL);
	enrol_three(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	yes(w, "\n3 hosts: h1, h2, h3");
	waves_ordered(w, "1/1", "h1:22\nh2:22\nh3:22\n");
	waves_say(w, "h1 began, h2 began, h3 began, h1 ok, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 3 of 3 hosts"));
	waves_is(w, 3, HOST_IS_CURRENT, COMMIT_A);
	assert_int_equal(waves_count(w), 3);
}

AGENT_TEST(who_joins_behind_the_question_waits_for_the_next_one_and_who_is_revoked_is_skipped)
{
	OPEN(w, CONFIRMED, "STAGING_WAVES=1, 100%", NULL);
	enrol_three(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_non_null(world_says(w, "2 waves: h1; then 2 hosts"));
	enrol(w, "h0");
	yes(w, "2 waves: h1; then 2 hosts");
	waves_ordered(w, "1/2", "h1:22\n");
	waves_say(w, "h1 began, h1 ok");
	revoke(w, "h2");
	enrol(w, "h4");
	world_run_releases(w, GOOD);
	waves_ordered(w, "2/2", "h3:22\n");
	waves_say(w, "h3 began, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 3 hosts"));
	assert_non_null(world_says(w, "h2: unknown"));
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_non_null(world_says(w, "2 waves: h0; then 3 hosts"));
}

AGENT_TEST(who_is_revoked_behind_the_question_is_skipped_and_named)
{
	OPEN(w, CONFIRMED, "STAGING_WAVES=1, 100%", NULL);
	enrol_three(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	revoke(w, "h1");
	yes(w, "2 waves: h1; then 2 hosts");
	waves_ordered(w, "1/1", "h2:22\nh3:22\n");
	waves_say(w, "h2 began, h3 began, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 3 hosts"));
	assert_non_null(world_says(w, "h1: unknown"));
}

/* Nothing is known of h2 and h3; h1 runs what is live. */
static void
failed_is_asked(struct world *w)
{
	enrol_three(w);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	waves_say(w, "h1 began, h2 began, h3 began, h1 ok, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	w->aid.at += 60000;
	move(w, "h2");
	move(w, "h3");
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_A);
}

AGENT_TEST(who_is_revoked_before_a_failed_release_begins_is_skipped_and_named)
{
	OPEN(w, NULL);
	failed_is_asked(w);
	revoke(w, "h2");
	yes(w, "\n2 hosts: h2, h3");
	waves_ordered(w, "1/1", "h3:22\n");
	waves_say(w, "h3 began, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "h2: unknown"));
}

AGENT_TEST(who_runs_it_before_a_failed_release_begins_has_not_left)
{
	OPEN(w, NULL);
	failed_is_asked(w);
	world_rewrite(
	    w, "UPDATE host SET state = 'current', release = '" COMMIT_A "' WHERE name = 'h2:22'");
	yes(w, "\n2 hosts: h2, h3");
	waves_ordered(w, "1/1", "h3:22\n");
	assert_int_equal(waves_host(w, 2)->plan, 1);
}

AGENT_TEST(where_all_were_revoked_behind_the_question_it_is_for_nobody_else)
{
	OPEN(w, CONFIRMED, NULL);
	enrol(w, "h1");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	revoke(w, "h1");
	enrol(w, "h2");
	yes(w, "\n1 host: h1");
	waves_ordered(w, "1/1", "");
}

/* --- failures, and back --- */

static void
begins(struct world *w, const char *commit)
{
	world_asks(w, WORLD_ADMIN, "/deploy staging", commit);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

static void
is_live_on_three(struct world *w, const char *commit)
{
	begins(w, commit);
	waves_say(w, "h1 began, h2 began, h3 began, h1 ok, h2 ok, h3 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

AGENT_TEST(one_may_fail_and_is_named)
{
	OPEN(w, "STAGING_FAILURES_MAX=1", NULL);
	enrol_three(w);
	begins(w, COMMIT_A);
	waves_say(w, "h1 began, h2 began, h3 began, h1 ok, h2 ok, h3 failed: no space left");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 3 hosts, 1 failed"));
	assert_non_null(world_says(w, "h3: failed"));
}

AGENT_TEST(hosts_that_were_touched_are_rolled_back_alone_each_to_its_own)
{
	OPEN(w, NULL);
	enrol_three(w);
	is_live_on_three(w, COMMIT_A);
	begins(w, COMMIT_B);
	waves_say(w, "h1 began, h2 began, h1 ok, h2 failed: no space left");
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\nh2:22\n");
	waves_say(w, "h1 began, h2 began, h1 ok, h2 ok");
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
}

AGENT_TEST(a_stopped_one_is_rolled_back_as_without_waves)
{
	OPEN(w, NULL);
	enrol_three(w);
	is_live_on_three(w, COMMIT_A);
	begins(w, COMMIT_B);
	waves_say(w, "h1 began");
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	assert_int_equal(world_state(w), DEPLOY_STOPPING);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLING_BACK);
	waves_ordered(w, "", "= " COMMIT_A "\nh1:22\n");
}

AGENT_TEST(a_persons_rollback_is_for_the_agents_that_run_something)
{
	OPEN(w, NULL);
	enrol_three(w);
	is_live_on_three(w, COMMIT_A);
	is_live_on_three(w, COMMIT_B);
	enrol(w, "h4"); /* has nothing to be rolled back */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging"), "Roll"));
	waves_ordered(w, "", "h1:22\nh2:22\nh3:22\n");
	waves_say(w, "h1 began, h2 began, h1 ok, h2 ok, h3 failed: unreachable");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
	waves_is(w, 3, HOST_IS_FAILED, COMMIT_B);
}

/* Regression: it was said to run what is live, and left out of `failed` and of rollbacks. */
AGENT_TEST(what_runs_on_a_machine_that_an_agent_moved_to_is_not_known)
{
	OPEN(w, "STAGING_IMAGE_SOURCE=registry", NULL);
	enrol_three(w);
	begins(w, COMMIT_A);
	waves_say(w, "h1 began, h2 began, h3 began, h1 ok, h2 ok, h3 ok");
	(void)world_run_starts(w);
	world_run_ships(w, 0, "release", IMAGE);
	world_run_ends(w, GOOD);
	w->aid.at += 60000;
	move(w, "h2");
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
	waves_is(w, 2, HOST_IS_UNKNOWN, "");
	world_asks(w, WORLD_ADMIN, "/deploy staging failed", COMMIT_A);
	yes(w, "\n1 host: h2");
	waves_ordered(w, "1/1", "h2:22\n");
	waves_say(w, "h2 began, h2 ok");
	world_run_releases(w, GOOD);
	waves_is(w, 2, HOST_IS_CURRENT, COMMIT_A);
	is_live_on_three(w, COMMIT_B);
	w->aid.at += 60000;
	move(w, "h3"); /* a person's rollback goes there, too */
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging"), "Roll"));
	waves_ordered(w, "", "h1:22\nh2:22\nh3:22\n");
}

/* As many as may fail may not have been changed behind our back, nor in a single wave. */
AGENT_TEST(who_does_not_run_what_was_released_there_pauses_one_wave_too_and_it_may_be_left)
{
	OPEN(w, "STAGING_FAILURES_MAX=2", NULL);
	enrol_three(w);
	is_live_on_three(w, COMMIT_A);
	begins(w, COMMIT_B);
	waves_ordered(w, "1/1", "= " COMMIT_A "\nh1:22\nh2:22\nh3:22\n");
	waves_say(w, "h2 unknown: it runs " COMMIT_C);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .exit_status = 70 });
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	assert_non_null(world_says(w, "hosts differ: 1 of wave 1 of 1 does not run"));
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says_in(w, WORLD_GROUP, "Paused: "), "Leave it"));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
	waves_is(w, 1, HOST_IS_CURRENT, COMMIT_A);
	waves_is(w, 2, HOST_IS_UNKNOWN, COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_C);
	yes(w, "Deploy to staging");
	waves_ordered(w, "1/1", "h2:22\n= " COMMIT_A "\nh1:22\nh3:22\n");
}

AGENT_TEST(who_is_revoked_while_it_is_paused_is_gone_on_without)
{
	OPEN(w, "STAGING_WAVES=1, 100%", NULL);
	enrol_three(w);
	begins(w, COMMIT_A);
	waves_say(w, "h1 began, h1 ok");
	world_run_releases(w, GOOD);
	waves_say(w, "h2 began, h2 ok");
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_PAUSED);
	revoke(w, "h3");
	(void)world_text(w, WORLD_ADMIN, "/resume staging");
	waves_ordered(
	    w, "2/2", "= " COMMIT_A "\nh2:22\n"); /* its health check is still to be done */
	waves_say(w, "h2 began, h2 ok");
	world_run_releases(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_non_null(world_says(w, "live on 2 of 3 hosts"));
	assert_non_null(world_says(w, "h3: unknown"));
}

/* --- what they claim --- */

struct named {
	char name[LIMIT_RESOURCE];
};
TX_READER(read_named, struct named, TX_TEXT(name))

static void
read_resources(struct tx *tx, void *arg)
{
	struct named rows[8];
	size_t n = tx_read_sql(tx, read_named, rows, sizeof(*rows), COUNT(rows),
	    &(struct db_sql){ "SELECT name FROM resource WHERE environment = 'staging'"
			      " ORDER BY name",
		NULL, 0 });
	char *text = arg;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		(void)snprintf(text + strlen(text), 400 - strlen(text), "%s ", rows[i].name);
}

AGENT_TEST(what_they_claim_follows_who_is_enrolled)
{
	char text[400];

	OPEN(w, NULL);
	enrol(w, "h1");
	enrol(w, "h2");
	world_act(w, read_resources, text);
	assert_string_equal(text, "host:h1:22/srv/app host:h2:22/srv/app ");
	revoke(w, "h1");
	world_act(w, read_resources, text);
	assert_string_equal(text, "host:h2:22/srv/app ");
}
