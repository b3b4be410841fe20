/* Goal: a phone makes a sound for a question, a failure and an end, and for nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"
#include "store/store_inside.h"

static int64_t
written(const struct world *w)
{
	return w->next_update - 1 + WORLD_WRITTEN;
}

static void
press(struct world *w, const struct world_message *message, const char *label)
{
	char id[LIMIT_BUTTON_ID];

	(void)text_copy(id, sizeof(id), world_button(message, label));
	assert_string_not_equal(id, "");
	(void)world_press(w, WORLD_ADMIN, message->chat, id);
}

static const struct world_message *
rang(struct world *w, const char *part)
{
	const struct world_message *message = world_says(w, part);

	assert_non_null(message);
	assert_false(message->is_silent);
	return message;
}

static void
a_question_is_sent_and_not_edited_into_what_stands(void **state)
{
	const struct world_message *question;
	int64_t request;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	request = written(&w);
	assert_true(world_last(&w)->is_silent);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(
	    world_plain(&w.screen[0]), "🔎 production: main is aaaaaaa Make it blue");
	question = rang(&w, "Deploy to production?");
	assert_int_equal(question->sends, 1);
	assert_int_equal(question->reply_to, request);
	press(&w, question, "Confirm");
	world_git_same(&w);
	assert_int_equal(world_run_starts(&w), 200);
	world_run_ends(&w, GOOD);
	assert_non_null(strstr(world_plain(question), "✅ production runs aaaaaaa")); /* edited */
	assert_int_equal(rang(&w, "✅ production runs aaaaaaa Make it blue")->reply_to, request);
	assert_int_equal(world_rings(&w), 2);
	world_close(&w);
}

static void
a_short_success_that_nobody_confirmed_makes_no_sound(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	assert_int_equal(world_rings(&w), 0);
	world_deploy_starts(&w, COMMIT_B);
	w.aid.at += 61000;
	world_run_ends(&w, GOOD);
	assert_int_equal(world_rings(&w), 1);
	world_settings(&w, "STAGING_NOTIFY_AFTER_SECONDS=0", NULL);
	world_deploy_goes_live(&w, COMMIT_C);
	assert_int_equal(world_rings(&w), 2);
	world_settings(&w, "STAGING_NOTIFY_AFTER_SECONDS=3600", NULL);
	world_deploy_starts(&w, COMMIT_D);
	w.aid.at += 61000;
	world_run_ends(&w, GOOD);
	assert_int_equal(world_rings(&w), 2);
	world_close(&w);
}

static void
a_failure_rings_when_it_happens_and_its_rollback_at_its_end(void **state)
{
	const struct world_message *line;
	int64_t request;
	struct world w;

	(void)state;
	world_open(&w, STAGING_URL, NULL);
	world_deploy_goes_live(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/deploy staging");
	request = written(&w);
	world_git(&w, (struct world_git){ .commit = COMMIT_B });
	(void)world_run_starts(&w);
	world_run_ends(&w, GOOD);
	assert_int_equal(world_rings(&w), 0);
	world_probed(&w, "HTTP 500");
	line = rang(&w,
	    "❌ Failed: staging bbbbbbb Make it blue (unhealthy: HTTP 500): rolling back to aaaaaaa");
	assert_int_equal(line->reply_to, request);
	assert_int_equal(world_rings(&w), 1);
	world_run_step(&w, 0, "release");
	world_run_ends(&w, GOOD);
	world_probed(&w, NULL);
	line = world_says_in(&w, WORLD_GROUP,
	    "↩️ Rolled back: staging is NOT running bbbbbbb; it runs aaaaaaa again (unhealthy: HTTP 500)");
	assert_int_equal(line->reply_to, request);
	assert_null(strchr(line->text, '\n'));
	assert_string_not_equal(world_button(line, "Log"), "");
	assert_non_null(world_says_in(&w, WORLD_TEAM, "aaaaaaa again (unhealthy"));
	assert_int_equal(world_rings(&w), 3); /* the team's too */
	world_close(&w);
}

/* Asked twice, confirmed, failed and rolled back; the team hears of the end. */
static void
world_with_three_sounds(struct world *w)
{
	world_open(w, NULL);
	world_deploy_goes_live(w, COMMIT_A);
	world_settings(w, "STAGING_CONFIRM=true", NULL);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	press(w, world_says(w, "Deploy to staging?"), "Confirm");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .is_off_branch = true });
	assert_int_equal(world_rings(w), 2); /* asked anew */
	assert_non_null(world_says(w, "🔁 staging: asked again below: develop was force-pushed"));
	press(w, world_says(w, "Deploy to staging?"), "Confirm");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .is_off_branch = true });
	(void)world_run_starts(w);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_rings(w), 2);
	world_run_ends(w, GOOD);
}

