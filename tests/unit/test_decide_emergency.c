/* Goal: an emergency passes all but what runs, and is marked until somebody else has reviewed it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include <liboath/oath.h>
#include <unistd.h>

#include "lib/totp.h"
#include "store/row_exempt.h"
#include "store/row_factor.h"
#include "store/store_inside.h"

#define CAROL 44
#define PAST  "/deploy production emergency the shop is down"
#define PLAIN "PRODUCTION_CONFIRM=false"

/* --- what people do --- */

static const char *
button_in(struct world *w, int64_t chat, const char *label)
{
	for (size_t i = w->n_screen; i-- > 0;) {
		const char *button = world_button(&w->screen[i], label);

		if (w->screen[i].chat == chat && button[0] != '\0')
			return button;
	}
	return "";
}

static void
press(struct world *w, int64_t person, int64_t chat, const char *label)
{
	const char *button = button_in(w, chat, label);

	if (button[0] == '\0')
		fail_msg("no button %s", label);
	(void)world_press(w, person, chat, button);
}

/* Asked for by the first admin, and git has answered. */
static void
asks(struct world *w, const char *text, const char *commit)
{
	(void)world_text(w, WORLD_ADMIN, text);
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
}

/* ... and it is live. */
static void
goes_live(struct world *w, const char *commit)
{
	asks(w, PAST, commit);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "production").current.commit, commit);
}

static const char *
said_by(struct world *w, const char *text)
{
	(void)world_text(w, WORLD_ADMIN, text);
	return world_plain(world_last(w));
}

static size_t
reminders_due(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_open; i++)
		n += w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_REVIEW;
	return n;
}

/* --- what it passes, and what not --- */

WORLD_TEST_OF(it_passes_approvals_locks_and_freezes_and_all_are_rung, PLAIN,
    "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	struct world_message *rung;

	(void)world_text_in(w, CAROL, CAROL, "/start"); /* the bot may write to her */
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock production mine");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/freeze production until 2027-01-01 sale");
	asks(w, PAST, COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	rung = world_says_in(w, WORLD_TEAM, "Emergency");
	assert_string_equal(world_plain(rung),
	    "🚨 Emergency: production \"Make it blue\" aaaaaaa\nby @ada: the shop is down\n"
	    "#1 goes past:\n⚠️ approved 0 of 2\n"
	    "🔒 locked by @bob, just now, until unlocked: mine\n"
	    "🔒 frozen by @bob, just now, until Sat 2027-01-02 00:00 (UTC): sale\n"
	    "Look at it when it has begun, then press Review done: somebody else than who asked.");
	assert_false(rung->is_silent);
	assert_true(rung->is_alarm);
	assert_non_null(
	    world_says(w, "🚨 Lock overridden: production: emergency by @ada: the shop is down"));
	assert_false(world_says_in(w, CAROL, "Emergency")->is_silent);
	assert_false(world_says_in(w, WORLD_OTHER_ADMIN, "🚨 Emergency")->is_silent);
	assert_null(world_says_in(w, WORLD_ADMIN, "Emergency")); /* asked for it */
	assert_int_equal(world_audited(w, "\"emergency\":\"the shop is down\"", "\"high\""), 2);
	assert_int_equal(world_audited(w, "deploy_started", "\"high\""), 1);
}

/* Each who could have approved it has a sound of their own: their group makes no second. */
WORLD_TEST_OF(a_group_is_silent_where_each_approver_is_rung_in_private, PLAIN,
    "PRODUCTION_APPROVALS=1", "PRODUCTION_APPROVAL_CHAT_ID=-100900")
{
	asks(w, PAST, COMMIT_A);
	assert_false(world_says_in(w, WORLD_TEAM, "🚨 Emergency")->is_silent);
	assert_false(world_says_in(w, -100900, "🚨 Emergency")->is_silent);
	world_run_ends(w, GOOD);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	asks(w, PAST, COMMIT_B);
	assert_true(world_says_in(w, WORLD_TEAM, "🚨 Emergency")->is_silent);
	assert_true(world_says_in(w, -100900, "🚨 Emergency")->is_silent);
	assert_false(world_says_in(w, WORLD_OTHER_ADMIN, "🚨 Emergency")->is_silent);
	assert_true(world_says_in(w, WORLD_OTHER_ADMIN, "🚨 Emergency")->is_alarm);
}

