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

static struct world_message *
world_last_in(struct world *w, int64_t chat)
{
	return world_says_in(w, chat, "");
}

/* In how many messages of that chat it stands now. */
static size_t
count_says(struct world *w, int64_t chat, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat && !w->screen[i].is_gone &&
		    strstr(world_plain(&w->screen[i]), part) != NULL;
	return n;
}

/* Goal: who was not told yet that it goes back is told once, how that ended. */
WORLD_TEST_OF(a_ring_that_its_end_overtakes_says_the_end_alone, STAGING_URL)
{
	const struct world_message *said;

	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, GOOD);
	w->is_telegram_away = true;
	world_probed(w, "HTTP 500");
	assert_int_equal(world_rings(w), 0);
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	world_telegram_back(w);
	said = world_last_in(w, WORLD_GROUP);
	assert_true(text_starts(
	    world_plain(said), "❌ Rolled back: staging from \"Make it blue\" (HTTP 500)"));
	assert_false(said->is_silent);
	assert_int_equal(count_says(w, WORLD_GROUP, "❌ Rolled back: staging"), 1);
	assert_int_equal(count_says(w, WORLD_GROUP, "Unhealthy"), 0);
	assert_int_equal(count_says(w, WORLD_GROUP, "rolling back to"), 0);
	assert_int_equal(world_rings(w), 2); /* the team's too */
}

/* In a full minute of a group alarms go first: "Live" stood below "DOWN", as the newest news. */
WORLD_TEST_OF(what_was_live_is_no_news_behind_an_alarm, STAGING_URL)
{
	world_deploy_starts(w, COMMIT_A);
	w->is_telegram_away = true;
	world_run_is_probed(w, NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	(void)world_run_starts(w);
	world_run_releases(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	world_telegram_back(w);
	assert_int_equal(count_says(w, WORLD_GROUP, "🔥 Rollback failed: staging, may be DOWN"), 1);
	assert_int_equal(count_says(w, WORLD_GROUP, "✅ Live: staging"), 0);
	assert_int_equal(count_says(w, WORLD_GROUP, "✅ Was live: staging"), 1);
}

static void
do_nothing(UNUSED struct tx *tx, UNUSED void *arg)
{
}

/* Goal: Telegram says of no message whether it has it: one that a crash cut off may stand there
 * twice, and for ever the first says "Deploying".  The second says which of them counts. */
WORLD_TEST(what_a_crash_cut_off_says_that_it_may_stand_twice)
{
	static const char note[] = "Sent again after a restart of deploybot";
	const struct world_message *said;
	struct effect *lost;

	w->is_telegram_away = true;
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_asks(w, WORLD_ADMIN, "/whoami", COMMIT_A);
	(void)world_run_starts(w);
	while ((lost = world_take(w, EFFECT_SEND_MESSAGE)) != NULL)
		effect_free(lost);
	store_aid_reopen(&w->aid);
	w->is_telegram_away = false;
	world_act(w, do_nothing, NULL);
	said = world_says(w, "⏳ Deploying staging");
	assert_non_null(strstr(world_plain(said), note));
	assert_null(strstr(world_plain(world_says(w, "Your Telegram id")), note));
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(count_says(w, WORLD_GROUP, note), 1);
	assert_true(text_starts(world_plain(world_says(w, note)), "❌ Failed: staging"));
}

/* Begins a deployment whose message is in hand at Telegram; its row. */
static int64_t
in_hand(struct world *w)
{
	struct effect *effect;
	int64_t row;

	world_open(w, NULL);
	w->is_telegram_away = true;
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	effect = world_take(w, EFFECT_SEND_MESSAGE);
	assert_non_null(effect);
	row = effect->u.send_message.message.id;
	effect_free(effect);
	while ((effect = world_take(w, EFFECT_SEND_MESSAGE)) != NULL)
		effect_free(effect);
	return row;
}

/* The next start, and what it says of that deployment. */
static bool
may_stand_twice(struct world *w)
{
	store_aid_reopen(&w->aid);
	w->is_telegram_away = false;
	world_act(w, do_nothing, NULL);
	return strstr(world_plain(world_says(w, "⏳ Deploying staging")), "Sent again after") !=
	    NULL;
}

/* Goal: a restart in order doubts what Telegram has not answered, and nothing else. */
TEST(a_restart_in_order_notes_only_what_telegram_did_not_answer)
{
	struct world w;
	struct err err;
	int64_t row;

	(void)in_hand(&w);
	assert_true(store_end(w.aid.store, NULL, 0, &err));
	assert_false(may_stand_twice(&w));
	world_close(&w);
	row = in_hand(&w);
	assert_true(store_end(w.aid.store, &row, 1, &err));
	assert_true(may_stand_twice(&w));
	world_close(&w);
}

/* Goal: that word holds for one start, and not for a copy of the database. */
TEST(a_crash_behind_a_restart_in_order_and_a_copy_are_noted)
{
	struct world w;
	struct err err;

	(void)in_hand(&w);
	assert_true(store_end(w.aid.store, NULL, 0, &err));
	store_aid_reopen(&w.aid); /* sends it, and is killed */
	assert_true(may_stand_twice(&w));
	world_close(&w);
	(void)in_hand(&w);
	assert_true(store_end(w.aid.store, NULL, 0, &err));
	w.aid.config.is_restored = true;
	assert_true(may_stand_twice(&w));
	world_close(&w);
	/* An older program has run and was killed: it wrote to the audit, and knew no such word. */
	(void)in_hand(&w);
	assert_true(store_end(w.aid.store, NULL, 0, &err));
	(void)world_text(&w, WORLD_STRANGER, "/deploy staging");
	assert_true(may_stand_twice(&w));
	world_close(&w);
}

/* Goal: ten pushes that fail while a group may not be written to are ten messages in it, not
 * twenty, and each rings and says how it ended. */
WORLD_TEST(a_failure_whose_first_message_was_not_sent_is_one_message)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_TEAM, "/status");
	w->is_telegram_away = true;
	(void)world_text_in(w, WORLD_ADMIN, WORLD_TEAM, "/whoami");
	for (int i = 0; i < 10; i++) {
		char commit[LIMIT_COMMIT];

		(void)snprintf(commit, sizeof(commit), "%s", COMMIT_A);
		commit[0] = (char)('0' + i);
		world_push_is_at(w, commit);
		(void)world_run_starts(w);
		world_run_ends(w, FAILED_BEFORE_RELEASE);
	}
	world_telegram_back(w);
	assert_int_equal(count_says(w, WORLD_TEAM, "❌ Failed: staging"), 10);
	assert_int_equal(count_says(w, WORLD_TEAM, "Deploying"), 0);
	assert_int_equal(world_rings(w), 10);
	for (size_t i = 0; i < w->n_screen; i++)
		if (w->screen[i].chat == WORLD_TEAM && !w->screen[i].is_silent)
			assert_true(w->screen[i].is_alarm);
}

