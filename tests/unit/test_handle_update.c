/* Goal: who writes gets what their role allows, once, and every no is in the audit.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "commands/commands.h"
#include "lib/text.h"

/* --- who is heard at all --- */

WORLD_TEST(the_same_update_twice_changes_nothing)
{
	struct event *first, *again;
	size_t said;

	first = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_GROUP);
	again = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_GROUP);
	(void)text_copy(first->u.update->text, LIMIT_TEXT_IN, "/deploy staging");
	*again->u.update = *first->u.update;
	assert_false(world_decide(w, first).is_duplicate);
	said = w->n_screen;
	assert_true(world_decide(w, again).is_duplicate);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_int_equal(w->n_screen, said);
	assert_int_equal(world_audited(w, "deploy_requested", NULL), 1);
}

WORLD_TEST(what_somebody_else_wrote_is_refused_and_audited)
{
	for (int r = UPDATE_REFUSED_NONE + 1; r < UPDATE_REFUSAL_COUNT; r++) {
		struct event *event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_GROUP);

		event->u.update->refusal = (enum update_refusal)r;
		event->u.update->callback[0] = '\0'; /* a press has one */
		(void)text_copy(event->u.update->text, LIMIT_TEXT_IN, "/deploy staging");
		assert_int_equal(world_decide(w, event).status, 200);
		assert_int_equal(
		    world_audited(w, "\"denied\"", update_refusal_words((enum update_refusal)r)),
		    1);
	}
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_int_equal(w->n_screen, 0);
	assert_int_equal(w->n_toasts, 0);
}

WORLD_TEST(forwarded_talk_that_is_no_command_is_not_audited)
{
	struct event *event;

	event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_GROUP);
	event->u.update->refusal = UPDATE_REFUSED_FORWARDED;
	(void)text_copy(event->u.update->text, LIMIT_TEXT_IN, "look at this");
	(void)world_decide(w, event);
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 0);
}

WORLD_TEST(messages_move_with_their_chat)
{
	struct event *event;

	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	event = world_update(w, UPDATE_MIGRATED, 0, WORLD_GROUP);
	event->u.update->new_chat = -2002;
	(void)world_decide(w, event);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(w, -2002, "Deploy to production?"));
	assert_int_equal(world_newest(w, "production").address.chat, -2002);
	(void)world_press(w, WORLD_ADMIN, -2002,
	    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
	world_git_same(w);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* --- commands --- */

/* Goal: half asleep one reads five commands, not twenty-six. */
WORLD_TEST(help_says_first_what_is_needed_first)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/help");
	assert_string_equal(world_plain(world_last(w)),
	    "You may, as admin:\n"
	    "/status [application or environment] — what runs where, and its health\n"
	    "/deploy <environment> [commit or branch] [emergency <reason>] — deploy the newest commit\n"
	    "/rollback <environment> [release] — roll back to an earlier release\n"
	    "/cancel <environment> — stop what is in progress, roll back what it changed\n"
	    "/logs <environment> [lines] — what the application logged last\n\n"
	    "Deploy: /promote /live\n"
	    "Look: /hosts /history /show /pipelines /audit /queue\n"
	    "Hold: /lock /unlock /freeze /unfreeze /pause /resume\n"
	    "Actions: /abandon /do /request\n"
	    "Approvals: /pending /approve /reject /review\n"
	    "You: /2fa /whoami /login /logout /sessions\n"
	    "How to write each: /help all\n\n"
	    "Environments: staging production");
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(world_last(w), "All commands"));
	assert_non_null(strstr(world_plain(world_last(w)), "\n\nLook\n/status "));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/help");
	assert_string_equal(world_plain(world_last(w)),
	    "You may, as staging:\n"
	    "/status [application or environment] — what runs where, and its health\n"
	    "In staging only:\n"
	    "/deploy <environment> [commit or branch] — deploy the newest commit\n"
	    "/cancel <environment> — stop what is in progress, roll back what it changed\n"
	    "/logs <environment> [lines] — what the application logged last\n\n"
	    "Deploy: /promote /live\n"
	    "Look: /hosts /history /show /pipelines /queue\n"
	    "Approvals: /pending\n"
	    "You: /2fa /whoami /login /logout /sessions\n"
	    "How to write each: /help all\n\n"
	    "Environments: staging production");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/start");
	assert_string_equal(world_plain(world_last(w)),
	    "I deploy releases, check their health and roll bad ones back.\n\n"
	    "You have no role here. Send an admin the id that /whoami shows.\n"
	    "/whoami — your Telegram id and your role\n"
	    "/login <token> — a role besides your own, by a token, in private\n");
	assert_int_equal(world_last(w)->buttons.n, 0);
}

