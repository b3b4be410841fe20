/* Goal: what an application logged reaches who may read it, and no group that is not meant to.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "people_aid.h"

#include "lib/text.h"
#include "store/row_effect.h"

#define IN_CHAT "FAILURE_LOG_IN_CHAT=true"
#define READER	44 /* may see, and read no logs */
#define LOGGED	"GET /orders of Mina\nno database: bye"

static void
nothing(UNUSED struct tx *tx, UNUSED void *arg)
{
}

static void
target_says(struct world *w, bool is_read, const char *text)
{
	struct effect *effect = world_take(w, EFFECT_APPLICATION_LOG);

	assert_non_null(effect);
	effect->result->u.application_log_read.is_read = is_read;
	(void)text_copy(effect->result->u.application_log_read.text, LIMIT_LOG_ANSWER, text);
	(void)store_aid_report(&w->aid, effect);
	world_act(w, nothing, NULL);
}

/* B is unhealthy over A; its rollback has taken what B logged. */
static void
rolled_back(struct world *w, int64_t chat)
{
	struct run_ended back = GOOD;

	(void)text_copy(back.application_log, sizeof(back.application_log), LOGGED);
	world_deploy_goes_live(w, COMMIT_A);
	world_asks_in(w, WORLD_ADMIN, chat, "/deploy staging", COMMIT_B);
	(void)world_run_starts(w);
	world_run_is_probed(w, "HTTP 500");
	world_run_ends(w, back);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
}

/* --- below a failure --- */

TEST(a_failure_has_it_in_private_alone)
{
	struct world w;

	for (int is_private = 0; is_private < 2; is_private++) {
		int64_t chat = is_private ? WORLD_ADMIN : WORLD_GROUP;

		world_open(&w, STAGING_URL, NULL);
		rolled_back(&w, chat);
		assert_int_equal(world_says_in(&w, chat, "no database: bye") != NULL, is_private);
		assert_null(world_says_in(&w, WORLD_TEAM, "Mina"));
		assert_null(world_says_in(&w, WORLD_TEAM, "bye"));
		assert_non_null(world_says_in(&w, chat, "Rolled back: staging"));
		world_close(&w);
	}
}

TEST(its_own_chat_has_it_where_the_settings_say_so)
{
	struct world w;

	world_open(&w, STAGING_URL, "STAGING_" IN_CHAT, NULL);
	rolled_back(&w, WORLD_GROUP);
	assert_non_null(world_says_in(&w, WORLD_TEAM, "the application logged:\n" LOGGED));
	assert_null(world_says_in(&w, WORLD_GROUP, "bye")); /* another group */
	world_close(&w);
	world_open(&w, STAGING_URL, "PRODUCTION_" IN_CHAT, NULL);
	rolled_back(&w, WORLD_GROUP);
	assert_null(world_says_in(&w, WORLD_TEAM, "bye"));
	world_close(&w);
}

TEST(so_many_lines_as_the_settings_say)
{
	struct world w;

	world_open(&w, STAGING_URL, "FAILURE_LOG_LINES=1", NULL);
	rolled_back(&w, WORLD_ADMIN);
	assert_non_null(
	    world_says_in(&w, WORLD_ADMIN, "the application logged:\nno database: bye"));
	world_close(&w);
	world_open(&w, STAGING_URL, "FAILURE_LOG_LINES=1", "STAGING_FAILURE_LOG_LINES=0", NULL);
	rolled_back(&w, WORLD_ADMIN);
	assert_null(world_says_in(&w, WORLD_ADMIN, "bye"));
	world_close(&w);
}

WORLD_TEST_OF(the_button_sends_it_in_private_to_who_may_read_logs, STAGING_URL, "ALLOWED_USERS=44")
{
	struct world_message *message;
	const char *button;

	rolled_back(w, WORLD_GROUP);
	message = world_says_in(w, WORLD_TEAM, "Rolled back: staging");
	assert_non_null(message);
	button = world_button(message, "📄 Application log");
	assert_string_not_equal(button, "");
	(void)world_press(w, READER, WORLD_TEAM, button);
	assert_null(world_says_in(w, READER, "bye"));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, button);
	assert_non_null(
	    world_says_in(w, WORLD_STAGING_USER, "before it was rolled back:\n" LOGGED));
	assert_null(world_says_in(w, WORLD_TEAM, "bye"));
	assert_string_equal(
	    w->toast, "Sent to you in private. If nothing comes, write /start to me there first.");
}

