/* Goal: a rollback, or what is down, is reminded of until somebody has seen it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "decide/tell/decide_nag.h"
#include "lib/text.h"

#define NAGS   "STAGING_ROLLBACK_NAG_MINUTES=15"
#define UNSEEN "nobody has seen it"

/* --- what happens --- */

/* A is live in staging, B was not healthy: A runs again. */
static void
is_rolled_back(struct world *w)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
}

static size_t
timers(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_NAG;
	return n;
}

static size_t
reminders(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++) {
		const char *said = w->screen[i].text;
		size_t line = strcspn(said, "\n"); /* "… ago", which stays when it was seen */

		n += strstr(said, UNSEEN) != NULL || memmem(said, line, " ago", 4) != NULL;
	}
	return n;
}

/* When the next is due, behind the end of that work. */
static int64_t
minutes_to_next(struct world *w, int64_t work)
{
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_NAG)
			return (w->open[i]->due - world_deployment(w, work).ended_at) / MINUTE_MS;
	return 0;
}

/* The newest that has one in that chat. */
static const char *
seen_in(struct world *w, int64_t chat)
{
	for (size_t i = w->n_screen; i-- > 0;)
		if (w->screen[i].chat == chat && world_button(&w->screen[i], "Seen")[0] != '\0')
			return world_button(&w->screen[i], "Seen");
	return "";
}

/* --- reminders --- */

WORLD_TEST_OF(
    the_chat_of_the_environment_is_reminded_eight_times_at_growing_intervals, NAGS, STAGING_URL)
{
	static const int64_t at[DECIDE_NAGS_MAX] = { 15, 30, 60, 120, 240, 480, 960, 1920 };
	size_t rings;

	is_rolled_back(w);
	(void)world_text(w, WORLD_ADMIN, "/freeze staging until 2027-01-01 sale");
	rings = world_rings(w);
	for (size_t i = 0; i < DECIDE_NAGS_MAX; i++) {
		struct world_message *said;

		assert_int_equal(minutes_to_next(w, 2), at[i]);
		world_due(w, TIMER_NAG);
		said = world_last(w);
		assert_int_equal(said->chat, WORLD_TEAM);
		assert_false(said->is_silent);
		assert_true(said->is_alarm);
		assert_string_not_equal(world_button(said, "Seen"), "");
	}
	assert_string_equal(world_plain(world_last(w)),
	    "❌ Rolled back: staging 1 d ago, nobody has seen it\n"
	    "bbbbbbb \"Make it blue\": HTTP 500\nruns aaaaaaa\nThis is the last reminder.");
	assert_int_equal(timers(w), 0);
	assert_int_equal(reminders(w), 8);
	assert_int_equal(world_rings(w), rings + 8);
}

/* The phone shows that much of it while it is locked. */
WORLD_TEST_OF(a_lock_screen_shows_outcome_and_environment, NAGS, STAGING_URL)
{
	is_rolled_back(w);
	world_due(w, TIMER_NAG);
	assert_true(
	    text_starts(world_plain(world_last(w)), "❌ Rolled back: staging 15 min ago, nobody"));
}

WORLD_TEST_OF(what_is_down_is_reminded_of, NAGS, "RUNBOOK_URL=https://wiki.example/down")
{
	static const char *const begins[] = { "🔥 Rollback failed: staging, may be DOWN:",
		"🔥 May be DOWN: staging" };

	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	assert_string_not_equal(seen_in(w, WORLD_GROUP), "");
	world_due(w, TIMER_NAG);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "🔥 May be DOWN: staging, for 15 min, nobody has seen it\nbbbbbbb"));
	/* In both: three lines, a button for each, and where more stands. */
	for (size_t i = 0; i < COUNT(begins); i++) {
		const struct world_message *said = world_says_in(w, WORLD_TEAM, begins[i]);

		assert_non_null(strstr(world_plain(said),
		    "\n1. /logs staging: why?\n2. /rollback staging: asks first"
		    "\n3. /deploy staging: with a fix\n📖 https://wiki.example/down"));
		assert_string_not_equal(world_button(said, "📄 Application log"), "");
		assert_string_not_equal(world_button(said, "↩️ Roll back staging"), "");
		assert_string_not_equal(world_button(said, "🚀 Deploy to staging"), "");
	}
	world_answers(w, WORLD_ADMIN, "/status staging",
	    "👀 nobody has seen yet that it failed half-way with bbbbbbb, 15 min ago");
}

