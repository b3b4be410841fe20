/* Goal: the end of access is announced a week and a day before, and who may what is reported monthly.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define UNTIL	INT64_C(1801440000000) /* 2027-02-01 00:00 UTC */
#define DAY_MS	(24 * 3600 * INT64_C(1000))
#define HOUR_MS (3600 * INT64_C(1000))
#define CARL	50
#define CONTRACT \
	"ROLE_CONTRACTOR_IDS=50 until 2027-01-31", "ROLE_CONTRACTOR_MAY=deploy:staging, status"

/* Every hour, as the program does, until that moment. */
static void
wait_until(struct world *w, int64_t at)
{
	while (w->aid.at < at)
		world_due(w, TIMER_ACCESS);
}

static void
open_at(struct world *w, int64_t at)
{
	world_open(w, CONTRACT, NULL);
	w->aid.at = at;
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
}

WORLD_TEST_BARE(the_end_of_a_role_is_announced_a_week_and_a_day_before)
{
	open_at(w, UNTIL - 8 * DAY_MS);
	wait_until(w, UNTIL - 7 * DAY_MS - HOUR_MS);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 0);
	wait_until(w, UNTIL - 2 * DAY_MS);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 1);
	assert_string_equal(world_plain(world_says_in(w, CARL, "⏳")),
	    "⏳ Your role contractor ends in 7 days, with 2027-01-31 (UTC).\n"
	    "Until then you may: deploy:staging, status:staging. An admin can prolong it.");
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "in 7 days, with 2027-01-31 (UTC)"), 1);
	assert_non_null(strstr(world_plain(world_says_in(w, WORLD_ADMIN, "⏳")),
	    "⏳ Access ends: telegram:50, role contractor, in 7 days, with 2027-01-31 (UTC).\n"));
	assert_int_equal(world_says_times(w, WORLD_OTHER_ADMIN, "telegram:50"), 1);
	assert_non_null(strstr(world_plain(world_says_in(w, WORLD_ADMIN, "⏳")),
	    "\nTo prolong it change ROLE_CONTRACTOR_UNTIL or the date in ROLE_CONTRACTOR_IDS."));
	assert_true(world_says_in(w, CARL, "⏳")->is_silent);
	wait_until(w, UNTIL + DAY_MS);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 2);
	assert_int_equal(world_says_times(w, CARL, "ends within a day, with 2027-01-31"), 1);
	assert_false(world_says_in(w, CARL, "within a day")->is_silent);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "⏳"), 2);
}

/* A restart, other settings: what was said is not said again. */
WORLD_TEST_BARE(a_restart_says_nothing_twice)
{
	open_at(w, UNTIL - 6 * DAY_MS);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 1);
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	assert_int_equal(world_says_times(w, CARL, "⏳"), 1);
	assert_int_equal(world_count(w, EFFECT_TIMER) > 0, 1);
	/* Prolonged: that end is announced when it is near. */
	world_settings(w, "ROLE_CONTRACTOR_IDS=50 until 2027-02-02",
	    "ROLE_CONTRACTOR_MAY=deploy:staging, status", NULL);
	world_due(w, TIMER_ACCESS);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 1);
	wait_until(w, UNTIL - 5 * DAY_MS + 1);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 2);
}

/* A team whose role ends: each person gets one message, and the admins one for all of them. */
WORLD_TEST_BARE(of_many_whose_role_ends_the_admins_get_one_message)
{
	char ids[1024] = "ROLE_TEAM_IDS=100";
	const char *text;

	for (int i = 101; i < 160; i++)
		(void)snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), ",%d", i);
	world_open(w, ids, "ROLE_TEAM_MAY=deploy:staging", "ROLE_TEAM_UNTIL=2027-01-31",
	    "ROLE_OTHER_IDS=50 until 2027-01-31, 51 until 2027-02-01",
	    "ROLE_OTHER_MAY=status:staging", NULL);
	w->aid.at = UNTIL - 5 * DAY_MS;
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	for (int i = 100; i < 160; i++)
		assert_int_equal(world_says_times(w, i, "⏳ Your role "), 1);
	assert_int_equal(
	    world_says_times(w, WORLD_ADMIN, "⏳"), 3); /* a role, and the two days of another */
	assert_int_equal(world_says_times(w, WORLD_OTHER_ADMIN, "⏳"), 3);
	text = world_plain(world_says_in(w, WORLD_ADMIN, "telegram:100"));
	assert_non_null(strstr(text,
	    "⏳ Access ends: telegram:100, telegram:101, telegram:102, telegram:103, telegram:104 "
	    "and 55 more, role team, in 5 days, with 2027-01-31 (UTC).\nTo prolong"));
	assert_non_null(world_says_in(w, WORLD_ADMIN, "telegram:51"));
	assert_non_null(strstr(world_plain(world_says_in(w, WORLD_ADMIN, "telegram:51")),
	    "telegram:51, role other, "));
}

/* Down for a week: one message, not the week's behind the day's. */
WORLD_TEST_BARE(a_notice_that_was_missed_is_not_made_up_for)
{
	open_at(w, UNTIL - DAY_MS / 2);
	wait_until(w, UNTIL + DAY_MS);
	assert_int_equal(world_says_times(w, CARL, "⏳"), 1);
	assert_int_equal(world_says_times(w, CARL, "within a day"), 1);
}

