/* Goal: what needs others' yes starts with just that: distinct people, none of whom asked, as of now.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "decide/approval/decide_approval.h"
#include "lib/text.h"
#include "store/row_environment.h"

WORLD_TEST_OF(a_second_person_approves_and_it_goes_live, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "Awaiting")),
	    "❓ Awaiting approval: production \"Make it blue\" aaaaaaa\n"
	    "author Ann Example · requested by @ada\n"
	    "🗄 runs before the release: pre-deploy/10-migrate\n⚠️ never ran on staging\n"
	    "Nothing was released to production yet.\n"
	    "• aaaaaaa \"Change 1\" — Ann Example\n• aaaaaaa \"Change 2\" — Ann Example\n"
	    "🔗 https://github.com/acme/shop/commit/aaaaaaa1aaaa\n"
	    "⚠️ no release to roll back to\n"
	    "No health check configured: success means the script exits with 0.\n"
	    "#1 · approved 0 of 1\n⏳ open until 08:00");
	assert_false(world_says_in(w, WORLD_TEAM, "Awaiting")->is_silent);

	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve"); /* who asked */
	assert_string_equal(
	    w->toast, "⛔ Denied: approve: you asked for it, so somebody else must.");
	assert_null(world_peek(w, EFFECT_RUN));

	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w->toast, "Approved: production aaaaaaa: it is in progress.");
	world_run_ends(w, GOOD);
	world_answers(w, WORLD_OTHER_ADMIN, "/approve 1",
	    "#1 is live (approved by @bob): nothing is left to approve.");
	assert_string_equal(world_environment(w, "production").current.commit, COMMIT_A);
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "requested by @ada · approved by @bob\nNo health"));
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "Live: production, not checked \"Make it blue\" aaaaaaa"));
	assert_int_equal(world_audited(w, "deploy_approval", "\"approved\""), 1);
	assert_int_equal(world_audited(w, "deploy_started", "\"approved_by\":\"telegram:"), 1);
	world_answers_last(w, WORLD_ADMIN, "/history production", "approved by @bob");
}

/* --- whose yes counts --- */

WORLD_TEST_OF(two_of_two_are_two_people_and_a_double_press_is_one, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w->toast, "Approved: production aaaaaaa: 1 of 2.");
	assert_non_null(world_says_in(w, WORLD_GROUP, "approved 1 of 2: @bob"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w->toast, "Approved: production aaaaaaa by you already: 1 of 2.");
	assert_null(world_peek(w, EFFECT_RUN));
	(void)world_text(w, CAROL, "/approve 1");
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "Approved: production aaaaaaa: it is in progress."));
	assert_non_null(world_says_in(w, WORLD_GROUP, "approved by @bob, @eve"));
}

