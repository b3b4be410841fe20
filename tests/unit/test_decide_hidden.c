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
	(void)world_text(w, WORLD_ADMIN, "/deploy blog staging");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)world_text(w, WORLD_ADMIN, "/deploy blog staging");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock blog staging");
	(void)world_text(w, WORLD_ADMIN, "/freeze blog until 06:00");
}

/* What is typed of that name is answered so, the name aside; the caller frees it. */
static char *
answer_to(const char *word, const char *name, int64_t person)
{
	char text[64];
	char *said;
	struct world w;

	open_two(&w);
	(void)snprintf(text, sizeof(text), "/%s %s until 06:00", word, name);
	if (strstr(word, "freeze") == NULL)
		*strstr(text, " until") = '\0';
	said = NULL;
	size_t before = w.n_screen;

	(void)world_text_in(&w, person, person, text);
	assert_int_equal(w.n_screen, before + 1);
	said = strdup(world_plain(&w.screen[before]));
	assert_non_null(said);
	for (char *at = strstr(said, "blag"); at != NULL; at = strstr(at, "blag"))
		at[2] = 'o';
	world_close(&w);
	return said;
}

static void
what_is_hidden_is_answered_as_what_does_not_exist(void **state)
{
	enum target { NONE, ONE, ANY };
	static const struct {
		const char *word;
		enum target target;
	} commands[] = {
#define COMMAND(word, action, target, argument, limit, cost, usage, help) { #word, target },
#define PRESSED(word, limit, cost)
#include "commands/commands.def"
#undef PRESSED
#undef COMMAND
	};
	static const int64_t people[] = { DEV, WORLD_STRANGER };
	static const char *const names[][2] = {
		{ "blog", "blag" },
		{ "blog/staging", "blag/staging" },
		{ "blog production", "blag production" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(commands) * COUNT(names) * COUNT(people); i++) {
		size_t n = i / COUNT(names) / COUNT(people);
		const char *const *name = names[i / COUNT(people) % COUNT(names)];
		int64_t person = people[i % COUNT(people)];
		char *hidden, *unknown;

		if (commands[n].target == NONE)
			continue;
		hidden = answer_to(commands[n].word, name[0], person);
		unknown = answer_to(commands[n].word, name[1], person);
		assert_string_equal(hidden, unknown);
		free(hidden);
		free(unknown);
	}
}

static void
a_denied_freeze_names_what_was_typed(void **state)
{
	struct world w;

	(void)state;
	open_two(&w);
	(void)world_text(&w, DEV, "/freeze all until 06:00");
	assert_string_equal(world_plain(world_last(&w)),
	    "⛔ freeze all: only who may freeze each environment of it may.");
	assert_int_equal(world_audited(&w, "only who may freeze each", "blog"), 0);
	(void)world_text(&w, DEV, "/unfreeze all");
	assert_null(strstr(world_last(&w)->text, "blog"));
	world_close(&w);
}

static void
one_persons_locks_leave_the_teams_chat_to_others(void **state)
{
	size_t n = 0;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	for (int i = 0; i < 40; i++) {
		w.aid.at += 1000;
		(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
		    i % 2 == 0 ? "/lock staging" : "/unlock staging");
	}
	for (size_t i = 0; i < w.n_screen; i++)
		n += w.screen[i].chat == WORLD_TEAM;
	assert_int_equal(n, 10);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/lock staging");
	assert_true(world_environment(&w, "staging").held != 0); /* it is locked all the same */
	(void)world_text_in(&w, WORLD_ADMIN, WORLD_ADMIN, "/unlock staging");
	assert_non_null(world_says_in(&w, WORLD_TEAM, "unlocked by @ada"));
	w.aid.at += 60 * 1000;
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/lock staging");
	assert_non_null(world_says_in(&w, WORLD_TEAM, "staging: locked by @bob"));
	world_close(&w);
}

static void
one_persons_denials_are_counted(void **state)
{
	char text[64];
	struct world w;

	(void)state;
	world_open(&w, NULL);
	for (int i = 0; i < 150; i++)
		(void)world_text(&w, WORLD_STAGING_USER, "/rollback production");
	assert_int_equal(world_audited(&w, "\"denied\"", "rollback"), 1);
	(void)world_text(&w, WORLD_STAGING_USER, "/rollback staging"); /* another one */
	(void)world_text(&w, WORLD_STAGING_USER, "/lock production");
	assert_int_equal(world_audited(&w, "\"denied\"", "telegram:33"), 3);
	for (int i = 0; i < 20; i++) { /* names of no environment are no kinds of their own */
		(void)snprintf(text, sizeof(text), "/unlock n%d", i);
		(void)world_text(&w, WORLD_STAGING_USER, text);
	}
	assert_true(world_audited(&w, "\"denied\"", "telegram:33") <= 4);
	w.aid.at += 3600 * INT64_C(1000);
	world_due(&w, TIMER_STRANGERS);
	assert_int_equal(
	    world_audited(&w, "\"count\":\"149\"", "telegram:33 rollback production"), 1);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_hidden_is_answered_as_what_does_not_exist),
		cmocka_unit_test(a_denied_freeze_names_what_was_typed),
		cmocka_unit_test(one_persons_locks_leave_the_teams_chat_to_others),
		cmocka_unit_test(one_persons_denials_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
