/* test_telegram.c - the room's parts together: the bot knows itself, hears, speaks, and keeps messages moving. */
/* SPDX-License-Identifier: ISC */
#include "telegram/telegram.h"

#include <time.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "tests/unit/fake_telegram.h"
#include "types/settings.h"
#include "unit.h"

struct world {
	struct loop *loop;
	struct fake_telegram *fake;
	struct settings *settings;
	struct telegram *telegram;
	const char *tail, *gate;
	bool is_done;
	struct message_sent said;
};

static bool
is_there(UNUSED const struct settings *settings, const char *word, UNUSED enum policy_action action)
{
	return strcmp(word, "console") != 0;
}

static const struct telegram_menu_command commands[] = {
	{ "help", "What you may do", POLICY_GREET, is_there },
	{ "console", "The page", POLICY_GREET, is_there },
	{ "deploy", "Deploy", POLICY_DEPLOY, is_there },
	{ "rollback", "Go back", POLICY_ROLLBACK, is_there },
};

static bool
submit(UNUSED void *ctx, UNUSED struct event *event)
{
	return false;
}

static void
tail(void *ctx, int64_t run, struct buf *out)
{
	struct world *w = ctx;

	assert_int_equal(run, 3);
	buf_adds(out, w->tail);
}

static void
gate(void *ctx, int64_t run, struct buf *out)
{
	struct world *w = ctx;

	assert_int_equal(run, 3);
	buf_adds(out, w->gate);
}

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err err;

	log_set_level(LOG_LEVEL_ERROR);
	w->tail = "compiling";
	w->gate = "";
	w->loop = loop_new(&err);
	w->fake = fake_telegram_new(w->loop);
	w->settings = fake_telegram_settings(w->fake, NULL);
	const struct telegram_config config = {
		.loop = w->loop,
		.settings = w->settings,
		.submit = submit,
		.tail = tail,
		.gate = gate,
		.ctx = w,
		.commands = commands,
		.command_count = COUNT(commands),
	};

	w->telegram = telegram_new(&config, &err);
	assert_non_null(w->telegram);
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	telegram_free(w->telegram);
	settings_unref(w->settings);
	fake_telegram_free(w->fake);
	loop_free(w->loop);
	free(w);
	return 0;
}

#define SCENE_TEST(name) TEST_OF(name, struct world *w, set_up, tear_down)

static void
on_said(void *ctx, const struct message_sent *said)
{
	struct world *w = ctx;

	w->is_done = true;
	if (said != NULL)
		w->said = *said;
}

static struct message
deploying(void)
{
	return (struct message){ .id = 7,
		.address = { .chat = 4711 },
		.head = "deploying",
		.live_run = 3,
		.live_since = (int64_t)time(NULL) * 1000 - 75000,
		.live_estimate_ms = 150000 };
}

static void
say(struct world *w, struct message *message)
{
	w->is_done = false;
	telegram_message_send(telegram_sender(w->telegram), message, on_said, w);
	assert_true(fake_run_until(w->loop, &w->is_done, 4000));
}

SCENE_TEST(it_learns_its_own_name)
{
	int64_t ahead = 1000;
	/* Goal: until getMe has answered there is none; a failure is asked again. */

	fake_telegram_script(w->fake, "getMe", 502, "");
	fake_telegram_script(w->fake, "getMe", 200,
	    "{\"ok\":true,\"result\":{\"id\":1,\"is_bot\":true,\"username\":\"our_bot\",\"has_main_web_app\":true}}");
	assert_string_equal(telegram_main_app(w->telegram), "");
	assert_false(telegram_clock(w->telegram, &ahead));
	telegram_start(w->telegram);
	assert_true(fake_run_until_heard(w->loop, w->fake, "getMe", 2, 4000));
	fake_run_for(w->loop, 100);
	assert_string_equal(telegram_main_app(w->telegram), "our_bot");
	assert_true(telegram_clock(w->telegram, &ahead));
	assert_in_range(
	    ahead + INT64_C(1795219200), clock_wall_ms() / 1000 - 5, clock_wall_ms() / 1000);
}

