/* Goal: what somebody may not see is not there, and what one person repeats is bounded.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#define DEV 44 /* of one application */

/* Two applications; the role is of one.  In the other there is all that an answer may name. */
static void
open_two(struct world *w)
{
	char apps[160];

	world_open(w, NULL);
	world_application(w, "shop", "");
	world_application(w, "blog", "");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, "GITHUB_REPOSITORY=", "ROLE_DEV_IDS=44",
	    "ROLE_DEV_MAY=deploy:shop/*, rollback:shop/*, cancel:shop/*, lock:shop/*, unlock:shop/*, "
	    "freeze:shop/*, history:shop/*",
	    NULL);
	world_asks(w, WORLD_ADMIN, "/deploy blog staging", COMMIT_A);
	world_asks(w, WORLD_ADMIN, "/deploy blog staging", COMMIT_B);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock blog staging");
	(void)world_text(w, WORLD_ADMIN, "/freeze blog until 06:00");
}

/* What is typed of that name is answered so, the name aside; the caller frees it. */
static char *
answer_to(struct world *w, const char *word, const char *name, int64_t person)
{
	size_t before = w->n_screen;
	char text[64];
	char *said;

	(void)snprintf(text, sizeof(text), "/%s %s until 06:00", word, name);
	if (strstr(word, "freeze") == NULL)
		*strstr(text, " until") = '\0';
	w->aid.at += 61 * 1000; /* strangers are limited */
	(void)world_text_in(w, person, person, text);
	assert_int_equal(w->n_screen, before + 1);
	said = strdup(world_plain(&w->screen[before]));
	assert_non_null(said);
	for (char *at = strstr(said, "blag"); at != NULL; at = strstr(at, "blag"))
		at[2] = 'o';
	return said;
}

/* In two worlds, which stay alike: what is hidden is asked for in the one, what there is not in the
 * other. */
static void
is_answered_alike(const char *word)
{
	static const int64_t people[] = { DEV, WORLD_STRANGER };
	static const char *const names[][2] = {
		{ "blog", "blag" },
		{ "blog/staging", "blag/staging" },
		{ "blog production", "blag production" },
	};
	struct world with, without;

	open_two(&with);
	open_two(&without);
	for (size_t i = 0; i < COUNT(names) * COUNT(people); i++) {
		const char *const *name = names[i / COUNT(people)];
		int64_t person = people[i % COUNT(people)];
		char *hidden = answer_to(&with, word, name[0], person);
		char *unknown = answer_to(&without, word, name[1], person);

		assert_string_equal(hidden, unknown);
		free(hidden);
		free(unknown);
	}
	world_close(&with);
	world_close(&without);
}

TEST(what_is_hidden_is_answered_as_what_does_not_exist)
{
	enum target { NONE, ONE, ANY };
	static const struct {
		const char *word;
		enum target target;
	} commands[] = {
#define COMMAND(word, action, target, argument, limit, cost, group, usage, help) { #word, target },
#include "commands/commands.def"
	};

	for (size_t i = 0; i < COUNT(commands); i++)
		if (commands[i].target != NONE)
			is_answered_alike(commands[i].word);
}