/* The runner asks no target for it where it does not know what runs there. */
WORLD_TEST_OF(a_script_of_ones_own_has_no_button_for_the_application_log, NAGS, STAGING_URL,
    "DEPLOY_SCRIPT=/opt/own", "ROLLBACK_SCRIPT=/opt/back")
{
	struct world_message *said;

	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
	world_due(w, TIMER_NAG);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	for (size_t i = 0; i < w->n_screen; i++) {
		assert_string_equal(world_button(&w->screen[i], "📄 Application log"), "");
		assert_string_equal(world_button(&w->screen[i], "📄 Log of"), "");
	}
	assert_string_not_equal(
	    world_button(world_says_in(w, WORLD_TEAM, "🔥 Rollback failed: staging"), "📄 Log"), "");
	/* What its first step names. */
	(void)world_text(w, WORLD_ADMIN, "/logs staging");
	assert_null(world_peek(w, EFFECT_APPLICATION_LOG));
	said = world_says(w, "No log: staging: with DEPLOY_SCRIPT");
	assert_non_null(said);
	assert_string_equal(world_labels(said), "📄 Log of the last deployment | 📄 Rollback log");
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP, world_button(said, "📄 Rollback log"));
	assert_int_equal(
	    world_peek(w, EFFECT_DOCUMENT)->u.document.run, world_newest(w, "staging").run);
}

/* The release of before serves on a database of later: also who reads the reminder alone knows. */
WORLD_TEST_OF(a_reminder_says_that_the_database_stays_as_it_is, NAGS, STAGING_URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_step(w, 0, "migrate");
	world_run_step(w, 1, "migrated");
	world_run_step(w, 2, "release");
	world_run_is_probed(w, "HTTP 500");
	world_run_releases(w, GOOD);
	world_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	world_due(w, TIMER_NAG);
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "nobody has seen it\nbbbbbbb \"Make it blue\": HTTP 500\n⚠️ the database was NOT rolled back\nruns aaaaaaa"));
}

/* What was live serves on, on a database that may be half migrated: somebody has to look. */
WORLD_TEST_OF(a_failed_migration_is_reminded_of_until_seen, NAGS, STAGING_URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_step(w, 0, "migrate");
	world_run_step(w, 1, "migrate-failed 1");
	world_run_ends(
	    w, (struct run_ended){ .gate_opened = true, .migration = true, .exit_status = 70 });
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_string_not_equal(seen_in(w, WORLD_GROUP), "");
	world_due(w, TIMER_NAG);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "❌ Migration failed: staging 15 min ago, nobody has seen it\nbbbbbbb"));
	world_answers(w, WORLD_ADMIN, "/status staging",
	    "👀 nobody has seen yet that it failed in the migration of bbbbbbb, 15 min ago");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, seen_in(w, WORLD_TEAM));
	assert_string_equal(w->toast, "Seen: nobody is reminded any more.");
	assert_int_equal(world_environment(w, "staging").unseen_work, 0);
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 1);
}

/* After a quarter of an hour it was less sure than before. */
TEST(what_was_seen_to_be_down_is_still_down_in_its_reminder)
{
	struct world w;

	world_open(&w, NAGS, STAGING_URL, NULL);
	world_starts_over(&w, COMMIT_A, COMMIT_B);
	world_run_is_probed(&w, "HTTP 500");
	world_run_is_probed(&w, "no answer");
	assert_non_null(world_says_in(&w, WORLD_TEAM, "🔥 DOWN: staging"));
	world_due(&w, TIMER_NAG);
	assert_int_equal(reminders(&w), 0); /* it is looked at first */
	world_looked(&w, "HTTP 502");
	assert_int_equal(reminders(&w), 1);
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "🔥 Still DOWN: staging, for 15 min, nobody has seen it, last checked 00:15"));
	world_close(&w);
	world_open(&w, NAGS, "STAGING_HEALTH_URL=http://h1/,http://h2/", NULL);
	world_starts_over(&w, COMMIT_A, COMMIT_B);
	world_run_is_probed(&w, "HTTP 500");
	world_run_ends(&w, GOOD);
	world_probed_but(&w, 1, "no answer");
	world_due(&w, TIMER_NAG);
	world_looked_but(&w, 1, "no answer");
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "🔥 Still DOWN: staging on h2 (1 of 2 hosts), for 15 min, nobody has seen it, last "));
	world_close(&w);
}

static void
fails_and_its_rollback_too(struct world *w)
{
	world_deploy_starts(w, COMMIT_B);
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, "HTTP 500");
}

