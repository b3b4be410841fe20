/* Goal: nothing begins in a freeze but what was excepted, and what waited goes on at its end.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "hold_aid.h"

#include "decide/hold/decide_hold.h"
#include "lib/text.h"
#include "store/row_hold.h"

#define NEW_YEAR "STAGING_FREEZE=2026-01-01..2026-01-02"

static void
reply(struct world *w, int64_t person, const struct world_message *to, const char *text)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, to->chat);

	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), text);
	event->u.update->reply_to = w->screen_remote[to->row];
	(void)world_decide(w, event);
}

WORLD_TEST(nobody_is_next_in_a_freeze)
{
	world_deploy_starts(w, COMMIT_A);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_B);
	world_asks(w, WORLD_STAGING_USER, "/deploy staging", COMMIT_C);
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 06:00");
	w->aid.at += 1000;
	(void)world_text(w, WORLD_OTHER_ADMIN, "/queue staging");
	(void)world_press(
	    w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(world_last(w), "Leave the queue"));
	assert_null(world_says(w, "You are next"));
}

WORLD_TEST(who_ends_a_freeze_of_somebody_elsewhere_is_answered)
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/freeze staging until 06:00");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze staging");
	for (size_t i = 0; i < 3; i++)
		assert_non_null(
		    world_says_in(w, (const int64_t[]){ WORLD_GROUP, WORLD_TEAM, WORLD_ADMIN }[i],
			"Freeze ended: staging by @bob; it was started by @ada."));
}

WORLD_TEST_OF(a_window_of_the_settings_freezes_and_its_end_deploys_the_head, NEW_YEAR,
    "TIMEZONE=Europe/Berlin")
{
	hold_push(w, "develop", COMMIT_A);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "frozen by the calendar, until Sat 2026-01-03 00:00 (Europe/Berlin)"));
	world_answers(w, WORLD_STAGING_USER, "/deploy staging",
	    "🔒 Not deployed: staging: frozen by the calendar");
	assert_non_null(world_says(w, "\nWhoever may /freeze it may deploy in a freeze."));
	hold_sleep_until(w, STORE_AID_AT + 2 * DAY_MS - 2 * HOUR_MS);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	hold_sleep_until(w, STORE_AID_AT + 2 * DAY_MS - HOUR_MS);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* The push is queued when the window begins; nobody has typed anything. */
WORLD_TEST_OF(
    a_window_that_begins_ends_what_a_push_has_queued, "STAGING_FREEZE=Thu 00:30-Thu 02:00")
{
	hold_push(w, "develop", COMMIT_A);
	hold_push(w, "develop", COMMIT_B);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	hold_sleep_until(w, STORE_AID_AT + HOUR_MS / 2);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_SUPERSEDED);
	world_run_ends(w, GOOD);
	hold_sleep_until(w, STORE_AID_AT + 2 * HOUR_MS);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