/* In private as in a group: what rings is the message itself, which says all. */
WORLD_TEST(what_rings_says_what_runs_and_stands_once)
{
	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy staging", COMMIT_A);
	(void)world_run_starts(w);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_false(world_says_in(w, WORLD_ADMIN, "❌ Failed: staging")->is_silent);
	assert_int_equal(count_says(w, WORLD_ADMIN, "staging has no release yet"), 1);
	assert_int_equal(count_says(w, WORLD_TEAM, "staging has no release yet"), 1);
	assert_int_equal(count_says(w, WORLD_ADMIN, "Deploying"), 0);
}

/* Telegram deletes nothing that is older than two days: what stands above says where it goes on. */
WORLD_TEST(a_copy_that_stays_says_that_it_is_said_below)
{
	const struct world_message *copy;

	world_deploy_starts(w, COMMIT_A);
	w->is_deletion_refused = true;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(count_says(w, WORLD_GROUP, "❌ Failed: staging"), 1);
	copy = world_says_in(w, WORLD_GROUP, "This is said again below.");
	assert_non_null(copy);
	assert_int_equal(copy->buttons.n, 0);
}

static const struct world_message *
rang(struct world *w, const char *part)
{
	const struct world_message *message = world_says(w, part);

	assert_non_null(message);
	assert_false(message->is_silent);
	return message;
}