/* Its rollback's log has all of it. */
TEST(a_log_with_it_goes_to_who_asked_for_it_in_private)
{
	struct effect *document;
	struct world w;

	for (int in_chat = 0; in_chat < 2; in_chat++) {
		world_open(&w, STAGING_URL, in_chat ? IN_CHAT : NULL, NULL);
		rolled_back(&w, WORLD_GROUP);
		(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM,
		    world_button(
			world_says_in(&w, WORLD_TEAM, "Rolled back: staging"), "📄 Rollback log"));
		document = world_peek(&w, EFFECT_DOCUMENT);
		assert_non_null(document);
		assert_int_equal(
		    document->u.document.address.chat, in_chat ? WORLD_TEAM : WORLD_ADMIN);
		world_close(&w);
	}
}

WORLD_TEST_OF(where_nothing_was_rolled_back_the_button_asks_the_target, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_releases(w, GOOD);
	world_probed(w, "HTTP 500");
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, "staging"), "📄 Application log"));
	assert_int_equal(
	    world_peek(w, EFFECT_APPLICATION_LOG)->u.application_log.address.chat, WORLD_ADMIN);
	target_says(w, true, LOGGED);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "Last log lines: staging:\n" LOGGED));
}

WORLD_TEST_OF(behind_a_rollback_that_failed_the_button_asks_the_target, STAGING_URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, "may be DOWN"), "📄 Application log"));
	assert_int_equal(
	    world_peek(w, EFFECT_APPLICATION_LOG)->u.application_log.address.chat, WORLD_ADMIN);
}

/* The message said that its last lines are not for everybody, and the button below sent them. */
WORLD_TEST(the_log_of_a_failure_behind_the_release_goes_to_who_asked_in_private)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_releases(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, "may be DOWN"), "📄 Log"));
	assert_int_equal(world_peek(w, EFFECT_DOCUMENT)->u.document.address.chat, WORLD_ADMIN);
}

/* Regression: with bluegreen a release is started before anything is changed, and what it said as
 * it failed stood in a group. */
TEST(what_a_start_that_failed_has_logged_is_in_private_too)
{
	struct world w;

	for (int is_marked = 0; is_marked < 2; is_marked++) {
		struct run_ended failed = { .gate_opened = true, .exit_status = 70 };

		/* Else it stands further back than what is read of the log. */
		if (is_marked)
			(void)text_copy(
			    failed.application_log, sizeof(failed.application_log), LOGGED);
		world_open(&w, STAGING_URL, NULL);
		world_deploy_starts(&w, COMMIT_A);
		world_run_step(&w, 0, "start");
		world_run_ends(&w, failed);
		assert_int_equal(world_state(&w), DEPLOY_FAILED);
		assert_null(world_says_in(&w, WORLD_TEAM, "bye"));
		(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM,
		    world_button(world_says_in(&w, WORLD_TEAM, "staging"), "📄 Log"));
		assert_int_equal(
		    world_peek(&w, EFFECT_DOCUMENT)->u.document.address.chat, WORLD_ADMIN);
		if (is_marked) {
			(void)world_press(&w, WORLD_ADMIN, WORLD_TEAM,
			    world_button(
				world_says_in(&w, WORLD_TEAM, "staging"), "📄 Application log"));
			assert_non_null(world_says_in(&w, WORLD_ADMIN, "as it failed:\n" LOGGED));
		}
		world_close(&w);
	}
}

/* Of what came up nothing is shown. */
WORLD_TEST_OF(the_log_of_a_live_release_comes_where_it_was_asked_for, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	world_run_step(w, 0, "start");
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM,
	    world_button(world_says_in(w, WORLD_TEAM, "Live"), "📄 Log"));
	assert_int_equal(world_peek(w, EFFECT_DOCUMENT)->u.document.address.chat, WORLD_TEAM);
}