WORLD_TEST_OF(it_stands_before_all_else_and_never_passes_what_runs, PLAIN)
{
	asks(w, "/deploy production", COMMIT_A);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_B);
	asks(w, PAST, COMMIT_C);
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	assert_non_null(world_says(w, "Queued: 1st in production"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "🚨 Emergency")); /* at once */
	world_run_ends(w, GOOD);
	world_git_same(w); /* is it behind what went live? */
	assert_int_equal(world_count(w, EFFECT_RUN), 1);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

/* Others' places are full: it has some of its own. */
WORLD_TEST_OF(it_has_a_place_where_the_queue_is_full, PLAIN, "ADMIN_TELEGRAM_IDS=11,22,44,55,66",
    "ROLE_RATE_LIMIT=0")
{
	asks(w, "/deploy production", COMMIT_A);
	for (int64_t i = 0; i < 12; i++) {
		static const int64_t who[] = { 22, 44, 55, 66 };

		(void)world_text(w, who[i % 4], "/deploy production");
		if (world_peek(w, EFFECT_GIT_QUERY) != NULL)
			world_git(w, (struct world_git){ .commit = COMMIT_B });
	}
	assert_non_null(world_says(w, "Not queued: production: 10 are queued there already"));
	asks(w, PAST, COMMIT_C);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	assert_non_null(world_says(w, "Queued: 1st in production"));
}

/* What would be joined waits for somebody's yes. */
WORLD_TEST_OF(it_waits_for_no_question_about_the_same, PLAIN, "PRODUCTION_APPROVALS=1")
{
	asks(w, "/deploy production", COMMIT_A);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	asks(w, PAST, COMMIT_A);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED);
}

/* ... and nobody joins its own: theirs would pass what theirs has to wait for. */
WORLD_TEST_OF(nobody_joins_its_question, "PRODUCTION_APPROVALS=1")
{
	asks(w, PAST, COMMIT_A);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_A);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_AWAITING_CONFIRMATION);
	press(w, WORLD_OTHER_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_AWAITING_APPROVAL);
	press(w, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_SUPERSEDED); /* it has started */
}

WORLD_TEST_OF(where_a_yes_is_asked_for_it_asks_who_asked, "PRODUCTION_APPROVALS=1")
{
	(void)world_text(w, WORLD_OTHER_ADMIN, "/lock production mine");
	asks(w, PAST, COMMIT_A);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(strstr(world_plain(world_says(w, "🚨 Emergency to production?")),
	    "⚠️ approved 0 of 1: a yes goes past that\n🔒 locked by @bob, just now, until unlocked: mine"));
	assert_null(world_says_in(w, WORLD_TEAM, "🚨 Emergency")); /* it may yet be cancelled */
	assert_non_null(world_says(w, "🚨 emergency: the shop is down"));
	press(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	assert_non_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "🚨 Emergency"));
}

/* Asked for and cancelled again and again: four at once, then one each quarter of an hour. */
WORLD_TEST_OF(one_person_rings_a_few_times, PLAIN)
{
	asks(w, "/deploy production", COMMIT_B);
	for (int i = 0; i < 5; i++) {
		asks(w, PAST, COMMIT_A);
		assert_int_equal(world_says_in(w, WORLD_TEAM, "🚨 Emergency")->is_silent, i == 4);
		press(w, WORLD_ADMIN, WORLD_GROUP, "Cancel");
	}
	w->aid.at += 16 * 60 * INT64_C(1000);
	asks(w, PAST, COMMIT_A);
	assert_false(world_says_in(w, WORLD_TEAM, "🚨 Emergency")->is_silent);
}

/* --- who may --- */

