/* Goal: over /v1 some work is shown as it stands, to each what they may see of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"
#include "bake_aid.h"

#include "lib/text.h"

/* Of a client and the environment where it lives each is shown what they see. */
WORLD_TEST_OF(what_somebody_does_not_see_of_a_work_is_not_named, ADA_IS, "LOCAL_GAMES_IS=role ops",
    STRANGER_IS, TEAM, "CLIENTS=acme", "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free",
    "CLIENT_ACME_ENVIRONMENT=production", "ROLE_OPS_IDS=77",
    "ROLE_OPS_MAY=do:client/acme,status:client/acme", "ROLE_DEV_IDS=99",
    "ROLE_DEV_MAY=status:production")
{
	assert_int_equal(api_aid_ask(w, ADA, API_COMMAND, "/v1/command/do",
			     "{\"arguments\": [\"disk-free\", \"acme\"]}"),
	    200);
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, "\"environment\":\"production\"");
	SAID(w, "\"client\":\"acme\"");
	SAID(w, "environment: production");
	SAID(w, "\"bound_to\":["); /* marks: who guesses a value would see that it is it */

	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, "\"environment\":\"client/acme\"");
	assert_false(api_aid_said(w, "production"));
	assert_false(api_aid_said(w, "bound_to"));

	assert_int_equal(api_aid_ask(w, STRANGER, API_WORK, "/v1/work/1", NULL), 404);
	assert_int_equal(api_aid_ask(w, STRANGER, API_STATUS, "/v1/status", NULL), 200);
	SAID(w, "disk-free");
	assert_false(api_aid_said(w, "acme"));
}

/* A terminal has no button behind which it stands. */
WORLD_TEST_OF(who_asks_for_an_approval_on_the_machine_reads_its_line, ADA_IS, TEAM, "CLIENTS=acme",
    "CLIENT_ACME_HOST=h", "CLIENT_ACME_ACTIONS=disk-free")
{
	assert_int_equal(api_aid_ask(w, ADA, API_COMMAND, "/v1/command/request",
			     "{\"arguments\": [\"disk-free\", \"acme\"]}"),
	    200);
	SAID(w, "To be approved: client/acme");
	SAID(w, "APPROVE: disk-free acme nonce=");
}

/* --- what it waits for --- */

WORLD_TEST_BARE(what_keeps_new_work_back_is_shown)
{
	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADMIN, API_COMMAND, "/v1/command/lock",
			     "{\"arguments\": [\"staging\", \"2h\", \"an\", \"incident\"]}"),
	    200);
	assert_int_equal(api_aid_ask(w, STAGING, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(w,
	    "\"holds\":[{\"kind\":\"lock\",\"by\":\"www-data (from the machine)\",\"reason\":\"an incident\"");
	SAID(w, "\"until\":\"20");
}

/* What is missing is a number while it may still be given. */
WORLD_TEST_OF(approvals_of_some_work_are_shown, ADA_IS, TEAM, "PRODUCTION_APPROVALS=2",
    "PRODUCTION_CONFIRM=false", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	struct world_message *asked;

	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_PRODUCTION), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, "\"approved_by\":null,\"approvals_needed\":2,\"approvals_open\":2,");
	asked = world_says_in(w, WORLD_TEAM, "Awaiting approval");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(asked, "Approve"));
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, "\"approved_by\":\"@bob\",\"approvals_needed\":2,\"approvals_open\":1,");
	(void)world_text(w, 44, "/approve 1");
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w,
	    "\"approved_by\":\"@bob, @eve\",\"approvals_needed\":null,\"approvals_open\":null,"
	    "\"emergency\":null,\"reviewed_by\":null,");
}