/* Goal: what one may is not read by all, nor are seventeen lines. */
WORLD_TEST(in_a_group_help_is_one_line_that_leads_to_the_private_chat)
{
	static const char *const asked[] = { "/help", "/help all", "/start" };

	for (size_t i = 0; i < COUNT(asked); i++) {
		struct event *event = world_update(w, UPDATE_TEXT, WORLD_ADMIN, WORLD_TEAM);

		update_set_text(event->u.update, asked[i]);
		(void)text_copy(
		    event->context.own_name, sizeof(event->context.own_name), "deploy_bot");
		(void)world_decide(w, event);
		assert_string_equal(world_plain(world_last(w)),
		    "Here: /status, /deploy, /rollback, /queue. What you may: "
		    "https://t.me/deploy_bot?start=help.");
		assert_int_equal(world_last(w)->buttons.n, 0);
	}
}

WORLD_TEST_OF(help_all_has_a_line_for_each_that_the_role_may, "SECRET_DB_PATH=kv2 secret db",
    "SECRET_DB_FOR=staging", "CONSOLE=true", "ENABLE_API_SERVER=true",
    "PUBLIC_URL=https://bot.example.org",
    "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef0123456789abcdef")
{
	const char *text;
	char word[40];

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/help all");
	text = world_plain(world_last(w));
	for (size_t i = 0; i < commands_count(); i++) {
		if (strcmp(commands_get(i)->word, "agents") == 0)
			continue; /* LINK_ADDRESS is not set: test_decide_agents.c */
		(void)snprintf(word, sizeof(word), "\n/%s ", commands_get(i)->word);
		assert_non_null(strstr(text, word));
		assert_non_null(strstr(text, commands_get(i)->help));
	}
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/help ALL");
	text = world_plain(world_last(w));
	assert_null(strstr(text, "/rollback"));
	assert_non_null(
	    strstr(text, "\n\nDeploy\n/deploy <environment> [commit or branch] — deploy"));
	assert_non_null(strstr(text, "deploy the newest commit (staging)\n"));
	assert_non_null(strstr(text, "\n\nLook\n/status "));
}

WORLD_TEST(whoami_tells_anyone_in_private_their_id_once_a_minute)
{
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)), "Your Telegram id is 99"));
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/whoami");
	assert_int_equal(w->n_screen, 1);
	w->aid.at += 60 * 1000;
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/whoami");
	assert_int_equal(w->n_screen, 2);
}

WORLD_TEST(whoami_in_a_group_tells_whoever_has_a_role_the_groups_id)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/whoami");
	assert_null(strstr(world_plain(world_last(w)), "chat"));
	assert_non_null(world_says_in(w, WORLD_ADMIN, "admin: everything"));
	(void)world_text_in(w, WORLD_ADMIN, -1001234567890, "/whoami"); /* in the same minute */
	assert_non_null(strstr(
	    world_plain(world_last(w)), "This chat's id is -1001234567890, for TELEGRAM_CHAT_ID."));
	(void)world_text_in(w, WORLD_ADMIN, WORLD_TEAM, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)), "deployments are reported here."));
}

WORLD_TEST(an_unknown_command_is_answered_with_the_nearest)
{
	world_answers(
	    w, WORLD_ADMIN, "/dpeloy staging", "I don't know /dpeloy. Did you mean /deploy?");
	world_answers(w, WORLD_ADMIN, "/zzzzzzzz", "I don't know /zzzzzzzz. /help lists");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "I don't know /dpeloy"), "/deploy staging"));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_non_null(world_says(w, "@ada: /deploy staging"));
	/* Whoever may not, is not led there. */
	world_answers(w, WORLD_STAGING_USER, "/freez staging until 23:00",
	    "I don't know /freez. /help lists");
}