WORLD_TEST_OF(it_needs_the_grant_of_its_name, PLAIN, "ROLE_DEV_IDS=33",
    "ROLE_DEV_MAY=deploy:*,status:*,approve:*", "ROLE_DUTY_IDS=44",
    "ROLE_DUTY_MAY=emergency:production,status:*")
{
	world_answers(w, WORLD_STAGING_USER, PAST,
	    "⛔ Denied: production deploy: your role does not grant it.");
	assert_int_equal(world_audited(w, "denied", "\"emergency\""), 1);
	(void)world_text(w, CAROL, "/deploy production");
	(void)world_text(w, CAROL, "/deploy staging emergency it is down");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	(void)world_text(w, WORLD_STRANGER, PAST);
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	world_asks(w, CAROL, PAST, COMMIT_A);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(a_grant_that_is_lost_in_the_queue_is_no_grant, PLAIN, "ADMIN_TELEGRAM_IDS=22",
    "ROLE_DUTY_IDS=11", "ROLE_DUTY_MAY=emergency:production,deploy:production")
{
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_B);
	asks(w, PAST, COMMIT_A);
	world_settings(w, PLAIN, "ADMIN_TELEGRAM_IDS=22", "ROLE_DUTY_IDS=11",
	    "ROLE_DUTY_MAY=deploy:production", NULL);
	world_run_ends(w, GOOD);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
}

WORLD_TEST_OF(why_is_said_in_so_many_words, PLAIN)
{
	char longest[300] = "/deploy production emergency ";

	for (size_t i = strlen(longest), end = i + 200; i < end; i++)
		longest[i] = 'x';
	assert_non_null(strstr(said_by(w, "/deploy production emergency"),
	    "🚨 Not deployed: production: say why, behind the word emergency."));
	assert_non_null(strstr(said_by(w, "/deploy production main --emergency  -- "), "say why"));
	assert_non_null(strstr(said_by(w, longest), "the reason is longer than 199 bytes"));
	assert_non_null(strstr(said_by(w, "/deploy production main two emergency it is down"),
	    "Too much after /deploy"));
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	longest[strlen(longest) - 1] = '\0';
	(void)world_text(w, WORLD_ADMIN, longest);
	assert_non_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* Of a phone's keyboard: U+2014, U+2013, a capital. */
WORLD_TEST_OF(a_dash_before_the_word_means_the_same, PLAIN)
{
	static const char *const words[] = { "emergency", "--emergency", "—emergency", "–Emergency",
		"-EMERGENCY" };
	char text[100];

	for (size_t i = 0; i < COUNT(words); i++) {
		(void)snprintf(
		    text, sizeof(text), "/deploy production v1.2 %s a  %zu", words[i], i);
		(void)world_text(w, WORLD_ADMIN, text);
		assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.ref, "v1.2");
		world_git(w, (struct world_git){ .error = "no such ref" });
		(void)snprintf(text, sizeof(text), "a %zu", i);
		assert_string_equal(world_newest(w, "production").exempt.emergency, text);
	}
}

/* --- the second factor --- */

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static uint8_t secret[TOTP_SECRET]; /* of who was enrolled last */

static void
enrol(struct tx *tx, void *person)
{
	struct factor_secret made;
	struct factor factor;
	struct err err;

	if (!row_factor_make(tx, *(int64_t *)person, 0, &made, &err))
		fail_msg("%s", err.text);
	memcpy(secret, made.totp, sizeof(secret));
	factor = row_factor_get(tx, *(int64_t *)person);
	factor.enrolled_at = tx->at;
	row_factor_save(tx, &factor);
}

static void
type_code(struct world *w)
{
	struct world_message *pad = world_says_in(w, WORLD_ADMIN, "Code for");
	char code[TOTP_DIGITS + 1];

	assert_int_equal(oath_totp_generate((const char *)secret, TOTP_SECRET,
			     (time_t)(w->aid.at / 1000), TOTP_STEP_S, 0, TOTP_DIGITS, code),
	    OATH_OK);
	for (const char *at = code; *at != '\0'; at++)
		(void)world_press(
		    w, WORLD_ADMIN, WORLD_ADMIN, world_button(pad, (char[2]){ *at, '\0' }));
}