WORLD_TEST_OF(an_exception_is_given_with_a_reason_and_holds_for_that_work, NEW_YEAR)
{
	const struct world_message *denial;

	(void)world_text(w, WORLD_ADMIN, "/deploy staging v1");
	denial = world_says(w, "🔒 Not deployed: staging: frozen by the calendar");
	assert_non_null(denial);
	/* One way: that button said no more than to reply. */
	assert_int_equal(denial->buttons.n, 0);
	assert_non_null(strstr(world_plain(denial),
	    "\nTo deploy all the same, reply to this message with the reason, within 10 minutes."));
	reply(w, WORLD_OTHER_ADMIN, denial, "mine, not yours");
	reply(w, WORLD_ADMIN, denial, " \n ");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	reply(w, WORLD_ADMIN, denial, "CVE-2026-1:\nthe fix");
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, "v1");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_string_equal(world_newest(w, "staging").exempt.exception, "CVE-2026-1: the fix");
	assert_int_equal(world_audited(w, "deploy_requested", "CVE-2026-1: the fix"), 1);
	world_answers(w, WORLD_ADMIN, "/status staging", "in a freeze: CVE-2026-1: the fix");
	world_run_ends(w, GOOD);

	assert_non_null(strstr(world_plain(world_says(w, "Live: staging, not checked")),
	    "\n⚠️ in a freeze: CVE-2026-1: the fix\n"));
	world_answers(
	    w, WORLD_ADMIN, "/history staging", "\n    ⚠️ in a freeze: CVE-2026-1: the fix");
	reply(w, WORLD_ADMIN, denial, "once more"); /* it was used */
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST(who_may_not_deploy_in_a_freeze_reads_who_may)
{
	const struct world_message *denial;

	world_deploy_goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze all until 06:00");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	denial = world_says(w, "Not deployed: staging: frozen by @bob");
	assert_int_equal(denial->buttons.n, 0);
	assert_non_null(strstr(world_plain(denial), "\n@bob and @ada may deploy in a freeze."));
	reply(w, WORLD_STRANGER, denial, "it is urgent");
	assert_int_equal(world_audited(w, "\"denied\"", "telegram:99"), 0);
	reply(w, WORLD_STAGING_USER, denial, "it is urgent");
	assert_non_null(world_says(w, "⛔ Denied: staging freeze: "));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* SEED=715000784 of the simulation: the timer of the end came behind the push, which was asked
 * about anew. */
WORLD_TEST(a_push_that_comes_with_the_end_is_asked_about_once)
{
	int64_t asked;

	(void)world_text(w, WORLD_ADMIN, "/freeze production until 06:00 sale");
	hold_push(w, "main", COMMIT_A);
	w->aid.at = STORE_AID_AT + 6 * HOUR_MS + 1;
	hold_push(w, "main", COMMIT_B);
	asked = world_newest(w, "production").id;
	assert_int_equal(world_deployment(w, asked).state, DEPLOY_AWAITING_CONFIRMATION);
	world_due(w, TIMER_HOLDS);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_int_equal(world_newest(w, "production").id, asked);
	assert_int_equal(world_deployment(w, asked).state, DEPLOY_AWAITING_CONFIRMATION);
}

WORLD_TEST(a_push_that_waits_is_shown_and_may_be_cancelled)
{
	(void)world_text(w, WORLD_ADMIN, "/freeze production until 06:00 sale");
	(void)world_text(w, WORLD_ADMIN, "/queue");
	assert_string_equal(world_plain(world_last(w)),
	    "production\n🔒 frozen by @ada, just now, until Thu 2026-01-01 06:00 (UTC): sale");
	hold_push(w, "main", COMMIT_A);
	assert_non_null(world_says(w, "Afterwards main's newest commit is asked about here."));
	world_answers(w, WORLD_ADMIN, "/queue production",
	    "\n⏸ push aaaaaaa waits; /cancel production drops it");
	world_answers(w, WORLD_STAGING_USER, "/cancel production", "⛔ Denied: production cancel");
	(void)world_text(w, WORLD_ADMIN, "/cancel production");
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Push dropped: production aaaaaaa\nNothing deploys it by itself: /deploy "
	    "production, or the next push.");
	assert_int_equal(world_audited(w, "cancel_requested", "aaaaaaa"), 1);
	world_answers(w, WORLD_ADMIN, "/cancel production",
	    "Nothing to stop: production: no deployment is in progress or queued.");
	world_answers(w, WORLD_ADMIN, "/unfreeze production", "Freeze ended: production by @ada.");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

WORLD_TEST_OF(an_exception_is_no_key_to_a_lock_and_does_not_wait_for_ever, NEW_YEAR)
{
	const struct world_message *denial;

	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	denial = world_last(w);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock staging");
	reply(w, WORLD_ADMIN, denial, "urgent");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_non_null(world_says(w, "🔒 Not deployed: staging: locked by @bob"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unlock staging");

	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	denial = world_last(w);
	w->aid.at += 600 * 1000;
	reply(w, WORLD_ADMIN, denial, "urgent");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_non_null(
	    world_says(w, "⛔ Not deployed: staging: your reply came later than 10 minutes"));
}

/* Its work is queued when what it was given for, or by, changes. */
TEST(an_exception_ends_with_the_right_and_holds_for_freezes_of_before)
{
	static const struct {
		bool frozen_again, loses_right;
		enum deploy_state state;
	} rows[] = {
		{ false, false, DEPLOY_RUNNING },
		{ true, false, DEPLOY_QUEUED },
		{ false, true, DEPLOY_QUEUED },
	};
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		world_open(
		    &w, "ROLE_DEV_IDS=33", "ROLE_DEV_MAY=status, deploy, freeze:staging", NULL);
		world_deploy_starts(&w, COMMIT_A);
		(void)world_text(&w, WORLD_ADMIN, "/freeze staging until 06:00");
		(void)world_text(&w, WORLD_STAGING_USER, "/deploy staging");
		reply(&w, WORLD_STAGING_USER, world_last(&w), "urgent");
		world_git(&w, (struct world_git){ .commit = COMMIT_B });
		assert_int_equal(world_newest(&w, "staging").state, DEPLOY_QUEUED);
		w.aid.at += 60 * 1000;
		if (rows[i].frozen_again)
			(void)world_text(&w, WORLD_OTHER_ADMIN, "/freeze staging until 07:00");
		if (rows[i].loses_right)
			world_settings(&w, NULL);
		world_run_ends(&w, FAILED_BEFORE_RELEASE);
		assert_int_equal(world_newest(&w, "staging").state, rows[i].state);
		world_close(&w);
	}
}

/* A lock keeps the work until the next window has begun. */
WORLD_TEST_OF(an_exception_from_one_window_is_none_from_the_next,
    "STAGING_FREEZE=Thu 00:10-Thu 00:20, Thu 00:30-Thu 02:00")
{
	world_deploy_starts(w, COMMIT_A);
	w->aid.at += HOUR_MS / 4;
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	reply(w, WORLD_ADMIN, world_last(w), "urgent");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	w->aid.at += HOUR_MS / 3;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
}

/* Nor from the one before, when the clock is set back into it (the simulation's seed 60397). */
WORLD_TEST_OF(an_exception_from_one_window_is_none_from_the_one_before,
    "STAGING_FREEZE=Thu 00:10-Thu 00:20, Thu 00:30-Thu 02:00")
{
	world_deploy_starts(w, COMMIT_A);
	w->aid.at += HOUR_MS * 2 / 3;
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	reply(w, WORLD_ADMIN, world_last(w), "urgent");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	w->aid.at -= HOUR_MS * 5 / 12;
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
}

WORLD_TEST(an_exception_is_none_from_a_freeze_that_began_while_the_clock_was_set_back)
{
	world_deploy_starts(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 06:00 dinner");
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	reply(w, WORLD_ADMIN, world_last(w), "urgent");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	w->aid.at -= HOUR_MS / 4;
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze all until 06:00 sale");
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_QUEUED);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/unfreeze all"); /* from the other it is */
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_RUNNING);
}

WORLD_TEST_OF(of_two_freezes_the_later_end_counts, NEW_YEAR)
{
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 06:00 dinner");
	hold_push(w, "develop", COMMIT_A);
	assert_non_null(world_says_in(w, WORLD_TEAM, "until Sat 2026-01-03 00:00"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze all until 2026-01-10 sale");
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "🔒 Frozen: all environments by @bob, until Sun 2026-01-11 00:00 (UTC): sale"));
	world_answers(w, WORLD_STAGING_USER, "/deploy staging",
	    "Not deployed: staging: frozen by @bob (all environments)");
	world_answers(w, WORLD_ADMIN, "/unfreeze staging", "Freeze ended: staging by @ada.");
	assert_non_null(world_says(w,
	    "Freeze ended: staging by @ada.\n🔒 Still frozen, until Sun 2026-01-11 00:00 (UTC) "
	    "(@bob). /unfreeze all ends it."));
	world_answers(w, WORLD_ADMIN, "/unfreeze staging",
	    "🔒 Still frozen: staging: what freezes it is of more than that.\n🔒 Still frozen, until Sun 2026-01-11 00:00 "
	    "(UTC) (@bob). /unfreeze all ends it.");
	world_answers(w, WORLD_ADMIN, "/unfreeze all",
	    "Freeze ended: all environments by @ada; it was started by @bob.\n🔒 Still frozen: staging, until Sat "
	    "2026-01-03 00:00 (UTC) (STAGING_FREEZE)");
	assert_null(world_peek(w, EFFECT_GIT_QUERY)); /* the window holds it */
	hold_sleep_until(w, STORE_AID_AT + 2 * DAY_MS);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* STAGING_FREEZE begins before the other ends. */
WORLD_TEST_OF(
    a_window_that_begins_meanwhile_is_said_with_its_end, "STAGING_FREEZE=Thu 05:00-Thu 09:00")
{
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 06:00 dinner");
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "Frozen: staging by @ada, until Thu 2026-01-01 06:00 (UTC), then frozen by the calendar "
	    "until Thu 2026-01-01 09:00 (UTC): dinner"));
	world_answers(w, WORLD_STAGING_USER, "/deploy staging",
	    "then frozen by the calendar until Thu 2026-01-01 09:00");
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 04:00 dinner"); /* before it */
	assert_null(strstr(world_plain(world_last(w)), "STAGING_FREEZE"));
}