/* Question and end are a message each, which rings, and neither has a copy. */
WORLD_TEST(a_quick_git_answers_with_the_question_alone)
{
	const struct world_message *question, *end;
	int64_t request;

	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	request = written(w);
	assert_int_equal(w->n_screen, 0);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	question = rang(w, "Deploy to production?");
	assert_int_equal(w->n_screen, 1);
	assert_false(question->is_alarm);
	assert_int_equal(question->sends, 1);
	assert_int_equal(question->reply_to, request);
	press(w, question, "Deploy to");
	world_git_same(w);
	world_run_plays(w, GOOD);
	end = rang(w, "Live: production, not checked \"Make it blue\" aaaaaaa");
	assert_int_equal(end->reply_to, request);
	assert_true(end != question && question->is_gone);
	assert_int_equal(count_says(w, WORLD_GROUP, ""), 1);
	assert_int_equal(count_says(w, WORLD_TEAM, ""), 1); /* the team's own */
	assert_int_equal(world_rings(w), 2);
}

/* Who sees that git is asked is looking: it becomes the question.  A minute later nobody is. */
WORLD_TEST(what_says_that_git_is_asked_becomes_the_question)
{
	const struct world_message *asks;

	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_moment(w);
	asks = world_says(w, "⏳ production: asking git for main …");
	assert_true(asks->is_silent);
	w->aid.at += 20000;
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(strstr(world_plain(asks), "Deploy to production?"));
	assert_int_equal(w->n_screen, 1);
	press(w, asks, "Not now");
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_moment(w);
	asks = world_says(w, "⏳ production: asking git for main …");
	w->aid.at += 61000;
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)rang(w, "Deploy to production?");
	assert_true(asks->is_gone);
}

WORLD_TEST(a_short_success_that_nobody_confirmed_makes_no_sound)
{
	world_deploy_goes_live(w, COMMIT_A);
	assert_int_equal(world_rings(w), 0);
	world_deploy_starts(w, COMMIT_B);
	w->aid.at += 61000;
	world_run_ends(w, GOOD);
	assert_int_equal(world_rings(w), 1);
	world_settings(w, "STAGING_NOTIFY_AFTER_SECONDS=0", NULL);
	world_deploy_goes_live(w, COMMIT_C);
	assert_int_equal(world_rings(w), 2);
	world_settings(w, "STAGING_NOTIFY_AFTER_SECONDS=3600", NULL);
	world_deploy_starts(w, COMMIT_D);
	w->aid.at += 61000;
	world_run_ends(w, GOOD);
	assert_int_equal(world_rings(w), 2);
}

WORLD_TEST_OF(a_failure_rings_when_it_happens_and_its_rollback_at_its_end, STAGING_URL)
{
	const struct world_message *line;
	int64_t request;

	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	request = written(w);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
	assert_int_equal(world_rings(w), 0);
	world_probed(w, "HTTP 500");
	line =
	    rang(w, "❌ Unhealthy: staging, rolling back to aaaaaaa: \"Make it blue\" (HTTP 500)");
	assert_true(line->is_alarm);
	assert_int_equal(line->reply_to, request);
	assert_int_equal(world_rings(w), 1);
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	/* All stands once, in what rings. */
	line = world_last_in(w, WORLD_GROUP);
	assert_true(text_starts(
	    world_plain(line), "❌ Rolled back: staging from \"Make it blue\" (HTTP 500)"));
	assert_int_equal(line->reply_to, request);
	assert_true(line->is_alarm);
	assert_string_not_equal(world_button(line, "Log"), "");
	line = world_last_in(w, WORLD_TEAM);
	assert_true(text_starts(
	    world_plain(line), "❌ Rolled back: staging from \"Make it blue\" (HTTP 500)"));
	assert_string_not_equal(world_button(line, "Rollback log"), "");
	assert_int_equal(world_rings(w), 3); /* the team's too */
	/* The alarm of before does not stay as if it went on. */
	assert_int_equal(count_says(w, WORLD_GROUP, ", rolling back to"), 0);
	assert_int_equal(count_says(w, WORLD_GROUP, "Unhealthy"), 0);
	assert_int_equal(count_says(w, WORLD_GROUP, "staging is NOT running bbbbbbb"), 1);
	assert_int_equal(count_says(w, WORLD_TEAM, "staging is NOT running bbbbbbb"), 1);
}