/* Whatever REQUIRE_OTP says. */
TEST(where_anybody_has_a_factor_who_asks_gives_a_code)
{
	char path[64], setting[96];
	int64_t ada = WORLD_ADMIN, bob = WORLD_OTHER_ADMIN;
	struct world w;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/tmp/test_emergency.%ld.key", (long)getpid());
	(void)snprintf(setting, sizeof(setting), "TOTP_KEY_FILE=%s", path);
	file = fopen(path, "w");
	assert_true(file != NULL && fputs(KEY, file) >= 0 && fclose(file) == 0);
	world_open(&w, setting, NULL);
	world_act(&w, enrol, &bob);
	world_answers(&w, WORLD_ADMIN, PAST, "you have no second factor");
	assert_null(world_peek(&w, EFFECT_GIT_QUERY));

	world_act(&w, enrol, &ada);
	(void)world_text(&w, WORLD_ADMIN, PAST);
	assert_null(world_peek(&w, EFFECT_GIT_QUERY));
	assert_non_null(world_says_in(&w, WORLD_ADMIN, "Code for production emergency"));
	type_code(&w);
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	press(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to"); /* it was for all of it */
	world_git_same(&w);
	assert_non_null(world_peek(&w, EFFECT_RUN));
	world_close(&w);
	(void)unlink(path);
}

WORLD_TEST_OF(
    without_any_factor_the_settings_say_whether_it_is_open, PLAIN, "EMERGENCY_WITHOUT_OTP=false")
{
	world_answers(w, WORLD_ADMIN, PAST,
	    "⛔ Denied: production emergency: it needs a second factor, and nobody has one: "
	    "deploybot 2fa add on the server.");
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
}

/* --- reviewed --- */

WORLD_TEST_OF(it_is_marked_until_somebody_else_has_reviewed_it, PLAIN, "APPROVE_SELF=true",
    "ROLE_DEV_IDS=33", "ROLE_DEV_MAY=deploy:production")
{
	goes_live(w, COMMIT_A);
	assert_non_null(world_says(w, "🚨 emergency: the shop is down · not reviewed"));
	assert_non_null(strstr(said_by(w, "/history production"), "· not reviewed"));
	assert_non_null(strstr(said_by(w, "/status production"),
	    "🚨 emergency not reviewed: #1 aaaaaaa, just now, by @ada: the shop is down\n"
	    "    /review 1"));

	press(w, WORLD_ADMIN, WORLD_TEAM, "Review done");
	assert_string_equal(
	    w->toast, "⛔ Denied: review: you asked for it, so somebody else must review it.");
	press(w, WORLD_STAGING_USER, WORLD_TEAM, "Review done");
	assert_string_equal(w->toast, "⛔ Denied: approve: only an admin may.");
	assert_int_equal(world_deployment(w, 1).exempt.reviewed_at, 0);

	press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Review done");
	assert_string_equal(w->toast, "#1 is reviewed: nobody is reminded of it any more.");
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "Reviewed: production is live: \"Make it blue\" aaaaaaa\nby @ada: the shop is "
	    "down\n#1 asks for no approval, and goes past locks and freezes\nreviewed by @bob"));
	assert_string_equal(button_in(w, WORLD_TEAM, "Review done"), "");
	assert_non_null(strstr(said_by(w, "/history production"), "· reviewed by @bob"));
	assert_null(strstr(said_by(w, "/status production"), "not reviewed"));
	assert_int_equal(world_audited(w, "emergency_reviewed", "\"high\""), 1);
	assert_int_equal(world_audited(w, "emergency_reviewed", "nobody else"), 0);
	world_answers(
	    w, WORLD_OTHER_ADMIN, "/review 1", "Review: production #1 is reviewed already.");
}