WORLD_TEST_OF(the_settings_name_the_roles_that_may, "PRODUCTION_APPROVALS=1",
    "PRODUCTION_APPROVERS=lead", "ROLE_LEAD_IDS=44", "ROLE_LEAD_MAY=approve:production,status")
{
	approval_asks(w, COMMIT_A);
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 1 · asked: lead"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_string_equal(w->toast, "⛔ Denied: approve: another role must: lead.");
	approval_press_in(w, WORLD_STAGING_USER, WORLD_TEAM, "Approve");
	assert_string_equal(w->toast, "⛔ Denied: approve: your role does not grant it.");
	approval_press_in(w, WORLD_STRANGER, WORLD_TEAM, "Reject");
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Who joined the question before it was confirmed has asked for it, too. */
WORLD_TEST_OF(who_may_approve_elsewhere_is_none_of_those_who_may_here, "PRODUCTION_APPROVALS=2",
    "ROLE_QA_IDS=44", "ROLE_QA_MAY=approve:*/staging")
{
	approval_asks(w, COMMIT_A);
	assert_non_null(world_says_in(w, WORLD_GROUP, "2 more must approve, and only 1 may"));
}

WORLD_TEST_OF(who_confirmed_or_asked_for_the_same_is_none_of_the_others, "PRODUCTION_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44,55")
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	world_asks(w, CAROL, "/deploy production", COMMIT_A);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w->toast, "you confirmed it"));
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_non_null(strstr(w->toast, "you asked for it"));
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, DAN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(who_asks_for_what_awaits_approval_may_still_approve_it, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	world_asks(w, WORLD_OTHER_ADMIN, "/deploy production", COMMIT_A);
	/* One message, with what can be tapped where there is no link. */
	assert_string_equal(world_plain(world_last(w)),
	    "⛔ Closed: production, #1 awaits approval\nrequested by @ada: \"Make it blue\" aaaaaaa\nApprove or reject it: /pending production");
	assert_null(world_says(w, "asked about already"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Half asleep nobody looks for it in another chat. */
TEST(who_asks_elsewhere_is_led_to_where_it_awaits_approval)
{
	struct world w;

	world_open(&w, "PRODUCTION_APPROVALS=1", "TELEGRAM_CHAT_ID=-1001234567890", NULL);
	approval_asks(&w, COMMIT_A);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(
	    &w, WORLD_OTHER_ADMIN, "\nApprove or reject it: https://t.me/c/1234567890/"));
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, INT64_C(-1001234567890), "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(strstr(
	    world_plain(world_last(&w)), "\nApprove or reject it: https://t.me/c/1234567890/"));
	world_close(&w);
	/* What is no supergroup has no links. */
	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	approval_asks(&w, COMMIT_A);
	(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(
	    world_says_in(&w, WORLD_OTHER_ADMIN, "\nApprove or reject it: /pending production"));
	world_close(&w);
}

WORLD_TEST_OF(
    who_asked_may_where_the_settings_say_so, "PRODUCTION_APPROVALS=1", "APPROVE_SELF=true")
{
	approval_presses(w, COMMIT_A, WORLD_ADMIN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* --- no, time, back --- */

/* None of the reasons is a way out. */
WORLD_TEST_OF(who_thinks_again_keeps_it, "PRODUCTION_APPROVALS=1")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Keep it");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "Not rejected: production #1 stays as it is."));
	assert_string_equal(approval_label_in(w, WORLD_TEAM, "Not tonight"), "");
	assert_string_equal(approval_label_in(w, WORLD_TEAM, "Keep it"), "");
	assert_string_not_equal(approval_label_in(w, WORLD_TEAM, "Approve"), "");
}

WORLD_TEST_OF(a_no_with_a_reason_ends_it_and_rings, "PRODUCTION_APPROVALS=1")
{
	struct event *event;

	approval_asks(w, COMMIT_A);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Reject"); /* who asked has /cancel */
	assert_non_null(strstr(w->toast, "you asked for it"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	assert_string_equal(w->toast, "Not rejected yet: press a reason below.");
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "❓ Reject? production #1, @bob: press a reason"));
	assert_true(world_says_in(w, WORLD_TEAM, "❓ Reject? ")->is_silent);
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Not tonight");
	assert_non_null(strstr(w->toast, "Only who asked may press this"));

	event = world_update(w, UPDATE_TEXT, WORLD_OTHER_ADMIN, WORLD_TEAM);
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), "the demo is at 4");
	event->u.update->reply_to =
	    w->screen_remote[world_says_in(w, WORLD_TEAM, "❓ Reject? ")->row];
	(void)world_decide(w, event);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "⛔ Rejected: production \"Make it blue\" aaaaaaa\nrejected by @bob: the demo is at 4\nauthor Ann"));
	assert_false(world_says_in(w, WORLD_GROUP, "⛔ Rejected")->is_silent);
	assert_int_equal(world_audited(w, "deploy_approval", "\"reason\":\"the demo is at 4\""), 1);
	assert_string_equal(approval_label_in(w, WORLD_TEAM, "Approve"), "");
	world_answers(w, WORLD_OTHER_ADMIN, "/reject 1 late",
	    "#1 is refused (rejected by @bob: the demo is at 4): nothing is left to approve.");
	assert_null(world_says_in(w, WORLD_TEAM, "❓ Reject? ")); /* nor its buttons */
	assert_string_equal(approval_label_in(w, WORLD_TEAM, "Not tonight"), "");
}

#define TEN "not today "

WORLD_TEST_OF(a_reason_is_pressed_or_typed, "PRODUCTION_APPROVALS=1")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Wrong commit");
	assert_string_equal(world_newest(w, "production").detail, "rejected by @bob: Wrong commit");
	approval_asks(w, COMMIT_B);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/reject #2 we freeze soon");
	assert_string_equal(
	    world_newest(w, "production").detail, "rejected by @bob: we freeze soon");
	approval_asks(w, COMMIT_C); /* 159 bytes and half of a character would fit */
	(void)world_text(w, WORLD_OTHER_ADMIN,
	    "/reject 3 " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
	    "is it a fête");
	assert_string_equal(world_newest(w, "production").detail,
	    "rejected by @bob: " TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
	    "is it a f…");
}

