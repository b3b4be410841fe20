/* Goal: what an environment's remote runner is to do waits for it, goes to it, and to no other.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "agent_aid.h"
#include "decide_aid.h"
#include "decide_aid_inside.h"
#include "lib/text.h"
#include "link_aid.h"
#include "store/row_run.h"
#include "store/store_inside.h"
#include "token_aid.h"

#define REMOTE_TEST(name) WORLD_TEST_BETWEEN(name, agent_aid_set_up, agent_aid_tear_down)

#define KEY		 "222222222222222222222222222222222222222222222222222222222222222"
#define ENROL(name, end) "{\"name\": \"" name "\", \"key\": \"" KEY end "\"}"

#define DRAINS ((struct run_ended){ .gate_opened = true, .released = true, .drains = true })

static void
open_remote(struct world *w, const char *runner)
{
	world_open(
	    w, LINK_AID_LINES(&agent_aid_authority), "RUNNERS=build-1, build-2", runner, NULL);
	world_restart(w);
}

static void
runner_is(struct world *w, enum event_kind kind, const char *name, int64_t highest)
{
	struct event *event = store_aid_event(&w->aid, kind);

	(void)text_copy(event->u.runner.name, sizeof(event->u.runner.name), name);
	event->u.runner.highest_run = highest;
	(void)world_decide(w, event);
}

static const char *
runner_of_order(struct world *w)
{
	return world_peek(w, EFFECT_RUN)->u.run.runner;
}

REMOTE_TEST(a_run_goes_to_the_runner_of_its_environment_when_it_has_said_hello)
{
	open_remote(w, "STAGING_RUNNER=build-1");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "waits: its runner build-1 is disconnected since "));
	world_answers(w, WORLD_ADMIN, "/queue staging", "waits for the runner build-1");
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_WORK, "/v1/work/1", NULL), 200);
	assert_non_null(strstr(w->aid.said, "\"note\":\"its runner build-1 is disconnected\""));
	runner_is(w, EVENT_RUNNER_HELLO, "build-2", 0);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 41);
	assert_string_equal(runner_of_order(w), "build-1");
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.run, 42);
	(void)world_run_starts(w);
	world_run_ends(w, DRAINS);
	assert_string_equal(runner_of_order(w), "build-1");
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.program, PROGRAM_DRAIN);
	world_answers(w, WORLD_ADMIN, "/show 1", "deploy script on build-1: started ");
}

REMOTE_TEST(another_environment_waits_for_no_remote_runner)
{
	open_remote(w, "PRODUCTION_RUNNER=build-1");
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_string_equal(runner_of_order(w), RUNNER_LOCAL);
}

/* Of two applications, of which one has an environment there. */
static void
open_shops(struct world *w)
{
	char apps[128];

	open_remote(w, "STAGING_RUNNER=local");
	world_application(w, "shop", "STAGING_RUNNER=build-1\n");
	world_application(w, "cider", "");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, LINK_AID_LINES(&agent_aid_authority), "RUNNERS=build-1, build-2", apps,
	    "GITHUB_REPOSITORY=", NULL);
}

REMOTE_TEST(a_runner_with_other_settings_is_named_with_what_differs)
{
	const char *same;

	open_shops(w);
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	same = w->settings;
	w->settings = "GITHUB_REPOSITORY=1111111111111111";
	world_asks(w, WORLD_ADMIN, "/deploy shop/staging", COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says(w, "build-1 has other settings (GITHUB_REPOSITORY, "));
	w->settings = same;
	world_due(w, TIMER_CHANGED);
	assert_string_equal(runner_of_order(w), "build-1");
}

REMOTE_TEST(a_question_says_that_its_runner_is_not_connected)
{
	open_remote(w, "PRODUCTION_RUNNER=build-1");
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_RUNNER, "/v1/runner/enrol", ENROL("build-1", "1")),
	    200);
	agent_aid_sees(w, PEER_RUNNER "build-1",
	    (struct agent_seen){ .state = AGENT_GONE, .gone_at = w->aid.at });
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	assert_non_null(world_says(w, "\n⚠️ runner build-1: disconnected since 00:00\n"));
	agent_aid_sees(w, PEER_RUNNER "build-1", (struct agent_seen){ .state = AGENT_CONNECTED });
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_B);
	assert_non_null(strstr(world_plain(world_last(w)), "Deploy to production?"));
	assert_null(strstr(world_plain(world_last(w)), "build-1"));
}

#define GONE "its runner build-1 is disconnected since "

static size_t
count_gone(struct world *w, const char *text)
{
	size_t n = 0;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, text);
	for (const char *at = world_plain(world_last(w)); (at = strstr(at, GONE)) != NULL; at++)
		n++;
	return n;
}

REMOTE_TEST(status_names_the_runner_of_an_environment_that_is_disconnected)
{
	open_shops(w);
	world_released(w, NULL);
	assert_int_equal(count_gone(w, "/status"), 1);
	assert_non_null(strstr(world_plain(world_last(w)), "; " GONE));
	assert_int_equal(count_gone(w, "/status shop"), 1);
	assert_int_equal(count_gone(w, "/status cider"), 0);
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_STATUS, "/v1/status/shop/staging", NULL), 200);
	assert_non_null(
	    strstr(w->aid.said, "\"runner\":\"build-1\",\"runner_disconnected_since\":\"20"));
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	assert_int_equal(count_gone(w, "/status") + count_gone(w, "/status shop"), 0);
}