/* Found by hand: it said the release, the duration and the audit of the moment of the review. */
/* Before it began, as an ordinary deployment: that is not somebody else. */
WORLD_TEST_OF(who_joined_the_question_about_the_same_reviews_nothing, "ADMIN_TELEGRAM_IDS=11,22,44")
{
	asks(w, "/deploy production", COMMIT_A);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .count = 2 });
	asks(w, PAST, COMMIT_A);
	press(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	world_run_ends(w, GOOD);
	world_answers(
	    w, WORLD_OTHER_ADMIN, "/review 3", "you asked for it, so somebody else must review it");
	(void)world_text(w, WORLD_ADMIN, "/pending");
	assert_string_equal(world_plain(world_last(w)),
	    "Nothing awaits an approval.\n\nproduction:\n"
	    "🚨 emergency not reviewed: #3 aaaaaaa, just now, by @ada: the shop is down\n"
	    "    /review 3");
	world_answers(w, CAROL, "/review 3", "#3 is reviewed");
	(void)world_text(w, WORLD_ADMIN, "/pending");
	assert_string_equal(world_plain(world_last(w)), "Nothing awaits an approval.");
}

WORLD_TEST_OF(a_review_changes_nothing_else_of_what_has_ended, PLAIN)
{
	char before[2000], *at;

	goes_live(w, COMMIT_A);
	(void)snprintf(before, sizeof(before), "%s",
	    world_plain(world_says(w, "Live: production, not checked \"Make it blue\" aaaaaaa")));
	at = strstr(before, "not reviewed");
	assert_non_null(at);
	w->aid.at += 90 * INT64_C(1000);
	asks(w, "/deploy production", COMMIT_B); /* release 2 */
	world_run_ends(w, GOOD);
	press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Review done");
	*at = '\0';
	assert_non_null(world_says(w, before));
	assert_non_null(strstr(world_plain(world_says(w, before)), "· reviewed by @bob"));
	assert_non_null(strstr(world_plain(world_says(w, before)), at + strlen("not reviewed")));
}

WORLD_TEST_OF(who_was_rung_reads_how_it_ended, PLAIN)
{
	asks(w, PAST, COMMIT_A);
	world_run_ends(w, GOOD);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "🚨 Emergency")),
	    "🚨 Emergency: production is live: \"Make it blue\" aaaaaaa\nby @ada: the shop is down\n"
	    "#1 asks for no approval, and goes past locks and freezes\n"
	    "Look at it, then press Review done: somebody else than who asked.");
	assert_string_not_equal(button_in(w, WORLD_TEAM, "Review done"), "");
	asks(w, PAST, COMMIT_B);
	press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Review done"); /* while it runs */
	world_run_ends(w, GOOD);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "Reviewed: production is live: \"Make it blue\" bbbbbbb\n"));
}

WORLD_TEST_OF(only_who_may_is_offered_one, "ROLE_DEV_IDS=33", "ROLE_DEV_MAY=deploy:*")
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/help");
	assert_non_null(
	    strstr(world_plain(world_last(w)), "[commit or branch] [emergency <reason>] — deploy"));
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/help");
	assert_non_null(strstr(
	    world_plain(world_last(w)), "/deploy <environment> [commit or branch] — deploy"));
}

WORLD_TEST_OF(a_reminder_rings_each_day_for_a_fortnight, PLAIN)
{
	size_t rings;
	int64_t n = 0;

	goes_live(w, COMMIT_A);
	rings = world_rings(w);
	for (int i = 0; i < 14; i++)
		world_due(w, TIMER_REVIEW);
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "🚨 Not reviewed: production \"Make it blue\" aaaaaaa\nby @ada: the shop is down\n"
	    "emergency, 14 d ago; reminder 14 of 14. /review 1 ends them."));
	assert_int_equal(world_rings(w), rings + 14);
	assert_true(
	    db_one_i64(&n, w->aid.store->db, &w->aid.err, "SELECT n_reminders FROM exempt"));
	assert_int_equal(n, 14);
	assert_int_equal(reminders_due(w), 0);
	press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Review done");
	assert_string_equal(world_deployment(w, 1).exempt.reviewer, "@bob");
}

/* What it says afterwards of what was passed is in a row: it was read out of the message, and a
 * reminder had it from nowhere. */