WORLD_TEST_OF(an_emergency_is_asked_for_and_reviewed, ADA_IS, ADMIN_IS, STAGING_IS,
    "LOCAL_MAN_IS=22", TEAM, "PRODUCTION_APPROVALS=2", "PRODUCTION_CONFIRM=false")
{
	assert_int_equal(api_aid_ask(w, STAGING, DEPLOY,
			     "{\"arguments\": [\"production\", \"emergency\", \"down\"]}"),
	    403);
	assert_int_equal(
	    api_aid_ask(w, ADA, DEPLOY, "{\"arguments\": [\"production\", \"emergency\"]}"), 409);
	SAID(w, "say why, behind the word emergency");
	/* No freeze holds it either: a reason for that is none of it. */
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY,
			     "{\"arguments\": [\"production\", \"main\", \"emergency\", \"it\", "
			     "\"is\", \"down\"], \"reason\": \"now\"}"),
	    200);
	world_git(w, (struct world_git){ .commit = COMMIT_A, .ref = "main" });
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(
	    api_aid_ask(w, ADA, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"),
	    403);
	SAID(w, "somebody else must review it");
	assert_int_equal(
	    api_aid_ask(w, ADMIN, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"),
	    403);
	SAID(w, "only a person counts");
	assert_int_equal(
	    api_aid_ask(w, 6, API_COMMAND, "/v1/command/review", "{\"arguments\": [\"1\"]}"), 200);
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w,
	    "\"approvals_needed\":null,\"approvals_open\":null,\"emergency\":\"it is down\","
	    "\"reviewed_by\":\"man (from the machine)\"");
}

/* --- how it stands --- */

WORLD_TEST_BARE(work_is_shown_as_it_stands)
{
	struct run_ended failed = FAILED_BEFORE_RELEASE;
	char path[64];

	failed.warnings = (struct run_warnings){ .said = 3, .lines = "0 replicas\nsays \"x\"" };
	api_aid_open(w);
	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_STAGING), 200);
	(void)snprintf(path, sizeof(path), "/v1/work/%" PRId64, api_aid_work(w));
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, path, NULL), 200);
	SAID(w, "\"warnings_said\":0,\"warnings\":[]");
	SAID(w, "\"state\":\"requested\",\"is_over\":false");
	SAID(w, "\"run\":null");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_run_starts(w), 200);
	world_run_step(w, 0, "build");
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, path, NULL), 200);
	SAID(w, "\"state\":\"running\"");
	SAID(w, "\"steps\":[{\"name\":\"build\"");
	world_run_ends(w, failed);
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, path, NULL), 200);
	SAID(w, "\"warnings_said\":3,\"warnings\":[\"0 replicas\",\"says \\\"x\\\"\"]");
	SAID(w, "\"state\":\"failed\",\"is_over\":true,\"is_good\":false");
	SAID(w, "no such file");
	assert_int_equal(api_aid_ask(w, STAGING, API_HISTORY, "/v1/history/staging", NULL), 200);
	SAID(w, "\"state\":\"failed\"");
	assert_int_equal(api_aid_ask(w, STAGING, API_QUEUE, "/v1/queue", NULL), 200);
	SAID(w, "\"environment\":\"staging\",\"in_progress\":null,\"questions\":[],\"queue\":[]");
}

WORLD_TEST_BARE(a_release_that_was_replaced_says_until_when_it_was_live)
{
	api_aid_open(w);
	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, "\"state\":\"live\"");
	SAID(w, "\"live_until\":null");
	world_deploy_goes_live(w, COMMIT_B);
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
	SAID(w, "\"live_until\":\"2026-");
	assert_int_equal(api_aid_ask(w, STAGING, API_HISTORY, "/v1/history/staging", NULL), 200);
	SAID(w, "\"live_until\":\"2026-");
	SAID(w, "\"live_until\":null");
}

WORLD_TEST_OF(a_run_is_read_by_who_may_read_logs, ADA_IS, "LOCAL_GAMES_IS=role watch",
    "ROLE_WATCH_IDS=77", "ROLE_WATCH_MAY=status:*/*", TEAM)
{
	char path[64], runs[64];
	int64_t run;

	assert_int_equal(api_aid_ask(w, ADA, DEPLOY, OF_STAGING), 200);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_int_equal(world_run_starts(w), 200);
	run = world_newest(w, "staging").run;
	(void)snprintf(path, sizeof(path), "/v1/work/%" PRId64, world_newest(w, "staging").id);
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, path, NULL), 200);
	(void)snprintf(
	    runs, sizeof(runs), "\"runs\":[{\"run\":%" PRId64 ",\"program\":\"deploy\"}]", run);
	SAID(w, runs);
	(void)snprintf(path, sizeof(path), "/v1/run/%" PRId64 "/0", run);
	assert_int_equal(api_aid_ask(w, STAGING, API_RUN, path, NULL), 403);
	assert_int_equal(api_aid_ask(w, ADA, API_RUN, path, NULL), 200);
	assert_int_equal(api_aid_ask(w, ADA, API_RUN, "/v1/run/999/0", NULL), 404);
}