/* Regression: a role that had ended kept the one that nobody used off the list. */
WORLD_TEST_OF(who_has_an_ended_role_and_an_idle_one_is_idle, CONTRACT, "ROLE_SHIPPER_IDS=50",
    "ROLE_SHIPPER_MAY=rollback:staging")
{
	w->aid.at = UNTIL - DAY_MS / 2;
	(void)world_decide(w, store_aid_event(&w->aid, EVENT_STARTED));
	wait_until(w, UNTIL + DAY_MS);
	assert_non_null(strstr(world_plain(world_says_in(w, WORLD_ADMIN, "month's report")),
	    "\ntelegram:50 (shipper): nothing used; ended: contractor until 2027-01-31\n"));
}

WORLD_TEST_BARE(a_report_is_sent_once_a_month)
{
	open_at(w, UNTIL - 3 * DAY_MS);
	assert_int_equal(
	    world_says_times(w, WORLD_ADMIN, "month's report"), 0); /* nothing was before it */
	(void)world_text(w, CARL, "/deploy staging");
	wait_until(w, UNTIL + DAY_MS);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "month's report"), 1);
	assert_int_equal(world_says_times(w, WORLD_OTHER_ADMIN, "month's report"), 1);
	assert_int_equal(world_says_times(w, WORLD_STAGING_USER, "month's report"), 0);
	assert_int_equal(world_says_times(w, WORLD_TEAM, "month's report"), 0);
	/* The contractor's day is over. */
	assert_string_equal(world_plain(world_says_in(w, WORLD_ADMIN, "month's report")),
	    "🔐 Access: 2 to look at, month's report\n"
	    "Not used for 90 days; take out of the settings what is not needed:\n"
	    "telegram:33 (staging): nothing used\n"
	    "Access has ended, and still stands in the settings:\n"
	    "telegram:50: contractor until 2027-01-31\n"
	    "Admins are not listed here.\n"
	    "In force: admin 2, staging 1\n"
	    "All, on the server: deploybot policy report");
	wait_until(w, UNTIL + 27 * DAY_MS);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "month's report"), 1);
	wait_until(w, UNTIL + 29 * DAY_MS);
	assert_int_equal(world_says_times(w, WORLD_ADMIN, "month's report"), 2);
}

/* Goal: what an admin has to look at is a page of a phone, whoever many they are. */
WORLD_TEST_BARE(a_report_of_many_people_names_ten)
{
	char ids[4][1024];
	const char *text;
	size_t named = 0;

	for (int role = 0; role < 4; role++) {
		int used = snprintf(ids[role], sizeof(ids[role]), "ROLE_R%d_IDS=", role);

		for (int i = 0; i < 40; i++)
			used += snprintf(ids[role] + used, sizeof(ids[role]) - (size_t)used, "%s%d",
			    i > 0 ? "," : "", 1000 + role * 100 + i);
	}
	world_open(w, ids[0], ids[1], ids[2], ids[3], "ROLE_R0_MAY=deploy:staging, status, log",
	    "ROLE_R1_MAY=deploy:staging, status, log", "ROLE_R2_MAY=deploy:staging, status, log",
	    "ROLE_R3_MAY=deploy:staging, status, log", NULL);
	(void)world_text(w, 1000, "/deploy staging");
	wait_until(w, STORE_AID_AT + 125 * DAY_MS);
	(void)world_text(w, 1001, "/deploy staging");
	wait_until(w, STORE_AID_AT + 155 * DAY_MS);
	text = world_plain(world_last(w));
	assert_true(text_starts(text, "🔐 Access: 161 to look at, month's report\n"));
	assert_non_null(
	    strstr(text, "\nIn force: admin 2, staging 1, r0 40, r1 40, r2 40, r3 40\n"));
	assert_null(strstr(text, "telegram:11 "));   /* an admin */
	assert_null(strstr(text, "telegram:1001 ")); /* has used one of it */
	assert_non_null(strstr(text, "\n… and 151 more\nAdmins are not listed here.\n"));
	for (const char *at = text; (at = strstr(at, "\ntelegram:")) != NULL; at++)
		named++;
	assert_int_equal(named, 10);
	assert_in_range(strlen(text), 400, 1000);
}

/* Uses are counted for 90 days before anything is called unused. */
WORLD_TEST_BARE(what_nobody_used_for_90_days_is_named)
{
	static const char *const role[] = { "ROLE_X_IDS=60",
		"ROLE_X_MAY=deploy:staging, status, rollback" };
	const struct world_message *report;

	world_open(w, role[0], role[1], NULL);
	(void)world_text(w, 60, "/deploy staging");
	wait_until(w, STORE_AID_AT + 89 * DAY_MS);
	report = world_says_in(w, WORLD_ADMIN, "month's report");
	assert_non_null(report);
	assert_string_equal(world_plain(report),
	    "🔐 Access: nothing to do, month's report\nIn force: admin 2, staging 1, x 1\n"
	    "Uses are counted since 2026-01-01: what is not used for 90 days is named from then on.\n"
	    "All, on the server: deploybot policy report");
	(void)world_text(w, 60, "/status staging");
	wait_until(w, STORE_AID_AT + 125 * DAY_MS);
	report = world_says_in(w, WORLD_ADMIN, "month's report");
	assert_null(strstr(report->text, "telegram:11 "));
	assert_non_null(strstr(report->text, "\ntelegram:60 (x): deploy, rollback; last came "));
}

/* Without roles of one's own nothing is added to what there was. */
WORLD_TEST(without_roles_of_ones_own_nobody_hears_of_it)
{
	for (size_t i = 0; i < w->n_open; i++)
		assert_false(
		    w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_ACCESS);
	assert_int_equal(w->n_screen, 0);
}