WORLD_TEST_OF(a_reminder_says_no_other_thing_of_what_was_passed, PLAIN, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	size_t n = 0;

	goes_live(w, COMMIT_A);
	world_due(w, TIMER_REVIEW);
	press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Review done");
	for (size_t i = 0; i < w->n_screen; i++) {
		assert_null(strstr(world_plain(&w->screen[i]), "asks for no approval"));
		n += w->screen[i].chat == WORLD_TEAM &&
		    strcmp(world_plain(&w->screen[i]),
			"Reviewed: production is live: \"Make it blue\" aaaaaaa\n"
			"by @ada: the shop is down\n#1 goes past:\n⚠️ approved 0 of 2\n"
			"reviewed by @bob") == 0;
	}
	assert_int_equal(n, 1); /* what rang first was sent anew as the reminder */
}

static void
act_forget_passed(struct tx *tx, UNUSED void *arg)
{
	row_exempt_set_passed(tx, 1, "");
}

/* Its message said what it passed, and that is in no row. */
WORLD_TEST_OF(one_of_before_a_migration_keeps_the_words_that_say_what_it_passed, PLAIN)
{
	asks(w, PAST, COMMIT_A);
	world_act(w, act_forget_passed, NULL);
	world_run_ends(w, GOOD);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "🚨 Emergency")),
	    "🚨 Emergency: production \"Make it blue\" aaaaaaa\nby @ada: the shop is down\n"
	    "#1 asks for no approval, and goes past locks and freezes\n"
	    "Look at it when it has begun, then press Review done: somebody else than who asked.");
}

WORLD_TEST_OF(what_is_reviewed_reminds_nobody, PLAIN)
{
	goes_live(w, COMMIT_A);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/review 1");
	world_due(w, TIMER_REVIEW);
	assert_null(world_says_in(w, WORLD_TEAM, "Not reviewed"));
	assert_int_equal(reminders_due(w), 0);
}

WORLD_TEST_OF(who_is_alone_closes_it_and_the_audit_says_so, PLAIN, "ADMIN_TELEGRAM_IDS=11")
{
	goes_live(w, COMMIT_A);
	press(w, WORLD_ADMIN, WORLD_TEAM, "Review done");
	assert_string_equal(world_deployment(w, 1).exempt.reviewer, "@ada");
	assert_int_equal(world_audited(w, "emergency_reviewed",
			     "by who asked for it: nobody else could have approved it"),
	    1);
}

WORLD_TEST_OF(what_never_began_is_nothing_to_review, PLAIN)
{
	asks(w, "/deploy production", COMMIT_B);
	asks(w, PAST, COMMIT_A);
	press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Review done");
	assert_string_equal(w->toast, "#2 has not begun: review it when it has.");
	press(w, WORLD_ADMIN, WORLD_GROUP, "Cancel");
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_CANCELLED);
	assert_non_null(world_says_in(w, WORLD_TEAM,
	    "⛔ Never began: production, the emergency deployment \"Make it blue\" aaaaaaa"));
	assert_string_equal(button_in(w, WORLD_TEAM, "Review done"), "");
	world_answers(
	    w, WORLD_OTHER_ADMIN, "/review 2", "#2 never began: there is nothing to review.");
	world_answers(w, WORLD_OTHER_ADMIN, "/review 1", "Review: production #1 was no emergency.");
	assert_null(strstr(said_by(w, "/status production"), "not reviewed"));
	world_due(w, TIMER_REVIEW);
	assert_null(world_says_in(w, WORLD_TEAM, "Not reviewed"));
}

/* Away from C, back to B: as behind a rollback nothing leads to C but its name. */
WORLD_TEST_OF(no_rollback_leads_to_what_an_emergency_left, PLAIN)
{
	world_three_go_live(w);
	asks(w, "/deploy staging " COMMIT_B " emergency the shop is down", COMMIT_B);
	world_run_ends(w, GOOD);
	assert_string_equal(world_environment(w, "staging").current.commit, COMMIT_B);
	world_answers_last(w, WORLD_OTHER_ADMIN, "/rollback staging", "bbbbbbb → aaaaaaa");
}