WORLD_TEST(a_freeze_that_outlasts_the_lock_is_said_with_it)
{
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 06:00");
	(void)world_text(w, WORLD_ADMIN, "/lock staging 2h");
	world_answers(
	    w, WORLD_STAGING_USER, "/deploy staging", "🔒 Not deployed: staging: locked by @ada");
	assert_non_null(world_says(w, "\n🔒 frozen by @ada"));
	(void)world_text(w, WORLD_ADMIN, "/lock staging 8h");
	(void)world_text(w, WORLD_STAGING_USER, "/deploy staging");
	assert_null(strstr(world_plain(world_last(w)), "frozen"));
}

TEST(a_freeze_is_of_an_environment_an_application_or_all)
{
	static const struct {
		const char *typed, *holds, *spares;
	} rows[] = {
		{ "/freeze shop until 06:00", "shop/staging", "blog/staging" },
		{ "/freeze shop until 06:00", "shop/production", "blog/production" },
		{ "/freeze shop staging until 06:00", "shop/staging", "shop/production" },
		{ "/freeze all until 06:00", "blog/production", NULL },
	};
	char text[64];
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		world_open(&w, NULL);
		world_application(&w, "shop", "");
		world_application(&w, "blog", "");
		(void)world_text(&w, WORLD_ADMIN, rows[i].typed);
		(void)snprintf(text, sizeof(text), "/deploy %s", rows[i].holds);
		(void)world_text(&w, WORLD_ADMIN, text);
		assert_null(world_peek(&w, EFFECT_GIT_QUERY));
		(void)snprintf(text, sizeof(text), "/deploy %s", rows[i].spares);
		if (rows[i].spares != NULL) {
			(void)world_text(&w, WORLD_ADMIN, text);
			assert_non_null(world_peek(&w, EFFECT_GIT_QUERY));
		}
		world_close(&w);
	}
}