/* Asked twice, confirmed, failed and rolled back; the team hears of the end. */
static void
world_with_three_sounds(struct world *w)
{
	world_open(w, NULL);
	world_deploy_goes_live(w, COMMIT_A);
	world_settings(w, "STAGING_CONFIRM=true", NULL);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	press(w, world_says(w, "Deploy to staging?"), "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .is_off_branch = true });
	assert_int_equal(world_rings(w), 2); /* asked anew */
	assert_int_equal(count_says(w, WORLD_GROUP, "Deploy to staging?"), 1);
	press(w, world_says(w, "Deploy to staging?"), "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_B, .is_off_branch = true });
	(void)world_run_starts(w);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_rings(w), 2);
	world_run_ends(w, GOOD);
}

WORLD_TEST_BARE(three_sounds_are_the_most_in_a_chat_and_the_team_hears_a_bad_end)
{
	world_with_three_sounds(w);
	assert_false(
	    world_says_in(w, WORLD_GROUP, "Rolled back: staging from \"Make it blue\" (exit 1")
		->is_silent);
	assert_false(
	    world_says_in(w, WORLD_TEAM, "Rolled back: staging from \"Make it blue\" (exit 1")
		->is_silent);
	assert_int_equal(world_rings(w), 4); /* it was silent there until now */
}

static void
act_count_rings(struct tx *tx, void *arg)
{
	*(int64_t *)arg =
	    tx_number(tx, "SELECT SUM(rings) FROM message WHERE rings_for <> 0 AND chat = $1",
		DB_I64(WORLD_TEAM));
}

/* Settings named the new id before Telegram said that the group has it. */
WORLD_TEST_BARE(a_chat_that_moves_to_one_that_rang_adds_no_sound_to_it)
{
	int64_t rings = 0;
	struct event *event;

	world_with_three_sounds(w);
	event = world_update(w, UPDATE_MIGRATED, 0, WORLD_GROUP);
	event->u.update->new_chat = WORLD_TEAM;
	(void)world_decide(w, event);
	store_aid_act(&w->aid, act_count_rings, &rings);
	assert_int_equal(rings, 1);
}

WORLD_TEST(a_push_that_fails_rings_in_the_place_of_its_message)
{
	const struct world_message *own, *end;

	world_push_is_at(w, COMMIT_A);
	own = world_says(w, "⏳ Deploying staging");
	assert_true(own->is_silent);
	(void)world_run_starts(w);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	end = rang(w,
	    "❌ Failed: staging, nothing was changed: \"Make it blue\"\nstaging has no release yet");
	assert_int_equal(end->row, own->row);
	assert_true(own->is_gone);
	assert_int_equal(end->reply_to, 0);
	assert_int_equal(world_rings(w), 1);
}

WORLD_TEST(whoever_cancels_at_once_is_looking)
{
	world_deploy_starts(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	(void)world_text(w, WORLD_ADMIN, "/status");
	(void)world_text(w, WORLD_ADMIN, "/deploy nowhere");
	assert_int_equal(world_rings(w), 0);
}

/* ... and whose work somebody else has cancelled need not be: they read it once, with the name. */
WORLD_TEST(whoever_asked_reads_who_else_cancelled_it)
{
	const struct world_message *line;
	int64_t request;
	size_t n;

	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	request = written(w);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	n = w->n_screen;
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP,
	    world_button(world_says(w, "Deploy to production?"), "Not now"));
	line = rang(w, "⛔ Cancelled: production");
	assert_non_null(strstr(world_plain(line), "by @bob"));
	assert_int_equal(line->reply_to, request);
	assert_false(line->is_alarm);
	assert_int_equal(w->n_screen, n + 1); /* in its place, and in no other chat */
	assert_int_equal(world_rings(w), 2);
	world_deploy_starts(w, COMMIT_A);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/cancel staging");
	assert_int_equal(world_rings(w), 2);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	line = world_last_in(w, WORLD_GROUP);
	assert_true(text_starts(world_plain(line),
	    "⛔ Stopped: staging, nothing was changed: \"Make it blue\" by @bob"));
	assert_false(line->is_silent);
}

/* A group that became a supergroup: the old ids are no one's there. */
WORLD_TEST(after_a_chat_has_moved_nothing_is_replied_to_by_an_old_id)
{
	struct event *event;

	world_deploy_starts(w, COMMIT_A);
	event = world_update(w, UPDATE_MIGRATED, 0, WORLD_GROUP);
	event->u.update->new_chat = -2002;
	(void)world_decide(w, event);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_true(world_last_in(w, -2002)->reply_to < WORLD_WRITTEN);
}

/* Regression: [✋ Stop] and [📄 Log] stood in private for who is denied both. */
TEST(in_private_no_button_stands_that_its_reader_is_denied)
{
	static const char *const may[] = { "deploy:staging",
		"deploy:staging, cancel:staging, log:staging" };
	char role[96];
	struct world w;

	for (size_t i = 0; i < COUNT(may); i++) {
		(void)snprintf(role, sizeof(role), "ROLE_DEV_MAY=%s", may[i]);
		world_open(&w, "ROLE_DEV_IDS=44", role, NULL);
		(void)world_text_in(&w, 44, 44, "/deploy staging");
		world_git(&w, (struct world_git){ .commit = COMMIT_A });
		(void)world_run_starts(&w);
		world_run_step(&w, 0, "build");
		assert_true((world_button(world_last_in(&w, 44), "Stop")[0] != '\0') == (i == 1));
		assert_string_not_equal(
		    world_button(world_says_in(&w, WORLD_TEAM, ""), "Stop"), "");
		world_run_ends(&w, FAILED_BEFORE_RELEASE);
		assert_true((world_button(world_last_in(&w, 44), "Log")[0] != '\0') == (i == 1));
		world_close(&w);
	}
}

/* "Where?" is the first question behind "live"; of an address of the machine nothing is said. */
TEST(what_is_live_links_to_where_it_is_seen_and_what_came_with_it)
{
	static const char *const shows[][2] = {
		{ "STAGING_HEALTH_URL=https://Shop.example:8443/health?x=1",
		    "\n🌐 https://Shop.example:8443\n🔗 " },
		{ "STAGING_SITE_URL=http://10.0.0.5/shop", "\n🌐 http://10.0.0.5/shop\n🔗 " },
		{ STAGING_URL, NULL },
	};
	struct world w;

	for (size_t i = 0; i < COUNT(shows); i++) {
		world_open(
		    &w, shows[i][0], "REPOSITORY_URL=https://github.com/acme/shop.git", NULL);
		world_deploy_goes_live(&w, COMMIT_A);
		assert_non_null(
		    world_says(&w, "\n🔗 https://github.com/acme/shop/commit/aaaaaaa1aaaa\n"));
		world_deploy_goes_live(&w, COMMIT_B);
		assert_non_null(world_says(
		    &w, "\n🔗 https://github.com/acme/shop/compare/aaaaaaa1aaaa...bbbbbbb2bbbb\n"));
		assert_true(
		    (strstr(world_plain(world_last(&w)), "🌐") == NULL) == (shows[i][1] == NULL));
		if (shows[i][1] != NULL)
			assert_non_null(world_says(&w, shows[i][1]));
		world_close(&w);
	}
}

/* The same buttons twice on one screen, of which one set is read at night: the lower one. */
WORLD_TEST_OF(what_can_be_pressed_stands_once_in_a_chat, STAGING_URL)
{
	struct world_message *story, *end;

	world_starts_over(w, COMMIT_A, COMMIT_B);
	story = world_says_in(w, WORLD_GROUP, "Deploying staging");
	assert_string_not_equal(world_button(story, "Stop"), "");
	world_run_ends(w, GOOD);
	world_probed(w, "HTTP 500"); /* rings: it is rolled back */
	world_run_ends(w, GOOD);
	world_probed(w, NULL); /* rings: it was */
	end = world_last_in(w, WORLD_GROUP);
	assert_string_not_equal(world_button(end, "Log"), "");
	for (size_t i = 0; i < w->n_screen; i++)
		if (&w->screen[i] != end && w->screen[i].chat == WORLD_GROUP &&
		    strstr(world_plain(&w->screen[i]), "bbbbbbb") != NULL)
			assert_true(w->screen[i].is_gone);
	assert_true(story->is_gone);
}