/* Of what went live since, nobody reads it. */
TEST(who_is_asked_reads_what_was_rejected_of_it)
{
	struct world w;

	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	approval_asks(&w, COMMIT_A);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/reject 1 no tests");
	w.aid.at += 12 * 60000;
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .contains = COMMIT_A });
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n⚠️ contains aaaaaaa, rejected by @bob: no tests, 12 min ago"));
	approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	world_git(&w, (struct world_git){ .commit = COMMIT_B, .contains = COMMIT_A });
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "\n⚠️ contains aaaaaaa, rejected by @bob: no tests, 12 min ago"));
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	world_run_ends(&w, GOOD);

	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	assert_string_equal(world_peek(&w, EFFECT_GIT_QUERY)->u.git_query.blocked, "");
	world_close(&w);

	world_open(&w, "PRODUCTION_APPROVALS=1", NULL);
	approval_asks(&w, COMMIT_A);
	(void)world_text(&w, WORLD_OTHER_ADMIN, "/reject 1 no tests");
	(void)world_text(&w, WORLD_ADMIN, "/deploy production");
	world_git(&w, (struct world_git){ .commit = COMMIT_A, .contains = COMMIT_A });
	assert_non_null(strstr(world_plain(world_last(&w)),
	    "\n⚠️ this commit was rejected by @bob: no tests, just now"));
	world_close(&w);
}

WORLD_TEST_OF(who_asked_reads_who_has_seen_it, "PRODUCTION_APPROVALS=2", "ROLE_C_IDS=50",
    "ROLE_C_MAY=deploy:production")
{
	approval_asks(w, COMMIT_A);
	assert_null(world_says_in(w, WORLD_GROUP, "seen by"));
	(void)world_text(w, 50, "/pending");	      /* may not approve it */
	(void)world_text(w, WORLD_ADMIN, "/pending"); /* has asked for it */
	assert_string_equal(world_question(w, "production").seen_by, "");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/pending");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Reject");
	assert_non_null(world_says_in(w, WORLD_GROUP, "approved 0 of 2\nseen by @bob"));
	assert_string_equal(world_question(w, "production").seen_by, "@bob");
}

