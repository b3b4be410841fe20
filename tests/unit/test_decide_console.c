/* Goal: a session of the console is its person's own, as long as they have a role, and not longer.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "console_aid.h"

#include "lib/text.h"
#include "store/row_console.h"
#include "store/store_inside.h"

#define CY     WORLD_STAGING_USER
#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define CALM   "ROLE_RATE_LIMIT=0", "RATE_LIMIT_REQUESTS=0"
#define OBSERVER \
	"ROLE_OBSERVER_IDS=77", "ROLE_OBSERVER_MAY=status:staging, deploy:staging, token:*/*"

#define CONSOLE_TEST(name) WORLD_TEST_OF(name, CONSOLE_ON, CALM, OBSERVER, TOKEN_AID_ON)

static int
me(struct world *w, const char *token)
{
	return token_aid_call(w, token, API_ME, "/v1/me", NULL);
}

static int64_t
sessions(struct world *w)
{
	int64_t n = -1;

	assert_true(db_one_i64(&n, w->aid.store->db, NULL, "SELECT COUNT(*) FROM console_session"));
	return n;
}

/* --- how it is opened --- */

static bool
help_names_it(struct world *w)
{
	(void)world_text_in(w, CY, CY, "/help");
	return strstr(world_plain(world_last(w)), "/console") != NULL;
}

CONSOLE_TEST(where_there_is_no_page_nobody_reads_of_it)
{
	assert_true(help_names_it(w));
	world_settings(w, CALM, OBSERVER, NULL);
	assert_false(help_names_it(w));
}

CONSOLE_TEST(a_link_from_the_private_chat_logs_in_as_who_asked_for_it)
{
	const char *token = console_aid_by_code(w, CY);

	assert_int_equal(me(w, token), 200);
	assert_non_null(strstr(w->aid.said, "\"id\":33"));
	assert_non_null(strstr(w->aid.said, "\"roles\":[\"staging\"]"));
	assert_non_null(strstr(w->aid.said, "\"right\":\"deploy\""));
	assert_non_null(strstr(w->aid.said, "\"has_factor\":false"));
	assert_null(strstr(w->aid.said, "\"until\":null"));
	assert_int_equal(token_aid_status(w, token), 200);
	assert_int_equal(world_audited(w, "\"login\"", "telegram:33"), 1);
}

CONSOLE_TEST(a_code_counts_once_and_for_two_minutes)
{
	const char *code = console_aid_code(w, CY);

	assert_int_equal(console_aid_open(w, code), 200);
	assert_int_equal(console_aid_open(w, code), 401); /* used twice, or by two at once */
	code = console_aid_code(w, CY);
	w->aid.at += 2 * MINUTE;
	assert_int_equal(console_aid_open(w, code), 401);
	code = console_aid_code(w, CY);
	(void)console_aid_code(w, CY); /* takes the place of the one before it */
	assert_int_equal(sessions(w), 1);
	assert_int_equal(console_aid_open(w, "00000000000000000000000000000000"), 401);
	assert_int_equal(sessions(w), 1);
}

CONSOLE_TEST(the_newest_link_is_the_only_one)
{
	char first[API_LOGIN];

	text_set(first, console_aid_code(w, CY));
	w->aid.at += MINUTE;
	assert_int_equal(console_aid_open(w, console_aid_code(w, CY)), 200);
	assert_int_equal(console_aid_open(w, first), 401);
}

CONSOLE_TEST(a_link_is_given_in_private_alone_and_to_no_program)
{
	(void)world_text_in(w, CY, WORLD_TEAM, "/console");
	assert_null(world_says(w, "#code="));
	assert_int_equal(token_aid_ask(w, CY, API_COMMAND, "/v1/command/console", "{}"), 200);
	assert_null(strstr(w->aid.said, "#code="));
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/console");
	assert_null(world_says(w, "#code="));
}

WORLD_TEST_OF(without_console_there_is_none, TOKEN_AID_KEY, CALM)
{
	(void)world_text_in(w, CY, CY, "/console");
	assert_null(world_says(w, "#code="));
	assert_non_null(world_says(w, "There is no console here"));
	assert_int_equal(console_aid_app(w, CY, "ab"), 404);
}

CONSOLE_TEST(init_data_opens_one_session_once)
{
	(void)console_aid_by_app(w, CY, "ab");
	assert_int_equal(console_aid_app(w, CY, "ab"), 401);
	assert_int_equal(console_aid_app(w, CY, "cd"), 200);
	assert_int_equal(console_aid_app(w, WORLD_STRANGER, "ef"), 403);
	assert_int_equal(world_audited(w, "\"login_failed\"", "telegram:99"), 1);
	assert_int_equal(sessions(w), 2);
}

