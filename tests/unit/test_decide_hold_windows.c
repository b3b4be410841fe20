/* Goal: each team's chat learns once when a freeze of the settings begins and ends.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"
#include "lib/db.h"

#define MINUTE_MS (60 * INT64_C(1000))

#define HALF_PAST "STAGING_FREEZE=Thu 00:30-Thu 02:00"

static void
sleep_until(struct world *w, int64_t at)
{
	while (w->aid.at < at)
		world_due(w, TIMER_HOLDS);
}

static void
started(struct world *w)
{
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
}

static size_t
count_said(struct world *w, int64_t chat, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat && strstr(world_plain(&w->screen[i]), part) != NULL;
	return n;
}

static void
push(struct world *w, const char *commit)
{
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	world_git(w, (struct world_git){ .commit = commit });
}

WORLD_TEST_OF(its_begin_and_its_end_are_said_once_with_what_waits, HALF_PAST)
{
	struct world_message *said;

	world_deploy_starts(w, COMMIT_A);
	sleep_until(w, STORE_AID_AT + 30 * MINUTE_MS);
	said = world_says_in(w, WORLD_TEAM, "🔒");
	assert_string_equal(world_plain(said),
	    "🔒 Frozen: staging by the calendar, until Thu 2026-01-01 02:00 (UTC)\n"
	    "Nothing new is deployed there; pushes wait, rollbacks are still allowed.\n"
	    "⏳ In progress: aaaaaaa by @ada. /cancel staging ends it.");
	assert_true(said->is_silent);
	push(w, COMMIT_B);
	started(w);
	world_settings_read(w);
	(void)world_text(w, WORLD_ADMIN, "/lock staging 10m"); /* another look at what holds it */
	sleep_until(w, STORE_AID_AT + 90 * MINUTE_MS);
	assert_int_equal(count_said(w, WORLD_TEAM, "🔒 Frozen: staging by the calendar"), 1);
	assert_int_equal(count_said(w, WORLD_TEAM, "Freeze ended"), 0);

	world_run_ends(w, GOOD);
	sleep_until(w, STORE_AID_AT + 120 * MINUTE_MS);
	said = world_says_in(w, WORLD_TEAM, "Freeze ended");
	assert_string_equal(
	    world_plain(said), "Freeze ended: staging (calendar). Queued pushes start now.");
	assert_true(said->is_silent);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
	started(w);
	assert_int_equal(count_said(w, WORLD_TEAM, "Freeze ended"), 1);
}

/* The program was stopped from before its begin until after its end, or until within it. */
WORLD_TEST_OF(what_began_or_ended_while_nobody_looked_is_said_at_the_start, HALF_PAST)
{
	w->aid.at += 45 * MINUTE_MS;
	started(w);
	assert_int_equal(count_said(w, WORLD_TEAM, "🔒 Frozen: staging"), 1);
	(void)world_text(w, WORLD_ADMIN, "/lock staging 3h");
	w->aid.at += 120 * MINUTE_MS;
	started(w);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "Freeze ended")),
	    "Freeze ended: staging (calendar).\n"
	    "🔒 Still locked, until Thu 2026-01-01 03:45 (UTC) (@ada)");
	w->aid.at +=
	    6 * 24 * 60 * MINUTE_MS + 24 * 60 * MINUTE_MS; /* over the next one as a whole */
	started(w);
	assert_int_equal(count_said(w, WORLD_TEAM, "calendar"), 2);
}

WORLD_TEST_OF(
    a_line_that_leaves_the_settings_ends_the_freeze, "STAGING_FREEZE=2026-01-01..2026-01-02")
{
	assert_int_equal(count_said(w, WORLD_TEAM, "🔒 Frozen: staging"), 1);
	world_settings(w, "STAGING_FREEZE=2026-01-01..2026-01-09", NULL);
	world_settings_read(w); /* it only lasts longer */
	world_settings(w, NULL);
	world_settings_read(w);
	assert_int_equal(count_said(w, WORLD_TEAM, "🔒"), 1);
	assert_int_equal(count_said(w, WORLD_TEAM, "Freeze ended: staging (calendar)."), 1);
}