/* Goal: nobody is woken for what serves, nor rolls it back to what is older. */
WORLD_TEST_OF(what_answers_again_is_not_said_to_be_down, NAGS, STAGING_URL)
{
	const struct world_message *said;

	world_two_go_live(w, COMMIT_C, COMMIT_A);
	fails_and_its_rollback_too(w);
	assert_non_null(world_says_in(w, WORLD_TEAM, "2. /rollback staging to ccccccc"));
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 0);
	world_looked(w, NULL);
	said = world_last(w);
	assert_true(text_starts(world_plain(said),
	    "Healthy again: staging, failed at 00:00, nobody has seen it, last checked 00:15\n"
	    "bbbbbbb \"Make it blue\": HTTP 500; after the rollback: HTTP 500\n"
	    "1. /logs staging: why?\n2. /rollback staging: asks first\n"));
	assert_null(world_says_in(w, WORLD_TEAM, "Still DOWN"));
	/* What rang says so, and what is live is known no more than before. */
	assert_null(world_says_in(w, WORLD_TEAM, "staging is DOWN"));
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "staging may be DOWN: aaaaaaa is back, and was not healthy either\n🩺 answers healthy"));
	assert_true(world_environment(w, "staging").is_down);
	(void)world_press(
	    w, WORLD_ADMIN, WORLD_TEAM, world_button(said, "↩️ Roll back staging"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "what runs is not known → aaaaaaa"));
	/* It was for a while. */
	world_due(w, TIMER_NAG);
	world_looked(w, "HTTP 503");
	assert_non_null(world_says_in(w, WORLD_TEAM, "🔥 Still DOWN: staging, for 30 min, "));
	assert_non_null(world_says_in(w, WORLD_TEAM, "2. /rollback staging to ccccccc"));
}

WORLD_TEST_OF(what_a_person_brought_back_and_answers_again_is_offered, NAGS, STAGING_URL)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging"), "Roll"));
	world_run_is_probed(w, "HTTP 500");
	assert_int_equal(world_state(w), DEPLOY_FAILED);
	assert_non_null(world_says_in(w, WORLD_TEAM, "2. /rollback staging: asks first"));
	world_due(w, TIMER_NAG);
	world_looked(w, NULL);
	assert_true(text_starts(world_plain(world_last(w)), "Healthy again: staging"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "2. /rollback staging to aaaaaaa"));
}

/* It may be the other one that answers: what stands above is not changed by it. */
WORLD_TEST_OF(what_answers_while_another_is_deployed_is_not_kept, NAGS, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A);
	fails_and_its_rollback_too(w);
	world_deploy_starts(w, COMMIT_C);
	world_due(w, TIMER_NAG);
	world_looked(w, NULL);
	assert_non_null(world_says_in(w, WORLD_TEAM, "Healthy again: staging, failed at "));
	assert_non_null(world_says_in(w, WORLD_TEAM, "🔥 DOWN: staging"));
	assert_int_equal(world_deployment(w, 2).look.at, 0);
}

TEST(nobody_is_reminded_where_none_is_asked_for)
{
	struct world w;

	world_open(&w, STAGING_URL, NULL); /* it is not asked about: 0 */
	is_rolled_back(&w);
	assert_int_equal(timers(&w), 0);
	assert_string_equal(seen_in(&w, WORLD_GROUP), "");
	assert_int_equal(world_environment(&w, "staging").unseen_work, 0);
	world_close(&w);
	world_open(&w, STAGING_URL, "STAGING_CONFIRM=true", NULL);
	assert_int_equal(settings_environment(w.aid.settings, "staging")->rollback_nag_minutes, 15);
	assert_int_equal(
	    settings_environment(w.aid.settings, "production")->rollback_nag_minutes, 15);
	world_settings(&w, "PRODUCTION_CONFIRM=false", NULL); /* it is down no less */
	assert_int_equal(
	    settings_environment(w.aid.settings, "production")->rollback_nag_minutes, 15);
	assert_int_equal(settings_environment(w.aid.settings, "staging")->rollback_nag_minutes, 0);
	world_close(&w);
}

/* Who stopped it knows. */
WORLD_TEST_OF(what_somebody_stopped_is_not_reminded_of, NAGS, STAGING_URL)
{
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, GOOD);
	(void)world_text(w, WORLD_ADMIN, "/cancel staging");
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_int_equal(timers(w), 0);
}

/* The program was not there for two hours. */
WORLD_TEST_OF(what_was_due_meanwhile_is_said_once, NAGS, STAGING_URL)
{
	is_rolled_back(w);
	w->aid.at += 130 * MINUTE_MS;
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 1);
	assert_int_equal(minutes_to_next(w, 2), 240);
}

WORLD_TEST_OF(settings_that_want_none_end_it, NAGS, STAGING_URL)
{
	is_rolled_back(w);
	world_settings(w, STAGING_URL, NULL);
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 0);
	assert_int_equal(timers(w), 0);
	assert_int_equal(world_environment(w, "staging").unseen_work, 0);
}

/* --- seen --- */