CONSOLE_TEST(a_role_that_a_token_lends_opens_nothing)
{
	const char *token = token_aid_make(w, WORLD_ADMIN, "ci", "staging", "2d");

	token_aid_login(w, WORLD_STRANGER, token);
	assert_non_null(world_says(w, "Logged in as"));
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/console");
	assert_non_null(world_says(w, "needs a role of your own"));
	assert_int_equal(console_aid_app(w, WORLD_STRANGER, "ab"), 403);
	/* Nor does it count in a session of somebody who has one. */
	token = console_aid_by_app(w, 77, "cd");
	assert_int_equal(token_aid_call(w, token, API_HISTORY, "/v1/history/staging", NULL), 403);
	token_aid_login(w, 77, token_aid_make(w, WORLD_ADMIN, "more", "staging", "2d"));
	assert_int_equal(token_aid_call(w, token, API_HISTORY, "/v1/history/staging", NULL), 403);
	assert_int_equal(me(w, token), 200);
	assert_non_null(strstr(w->aid.said, "\"roles\":[\"observer\"]"));
}

CONSOLE_TEST(a_sixth_session_takes_the_place_of_the_idlest)
{
	const char *tokens[6];

	for (size_t i = 0; i < COUNT(tokens); i++) {
		char hash[4];

		(void)snprintf(hash, sizeof(hash), "a%zu", i);
		w->aid.at += 2 * MINUTE;
		tokens[i] = console_aid_by_app(w, CY, hash);
		if (i > 0)
			assert_int_equal(me(w, tokens[0]), 200); /* it is used on */
	}
	assert_int_equal(sessions(w), 5);
	assert_int_equal(me(w, tokens[0]), 200);
	assert_int_equal(me(w, tokens[1]), 401);
	assert_int_equal(me(w, tokens[5]), 200);
}

/* --- how it ends --- */

CONSOLE_TEST(it_ends_with_the_role_and_does_not_come_back_with_it)
{
	const char *token = console_aid_by_app(w, 77, "ab");

	assert_int_equal(token_aid_status(w, token), 200);
	world_settings(w, CONSOLE_ON, CALM, NULL);
	assert_int_equal(token_aid_status(w, token), 401);
	world_settings(w, CONSOLE_ON, CALM, OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, token), 401);
	assert_int_equal(sessions(w), 0);
}

CONSOLE_TEST(a_change_of_the_settings_ends_those_without_a_role)
{
	const char *token = console_aid_by_app(w, 77, "ab");

	world_settings(w, CONSOLE_ON, CALM, NULL);
	world_settings_read(w);
	assert_int_equal(sessions(w), 0);
	world_settings(w, CONSOLE_ON, CALM, OBSERVER, NULL);
	assert_int_equal(token_aid_status(w, token), 401);
}

CONSOLE_TEST(it_is_worth_what_its_person_may_at_that_moment)
{
	const char *token = console_aid_by_app(w, 77, "ab");

	assert_int_equal(token_aid_call(w, token, API_STATUS, "/v1/status/production", NULL), 403);
	world_settings(w, CONSOLE_ON, CALM, "ROLE_OBSERVER_IDS=77",
	    "ROLE_OBSERVER_MAY=status:production", NULL);
	assert_int_equal(token_aid_call(w, token, API_STATUS, "/v1/status/production", NULL), 200);
}

CONSOLE_TEST(it_ends_after_half_an_hour_without_use_and_after_twelve)
{
	const char *idle = console_aid_by_app(w, CY, "ab"), *used = console_aid_by_app(w, CY, "cd");

	for (int i = 0; i < 35; i++) {
		w->aid.at += 20 * MINUTE;
		assert_int_equal(me(w, used), 200);
		assert_int_equal(me(w, idle), i == 0 ? 200 : 401);
		if (i == 0)
			w->aid.at += 11 * MINUTE;
		if (i == 0)
			assert_int_equal(me(w, used), 200);
	}
	w->aid.at += 20 * MINUTE;
	assert_int_equal(me(w, used), 401);
	assert_int_equal(sessions(w), 0);
}

CONSOLE_TEST(its_person_ends_it)
{
	const char *one = console_aid_by_app(w, CY, "ab"), *other = console_aid_by_app(w, CY, "cd");
	const char *anothers = console_aid_by_app(w, 77, "ef");

	assert_int_equal(token_aid_call(w, one, API_SESSION, "/v1/session/end", "{}"), 200);
	assert_int_equal(me(w, one), 401);
	assert_int_equal(me(w, other), 200);
	(void)world_text_in(w, CY, CY, "/sessions");
	assert_non_null(world_says(w, "at the console"));
	(void)world_text_in(w, CY, CY, "/logout");
	assert_non_null(world_says(w, "Logged out."));
	assert_int_equal(me(w, other), 401);
	assert_int_equal(me(w, anothers), 200);
	assert_int_equal(
	    token_aid_ask(w, CY, API_SESSION, "/v1/session/end", "{}"), 404); /* it is none */
}

