/* Goal: whoever floods is told once to wait, strangers are counted; what must work is never refused.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "commands/commands.h"
#include "lib/text.h"

WORLD_TEST(presses_are_slowed_down)
{
	char confirm[LIMIT_BUTTON_ID];
	int slowed = 0;

	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	(void)text_copy(confirm, sizeof(confirm),
	    world_button(world_says(w, "Deploy to production?"), "Deploy to"));
	for (int i = 0; i < 100; i++) {
		(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, confirm);
		slowed += strcmp(w->toast, "⛔ Too many presses: again in 2 s.") == 0;
	}
	assert_int_equal(slowed, 80);				   /* each waits for its answer */
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 1); /* the rest is counted */
	/* Commands are counted apart. */
	(void)world_text(w, WORLD_STAGING_USER, "/history staging");
	assert_null(world_says(w, "Too many commands"));
	w->aid.at += 2000;
	(void)world_press(w, WORLD_STAGING_USER, WORLD_GROUP, confirm);
	assert_string_equal(w->toast, "⛔ Denied: deploy: only an admin may. Ask @ada.");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, confirm);
	world_git_same(w);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST(a_stranger_in_a_group_is_told_once_an_hour_and_counted)
{
	static const char *const tries[] = { "/deploy staging", "/nonsense", "/cancel staging" };
	char word[32];

	for (size_t round = 0; round < 5; round++) {
		for (size_t i = 0; i < COUNT(tries); i++)
			(void)world_text(w, WORLD_STRANGER, tries[i]);
		for (size_t i = 0; i < commands_count(); i++) { /* also one that is still to come */
			(void)snprintf(word, sizeof(word), "/%s", commands_get(i)->word);
			(void)world_text(w, WORLD_STRANGER, word);
		}
	}
	assert_int_equal(w->n_screen, 1);
	assert_non_null(strstr(world_plain(world_last(w)), "you have no role here"));
	assert_int_equal(world_audited(w, "\"denied\"", "\"user_id\":\"telegram:99\""), 1);
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 1);
	world_due(w, TIMER_STRANGERS);
	(void)snprintf(
	    word, sizeof(word), "\"count\":\"%zu\"", 5 * (COUNT(tries) + commands_count()) - 1);
	assert_int_equal(world_audited(w, word, "\"last\":\"telegram:99\""), 1);
	assert_int_equal(world_audited(w, word, "\"who\":\"telegram:99\""), 1); /* once */
	assert_int_equal(world_audited(w, "by_others", NULL), 0);
	(void)world_text(w, WORLD_STRANGER, "/status");
	assert_int_equal(w->n_screen, 2);
	assert_int_equal(world_audited(w, "\"denied\"", NULL), 2);
}

/* Each row of commands.def, an hour after the last denial: a function that does not ask who types
 * would be found here alone. */
WORLD_TEST(each_command_of_a_stranger_in_a_group_is_a_denial)
{
	const char *no;
	char word[64];
	size_t before;

	for (size_t i = 0; i < 2 * commands_count(); i++) {
		(void)snprintf(word, sizeof(word), "/%s%s", commands_get(i / 2)->word,
		    i % 2 == 1 ? " whoami" : "");
		no = strcmp(word, "/login whoami") != 0 ?
		    "you have no role here" :
		    "Denied: login: a token that others have seen is no token any more";
		before = w->n_screen;
		w->aid.at += INT64_C(61) * 60 * 1000;
		(void)world_text(w, WORLD_STRANGER, word);
		(void)world_text(w, WORLD_STRANGER, word);
		if (w->n_screen != before + 1)
			fail_msg("%s: %zu answers", word, w->n_screen - before);
		if (strstr(world_plain(world_last(w)), no) == NULL)
			fail_msg("%s: %s", word, world_plain(world_last(w)));
	}
}

/* "ROLE_DEV_MAY=status:staging,…": each grant on a target but that one. */
static void
all_but(enum policy_action action, char out[512])
{
	size_t n = (size_t)snprintf(out, 512, "ROLE_DEV_MAY=");

	for (enum policy_action i = 0; i < POLICY_ACTION_COUNT; i++)
		if (i != action && policy_action_rows[i].scope == POLICY_ON_TARGET)
			n += (size_t)snprintf(out + n, 512 - n, "%s%s:staging",
			    out[n - 1] == '=' ? "" : ",", policy_action_rows[i].word);
}

/* Whoever may do all else there is denied; a command that asks for less than its row says would be
 * found here alone.  Who may do anything there sees what runs; /unlock ends one's own lock. */