WORLD_TEST_OF(who_may_roll_back_there_ends_it_and_is_named, NAGS, STAGING_URL)
{
	char button[LIMIT_BUTTON_ID];

	is_rolled_back(w);
	world_due(w, TIMER_NAG);
	(void)text_copy(button, sizeof(button), seen_in(w, WORLD_TEAM));
	(void)world_press(w, WORLD_STAGING_USER, WORLD_TEAM, button);
	assert_int_equal(w->toast[0], (char)0xe2); /* ⛔ */
	assert_int_equal(world_environment(w, "staging").unseen_work, 2);
	world_answers(w, WORLD_ADMIN, "/status staging",
	    "👀 nobody has seen yet that it was rolled back from bbbbbbb, 15 min ago");
	assert_true(world_environment(w, "staging").is_unacknowledged); /* what the metric says */
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, button);
	assert_string_equal(w->toast, "Seen: nobody is reminded any more.");
	assert_false(world_environment(w, "staging").is_unacknowledged);
	assert_int_equal(world_audited(w, "rollback_seen", "\"telegram:22\""), 1);
	assert_non_null(world_says_in(w, WORLD_TEAM, "runs aaaaaaa\n👀 Seen by @bob"));
	assert_null(world_says_in(w, WORLD_TEAM, "nobody has seen it"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "Rolled back: staging 15 min ago\nbbbbbbb"));
	/* Who has pressed looks whether that worked. */
	assert_true(world_says_in(w, WORLD_TEAM, "👀 Seen by @bob")->is_answer);
	assert_non_null(world_says_in(w, WORLD_GROUP, "👀 Seen by @bob"));
	assert_string_equal(seen_in(w, WORLD_TEAM), "");
	assert_string_equal(seen_in(w, WORLD_GROUP), "");
	(void)world_press(w, WORLD_ADMIN, WORLD_TEAM, button);
	assert_string_equal(w->toast, "This button has expired or was used.");
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 1);
	assert_int_equal(timers(w), 0);
	(void)world_text(w, WORLD_ADMIN, "/status staging");
	assert_null(strstr(world_plain(world_last(w)), "👀"));
}

/* It changes nothing there. */
FACTOR_TEST(no_code_is_asked_for, "REQUIRE_OTP=rollback:*")
{
	world_settings(w, "REQUIRE_OTP=rollback:*", factor_key_setting, NAGS, STAGING_URL, NULL);
	is_rolled_back(w);
	(void)world_press(w, ada.id, WORLD_GROUP, seen_in(w, WORLD_GROUP));
	assert_string_equal(w->toast, "Seen: nobody is reminded any more.");
}

WORLD_TEST_OF(a_newer_live_release_ends_it, NAGS, STAGING_URL)
{
	is_rolled_back(w);
	world_due(w, TIMER_NAG);
	world_deploy_starts(w, COMMIT_C);
	assert_int_equal(timers(w), 1); /* it is not live yet */
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	assert_string_equal(seen_in(w, WORLD_TEAM), "");
	/* What its messages say to do is not to be done any more. */
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "✅ Over: staging, a release is live since 00:15"));
	assert_non_null(world_says_in(w, WORLD_GROUP, "\n✅ Over: a release is live since 00:1"));
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 0);
	assert_int_equal(timers(w), 0);
}

/* Goal: who reads of an outage that is over reads first that it is, and presses nothing. */
WORLD_TEST_OF(what_reminded_of_an_outage_says_that_it_is_over_without_its_buttons, NAGS)
{
	size_t n = 0;

	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, TOUCHED);
	world_due(w, TIMER_NAG);
	world_due(w, TIMER_NAG);
	assert_int_equal(reminders(w), 2);
	assert_string_not_equal(world_button(world_last(w), "Deploy to"), "");
	world_deploy_goes_live(w, COMMIT_C);
	assert_null(world_says_in(w, WORLD_TEAM, "🔥"));
	for (size_t i = 0; i < w->n_screen; i++)
		if (text_starts(world_plain(&w->screen[i]), "✅ Over: staging, a release is")) {
			assert_int_equal(w->screen[i].buttons.n, 0);
			n++;
		}
	assert_int_equal(n, 2);
}

WORLD_TEST_OF(the_next_rollback_begins_anew, NAGS, STAGING_URL)
{
	is_rolled_back(w);
	world_due(w, TIMER_NAG);
	world_deploy_starts(w, COMMIT_C);
	world_run_is_probed(w, "HTTP 502");
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_ROLLED_BACK);
	assert_int_equal(world_environment(w, "staging").unseen_work, 3);
	assert_int_equal(world_environment(w, "staging").n_nags, 0);
	world_due(w, TIMER_NAG); /* the first one's */
	assert_int_equal(reminders(w), 1);
	world_due(w, TIMER_NAG);
	assert_non_null(world_says_in(w, WORLD_TEAM, "nobody has seen it\nccccccc"));
	assert_int_equal(reminders(w), 2);
}