TEST(a_freeze_is_said_once_in_each_chat_that_it_concerns)
{
	static const struct {
		const char *typed;
		bool is_shops;
	} rows[] = {
		{ "/freeze all until 06:00", true },
		{ "/freeze shop until 06:00", true },
		{ "/freeze blog staging until 06:00", false },
	};
	const int64_t shops = -777, teams = -9001;
	struct event *event;
	struct world w;

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t n[2] = { 0, 0 };

		world_open(&w, NULL);
		world_application(&w, "shop", "TELEGRAM_CHAT_ID=-777\n");
		world_application(&w, "blog", "");
		event = world_update(&w, UPDATE_MIGRATED, 0, WORLD_TEAM);
		event->u.update->new_chat = teams; /* the settings have its former id */
		(void)world_decide(&w, event);
		(void)world_text_in(&w, WORLD_ADMIN, teams, rows[i].typed);
		for (size_t k = 0; k < w.n_screen; k++)
			if (text_starts(w.screen[k].text, "🔒 Frozen: ")) {
				assert_int_not_equal(w.screen[k].chat, WORLD_TEAM);
				n[0] += w.screen[k].chat == shops;
				n[1] += w.screen[k].chat == teams;
			}
		assert_int_equal(n[0], rows[i].is_shops);
		assert_int_equal(n[1], 1); /* there it was typed */
		world_close(&w);
	}
}