TEST(each_command_of_a_target_asks_for_the_action_of_its_row)
{
	size_t n = 0;

	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *row = commands_get(i);
		char may[512], text[64];
		struct world w;

		if (row->target == COMMAND_NONE || row->action == POLICY_STATUS ||
		    strcmp(row->word, "unlock") == 0 ||
		    policy_action_rows[row->action].scope != POLICY_ON_TARGET)
			continue;
		all_but(row->action, may);
		world_open(&w, "ROLE_DEV_IDS=77", may, NULL);
		(void)snprintf(text, sizeof(text), "/%s staging%s", row->word,
		    strcmp(row->argument, COMMANDS_TEXT) == 0 ? " 2h" : "");
		(void)world_text(&w, 77, text);
		if (strstr(world_plain(world_last(&w)), "Denied") == NULL)
			fail_msg("%s: %s", text, world_plain(world_last(&w)));
		world_close(&w);
		n++;
	}
	assert_true(n >= 8);
}

/* However many accounts: what is kept is bounded by the kinds of what they can do. */
WORLD_TEST(strangers_without_number_are_an_entry_an_hour_for_each_kind)
{
	size_t before;

	before = world_audited(w, "\"seq\"", NULL);
	for (int i = 0; i < 300; i++) {
		struct event *event = world_update(w, UPDATE_TEXT, WORLD_STRANGER + i, WORLD_GROUP);

		event->u.update->refusal = UPDATE_REFUSED_FORWARDED;
		(void)text_copy(event->u.update->text, LIMIT_TEXT_IN, "/deploy staging");
		(void)world_decide(w, event);
		(void)world_text(w, WORLD_STRANGER + i, "/deploy staging");
	}
	assert_int_equal(world_audited(w, "\"seq\"", NULL), before + 2);
	world_due(w, TIMER_STRANGERS);
	assert_int_equal(world_audited(w, "\"seq\"", NULL), before + 4);
	assert_int_equal(world_audited(w, "\"input\":\"telegram: command\"", "\"299\""), 1);
	assert_int_equal(world_audited(w, "\"input\":\"telegram: refused\"", "\"299\""), 1);
	/* Who it was: the first of them by their ids, and how many of the 299 came from others. */
	assert_int_equal(
	    world_audited(w, "\"who\":\"telegram:100, telegram:101, ", "\"by_others\":\"264\""), 2);
	world_due(w, TIMER_STRANGERS); /* an hour without any */
	assert_int_equal(world_audited(w, "\"seq\"", NULL), before + 4);
	(void)world_text(w, WORLD_STRANGER, "/deploy staging"); /* at once again */
	assert_int_equal(world_audited(w, "\"request\":\"deploy\"", "telegram:99"), 2);
}

/* Who has a role is answerable: each kind of denial of theirs is an entry that names them. */
WORLD_TEST(a_colleague_is_never_counted_away)
{
	(void)world_text(w, WORLD_STRANGER, "/deploy production");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy production");
	(void)world_text(w, WORLD_STAGING_USER, "/cancel production");
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:33"), 2);
}

/* Questions of others would come late behind a group's share of messages. */
WORLD_TEST(a_denied_colleague_does_not_fill_the_group)
{
	for (int i = 0; i < 8; i++)
		(void)world_text(w, WORLD_STAGING_USER, "/deploy production");
	assert_int_equal(w->n_screen, 4);
	for (int i = 0; i < 3; i++)
		(void)world_text_in(
		    w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/deploy production");
	assert_int_equal(w->n_screen, 7);
	(void)world_text(w, WORLD_ADMIN, "/deploy nowhere");
	assert_int_equal(w->n_screen, 8);
	w->aid.at += 60000;
	(void)world_text(w, WORLD_STAGING_USER, "/deploy production");
	assert_int_equal(w->n_screen, 9);
}

WORLD_TEST(a_denied_stranger_in_one_group_is_told_in_another_too)
{
	(void)world_text(w, WORLD_STRANGER, "/status");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_TEAM, "/status");
	assert_int_equal(w->n_screen, 2);
}