SCENE_TEST(everybody_is_offered_what_they_may)
{
	/* Goal: one menu for each chat, the least for strangers. */
	static const char *const expected[] = {
		("{\"commands\":[{\"command\":\"help\",\"description\":\"What you may do\"}],"
		 "\"scope\":{\"type\":\"all_private_chats\"}}"),
		"\"rollback\",\"description\":\"Go "
		"back\"}],\"scope\":{\"type\":\"chat\",\"chat_id\":-1001}}",
		"\"rollback\",\"description\":\"Go "
		"back\"}],\"scope\":{\"type\":\"chat\",\"chat_id\":4711}}",
		"\"rollback\",\"description\":\"Go "
		"back\"}],\"scope\":{\"type\":\"chat\",\"chat_id\":4712}}",
		"\"deploy\",\"description\":\"Deploy\"}],\"scope\":{\"type\":\"chat\",\"chat_id\":"
		"4713}}",
	};

	fake_telegram_script(w->fake, "setMyCommands", 200, "{\"ok\":true,\"result\":true}");
	fake_telegram_script(w->fake, "setMyCommands", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: chat not found\"}");
	telegram_start(w->telegram);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setMyCommands", 5, 4000));
	fake_run_for(w->loop, 300);
	assert_int_equal(fake_telegram_count(w->fake, "setMyCommands"), 5);
	for (size_t i = 0; i < COUNT(expected); i++)
		assert_non_null(
		    strstr(fake_telegram_heard(w->fake, "setMyCommands", i)->body, expected[i]));
}

SCENE_TEST(the_menu_of_a_group_that_moved_goes_with_it)
{
	/* Goal: Telegram says the new id, once is enough. */

	fake_telegram_script(w->fake, "setMyCommands", 200, "{\"ok\":true,\"result\":true}");
	for (int i = 0; i < 2; i++)
		fake_telegram_script(w->fake, "setMyCommands", 400,
		    "{\"ok\":false,\"error_code\":400,\"description\":\"Bad Request: group chat was "
		    "upgraded to a supergroup chat\","
		    "\"parameters\":{\"migrate_to_chat_id\":-1007}}");
	telegram_start(w->telegram);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setMyCommands", 6, 4000));
	fake_run_for(w->loop, 300);
	assert_int_equal(fake_telegram_count(w->fake, "setMyCommands"), 6);
	assert_non_null(
	    strstr(fake_telegram_heard(w->fake, "setMyCommands", 2)->body, "\"chat_id\":-1007}}"));
	assert_non_null(
	    strstr(fake_telegram_heard(w->fake, "setMyCommands", 3)->body, "\"chat_id\":4711}}"));
}

SCENE_TEST(menus_set_anew_in_a_pause_are_asked_one_by_one)
{
	/* Goal: the pause of those before begins no second call, which ran past the list's end. */
	struct settings *polling = fake_telegram_settings(w->fake, NULL);

	polling->telegram_chat_id = -1002;
	for (int i = 0; i < 3; i++)
		fake_telegram_script(
		    w->fake, "setMyCommands", i < 2 ? 200 : 0, "{\"ok\":true,\"result\":true}");
	telegram_start(w->telegram);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setMyCommands", 2, 4000));
	fake_run_for(w->loop, 50);			/* its answer came; the next waits */
	telegram_change_settings(w->telegram, polling); /* the third, which takes long */
	fake_run_for(w->loop, 500);
	assert_int_equal(fake_telegram_count(w->fake, "setMyCommands"), 3);
	settings_unref(polling);
}

SCENE_TEST(a_menu_of_whom_the_settings_no_longer_name_is_deleted_once)
{
	/* Goal: Telegram keeps a menu for ever, and a narrower scope hides the others. */
	struct settings *polling = fake_telegram_settings(w->fake, NULL);

	polling->telegram_chat_id = -1002;
	for (int i = 0; i < 15; i++)
		fake_telegram_script(
		    w->fake, "setMyCommands", 200, "{\"ok\":true,\"result\":true}");
	for (int i = 0; i < 2; i++)
		fake_telegram_script(
		    w->fake, "deleteMyCommands", 200, "{\"ok\":true,\"result\":true}");
	telegram_start(w->telegram);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setMyCommands", 5, 4000));
	fake_run_for(w->loop, 300);
	telegram_change_settings(w->telegram, polling);
	assert_true(fake_run_until_heard(w->loop, w->fake, "deleteMyCommands", 1, 4000));
	assert_string_equal(fake_telegram_heard(w->fake, "deleteMyCommands", 0)->body,
	    "{\"scope\":{\"type\":\"chat\",\"chat_id\":-1001}}");
	fake_run_for(w->loop, 300);
	telegram_change_settings(w->telegram, polling);
	fake_run_for(w->loop, 1500);
	assert_int_equal(fake_telegram_count(w->fake, "deleteMyCommands"), 1);
	settings_unref(polling);
}

SCENE_TEST(a_menu_waits_as_long_as_telegram_says)
{
	/* Goal: retry_after holds for what is decoration too. */

	fake_telegram_script(w->fake, "setMyCommands", 429,
	    "{\"ok\":false,\"error_code\":429,"
	    "\"description\":\"Too Many Requests\",\"parameters\":{\"retry_after\":3}}");
	telegram_start(w->telegram);
	assert_true(fake_run_until_heard(w->loop, w->fake, "setMyCommands", 2, 5000));
	assert_true(fake_telegram_heard(w->fake, "setMyCommands", 1)->at -
		fake_telegram_heard(w->fake, "setMyCommands", 0)->at >=
	    2900);
}