/* Regression: "Did you mean shop/staging?", and that button had blog's commit. */
WORLD_TEST(a_press_for_another_application_offers_nothing_else)
{
	static const char *const labels[] = { "Try again", "Show" };
	char apps[160];

	world_application(w, "shop", "");
	world_application(w, "blog", "");
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	world_settings(w, apps, "GITHUB_REPOSITORY=", "ROLE_DEV_IDS=44",
	    "ROLE_DEV_MAY=deploy:shop/staging, history:shop/staging", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy blog staging", COMMIT_A);
	(void)world_run_starts(w);
	world_run_ends(w, (struct run_ended){ .gate_opened = true, .exit_status = 1 });
	(void)world_text(w, WORLD_ADMIN, "/history blog staging");
	for (size_t i = 0; i < COUNT(labels); i++) {
		const char *button = "";
		size_t before = w->n_screen, queries = world_count(w, EFFECT_GIT_QUERY);

		for (size_t n = 0; n < w->n_screen && button[0] == '\0'; n++)
			button = world_button(&w->screen[n], labels[i]);
		assert_string_not_equal(button, "");
		w->toast[0] = '\0';
		(void)world_press(w, DEV, WORLD_GROUP, button);
		assert_int_equal(w->n_screen, before);
		assert_int_equal(world_count(w, EFFECT_GIT_QUERY), queries);
		assert_string_not_equal(w->toast, "");
		assert_null(strstr(w->toast, "shop"));
	}
	assert_true(world_audited(w, "denied", "telegram:44") > 0);
}

WORLD_TEST_BARE(a_denied_freeze_names_what_was_typed)
{
	open_two(w);
	(void)world_text(w, DEV, "/freeze all until 06:00");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Denied: all freeze: only who may freeze each environment of it may.");
	assert_int_equal(world_audited(w, "only who may freeze each", "blog"), 0);
	(void)world_text(w, DEV, "/unfreeze all");
	assert_null(strstr(world_last(w)->text, "blog"));
}

WORLD_TEST(one_persons_locks_leave_the_teams_chat_to_others)
{
	size_t n = 0;

	for (int i = 0; i < 40; i++) {
		w->aid.at += 1000;
		(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
		    i % 2 == 0 ? "/lock staging" : "/unlock staging");
	}
	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == WORLD_TEAM;
	assert_int_equal(n, 10);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/lock staging");
	assert_true(world_environment(w, "staging").held != 0); /* it is locked all the same */
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/unlock staging");
	assert_non_null(world_says_in(w, WORLD_TEAM, "Unlocked: staging by @ada"));
	while (world_says_in(w, WORLD_TEAM, "@bob: ") == NULL)
		world_due(w, TIMER_HOLDS);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "@bob: ")),
	    "🔒 @bob: 31 more locks or freezes begun or ended, not said one by one. /status shows "
	    "what holds now.");
	assert_true(world_says_in(w, WORLD_TEAM, "@bob: ")->is_silent);
	w->aid.at += 60 * 1000;
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/lock staging");
	assert_non_null(world_says_in(w, WORLD_TEAM, "Locked: staging by @bob"));
	world_due(w, TIMER_HOLDS);
	world_due(w, TIMER_HOLDS);
	assert_non_null(
	    strstr(world_plain(world_last(w)), "Locked: staging by @bob")); /* none was left out */
}

/* The first at once, and nothing of the last is lost; another's, and of elsewhere, are others. */
WORLD_TEST(one_persons_repeated_locks_are_an_entry_a_minute)
{
	char text[64];

	for (int i = 0; i < 30; i++) {
		w->aid.at += 1000;
		(void)snprintf(text, sizeof(text), "/lock staging 2h reason %d", i);
		(void)world_text(w, WORLD_OTHER_ADMIN, text);
	}
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock production");
	(void)world_text(w, WORLD_ADMIN, "/unlock staging");
	(void)world_text(w, WORLD_ADMIN, "/lock staging");
	assert_int_equal(world_audited(w, "lock_begun", "telegram:22"), 2);
	assert_int_equal(world_audited(w, "lock_begun", "reason 0"), 1);
	assert_int_equal(world_audited(w, "lock_ended", "telegram:11"), 1);
	assert_int_equal(world_audited(w, "lock_begun", "telegram:11"), 1);
	world_due(w, TIMER_HOLDS);
	assert_int_equal(world_audited(w, "\"reason\":\"reason 29\"", "\"count\":\"29\""), 1);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock production soon again");
	assert_int_equal(world_audited(w, "lock_begun", "soon again"), 0);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED)); /* over a restart */
	for (int i = 0; i < 6; i++)
		world_due(w, TIMER_HOLDS);
	assert_int_equal(world_audited(w, "soon again", "\"last_at\""), 1);
	assert_int_equal(world_audited(w, "soon again", "\"count\""), 0); /* is no repetition */
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock production much later");
	assert_int_equal(world_audited(w, "lock_begun", "much later"), 1);
}

WORLD_TEST(one_persons_denials_are_counted)
{
	char text[64];

	for (int i = 0; i < 150; i++)
		(void)world_text(w, WORLD_STAGING_USER, "/rollback production");
	assert_int_equal(world_audited(w, "\"denied\"", "rollback"), 1);
	(void)world_text(w, WORLD_STAGING_USER, "/rollback staging"); /* another one */
	(void)world_text(w, WORLD_STAGING_USER, "/lock production");
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:33"), 3);
	for (int i = 0; i < 20; i++) { /* names of no environment are no kinds of their own */
		(void)snprintf(text, sizeof(text), "/unlock n%d", i);
		(void)world_text(w, WORLD_STAGING_USER, text);
	}
	assert_true(world_audited(w, "\"denied\"", "telegram:33") <= 4);
	w->aid.at += 3600 * INT64_C(1000);
	world_due(w, TIMER_STRANGERS);
	assert_int_equal(
	    world_audited(w, "\"count\":\"149\"", "telegram:33 rollback production"), 1);
}

