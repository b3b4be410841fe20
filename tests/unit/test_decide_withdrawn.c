/* Goal: who withdraws an approval changes neither what is confirmed nor how many are needed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#define ADMINS	 "ADMIN_TELEGRAM_IDS=11,22,44"
#define BY_NIGHT "PRODUCTION_APPROVALS_IF=outside Mon-Sun 01:00-23:59=2" /* it is midnight */
#define ACME(unit) \
	ADMINS, "CLIENTS=acme", "CLIENT_ACME_HOST=web@acme.example", "CLIENT_ACME_APPROVALS=1", \
	    "CLIENT_ACME_ACTIONS=restart-web,clear-cache", "CLIENT_ACME_CACHE_COMMAND=true", \
	    "CLIENT_ACME_WEB_UNIT=" unit

static void
go_to_the_day(struct world *w)
{
	w->aid.at += 2 * 3600 * INT64_C(1000);
}

WORLD_TEST_OF(what_changed_before_an_approval_was_withdrawn_is_confirmed_again, ACME("web.service"))
{
	struct deployment work;

	(void)world_text(w, WORLD_ADMIN, "/do clear-cache acme");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	(void)world_text(w, WORLD_ADMIN, "/do restart-web acme");
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "restart-web");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_settings(w, ACME("database.service"), NULL);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	work = world_newest(w, "client/acme");
	assert_true(world_question(w, "client/acme").is_unconfirmed);
	assert_non_null(strstr(work.changed, "the settings of client/acme changed"));
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	world_run_ends(w, GOOD);
	work = world_newest(w, "client/acme");
	assert_int_equal(work.state, DEPLOY_QUEUED);
	assert_true(work.wait.is_asked_anew);
}

WORLD_TEST_OF(what_has_enough_without_it_stays_in_the_queue, "PRODUCTION_APPROVALS=1", ADMINS,
    "RUNS_MAX=1", BY_NIGHT)
{
	world_deploy_starts(w, COMMIT_B);
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	go_to_the_day(w);
	approval_press_in(w, CAROL, WORLD_TEAM, "Withdraw");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	assert_string_equal(world_newest(w, "production").approvers, "@bob");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}