/* Not one for each of a hundred applications. */
WORLD_TEST(there_is_one_message_for_each_chat)
{
	char name[16];

	for (int i = 0; i < 12; i++) {
		(void)snprintf(name, sizeof(name), "app%02d", i);
		world_application(w, name, HALF_PAST);
	}
	world_application(w, "shop", HALF_PAST "\nTELEGRAM_CHAT_ID=-1009");
	world_application(w, "web", "TELEGRAM_CHAT_ID=-1010");
	world_settings_read(w);
	(void)world_text(w, WORLD_ADMIN, "/freeze app03/staging until 06:00");
	sleep_until(w, STORE_AID_AT + 30 * MINUTE_MS);
	assert_int_equal(count_said(w, WORLD_TEAM, "calendar"), 1);
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "🔒 Frozen: 12 environments until 02:00\n"
	    "by the calendar: app00/staging, app01/staging, app02/staging, app03/staging, "
	    "app04/staging, app05/staging, app06/staging, app07/staging, app08/staging, app09/staging\n"
	    "… and 2 more: /status\n"
	    "Nothing new is deployed there; pushes wait, rollbacks are still allowed."));
	assert_int_equal(count_said(w, -1009, "🔒 Frozen: shop/staging by the calendar"), 1);
	assert_int_equal(count_said(w, -1010, "calendar"), 0);

	sleep_until(w, STORE_AID_AT + 120 * MINUTE_MS);
	assert_int_equal(count_said(w, WORLD_TEAM, "calendar"), 2);
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "Freeze ended: 11 environments (calendar)\n"
	    "Still frozen: app03/staging by @ada, 1 h ago, until Thu 2026-01-01 06:00 (UTC)\n"
	    "app00/staging, app01/staging, app02/staging, app04/staging, app05/staging, "
	    "app06/staging, app07/staging, app08/staging, app09/staging, app10/staging\n"
	    "… and 1 more: /status"));
	assert_int_equal(count_said(w, -1009, "Freeze ended: shop/staging"), 1);
}

/* "Ended" alone would be read as that one may deploy there. */
WORLD_TEST(what_something_else_holds_is_said_where_all_are)
{
	world_application(w, "a", HALF_PAST);
	world_application(w, "b", "STAGING_FREEZE=Thu 00:30-Thu 01:30, Thu 01:30-Thu 02:00");
	world_settings_read(w);
	(void)world_text(w, WORLD_ADMIN, "/lock a/staging 5h");
	(void)world_text(w, WORLD_ADMIN, "/lock b/staging 5h");
	sleep_until(w, STORE_AID_AT + 120 * MINUTE_MS);
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "Freeze ended: 2 environments, none free (calendar)\n"
	    "Still locked: a/staging, b/staging by @ada, 1 h ago, until "));
}

/* A push waits in each of three, and two are locked besides. */
WORLD_TEST(what_goes_on_is_counted_without_what_is_locked_still)
{
	CLEANUP(db_closep) struct db *db = NULL;
	struct err err;

	world_application(w, "a", HALF_PAST);
	world_application(w, "b", HALF_PAST);
	world_application(w, "c", HALF_PAST);
	world_settings_read(w);
	sleep_until(w, STORE_AID_AT + 30 * MINUTE_MS);
	(void)world_text(w, WORLD_ADMIN, "/lock b/staging 5h");
	(void)world_text(w, WORLD_ADMIN, "/lock c/staging 5h");
	db = db_open(w->aid.path, 0, &err);
	assert_non_null(db);
	assert_true(
	    db_run(db, &err, "UPDATE environment SET waiting_push = $1", DB_TEXT(COMMIT_B)));
	assert_int_equal(db_changes(db), 3);
	sleep_until(w, STORE_AID_AT + 120 * MINUTE_MS);
	assert_non_null(world_says_in(w, WORLD_TEAM, "Freeze ended: 1 environment (calendar)\n"));
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "What waited in 1 of them goes on, where nothing else holds it."));
}