/* --- /logs --- */

WORLD_TEST_OF(logs_asks_the_target_and_says_what_it_says, STAGING_URL)
{
	struct effect_application_log *want;

	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/logs staging 7");
	want = &world_peek(w, EFFECT_APPLICATION_LOG)->u.application_log;
	assert_string_equal(want->environment, "staging");
	assert_int_equal(want->lines, 7);
	target_says(w, true, "a <b>\n\xf0\x9f\x91\xbb");
	assert_non_null(world_says_in(
	    w, WORLD_STAGING_USER, "Last log lines: staging:\na <b>\n\xf0\x9f\x91\xbb"));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/logs staging");
	assert_int_equal(world_peek(w, EFFECT_APPLICATION_LOG)->u.application_log.lines, 20);
	target_says(w, false, "h1: no container of app is there");
	assert_non_null(world_says_in(
	    w, WORLD_STAGING_USER, "No log: staging: h1: no container of app is there"));
}

/* Over /v1 the loop asks the target before it answers, for who may read it and nobody else. */
WORLD_TEST_OF(over_v1_the_same_is_answered, "ALLOWED_USERS=44", PEOPLE_MANY)
{
	struct answer answer;

	answer = people_command(w, WORLD_ADMIN, "logs", "{\"arguments\": [\"staging\", \"7\"]}");
	assert_int_equal(answer.status, 200);
	assert_string_equal(answer.log_of, "staging");
	assert_int_equal(answer.log_lines, 7);
	assert_null(world_peek(w, EFFECT_APPLICATION_LOG)); /* no chat waits for it */
	answer = people_command(w, WORLD_ADMIN, "logs", "{\"arguments\": [\"staging\", \"500\"]}");
	assert_int_equal(answer.status, 409);
	assert_string_equal(answer.log_of, "");
	answer = people_command(w, READER, "logs", "{\"arguments\": [\"staging\"]}");
	assert_int_equal(answer.status, 403);
	assert_string_equal(answer.log_of, "");
}

WORLD_TEST_OF(an_odd_number_of_lines_and_who_may_not_are_refused, "ALLOWED_USERS=44")
{
	static const char *const odd[] = { "/logs staging 0", "/logs staging 101",
		"/logs staging -1", "/logs staging x", "/logs staging 1e1" };

	for (size_t i = 0; i < COUNT(odd); i++) {
		(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, odd[i]);
		assert_non_null(strstr(world_plain(world_last(w)),
		    "No log here: staging: how many lines? A number from 1 to 100."));
	}
	(void)world_text_in(w, READER, READER, "/logs staging");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/logs staging");
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/logs production");
	assert_null(world_peek(w, EFFECT_APPLICATION_LOG));
}

TEST(a_group_is_sent_nothing_but_where_to_ask)
{
	struct world w;

	world_open(&w, NULL);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_TEAM, "/logs staging");
	assert_null(world_peek(&w, EFFECT_APPLICATION_LOG));
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "No log here: staging: what its application logs is shown in private: write /logs staging to me there."));
	world_close(&w);
	world_open(&w, IN_CHAT, NULL);
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_GROUP, "/logs staging"); /* not its chat */
	assert_null(world_peek(&w, EFFECT_APPLICATION_LOG));
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_TEAM, "/logs staging");
	target_says(&w, true, LOGGED);
	assert_non_null(world_says_in(&w, WORLD_TEAM, LOGGED));
	world_close(&w);
}

WORLD_TEST_OF(who_may_no_more_when_it_comes_is_sent_nothing, IN_CHAT)
{
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/logs staging");
	world_settings(w, IN_CHAT, "STAGING_TELEGRAM_IDS=34", NULL);
	target_says(w, true, LOGGED);
	assert_null(world_says_in(w, WORLD_STAGING_USER, "bye"));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_TEAM, "/logs staging");
	world_settings(w, "FAILURE_LOG_IN_CHAT=false", NULL);
	target_says(w, true, LOGGED);
	assert_null(world_says_in(w, WORLD_TEAM, "bye"));
}