WORLD_TEST_OF(a_wish_that_is_an_action_is_offered_as_that, "CLIENTS=acme",
    "CLIENT_ACME_ACTIONS=restart-web,reload-nginx", "CLIENT_ACME_WEB_UNIT=web",
    "CLIENT_ACME_HOST=local")
{
	world_answers(w, WORLD_ADMIN, "/restart acme", "I don't know /restart. Did you mean /do?");
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "/do restart-web acme"));
	assert_non_null(world_says(w, "@ada: /do restart-web acme"));
	assert_int_equal(world_newest(w, "client/acme").state, DEPLOY_AWAITING_CONFIRMATION);
	/* Of an environment there is none: its name is not taken along. */
	(void)world_text(w, WORLD_ADMIN, "/restart production");
	assert_string_equal(world_labels(world_last(w)), "/do restart-web");
	(void)world_text(w, WORLD_ADMIN, "/re acme"); /* two begin so, and it is short */
	assert_non_null(world_says(w, "I don't know /re. /help lists"));
}

WORLD_TEST(talk_that_is_no_command_is_not_answered)
{
	(void)world_text(w, WORLD_ADMIN, "deploy staging please");
	(void)world_text(w, WORLD_STRANGER, "hello");
	assert_int_equal(w->n_screen, 0);
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 0);
}

WORLD_TEST(in_private_talk_of_somebody_with_a_grant_gets_help)
{
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "hello");
	assert_int_equal(w->n_screen, 0);
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 0);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "please could somebody deploy staging");
	assert_int_equal(w->n_screen, 1);
	assert_non_null(
	    strstr(world_plain(world_last(w)), "/deploy <environment> [commit or branch]"));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/d\xc3\xa9ploy");
	assert_int_equal(w->n_screen, 2);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	for (int i = 0; i < 40; i++) /* as commands are limited */
		(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "hm");
	assert_true(w->n_screen < 30);
}

/* Regression: half asleep, "rollback staging" got 25 lines of help. */
WORLD_TEST(a_command_without_its_slash_is_offered_and_starts_nothing)
{
	static const char *const rows[][2] = { { "rollback staging", "/rollback staging" },
		{ "Status", "/status" }, { "/ rollback staging", "/rollback staging" },
		{ "/status.", "/status" },
		{ "\xef\xbc\x8f"
		  "status",
		    "/status" },
		{ "deploy staging", "/deploy staging" },
		{ "rolback staging", "/rollback staging" } };
	static const char *const talk[] = { "no", "ok", "thanks!", "/", "" };

	for (size_t i = 0; i < COUNT(rows); i++) {
		(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, rows[i][0]);
		if (world_button(world_last(w), rows[i][1])[0] == '\0')
			fail_msg("%s: %s", rows[i][0], world_plain(world_last(w)));
		assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
		w->aid.at += 60 * 1000;
	}
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_ADMIN, world_button(world_last(w), "/rollback staging"));
	assert_non_null(strstr(world_plain(world_last(w)), "staging"));
	for (size_t i = 0; i < COUNT(talk); i++) {
		(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, talk[i]);
		assert_null(strstr(world_plain(world_last(w)), "Did you mean"));
		w->aid.at += 60 * 1000;
	}
}

/* Seventeen lines were what a newcomer read, thirteen of them commands. */
WORLD_TEST(start_is_a_sentence_and_what_can_be_pressed)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/start");
	assert_string_equal(world_plain(world_last(w)),
	    "I deploy releases, check their health and roll bad ones back.\n");
	assert_string_equal(world_labels(world_last(w)),
	    "What runs where | 🚀 Deploy staging | 🚀 Deploy production | All commands");
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_ADMIN, world_button(world_last(w), "Deploy staging"));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.environment, "staging");
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/start");
	assert_string_equal(
	    world_labels(world_last(w)), "What runs where | 🚀 Deploy staging | All commands");
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_STAGING_USER, world_button(world_last(w), "All"));
	assert_non_null(world_says(w, "\n\nLook\n/status "));
}

/* A question in their own words is one for a command, wherever its name stands. */
WORLD_TEST(what_is_said_in_private_is_matched_to_a_command)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "hello, how do I deploy?");
	assert_non_null(world_says(w, "/deploy <environment>"));
	assert_string_equal(world_labels(world_last(w)), "/deploy");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "can I (rollback)?!");
	assert_string_equal(world_labels(world_last(w)), "/rollback");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "where is the log?");
	assert_string_equal(
	    world_labels(world_last(w)), "📄 Log of a deployment | 📄 Application log");
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "a very good morning to you");
	assert_string_equal(world_labels(world_last(w)),
	    "What runs where | 🚀 Deploy staging | 🚀 Deploy production | All commands");
	/* Of what they may not nothing is said. */
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "how do I make a rollback?");
	assert_null(strstr(world_plain(world_last(w)), "/rollback"));
}