#define WATCH_IS "LOCAL_GAMES_IS=role watch", "ROLE_WATCH_IDS=77"
#define LOGGED	 "customer bob@example.org: no funds"

/* A message may be one in private, or of a group that shows logs: what stands there is not what
 * everybody reads who sees the work. */
TEST(what_an_application_logged_is_no_part_of_a_message_without_the_grant)
{
	static const int64_t chats[] = { WORLD_ADMIN, WORLD_TEAM };
	struct run_ended back = GOOD;
	struct world w;

	(void)text_copy(back.application_log, sizeof(back.application_log), LOGGED);
	for (size_t i = 0; i < COUNT(chats); i++) {
		world_open(&w, ADA_IS, WATCH_IS, "ROLE_WATCH_MAY=status:*/*", TEAM, STAGING_URL,
		    "FAILURE_LOG_IN_CHAT=true", NULL);
		world_deploy_goes_live(&w, COMMIT_A);
		(void)world_text_in(&w, WORLD_ADMIN, chats[i], "/deploy staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_B });
		(void)world_run_starts(&w);
		world_run_is_probed(&w, "HTTP 500");
		world_run_ends(&w, back);
		world_probed(&w, NULL);
		assert_non_null(world_says_in(&w, chats[i], LOGGED));
		assert_int_equal(api_aid_ask(&w, STAGING, API_WORK, "/v1/work/2", NULL), 200);
		assert_false(api_aid_said(&w, LOGGED));
		SAID(&w, "Rolled back: staging from");
		SAID(&w, "the application logged: only the grant log shows it\\n");
		assert_int_equal(api_aid_ask(&w, ADA, API_WORK, "/v1/work/2", NULL), 200);
		SAID(&w, "the application logged:\\n" LOGGED);
		world_close(&w);
	}
}

/* Of the build everybody reads them who is shown the failure. */
TEST(last_lines_in_which_an_application_may_speak_need_the_grant_too)
{
	static const struct {
		bool released;
		bool is_shown;
	} cases[] = { { true, false }, { false, true } };
	struct world w;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct run_ended failed = { .gate_opened = true, .exit_status = 1 };

		failed.released = cases[i].released;
		(void)text_copy(failed.tail, sizeof(failed.tail), LOGGED "\nstopped");
		world_open(&w, ADA_IS, WATCH_IS, "ROLE_WATCH_MAY=status:*/*", TEAM, NULL);
		(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_A });
		(void)world_run_starts(&w);
		world_run_ends(&w, failed);
		assert_non_null(world_says_in(&w, WORLD_ADMIN, LOGGED));
		assert_int_equal(api_aid_ask(&w, STAGING, API_WORK, "/v1/work/1", NULL), 200);
		assert_int_equal(api_aid_said(&w, LOGGED), cases[i].is_shown);
		assert_int_equal(api_aid_said(&w, "customers' data: only the grant log shows them"),
		    !cases[i].is_shown);
		assert_int_equal(api_aid_ask(&w, ADA, API_WORK, "/v1/work/1", NULL), 200);
		SAID(&w, LOGGED);
		world_close(&w);
	}
}

/* Who asked sees both environments; who reads it, production alone.  Whom nothing is hidden from
 * reads what git said, too. */
WORLD_TEST_OF(what_a_question_says_of_another_environment_is_for_who_sees_that, ADA_IS, ADMIN_IS,
    WATCH_IS, "ROLE_WATCH_MAY=status:production", TEAM)
{
	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_TEAM, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .count = 1 });
	assert_int_equal(api_aid_ask(w, ADMIN, API_WORK, "/v1/work/2", NULL), 200);
	SAID(w, "ran on staging");
	SAID(w, "Change 1");
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, "/v1/work/2", NULL), 200);
	SAID(w, "Deploy to production?");
	assert_false(api_aid_said(w, "staging"));
}

