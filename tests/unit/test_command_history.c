/* Goal: /history marks what serves, in pages, with a button to each.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

static struct world w;

static int
open_world(void **state)
{
	*state = &w;
	world_open(&w, "ROLE_DEV_IDS=44", "ROLE_DEV_MAY=history:staging", NULL);
	return 0;
}

static const char *
history(int64_t person)
{
	(void)world_text(&w, person, "/history staging");
	return world_plain(world_last(&w));
}

static size_t
count(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

TEST_WITH(what_serves_is_marked_and_nothing_else, open_world, world_tear_down)
{
	const char *text;

	world_deploy_goes_live(&w, COMMIT_A);
	w.aid.at += 3600 * 1000;
	world_deploy_goes_live(&w, COMMIT_B);
	w.aid.at += 60 * 1000;
	text = history(WORLD_ADMIN);
	assert_non_null(strstr(text,
	    "staging\n✅ #2 bbbbbbb \"Make it blue\"\n    live since 01:00 · @ada · 1 min ago"));
	assert_non_null(
	    strstr(text, "\n✅ #1 aaaaaaa \"Make it blue\"\n    was live until 1 min ago · @ada"));
	assert_int_equal(count(text, "live since"), 1);
	assert_null(strstr(text, "release ")); /* one number: what /show takes */
}

static void
set_unknown(struct tx *tx, void *arg)
{
	row_environment_set_unknown(tx, arg, "its folder is not here");
}

/* The newest release is on record, and nobody knows that it runs. */
TEST_WITH(what_may_be_down_or_is_being_replaced_has_no_mark, open_world, world_tear_down)
{
	world_deploy_goes_live(&w, COMMIT_A);
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 1);
	world_deploy_starts(&w, COMMIT_B);
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 1);
	world_run_step(&w, 0, "release");
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 0);
	assert_non_null(strstr(world_plain(world_last(&w)), "    went live 00:00"));
	world_run_ends(&w, GOOD);
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 1);
	world_act(&w, world_set_down, (void *)(uintptr_t) "staging");
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 0);
	world_deploy_goes_live(&w, COMMIT_C);
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 1);
	world_act(&w, set_unknown, (void *)(uintptr_t) "staging");
	assert_int_equal(count(history(WORLD_ADMIN), "live since"), 0);
}

/* After a rollback what serves is the rollback's release. */
TEST_WITH(behind_a_rollback_the_mark_is_that_of_the_rollback, open_world, world_tear_down)
{
	const char *text;

	world_two_go_live(&w, COMMIT_A, COMMIT_B);
	world_rolls_back(&w, "/rollback staging");
	text = history(WORLD_ADMIN);
	assert_non_null(strstr(text, "#3 aaaaaaa \"Make it blue\"\n    rollback, live since"));
	assert_int_equal(count(text, "live since"), 1);
}

TEST_WITH(a_page_is_five_and_each_has_a_button_and_its_log, open_world, world_tear_down)
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D, COMMIT_E,
		COMMIT_F };
	struct world_message *message;

	for (size_t i = 0; i < COUNT(commits); i++)
		world_deploy_goes_live(&w, commits[i]);
	assert_null(strstr(history(WORLD_ADMIN), "#1 "));
	message = world_last(&w);
	assert_int_equal(message->buttons.n, 11);
	assert_string_equal(message->buttons.at[0].label, "🔎 Show #6");
	assert_string_equal(message->buttons.at[1].label, "📄 Log of #6");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "2/2 ▶"));
	assert_ptr_equal(world_last(&w), message);
	assert_non_null(strstr(world_plain(message), "✅ #1 aaaaaaa"));
	assert_null(strstr(world_plain(message), "#2 "));
	assert_int_equal(message->buttons.n, 3);
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "Log of #1"));
	assert_non_null(world_peek(&w, EFFECT_DOCUMENT));
}

/* Another's buttons show what only that person may see; logs are a grant of their own. */
TEST_WITH(the_buttons_are_those_of_who_asked, open_world, world_tear_down)
{
	struct world_message *message;

	world_deploy_goes_live(&w, COMMIT_A);
	(void)history(44);
	message = world_last(&w);
	assert_int_equal(message->buttons.n, 1); /* no log */
	(void)world_press(&w, WORLD_STRANGER, WORLD_GROUP, world_button(message, "#1"));
	assert_true(w.is_alert);
	assert_null(strstr(world_plain(message), "requested by"));
	(void)history(WORLD_ADMIN);
	assert_int_equal(world_last(&w)->buttons.n, 2);
}

TEST_WITH(of_several_environments_a_button_leads_to_one, open_world, world_tear_down)
{
	struct world_message *message;

	world_deploy_goes_live(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/history"); /* nothing was done in the other */
	assert_string_equal(world_last(&w)->buttons.at[0].label, "🔎 Show #1");
	assert_null(strstr(world_plain(world_last(&w)), "production"));
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .error = "there is no branch main" });
	(void)world_text(&w, WORLD_ADMIN, "/history");
	message = world_last(&w);
	assert_int_equal(message->buttons.n, 2);
	assert_string_equal(message->buttons.at[0].label, "staging");
	(void)world_press(&w, WORLD_ADMIN, WORLD_GROUP, world_button(message, "staging"));
	assert_ptr_equal(world_last(&w), message);
	assert_null(strstr(world_plain(message), "production"));
	assert_string_equal(message->buttons.at[0].label, "🔎 Show #1");
}