static void
three_sounds_are_the_most_in_a_chat_and_the_team_hears_a_bad_end(void **state)
{
	struct world w;

	(void)state;
	world_with_three_sounds(&w);
	assert_false(world_says_in(&w, WORLD_GROUP, "aaaaaaa again (script failed")->is_silent);
	assert_false(world_says_in(&w, WORLD_TEAM, "aaaaaaa again (script failed")->is_silent);
	assert_int_equal(world_rings(&w), 4); /* it was silent there until now */
	world_close(&w);
}

static void
act_count_rings(struct tx *tx, void *arg)
{
	*(int64_t *)arg = tx_number(tx,
	    "SELECT COUNT(*) FROM message WHERE rings_for <> 0"
	    " AND is_silent = 0 AND chat = $1",
	    DB_I64(WORLD_TEAM));
}

/* Settings named the new id before Telegram said that the group has it. */
static void
a_chat_that_moves_to_one_that_rang_adds_no_sound_to_it(void **state)
{
	int64_t rings = 0;
	struct event *event;
	struct world w;

	(void)state;
	world_with_three_sounds(&w);
	event = world_update(&w, UPDATE_MIGRATED, 0, WORLD_GROUP);
	event->u.update->new_chat = WORLD_TEAM;
	(void)world_decide(&w, event);
	store_aid_act(&w.aid, act_count_rings, &rings);
	assert_int_equal(rings, 1);
	world_close(&w);
}

static void
a_pushs_line_replies_to_its_own_message_which_is_edited_on(void **state)
{
	const struct world_message *own, *line;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	(void)world_decide(&w, world_push(&w, "develop"));
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	own = world_says(&w, "🚀 Deploying staging");
	assert_true(own->is_silent);
	(void)world_run_starts(&w);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_non_null(strstr(world_plain(own), "❌ Failed: staging has no release yet"));
	line = rang(&w, "nothing was changed (script failed");
	assert_int_equal(line->reply_to, w.screen_remote[own->row]);
	assert_int_not_equal(line->reply_to, 0);
	assert_int_equal(world_rings(&w), 1);
	world_close(&w);
}

static void
whoever_cancels_at_once_is_looking(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	(void)world_text(&w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	(void)world_text(&w, WORLD_ADMIN, "/status");
	(void)world_text(&w, WORLD_ADMIN, "/deploy nowhere");
	assert_int_equal(world_rings(&w), 0);
	world_close(&w);
}

/* A group that became a supergroup: the old ids are no one's there. */
static void
after_a_chat_has_moved_nothing_is_replied_to_by_an_old_id(void **state)
{
	struct event *event;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	world_deploy_starts(&w, COMMIT_A);
	event = world_update(&w, UPDATE_MIGRATED, 0, WORLD_GROUP);
	event->u.update->new_chat = -2002;
	(void)world_decide(&w, event);
	world_run_ends(&w, FAILED_BEFORE_RELEASE);
	assert_true(world_says_in(&w, -2002, "nothing was changed (")->reply_to < WORLD_WRITTEN);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_sent_and_not_edited_into_what_stands),
		cmocka_unit_test(a_short_success_that_nobody_confirmed_makes_no_sound),
		cmocka_unit_test(a_failure_rings_when_it_happens_and_its_rollback_at_its_end),
		cmocka_unit_test(three_sounds_are_the_most_in_a_chat_and_the_team_hears_a_bad_end),
		cmocka_unit_test(a_chat_that_moves_to_one_that_rang_adds_no_sound_to_it),
		cmocka_unit_test(a_pushs_line_replies_to_its_own_message_which_is_edited_on),
		cmocka_unit_test(whoever_cancels_at_once_is_looking),
		cmocka_unit_test(after_a_chat_has_moved_nothing_is_replied_to_by_an_old_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