/* Who asked sees what it is queued behind; who reads it, its own client alone. */
WORLD_TEST_OF(what_a_queued_work_is_behind_is_for_who_sees_that, ADA_IS, WATCH_IS,
    "ROLE_WATCH_MAY=status:client/beta", TEAM, "CLIENTS=acme,beta", "CLIENT_ACME_HOST=h",
    "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_BETA_HOST=h", "CLIENT_BETA_ACTIONS=disk-free")
{
	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	(void)world_text(w, WORLD_ADMIN, "/do disk-free beta");
	assert_int_equal(api_aid_ask(w, ADA, API_WORK, "/v1/work/2", NULL), 200);
	SAID(w, "of client/acme, which holds host:h");
	assert_int_equal(api_aid_ask(w, STAGING, API_WORK, "/v1/work/2", NULL), 200);
	SAID(w, "waits for other work");
	assert_false(api_aid_said(w, "acme"));
}

#define EIGHT(name) \
	name "_HEALTH_URL=http://a/1,http://a/2,http://a/3,http://a/4,http://a/5,http://a/6," \
	     "http://a/7,http://a/8"

/* Nine of eight URLs each: those at the front, whole. */
WORLD_TEST_OF(health_is_asked_of_64_urls_at_most, ADA_IS, STRANGER_IS, TEAM,
    "ENVIRONMENTS=staging,production,a1,a2,a3,a4,a5,a6,a7,a8", EIGHT("A1"), EIGHT("A2"),
    EIGHT("A3"), EIGHT("A4"), EIGHT("A5"), EIGHT("A6"), EIGHT("A7"), EIGHT("A8"), EIGHT("STAGING"))
{
	struct answer answer;

	answer = api_aid_answer(w, api_aid_peer(ADA, NULL), API_STATUS, "/v1/status", NULL);
	assert_int_equal(answer.n_targets, PROBE_LOOK_TARGETS);
	SAID(w, "\"environment\":\"staging\",\"health_urls\":8");
	SAID(w, "\"environment\":\"production\",\"health_urls\":0");
	answer = api_aid_answer(w, api_aid_peer(ADA, NULL), API_STATUS, "/v1/status/a8", NULL);
	assert_int_equal(answer.n_targets, LIMIT_URLS);
	answer = api_aid_answer(w, api_aid_peer(STRANGER, NULL), API_STATUS, "/v1/status/a8", NULL);
	assert_int_equal(answer.n_targets, 0);
}

/* What /rollback would go to; what was rolled back is none of it. */
WORLD_TEST_OF(where_a_rollback_goes_is_said_and_that_it_goes_nowhere, ADA_IS, TEAM)
{
	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(api_aid_ask(w, ADA, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(w, "\"previous\":null,\"earlier\":null");
	world_deploy_goes_live(w, COMMIT_B);
	assert_int_equal(api_aid_ask(w, ADA, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(w, "\"earlier\":{\"number\":1,\"commit\":\"" COMMIT_A);
	world_rolls_back(w, "/rollback staging");
	assert_int_equal(api_aid_ask(w, ADA, API_STATUS, "/v1/status/staging", NULL), 200);
	SAID(w, "\"release\":{\"number\":3,\"commit\":\"" COMMIT_A);
	SAID(w, "\"earlier\":null");
}

/* What bakes goes back to what runs beside it; the first release there goes nowhere. */
WORLD_TEST_OF(what_bakes_can_be_rolled_back_where_something_ran_before, ADA_IS, TEAM, BAKES)
{
	static const char *const earlier[] = { "\"earlier\":null", "\"earlier\":{\"number\":1," };
	static const char *const can[] = { "\"can_roll_back\":false", "\"can_roll_back\":true" };

	for (size_t i = 0; i < COUNT(can); i++) {
		world_asks(w, WORLD_ADMIN, "/deploy staging", i == 0 ? COMMIT_A : COMMIT_B);
		world_run_releases(w, GOOD);
		assert_int_equal(world_state(w), DEPLOY_BAKING);
		assert_int_equal(api_aid_ask(w, ADA, API_STATUS, "/v1/status/staging", NULL), 200);
		SAID(w, earlier[i]);
		SAID(w, can[i]);
		while (world_state(w) == DEPLOY_BAKING)
			world_due(w, TIMER_BAKE);
	}
}