/* To people it is two things: what the script printed, and what the application did. */
WORLD_TEST(log_offers_both)
{
	struct effect *effect;

	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/log staging");
	assert_string_equal(
	    world_labels(world_last(w)), "📄 Log of the last deployment | 📄 Application log");
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_ADMIN, world_button(world_last(w), "last deployment"));
	effect = world_take(w, EFFECT_DOCUMENT);
	assert_int_equal(effect->u.document.run, world_newest(w, "staging").run);
	effect_free(effect);
	(void)world_press(w, WORLD_ADMIN, WORLD_ADMIN, world_button(world_last(w), "Application"));
	effect = world_take(w, EFFECT_APPLICATION_LOG);
	assert_string_equal(effect->u.application_log.environment, "staging");
	effect_free(effect);
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/log production");
	assert_non_null(strstr(world_plain(world_last(w)), "⛔ Denied: production"));
}

WORLD_TEST(too_many_arguments_are_told_with_the_usage)
{
	world_answers(w, WORLD_ADMIN, "/deploy staging develop now",
	    "Usage: /deploy <environment> [commit or branch]");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

WORLD_TEST(an_environment_that_is_not_there_is_answered_with_those_that_are)
{
	static const char *const tries[] = { "/deploy xyz", "/rollback xyz", "/cancel xyz",
		"/status xyz", "/history xyz", "/deploy p", "/deploy pr" };

	for (size_t i = 0; i < COUNT(tries); i++) {
		(void)world_text(w, WORLD_ADMIN, tries[i]);
		assert_int_equal(w->n_screen, i + 1);
		assert_non_null(
		    strstr(world_plain(world_last(w)), "There are: staging production"));
	}
}

/* "/deploy" alone is a slip, not an attempt at production. */
WORLD_TEST(a_staging_user_who_names_no_environment_is_offered_theirs)
{
	world_answers(w, WORLD_STAGING_USER, "/deploy", "❓ /deploy staging?");
	assert_int_equal(world_last(w)->buttons.n, 1); /* production is not theirs */
	(void)world_text(w, WORLD_STAGING_USER, "/cancel");
	assert_int_equal(w->n_screen, 2);
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 0);
	world_answers(w, WORLD_STAGING_USER, "/rollback", "only an admin may");
}

WORLD_TEST(a_denial_is_marked_text_and_audited)
{
	(void)world_text(w, WORLD_STAGING_USER, "/deploy production");
	assert_string_equal(world_last(w)->text,
	    "⛔ Denied: " MARK_BOLD "production" MARK_BOLD " deploy: only an admin may.");
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:33"), 1);
	assert_int_equal(world_audited(w, "\"denied\"", "\"production\""), 1);
	(void)world_text(w, WORLD_STAGING_USER, "/rollback staging");
	(void)world_text(w, WORLD_STAGING_USER, "/cancel production");
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:33"), 3);
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

/* What a person typed is shown cleaned, as everything from outside. */
WORLD_TEST(an_answer_shows_no_harmful_character)
{
	(void)world_text(w, WORLD_STAGING_USER, "/deploy prod\xe2\x80\xae\x01uction");
	assert_non_null(strstr(world_last(w)->text, "No \"production\". "));
	(void)world_text_in(
	    w, WORLD_STRANGER, WORLD_STRANGER, "/deploy prod\xe2\x80\xae\x01uction");
	assert_non_null(strstr(world_last(w)->text,
	    "⛔ Denied: " MARK_CODE "production" MARK_CODE " deploy: you have no role here."));
}

/* The bot would say it in its own name: what is no name is code, in which Telegram sees neither. */
WORLD_TEST(a_strangers_word_mentions_nobody_and_links_nowhere)
{
	static const char *const words[] = { "@lead", "evil.example/x", "t.me/evil",
		"https://evil.example", "/cancel", "a@evil.example", "\xef\xbc\xa0lead" };
	char typed[64];

	for (size_t i = 0; i < COUNT(words); i++) {
		const char *text;

		w->aid.at += 3600 * INT64_C(1000);
		(void)snprintf(typed, sizeof(typed), "/deploy %s", words[i]);
		(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, typed);
		text = world_last(w)->text;
		assert_true(text_starts(text, "⛔ Denied: " MARK_CODE));
		assert_null(strchr(text, '@'));
		assert_null(strstr(text, MARK_BOLD));
	}
	(void)snprintf(
	    typed, sizeof(typed), "⛔ Denied: " MARK_CODE "%s" MARK_CODE " deploy", "(at)lead");
	assert_true(text_starts(world_last(w)->text, typed));
}

/* A name that is none is said to be none; and its case says nothing. */
WORLD_TEST(a_typo_is_never_a_missing_right)
{
	(void)world_text(w, WORLD_STAGING_USER, "/deploy stagign");
	assert_string_equal(world_plain(world_last(w)), "No \"stagign\". Did you mean staging?");
	(void)world_text(w, WORLD_STAGING_USER, "/cancel nowhere");
	assert_string_equal(
	    world_plain(world_last(w)), "No \"nowhere\". There are: staging production");
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 0);
	(void)world_text(w, WORLD_STAGING_USER, "/Deploy Staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	world_answers(w, WORLD_STAGING_USER, "/deploy PRODUCTION",
	    "⛔ Denied: production deploy: only an admin may.");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/deploy stagign");
	assert_non_null(world_says(w, "⛔ Denied: stagign deploy: you have no role here."));
}