SCENE_TEST(a_message_about_a_run_moves_until_its_last_word)
{
	/* Goal: output and time are edited in; after the final text nothing touches it. */
	struct message message = deploying();

	say(w, &message);
	const char *first = fake_telegram_heard(w->fake, "sendMessage", 0)->body;

	assert_non_null(strstr(first,
	    "deploying\\n<pre>compiling</"
	    "pre>\\n\\u2593\\u2593\\u2593\\u2593\\u2593\\u2591\\u2591\\u2591"
	    "\\u2591\\u2591 1 min 1")); /* 15 s: a slow machine may say 16 */
	assert_non_null(strstr(first, " s of about 2 min 30 s"));
	w->tail = "linking\x02 <fast>";
	assert_true(fake_run_until_heard(w->loop, w->fake, "editMessageText", 1, 4000));
	const struct fake_heard *edit = fake_telegram_heard(w->fake, "editMessageText", 0);

	assert_non_null(strstr(edit->body, "\"message_id\":101"));
	assert_non_null(strstr(edit->body, "<pre>linking &lt;fast&gt;</pre>"));
	assert_true(edit->at - fake_telegram_heard(w->fake, "sendMessage", 0)->at >= 2000);

	message.remote_id = w->said.remote_id;
	message.live_run = 0;
	message.head = "live";
	say(w, &message);
	size_t edits = fake_telegram_count(w->fake, "editMessageText");

	w->tail = "more";
	fake_run_for(w->loop, 3000);
	assert_int_equal(fake_telegram_count(w->fake, "editMessageText"), edits);
	assert_non_null(strstr(
	    fake_telegram_heard(w->fake, "editMessageText", edits - 1)->body, "\"text\":\"live\""));
}

SCENE_TEST(without_news_it_rests)
{
	/* Goal: a clock alone is not worth an edit every two seconds. */
	struct message message = deploying();

	say(w, &message);
	fake_run_for(w->loop, 7000);
	assert_int_equal(fake_telegram_count(w->fake, "editMessageText"), 1);
}

SCENE_TEST(a_health_gates_counts_stand_in_the_place_of_stale_lines)
{
	/* Goal: who has to decide whether to stop it sees them, and they cost no edit more. */
	struct message message = deploying();

	w->gate = "49 of 149 passed,\x02 last: HTTP 503 <b>";
	say(w, &message);
	const char *first = fake_telegram_heard(w->fake, "sendMessage", 0)->body;

	assert_non_null(
	    strstr(first, "deploying\\n49 of 149 passed, last: HTTP 503 &lt;b&gt;\\n\\u2593"));
	assert_null(strstr(first, "compiling"));
	assert_true(fake_run_until_heard(w->loop, w->fake, "editMessageText", 1, 4000));
	w->gate = "50 of 150 passed, last: ok";
	fake_run_for(w->loop, 7000); /* no news, as the clock */
	assert_int_equal(fake_telegram_count(w->fake, "editMessageText"), 1);
	assert_true(fake_run_until_heard(w->loop, w->fake, "editMessageText", 2, 12000));
	assert_non_null(strstr(fake_telegram_heard(w->fake, "editMessageText", 1)->body,
	    "50 of 150 passed, last: ok"));
}

SCENE_TEST(after_a_restart_it_goes_on)
{
	/* Goal: an adopted run's message lives again, without a SEND_MESSAGE. */
	struct message message = deploying();

	message.remote_id = 55;
	telegram_live_resume(w->telegram, &message);
	assert_true(fake_run_until_heard(w->loop, w->fake, "editMessageText", 1, 4000));
	assert_non_null(
	    strstr(fake_telegram_heard(w->fake, "editMessageText", 0)->body, "\"message_id\":55"));
}

SCENE_TEST(a_live_message_that_was_deleted_is_left_in_peace)
{
	/* Goal: decoration is not sent anew. */
	struct message message = deploying();

	message.remote_id = 55;
	fake_telegram_script(w->fake, "editMessageText", 400,
	    "{\"ok\":false,\"error_code\":400,"
	    "\"description\":\"Bad Request: message to edit not found\"}");
	telegram_live_resume(w->telegram, &message);
	assert_true(fake_run_until_heard(w->loop, w->fake, "editMessageText", 1, 4000));
	w->tail = "news";
	fake_run_for(w->loop, 3000);
	assert_int_equal(fake_telegram_count(w->fake, "editMessageText"), 1);
	assert_int_equal(fake_telegram_count(w->fake, "sendMessage"), 0);
}

int
main(void)
{
	struct err err;

	if (!crypto_start(&err))
		return 1;
	return unit_run(NULL);
}