WORLD_TEST_OF(half_of_its_time_reminds_once_and_all_of_it_ends_it, "PRODUCTION_APPROVALS=1",
    "APPROVAL_TIMEOUT=2h")
{
	const struct world_message *team;
	char button[LIMIT_BUTTON_ID];
	size_t rings;

	approval_asks(w, COMMIT_A);
	world_due(w, TIMER_APPROVAL);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "❓ Not approved yet: production \"Make it blue\" aaaaaaa\n"));
	assert_non_null(strstr(world_plain(world_last(w)), "\n#1 · approved 0 of 1"));
	assert_null(strstr(world_plain(world_last(w)), "Awaiting approval")); /* it is said once */
	assert_false(world_last(w)->is_silent);
	assert_string_not_equal(world_button(world_last(w), "Approve"), "");
	rings = world_rings_in(w, WORLD_GROUP);
	(void)text_copy(button, sizeof(button), approval_label_in(w, WORLD_TEAM, "Approve"));
	world_due(w, TIMER_APPROVAL);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_EXPIRED);
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "⛔ Approval expired: production \"Make it blue\"\n"
	    "author Ann Example · requested by @ada\n"
	    "0 of 1 had approved it. Nothing was started: ask for it again."));
	assert_int_equal(world_rings_in(w, WORLD_GROUP), rings + 1); /* who asked */
	assert_true(world_says_in(w, WORLD_GROUP, "Approval expired: ")->reply_to != 0);
	team = world_says_in(w, WORLD_TEAM, "Approval expired: ");
	assert_true(team->is_silent); /* who slept: what is left to do? */
	assert_null(world_says_in(w, WORLD_TEAM, "Not approved yet")); /* nor does that stay */
	assert_string_equal(approval_label_in(w, WORLD_TEAM, "Approve"), "");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, button);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(
    a_yes_is_taken_back_until_it_starts, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	approval_presses(w, COMMIT_B, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	approval_press_in(w, CAROL, WORLD_TEAM, "Withdraw");
	assert_string_equal(w->toast, "There is no approval of yours to withdraw.");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	assert_string_equal(w->toast, "Withdrawn: production bbbbbbb: 0 of 1.");
	assert_int_equal(world_audited(w, "deploy_approval", "withdrawn"), 1);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

/* An approver with a valid account neither rings the others all night nor keeps it open. */
WORLD_TEST_OF(a_yes_given_and_taken_back_in_turn_rings_little_and_ends, "PRODUCTION_APPROVALS=1",
    "APPROVAL_TIMEOUT=2h", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	int64_t begin;
	size_t before;

	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	w->aid.at += 3600 * INT64_C(1000); /* who asked is no reason any more */
	approval_asks(w, COMMIT_B);
	before = world_rings_in(w, WORLD_TEAM);
	begin = w->aid.at;
	for (int i = 0; i < 8; i++) {
		w->aid.at += 60 * 1000;
		approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
		assert_string_equal(w->toast, "Approved: production bbbbbbb: it is queued.");
		approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
		assert_string_equal(w->toast, "Withdrawn: production bbbbbbb: 0 of 1.");
	}
	assert_int_equal(world_rings_in(w, WORLD_TEAM) - before, 2);
	world_due(w, TIMER_APPROVAL); /* half of its time: reminded once */
	assert_int_equal((w->aid.at - begin) / 60000, 60);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	w->aid.at += 3600 * INT64_C(1000); /* its place in the queue uses nothing up */
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	world_due(w, TIMER_APPROVAL);
	assert_int_equal((w->aid.at - begin) / 60000, 180);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_EXPIRED);
}

WORLD_TEST_OF(many_who_ask_ring_one_chat_a_few_times, "STAGING_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44,55,66")
{
	static const int64_t people[] = { 11, 22, 44, 55, 66 };

	for (size_t i = 0; i < 3 * COUNT(people); i++) {
		char commit[] = COMMIT_A;

		commit[0] = (char)('a' + i % 6);
		commit[1] = (char)('0' + i % 10);
		(void)world_text_in(w, people[i % COUNT(people)], WORLD_GROUP, "/deploy staging");
		world_git(w, (struct world_git){ .commit = commit });
		assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	}
	assert_int_equal(world_rings_in(w, WORLD_TEAM), 12);
}

static void
is_down(struct tx *tx, UNUSED void *arg)
{
	row_environment_down(tx, "staging");
}

/* One person repairs at night, and others approve: behind the fourth question nobody woke up. */
WORLD_TEST_OF(who_has_rung_enough_rings_for_what_is_down, "STAGING_APPROVALS=1")
{
	static const char *const commits[] = { COMMIT_A, COMMIT_B, COMMIT_C, COMMIT_D, COMMIT_E,
		COMMIT_F };
	size_t before = 0;

	for (size_t i = 0; i < COUNT(commits); i++) {
		if (i + 1 == COUNT(commits)) {
			before = world_rings_in(w, WORLD_TEAM);
			assert_true(before < i);
			world_act(w, is_down, NULL);
		}
		(void)world_text_in(w, WORLD_ADMIN, WORLD_GROUP, "/deploy staging");
		world_git(w, (struct world_git){ .commit = commits[i] });
		if (world_state(w) == DEPLOY_AWAITING_CONFIRMATION)
			(void)world_press(
			    w, WORLD_ADMIN, WORLD_GROUP, world_button(world_last(w), "Deploy"));
		assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	}
	assert_int_equal(world_rings_in(w, WORLD_TEAM), before + 1);
}

static void
drop(struct tx *tx, UNUSED void *arg)
{
	const struct update update = { .person = WORLD_OTHER_ADMIN, .name = "@bob" };

	decide_approval_withdraw_all(tx, &update, WORLD_OTHER_ADMIN, "the second factor was reset");
}

WORLD_TEST_OF(a_reset_of_the_factor_takes_back_what_has_not_started, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_act(w, drop, NULL);
	assert_non_null(world_says_in(w, WORLD_GROUP, "approved 0 of 2"));
	assert_int_equal(world_audited(w, "deploy_approval", "withdrawn"), 1);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(who_asked_cancels_it, "PRODUCTION_APPROVALS=1")
{
	approval_presses(w, COMMIT_A, WORLD_ADMIN, WORLD_GROUP, "Cancel");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
	for (size_t i = 0; i < w->n_open; i++)
		assert_false(
		    w->open[i]->kind == EFFECT_TIMER && w->open[i]->u.timer.kind == TIMER_APPROVAL);
}

/* --- more by fact --- */

WORLD_TEST_BARE(the_largest_number_of_what_applies_is_needed)
{
	static const char more[] =
	    "STAGING_APPROVALS_IF=forced=3; not-on production=2; path db/**=4";

	world_open(w, "STAGING_APPROVALS=1", more, "ADMIN_TELEGRAM_IDS=11,22,44,55", NULL);
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	assert_string_equal(world_peek(w, EFFECT_GIT_QUERY)->u.git_query.paths, "/,db/**");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 4 · because of path db/**"));
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	world_git(w,
	    (struct world_git){ .commit = COMMIT_B, .untouched = "db/**", .is_force_push = true });
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 3 · because of forced"));
	assert_int_equal(world_decide(w, world_push(w, "develop")).status, 200);
	world_git(w, (struct world_git){ .commit = COMMIT_C, .untouched = "db/**" });
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "approved 0 of 2 · because of not-on production"));
	approval_press_in(w, WORLD_ADMIN, WORLD_TEAM, "Approve staging ccccccc");
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve staging ccccccc");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

#define NOT_ON \
	"PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", \
	    "PRODUCTION_APPROVALS_IF=not-on staging=2", "ADMIN_TELEGRAM_IDS=11,22,44"

static void
asks_for_b_in_production(struct world *w, const char *approved)
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production " COMMIT_B);
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	assert_non_null(world_says_in(w, WORLD_TEAM, approved));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
}

WORLD_TEST_OF(what_was_rolled_back_there_was_not_on_it, NOT_ON)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	asks_for_b_in_production(w, "approved 0 of 2 · because of not-on staging");
	assert_null(world_peek(w, EFFECT_RUN));
}

/* That is no release of its own: the one of before was left by nobody. */
WORLD_TEST_OF(what_failed_there_since_was_not_on_it, NOT_ON)
{
	world_two_go_live(w, COMMIT_B, COMMIT_A);
	world_deploy_starts(w, COMMIT_B);
	world_run_ends(w, TOUCHED);
	world_run_ends(w, GOOD);
	assert_string_equal(world_blocked(w, "staging"), COMMIT_B);
	asks_for_b_in_production(w, "approved 0 of 2 · because of not-on staging");
	assert_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(what_is_live_again_where_it_was_rolled_back_was_on_it, NOT_ON)
{
	world_two_go_live(w, COMMIT_A, COMMIT_B);
	world_rolls_back(w, "/rollback staging");
	world_rolls_back(w, "/rollback staging bbbbbbb");
	asks_for_b_in_production(w, "approved 0 of 1");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* It is Thursday, 00:00. */
WORLD_TEST_OF(
    hours_count_at_the_moment_of_the_start, "STAGING_APPROVALS_IF=outside Mon-Sun 00:00-12:00=1")
{
	world_deploy_goes_live(w, COMMIT_A);
	w->aid.at += 13 * 3600 * INT64_C(1000);
	world_asks(w, WORLD_ADMIN, "/deploy staging", COMMIT_B);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
}

static void
say_pending_as(struct world *w, int64_t person, const char *name)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, WORLD_GROUP);

	(void)text_copy(event->u.update->name, sizeof(event->u.update->name), name);
	update_set_text(event->u.update, "/pending");
	(void)world_decide(w, event);
}

WORLD_TEST_OF(one_name_is_not_a_part_of_another, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44,45,46")
{
	approval_asks(w, COMMIT_A);
	say_pending_as(w, CAROL, "Ann Lee");
	say_pending_as(w, 45, "Lee");
	say_pending_as(w, CAROL, "Ann Lee");
	say_pending_as(w, 45, "Lee");
	say_pending_as(w, 46, "nn Lee");
	say_pending_as(w, 46, "Ann");
	say_pending_as(w, 45, "Lee");
	assert_string_equal(world_question(w, "production").seen_by, "Ann Lee, Lee, nn Lee, Ann");
}

WORLD_TEST_OF(
    who_looked_is_listed_as_far_as_there_is_room_and_never_in_part, "PRODUCTION_APPROVALS=2")
{
	char name[LIMIT_PERSON];
	struct question question;
	size_t shown = 0;

	approval_asks(w, COMMIT_A);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "%02d %060d", i, 0);
		say_pending_as(w, WORLD_OTHER_ADMIN, name);
		w->aid.at += 60 * INT64_C(1000); /* it is not too fast */
	}
	question = world_question(w, "production");
	for (const char *at = question.seen_by; (at = strchr(at, ' ')) != NULL; at++)
		shown += strspn(at + 1, "0") == 60;
	assert_in_range(shown, 1, 29);
	assert_int_equal(strlen(question.seen_by), shown * 65 - 2);
}
