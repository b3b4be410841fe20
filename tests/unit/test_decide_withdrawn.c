/* Goal: who withdraws an approval changes neither what is confirmed nor how many are needed.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "decide_aid.h"

#include "lib/text.h"

#define EVE	 44
#define ADMINS	 "ADMIN_TELEGRAM_IDS=11,22,44"
#define BY_NIGHT "PRODUCTION_APPROVALS_IF=outside Mon-Sun 01:00-23:59=2" /* it is midnight */
#define ACME(unit) \
	ADMINS, "CLIENTS=acme", "CLIENT_ACME_HOST=web@acme.example", "CLIENT_ACME_APPROVALS=1", \
	    "CLIENT_ACME_ACTIONS=restart-web,clear-cache", "CLIENT_ACME_CACHE_COMMAND=true", \
	    "CLIENT_ACME_WEB_UNIT=" unit

static void
press_in(struct world *w, int64_t person, int64_t chat, const char *label)
{
	for (size_t i = w->n_screen; i-- > 0;)
		if (w->screen[i].chat == chat && world_button(&w->screen[i], label)[0] != '\0') {
			(void)world_press(w, person, chat, world_button(&w->screen[i], label));
			return;
		}
	fail_msg("no button %s", label);
}

static void
ask(struct world *w)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
}

static void
go_to_the_day(struct world *w)
{
	w->aid.at += 2 * 3600 * INT64_C(1000);
}

static void
what_changed_before_an_approval_was_withdrawn_is_confirmed_again(void **state)
{
	struct deployment work;
	struct world w;

	(void)state;
	world_open(&w, ACME("web.service"), NULL);
	(void)world_text(&w, WORLD_ADMIN, "/do clear-cache acme");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	(void)world_text(&w, WORLD_ADMIN, "/do restart-web acme");
	press_in(&w, WORLD_ADMIN, WORLD_GROUP, "restart-web");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_settings(&w, ACME("database.service"), NULL);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	work = world_newest(&w, "client/acme");
	assert_true(work.is_unconfirmed);
	assert_non_null(strstr(work.changed, "the settings of client/acme changed"));
	press_in(&w, EVE, WORLD_TEAM, "Approve");
	world_run_ends(&w, GOOD);
	work = world_newest(&w, "client/acme");
	assert_int_equal(work.state, DEPLOY_QUEUED);
	assert_true(work.is_asked_anew);
	world_close(&w);
}

static void
what_has_enough_without_it_stays_in_the_queue(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=1", ADMINS, "RUNS_MAX=1", BY_NIGHT, NULL);
	world_deploy_starts(&w, COMMIT_B);
	ask(&w);
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	press_in(&w, EVE, WORLD_TEAM, "Approve");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
	go_to_the_day(&w);
	press_in(&w, EVE, WORLD_TEAM, "Withdraw");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_QUEUED);
	assert_string_equal(world_newest(&w, "production").approvers, "@bob");
	press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_close(&w);
}

static void
what_has_enough_by_the_hour_goes_on(void **state)
{
	struct world w;

	(void)state;
	for (int is_pressed = 0; is_pressed < 2; is_pressed++) {
		world_open(&w, "PRODUCTION_APPROVALS=1", ADMINS, BY_NIGHT, NULL);
		ask(&w);
		press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
		world_due(&w, TIMER_APPROVAL); /* it is night still */
		assert_null(world_says(&w, "Not approved yet"));
		go_to_the_day(&w);
		if (is_pressed)
			press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		else
			world_due(&w, TIMER_APPROVAL);
		assert_non_null(world_peek(&w, EFFECT_RUN));
		world_close(&w);
	}
}

static void
say_pending_as(struct world *w, int64_t person, const char *name)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, WORLD_GROUP);

	(void)text_copy(event->u.update->name, sizeof(event->u.update->name), name);
	update_set_text(event->u.update, "/pending");
	(void)world_decide(w, event);
}

static void
one_name_is_not_a_part_of_another(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44,45", NULL);
	ask(&w);
	say_pending_as(&w, EVE, "Ann Lee");
	say_pending_as(&w, 45, "Lee");
	say_pending_as(&w, EVE, "Ann Lee");
	assert_string_equal(world_newest(&w, "production").seen_by, "Ann Lee, Lee");
	world_close(&w);
}

static void
each_of_many_requests_can_be_reached(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, ACME("web.service"), NULL);
	for (int i = 0; i < 4; i++)
		(void)world_text(&w, i < 2 ? WORLD_ADMIN : EVE,
		    i % 2 == 0 ? "/request restart-web acme" : "/request clear-cache acme");
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/pending");
	assert_string_not_equal(world_button(world_last(&w), "Approve #3"), "");
	assert_string_equal(world_button(world_last(&w), "Approve #4"), "");
	assert_string_not_equal(world_button(world_last(&w), "2"), "");
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changed_before_an_approval_was_withdrawn_is_confirmed_again),
		cmocka_unit_test(what_has_enough_without_it_stays_in_the_queue),
		cmocka_unit_test(what_has_enough_by_the_hour_goes_on),
		cmocka_unit_test(one_name_is_not_a_part_of_another),
		cmocka_unit_test(each_of_many_requests_can_be_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