/* People who see a client, and no environment. */
#define DOES_ACME 44
#define APPROVES  55
#define DOES_BETA 66 /* it is the production that they do not see */

static const int64_t of_clients[] = { DOES_ACME, APPROVES, DOES_BETA };

static void
open_clients(struct world *w)
{
	world_open(w, "CLIENTS=acme,beta", "CLIENT_ACME_HOST=web@acme.example",
	    "CLIENT_ACME_ACTIONS=restart-web", "CLIENT_ACME_WEB_UNIT=nginx.service",
	    "CLIENT_BETA_HOST=local", "CLIENT_BETA_ACTIONS=restart-web",
	    "CLIENT_BETA_WEB_UNIT=nginx.service", "CLIENT_BETA_ENVIRONMENT=production",
	    "ROLE_C_IDS=44", "ROLE_C_MAY=do.restart-web:client/acme", "ROLE_LEAD_IDS=55",
	    "ROLE_LEAD_MAY=approve:client/acme", "ROLE_B_IDS=66",
	    "ROLE_B_MAY=do.restart-web:client/beta", NULL);
}

/* The promise: whoever is known is answered, whatever they may see; and learns of nothing else. */
TEST(every_command_of_who_is_known_is_answered)
{
	static const char *const words[] = {
#define COMMAND(word, ...) #word,
#include "commands/commands.def"
	};
	static const char *const behind[] = { "", "production", "staging", "acme", "client/acme",
		"client/beta", "production 30m", "all until 06:00", "acme until 06:00", "7 no",
		"restart-web", "restart-web acme", "restart-web client/acme", "restart-web beta",
		"run-job production migrate", "run-job", "bounce", "service-status acme" };
	char text[64];
	struct world w;

	for (size_t p = 0; p < COUNT(of_clients); p++)
		for (size_t i = 0; i < COUNT(words); i++) {
			open_clients(&w);
			for (size_t b = 0; b < COUNT(behind); b++) {
				size_t before = w.n_screen;

				w.aid.at += 3600 * INT64_C(1000);
				(void)snprintf(text, sizeof(text), "/%s %s", words[i], behind[b]);
				(void)world_text_in(&w, of_clients[p], of_clients[p], text);
				if (w.n_screen == before)
					fail_msg("%s: no answer", text);
			}
			for (size_t m = 0; m < w.n_screen; m++)
				if (strstr(w.screen[m].text, "develop") != NULL)
					fail_msg("/%s: %s", words[i], w.screen[m].text);
			world_close(&w);
		}
}

WORLD_TEST_BARE(who_sees_a_client_alone_reads_what_is_theirs)
{
	open_clients(w);
	(void)world_text_in(w, DOES_ACME, DOES_ACME, "/do run-job production migrate");
	assert_string_equal(world_plain(world_last(w)),
	    "No \"production\" for you. Yours: client/acme (/do). For more ask an admin.");
	(void)world_text_in(w, DOES_ACME, DOES_ACME, "/queue");
	assert_string_equal(
	    world_plain(world_last(w)), "Nothing is in progress, and nothing is queued.");
	(void)world_text_in(w, DOES_BETA, DOES_BETA, "/queue production");
	assert_string_equal(world_plain(world_last(w)),
	    "No \"production\" for you. Yours: client/beta (/do). For more ask an admin.");
	(void)world_text_in(w, DOES_ACME, DOES_ACME, "/status acme");
	assert_int_equal(strncmp(world_plain(world_last(w)), "client/acme: nothing is in", 26), 0);
	(void)world_text_in(w, DOES_ACME, DOES_ACME, "/status beta");
	assert_string_equal(world_plain(world_last(w)),
	    "No \"beta\" for you. Yours: client/acme (/do). For more ask an admin.");
	(void)world_text_in(w, APPROVES, APPROVES, "/pending");
	assert_string_equal(world_plain(world_last(w)), "Nothing awaits an approval.");
	(void)world_text_in(w, DOES_ACME, DOES_ACME, "/request restart-web client/acme");
	(void)world_text_in(w, APPROVES, APPROVES, "/pending");
	assert_non_null(strstr(world_plain(world_last(w)), "client/acme: "));
	assert_int_equal(strncmp(world_plain(world_last(w)), "Awaiting approval", 17), 0);
	(void)world_text_in(w, DOES_BETA, DOES_BETA, "/pending");
	assert_string_equal(world_plain(world_last(w)), "Nothing awaits an approval.");
}
