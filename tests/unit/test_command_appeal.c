/* Goal: who may not do something has it asked of those who may, who decide it as ever.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

static const char *
denied(struct world *w, int64_t chat, const char *text)
{
	(void)world_text_in(w, WORLD_STAGING_USER, chat, text);
	assert_non_null(world_says_in(w, chat, "⛔ Denied: "));
	return world_button(world_last(w), "🙋 Ask an admin");
}

WORLD_TEST(a_rollback_is_asked_of_the_team_and_done_by_who_may)
{
	struct world_message *asked;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_GROUP, denied(w, WORLD_GROUP, "/rollback staging"));
	assert_string_equal(w->toast, "Asked in the team's chat.");
	assert_int_equal(world_says_in(w, WORLD_GROUP, "⛔ Denied: ")->buttons.n, 1);
	asked = world_last(w);
	assert_int_equal(asked->chat, WORLD_TEAM);
	assert_false(asked->is_silent);
	assert_string_equal(world_plain(asked),
	    "❓ Roll back staging? @cy asks for it, and may not.\n"
	    "bbbbbbb → aaaaaaa \"Make it blue\"\nWho may: @ada");
	/* It is theirs no more than before. */
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_TEAM, world_button(asked, "↩️ Roll back staging"));
	assert_int_equal(strncmp(w->toast, "⛔ Denied: rollback", 12), 0);
	assert_null(world_says(w, "❓ Roll back staging?\n"));
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_TEAM, world_button(asked, "↩️ Roll back staging"));
	assert_non_null(world_says(w, "❓ Roll back staging?\nbbbbbbb → aaaaaaa"));
	assert_string_equal(world_newest(w, "staging").requester, "@ada");
}

/* Each ask rings: once an hour of one person and place is enough. */
WORLD_TEST(it_is_asked_once_an_hour)
{
	size_t n;

	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_GROUP, denied(w, WORLD_GROUP, "/deploy production v2"));
	assert_string_equal(world_plain(world_last(w)),
	    "❓ Deploy to production? @cy asks for it, and may not.\nWhat: v2");
	n = w->n_screen + 1;
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_GROUP, denied(w, WORLD_GROUP, "/deploy production v2"));
	assert_string_equal(w->toast, "It was asked for within the last hour.");
	assert_int_equal(w->n_screen, n);
	w->aid.at += 3600 * 1000;
	(void)world_press(
	    w, WORLD_STAGING_USER, WORLD_GROUP, denied(w, WORLD_GROUP, "/deploy production v2"));
	(void)world_press(
	    w, WORLD_OTHER_ADMIN, WORLD_TEAM, world_button(world_last(w), "🚀 Deploy to"));
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, "v2");
}

/* Without a group of the team each who may, and whom the bot can write to. */
WORLD_TEST_OF(in_private_each_who_may_is_asked, "TELEGRAM_CHAT_ID=", "ROLE_LEAD_IDS=44",
    "ROLE_LEAD_MAY=rollback:staging")
{
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/whoami");
	(void)world_text_in(w, 44, 44, "/whoami");
	(void)world_press(w, WORLD_STAGING_USER, WORLD_STAGING_USER,
	    denied(w, WORLD_STAGING_USER, "/rollback staging"));
	assert_string_equal(w->toast, "Asked: 2 people who may.");
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN, "❓ Roll back staging?"));
	assert_non_null(world_says_in(w, 44, "❓ Roll back staging?"));
	assert_null(world_says_in(w, WORLD_ADMIN, "🙋")); /* never wrote to it */
}

/* Of what they do not see, nobody learns by it; a stranger has no such button. */
WORLD_TEST_OF(
    what_is_not_theirs_to_see_is_asked_of_nobody, "ROLE_C_IDS=50", "ROLE_C_MAY=status:staging")
{
	(void)world_text_in(w, 50, 50, "/rollback production");
	assert_string_equal(world_labels(world_last(w)), "");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/rollback staging");
	assert_string_equal(world_labels(world_last(w)), "");
	(void)world_text_in(w, 50, 50, "/lock staging"); /* a hold is theirs who works */
	assert_string_equal(world_labels(world_last(w)), "");
}