WORLD_TEST(whoever_floods_is_told_once_to_wait)
{
	size_t said;

	for (int i = 0; i < 30; i++)
		(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_non_null(world_says(w, "Too many commands"));
	said = w->n_screen;
	assert_true(said <= 22);
	(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_int_equal(w->n_screen, said);
	w->aid.at += 60 * 1000;
	(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_int_equal(w->n_screen, said + 1);
}

/* Whatever else was too much. */
WORLD_TEST(stop_status_lock_and_rollback_are_never_refused)
{
	static const char *const always[] = { "/status staging", "/cancel staging",
		"/rollback staging", "/lock staging 1h", "/unlock staging", "/unfreeze all" };
	size_t said;

	for (int i = 0; i < 30; i++)
		(void)world_text(w, WORLD_ADMIN, "/history staging");
	for (size_t i = 0; i < COUNT(always); i++) {
		said = w->n_screen;
		(void)world_text(w, WORLD_ADMIN, always[i]);
		if (w->n_screen == said)
			fail_msg("%s: no answer", always[i]);
	}
	said = w->n_screen;
	(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_int_equal(w->n_screen, said);
}

/* What a rollback asks is answered by a press. */
WORLD_TEST_BARE(a_press_that_rolls_back_is_never_refused)
{
	char roll[LIMIT_BUTTON_ID];

	world_b_over_a(w, NULL);
	world_run_ends(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/rollback staging");
	(void)text_copy(roll, sizeof(roll), world_button(world_last(w), "Roll"));
	assert_string_not_equal(roll, "");
	for (int i = 0; i < 40; i++)
		(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, "none");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, roll);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(who_has_a_role_is_limited_as_the_settings_say, "ROLE_RATE_LIMIT=6")
{
	size_t said;

	for (int i = 0; i < 21; i++)
		(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_non_null(world_says(w, "⛔ Too many commands: again in 10 s."));
	said = w->n_screen;
	w->aid.at += 8000;
	(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_int_equal(w->n_screen, said);
	w->aid.at += 3000;
	(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_int_equal(w->n_screen, said + 1);
	world_settings(w, "ROLE_RATE_LIMIT=0", NULL);
	for (int i = 0; i < 60; i++)
		(void)world_text(w, WORLD_ADMIN, "/history staging");
	assert_int_equal(w->n_screen, said + 61);
}

static void
ask(struct world *w, int64_t person, int64_t chat, int n)
{
	for (int i = 0; i < n; i++)
		(void)world_text_in(w, person, chat, "/status");
}

WORLD_TEST_OF(strangers_are_limited_by_person_and_by_group, "RATE_LIMIT_BURST=2",
    "RATE_LIMIT_REQUESTS=6", "RATE_LIMIT_WINDOW=60")
{
	size_t said;

	ask(w, WORLD_STRANGER, WORLD_STRANGER, 1);
	said = w->n_screen;
	w->aid.at += 61000; /* a denial is answered once a minute */
	ask(w, WORLD_STRANGER, WORLD_STRANGER, 1);
	assert_int_equal(w->n_screen, said + 1);
	ask(w, WORLD_STRANGER, WORLD_STRANGER, 9);
	assert_int_equal(w->n_screen, said + 1);
	assert_null(world_says(w, "Too many")); /* when it goes on is not for them */
	/* Others in a group whose two are used up: not even a first denial. */
	w->aid.at += 600000;
	said = w->n_screen;
	for (int64_t person = 1001; person <= 1009; person++)
		ask(w, person, WORLD_GROUP, 1);
	assert_int_equal(w->n_screen, said + 2);
	(void)world_text(w, WORLD_ADMIN, "/status staging"); /* theirs is no less for it */
	assert_int_equal(w->n_screen, said + 3);
	w->aid.at += 10000; /* one more */
	ask(w, 1010, WORLD_GROUP, 1);
	ask(w, 1011, WORLD_GROUP, 1);
	assert_int_equal(w->n_screen, said + 4);
}

WORLD_TEST(open_requests_of_one_person_are_bounded)
{
	char commit[] = COMMIT_A;

	for (int i = 0; i < 10; i++) {
		commit[0] = (char)('0' + i);
		world_asks(w, WORLD_ADMIN, "/deploy production", commit);
	}
	assert_null(world_says(w, "you have 10 open requests"));
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	assert_non_null(world_says(w, "you have 10 open requests"));
}

/* Git is asked one at a time, for everybody: whoever types much does not hold up the others. */
WORLD_TEST(requests_that_git_has_not_answered_are_bounded_for_each_person)
{
	char text[48];

	for (int i = 0; i < 14; i++) {
		(void)snprintf(text, sizeof(text), "/deploy staging nosuch%d", i);
		(void)world_text(w, WORLD_STAGING_USER, text);
	}
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 3);
	assert_non_null(world_says(
	    w, "Try again later: staging: git has not answered your last 3 requests yet"));
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 4);
	world_git(w, (struct world_git){ .error = "git has no such ref" });
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging nosuch20");
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 4);
}