WORLD_TEST(settings_are_read_when_used_and_changes_reflected)
{
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	world_settings(w, "STAGING_TELEGRAM_IDS=", NULL);
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_non_null(world_says(w, "you have no role here"));
	world_settings(w, "ADMIN_TELEGRAM_IDS=33", "ENVIRONMENTS=staging,production,demo",
	    "DEMO_HOST=demo.example.com", "GITHUB_BRANCH_DEMO=demo", NULL);
	(void)world_text(w, WORLD_STAGING_USER, "/deploy demo");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 2);
}

/* --- /deploy before git is asked --- */

WORLD_TEST(a_busy_environment_has_places_behind_who_what_and_since_when)
{
	world_deploy_starts(w, COMMIT_A);
	w->aid.at += 125 * 1000;
	world_asks(w, WORLD_STAGING_USER, "/deploy staging", COMMIT_B);
	assert_non_null(world_says(w, "⏳ Queued: 1st in staging \"Make it blue\" bbbbbbb"));
	assert_non_null(world_says(w, "starts after #1: @ada deploys aaaaaaa, since 2 min"));
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
}

WORLD_TEST_OF(an_environment_without_a_branch_needs_a_ref, "ENVIRONMENTS=staging,qa",
    "QA_HOST=qa.example.com")
{
	world_answers(w, WORLD_ADMIN, "/deploy qa", "/deploy qa <branch, tag or commit>");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	(void)world_text(w, WORLD_ADMIN, "/deploy qa v1.2");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, "v1.2");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.branch, "");
}

WORLD_TEST(a_ref_that_looks_like_an_option_is_refused)
{
	world_answers(w, WORLD_ADMIN, "/deploy staging --upload-pack=/tmp/x",
	    "⛔ Not deployed: staging: a ref cannot begin with \"-\"");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
}

WORLD_TEST(what_is_none_of_ours_is_remembered_and_nothing_more)
{
	struct event *event;

	(void)world_decide(w, world_update(w, UPDATE_OTHER, WORLD_ADMIN, WORLD_GROUP));
	assert_int_equal(w->n_screen, 0);
	w->next_update--;
	assert_true(
	    world_decide(w, world_update(w, UPDATE_OTHER, WORLD_ADMIN, WORLD_GROUP)).is_duplicate);

	/* One whose id could not be read is none that came before. */
	for (int i = 0; i < 2; i++) {
		event = world_update(w, UPDATE_TEXT, WORLD_STRANGER, WORLD_GROUP);
		event->u.update->id = 0;
		event->u.update->refusal = UPDATE_REFUSED_UNREADABLE;
		assert_false(world_decide(w, event).is_duplicate);
	}
	assert_int_equal(world_audited(w, "denied", "unreadable"), 1);
	world_due(w, TIMER_STRANGERS);
	assert_int_equal(world_audited(w, "\"count\":\"1\"", "telegram: refused"), 1);
	assert_int_equal(w->n_screen, 0);
}