static void
add_freezes(struct tx *tx, UNUSED void *arg)
{
	for (int64_t person = 1; person <= HOLDS_MAX; person++) {
		struct hold freeze = { .kind = HOLD_FREEZE, .person = person, .at = tx->at };

		(void)text_copy(freeze.target, sizeof(freeze.target), "staging");
		row_hold_add(tx, &freeze);
	}
}

static void
count_holds(struct tx *tx, void *arg)
{
	struct holds holds;

	decide_holds(tx, "staging", &holds);
	*(size_t *)arg = holds.n;
}

WORLD_TEST_OF(of_too_many_holds_none_but_the_last_is_left_out, NEW_YEAR)
{
	size_t n = 0;

	store_aid_act(&w->aid, add_freezes, NULL);
	store_aid_act(&w->aid, count_holds, &n);
	assert_int_equal(n, HOLDS_MAX);
}

WORLD_TEST_OF(who_may_not_freeze_all_of_it_freezes_nothing, "ROLE_DEV_IDS=33",
    "ROLE_DEV_MAY=status, deploy, freeze:staging")
{
	world_answers(w, WORLD_STAGING_USER, "/freeze all until 06:00",
	    "⛔ Denied: all freeze: only who may freeze each environment of it may.");
	world_answers(
	    w, WORLD_STAGING_USER, "/lock staging", "⛔ Denied: staging lock: only an admin may.");
	world_answers(w, WORLD_STAGING_USER, "/unfreeze all",
	    "⛔ Denied: all unfreeze: only who may freeze each");
	world_answers(w, WORLD_STAGING_USER, "/unlock staging", "⛔ Denied: staging unlock: ");
	(void)world_text(w, WORLD_STRANGER, "/freeze all until 06:00");
	(void)world_text(w, WORLD_STRANGER, "/freeze staging until 06:00");
	(void)world_text(w, WORLD_STRANGER, "/unlock staging");
	(void)world_text(w, WORLD_STAGING_USER, "/freeze staging until 06:00");
	assert_int_equal(world_audited(w, "freeze_begun", NULL), 1);
}

/* A question that was open runs on; its answer takes a place, and waits there. */
WORLD_TEST(a_question_confirmed_in_a_freeze_waits_for_its_end)
{
	const struct world_message *question;

	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_A);
	question = world_says(w, "Deploy to production?");
	(void)world_text(w, WORLD_ADMIN, "/freeze production until 00:30");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, question->buttons.at[0].id);
	world_git_same(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	assert_non_null(world_says(w, "🔒 frozen by @ada"));
	hold_sleep_until(w, STORE_AID_AT + HOUR_MS / 2);
	assert_non_null(world_peek(w, EFFECT_RUN));
}