CONSOLE_TEST(a_token_that_is_typed_into_a_chat_ends)
{
	static const int64_t chats[] = { CY, WORLD_TEAM, WORLD_GROUP };

	for (size_t i = 0; i < COUNT(chats); i++) {
		char hash[4], text[160];
		const char *token;

		(void)snprintf(hash, sizeof(hash), "a%zu", i);
		token = console_aid_by_app(w, CY, hash);
		(void)snprintf(text, sizeof(text), "%s%s", i == 0 ? "/login " : "look: ", token);
		(void)world_text_in(w, CY, chats[i], text);
		assert_int_equal(me(w, token), 401);
		assert_null(world_says(w, token));
	}
	assert_int_equal(world_audited(w, "\"token_leaked\"", "telegram:33"), 3);
	assert_non_null(world_says(w, "Console session ended"));
}

CONSOLE_TEST(another_token_of_the_bot_ends_what_init_data_has_opened)
{
	const char *app = console_aid_by_app(w, CY, "ab"), *link = console_aid_by_code(w, CY);

	world_settings(
	    w, CONSOLE_ON, CALM, "TELEGRAM_BOT_TOKEN=7:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", NULL);
	assert_int_equal(me(w, app), 401);
	assert_int_equal(me(w, link), 200);
}

CONSOLE_TEST(it_moves_to_the_new_key_by_its_first_use)
{
	static char moved[] = "AUTH_TOKEN_SECRET=another-key-0123456789-0123456789-01";
	static char before[] =
	    "AUTH_TOKEN_SECRET_PREVIOUS=0123456789abcdef0123456789abcdef0123456789";
	const char *used = console_aid_by_app(w, CY, "ab"), *not = console_aid_by_app(w, CY, "cd");

	world_settings(w, "CONSOLE=true", "ENABLE_API_SERVER=true",
	    "PUBLIC_URL=https://bot.example", moved, before, NULL);
	assert_int_equal(me(w, used), 200);
	world_settings(w, "CONSOLE=true", "ENABLE_API_SERVER=true",
	    "PUBLIC_URL=https://bot.example", moved, NULL);
	assert_int_equal(me(w, used), 200);
	assert_int_equal(me(w, not ), 401);
}

/* --- the button below what is said of work --- */

/* The button with that label of the newest message in that chat, NULL: none. */
static const struct button *
button_in(struct world *w, int64_t chat, const char *label)
{
	const struct world_message *message = world_says_in(w, chat, "staging");

	for (size_t i = 0; message != NULL && i < message->buttons.n; i++)
		if (strstr(message->buttons.at[i].label, label) != NULL)
			return &message->buttons.at[i];
	return NULL;
}

CONSOLE_TEST(below_work_a_button_opens_the_page_in_private_inside_the_chat)
{
	const struct button *button;

	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	button = button_in(w, WORLD_ADMIN, "Open");
	assert_non_null(button);
	assert_string_equal(button->link, "https://bot.example/console/");
	assert_true(button->is_web_app);
	world_run_plays(w, GOOD);
	world_asks_in(w, WORLD_ADMIN, WORLD_GROUP, "/deploy staging", COMMIT_B);
	button = button_in(w, WORLD_GROUP, "Open");
	assert_non_null(button);
	assert_string_equal(button->link, "https://bot.example/console/#w2");
	assert_false(button->is_web_app);
}

CONSOLE_TEST(from_a_group_it_opens_inside_the_chat_where_the_bot_has_a_main_app)
{
	const struct button *button;

	w->aid.main_app = "our_bot";
	world_asks_in(w, WORLD_ADMIN, WORLD_GROUP, "/deploy staging", COMMIT_A);
	button = button_in(w, WORLD_GROUP, "Open");
	assert_non_null(button);
	assert_string_equal(button->link, "https://t.me/our_bot?startapp=w1");
	assert_false(button->is_web_app);
	world_run_plays(w, GOOD);
	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_string_equal(
	    button_in(w, WORLD_ADMIN, "Open")->link, "https://bot.example/console/");
}

WORLD_TEST_OF(without_console_nothing_opens_it, "PUBLIC_URL=https://bot.example")
{
	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	assert_null(button_in(w, WORLD_ADMIN, "Open"));
}