REMOTE_TEST(a_runner_whose_folders_are_of_no_run_of_here_is_ordered_nothing)
{
	open_remote(w, "STAGING_RUNNER=build-1");
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 3);
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", INT64_MAX);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 7);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.run, 8);
}

/* Each hello may skip some; together they come no further than a restore does. */
REMOTE_TEST(hellos_use_up_no_numbers_of_runs)
{
	int64_t now_s;

	open_remote(w, "STAGING_RUNNER=build-1");
	now_s = w->aid.at / 1000;
	w->aid.store->mark.ids.last[STORE_ID_RUN] = now_s;
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", now_s + ROW_RUN_FAR);
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", now_s + 2 * ROW_RUN_FAR);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_QUEUED);
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", now_s);
	assert_int_equal(world_peek(w, EFFECT_RUN)->u.run.run, now_s + ROW_RUN_FAR + 1);
}

REMOTE_TEST(an_open_run_is_its_runners_whatever_the_settings_say_now)
{
	open_remote(w, "STAGING_RUNNER=build-1");
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	world_settings(w, LINK_AID_LINES(&agent_aid_authority), NULL);
	world_restart(w);
	runner_is(w, EVENT_RUNNER_GONE, "build-1", 0);
	assert_non_null(world_says(w, "its runner build-1 is disconnected since "));
	assert_string_equal(runner_of_order(w), "build-1");
}

REMOTE_TEST(of_what_runs_at_a_runner_that_is_gone_each_look_says_so)
{
	open_remote(w, "STAGING_RUNNER=build-1");
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	runner_is(w, EVENT_RUNNER_GONE, "build-1", 0);
	world_answers_last(
	    w, WORLD_ADMIN, "/queue staging", ", its runner build-1 is disconnected since ");
	world_answers(
	    w, WORLD_ADMIN, "/cancel staging", ", and gets it when it is back: /abandon 1");
	assert_non_null(
	    strstr(world_plain(world_last(w)), "; its runner build-1 is disconnected since "));
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .lost = true });
	assert_non_null(
	    world_says(w, "had started on the machine of the runner build-1 was ended"));
}

/* What git, or its settings, say there. */
static void
answer_git(struct world *w, int status, bool is_unreachable, const char *text)
{
	struct effect *effect = world_must_take(w, EFFECT_GIT_QUERY);
	struct git_answered *said = &effect->result->u.git_answered;

	said->exit_status = status;
	said->unreachable = is_unreachable;
	said->answer = strdup(text);
	world_report(w, effect);
}

REMOTE_TEST(what_hinders_at_a_runner_is_said_with_its_name)
{
	open_remote(w, "STAGING_RUNNER=build-1");
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	answer_git(w, 78, false, "error cannot open deploybot.conf: Permission denied\n");
	assert_non_null(world_says(w, "build-1: cannot open deploybot.conf: Permission denied"));
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	answer_git(w, 69, true, "the runner build-1 has been disconnected for 2 min");
	assert_null(world_says(w, "build-1: the runner"));
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	answer_git(w, 78, false, "error no URL of here\n");
	assert_null(world_says(w, "build-1: no URL"));
	assert_non_null(world_says(w, "no URL of here"));
}

REMOTE_TEST(who_revokes_a_runner_reads_what_goes_on_there)
{
	static const char revoke[] = "{\"name\": \"build-1\"}";

	open_remote(w, "STAGING_RUNNER=build-1");
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_RUNNER, "/v1/runner/enrol", ENROL("build-1", "1")),
	    200);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_RUNNER, "/v1/runner/revoke", revoke), 200);
	assert_non_null(strstr(w->aid.said,
	    " #1 goes on there and is not followed: deploybot abandon 1, or deploybot runner move build-1."));
	assert_int_equal(
	    token_aid_ask(w, WORLD_ADMIN, API_RUNNER, "/v1/runner/enrol", ENROL("build-2", "2")),
	    200);
	assert_int_equal(token_aid_ask(w, WORLD_ADMIN, API_RUNNER, "/v1/runner/revoke",
			     "{\"name\": \"build-2\"}"),
	    200);
	assert_null(strstr(w->aid.said, "goes on there"));
}

static void
press_log(struct world *w)
{
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_says_in(w, WORLD_GROUP, "❌"), "Log"));
}

REMOTE_TEST(what_a_remote_runner_did_not_begin_is_not_begun_again_and_its_log_is_asked_of_it)
{
	open_remote(w, "STAGING_RUNNER=build-1");
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	world_run_ends(w, (struct run_ended){ .exit_status = -1, .detail = "its server was lost" });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	runner_is(w, EVENT_RUNNER_GONE, "build-1", 0);
	press_log(w);
	assert_string_equal(w->toast,
	    "The log is at the runner build-1, disconnected: press again when it is back; there it is /var/lib/deploybot-remote-runner/runs/1/log");
	assert_null(world_peek(w, EFFECT_DOCUMENT));
	runner_is(w, EVENT_RUNNER_HELLO, "build-1", 0);
	press_log(w);
	assert_string_equal(world_peek(w, EFFECT_DOCUMENT)->u.document.runner, "build-1");
	assert_string_equal(agent_aid_log(w, API_LOG, "/v1/log/1/0").log_runner, "build-1");
	assert_string_equal(agent_aid_log(w, API_RUN, "/v1/run/1/0").log_runner, "build-1");
}
