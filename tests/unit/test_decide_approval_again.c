/* Goal: what has changed since somebody said yes is looked at again, and asked anew.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "lib/text.h"

#define LEADS "ROLE_LEAD_IDS=22,44,55", "ROLE_LEAD_MAY=approve:production,deploy:production,status"

WORLD_TEST_OF(who_loses_the_grant_counts_no_more_when_the_last_comes, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44,55")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_settings(w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,44,55", NULL);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_string_equal(w->toast, "Approved: production aaaaaaa: 1 of 2.");
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 1 of 2: @eve"));
	assert_int_equal(world_audited(w, "approval_void", "may no longer approve there"), 1);
	approval_press_in(w, DAN, WORLD_TEAM, "Approve");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(who_loses_the_grant_in_the_queue_sends_it_back_to_waiting, "PRODUCTION_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	int64_t place;

	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	approval_asks(w, COMMIT_B); /* behind it */
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_string_equal(w->toast, "Approved: production bbbbbbb: it is queued.");
	place = world_newest(w, "production").place;
	world_settings(w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,44", NULL);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve production bbbbbbb");
	assert_int_equal(world_newest(w, "production").place, place);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* Regression: each who asked for the same rollback had one that awaited approval, and those stood,
 * and could be approved, when it was done. */
WORLD_TEST_OF(a_rollback_that_awaits_approval_is_not_asked_for_twice_and_ends_when_it_is_true,
    "STAGING_ROLLBACK_APPROVALS=1")
{
	int64_t asked;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_press(w, WORLD_ADMIN, WORLD_GROUP,
	    world_button(world_rollback_asks(w, "/rollback staging"), "Roll back"));
	asked = world_newest(w, "staging").id;
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	(void)world_text(w, WORLD_OTHER_ADMIN, "/rollback staging");
	assert_int_equal(world_state(w), DEPLOY_SUPERSEDED);
	assert_non_null(world_says(w, ", #3 awaits approval\nrequested by @ada"));
	world_deploy_goes_live(w, COMMIT_A);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_int_equal(world_deployment(w, asked).state, DEPLOY_REFUSED);
	assert_string_equal(w->toast,
	    "Too late: staging #3 is refused (somebody else was faster): nothing is left to approve.");
	assert_int_equal(world_count(w, EFFECT_RUN), 0);
}

/* A was confirmed and approved behind it: B is confirmed over nothing, and A is live. */
static void
b_awaits_over_a(struct world *w)
{
	world_open(w, "PRODUCTION_APPROVALS=1", NULL);
	approval_asks(w, COMMIT_B);
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_run_ends(w, GOOD);
}

/* The commits that it was asked about are not those over what is live by then: git says which. */
WORLD_TEST_BARE(what_is_asked_anew_lists_its_commits_over_what_is_live)
{
	struct world_message *asked;

	b_awaits_over_a(w);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM,
	    "Approve production bbbbbbb"); /* approval_asks anew */
	asked = world_says_in(w, WORLD_TEAM, "asked again: production runs aaaaaaa now");
	assert_null(strstr(world_plain(asked), "Change"));
	world_git(w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_non_null(strstr(world_plain(asked),
	    "replaces aaaaaaa (release 1, just now), and you can roll back to it\n1 new commit:\n• bbbbbbb \"Change 1\""));
	assert_null(strstr(world_plain(asked), "Change 2"));
	assert_int_equal(world_deployment(w, 1).state, DEPLOY_AWAITING_APPROVAL);
}

/* Asked in its place; B runs when it is confirmed over A. */
static void
is_confirmed_again(struct world *w)
{
	world_git_same(w); /* asked whether it is behind what went live */
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "⛔ Not started: production runs aaaaaaa now"));
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* What was approved is that commit over what was live. */
WORLD_TEST_OF(another_live_release_is_approved_anew, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	approval_presses(w, COMMIT_B, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .branch_commit = COMMIT_B });
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_string_equal(w->toast, "Approved: production bbbbbbb: it is queued.");
	world_run_ends(w, GOOD); /* A is live */
	world_git(w, (struct world_git){ .commit = COMMIT_B, .count = 1 });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(
	    world_says_in(w, WORLD_TEAM, "⚠️ asked again: production runs aaaaaaa now"));
	assert_int_equal(world_audited(w, "approval_void", "what was approved has changed"), 1);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_null(world_peek(w, EFFECT_RUN)); /* who confirmed it saw another one */
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_B);
}

/* Found by the simulation (SEED=261860027): who approved had not been told. */
WORLD_TEST_OF(what_is_not_known_is_shown_before_it_is_approved, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	world_restored(w);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "⚠️ asked again: what production runs is not known any more\n\n"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN)); /* nor had who confirmed it */
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Behind hours of approvals they may be away: an hour at least. */
TEST(who_confirms_again_has_the_time_that_approvals_had)
{
	static const struct {
		const char *setting;
		int64_t least_ms;
	} rows[] = {
		{ "APPROVAL_TIMEOUT=8h", 8 * 3600 * INT64_C(1000) - 60000 },
		{ "APPROVAL_TIMEOUT=10m", 3600 * INT64_C(1000) },
		{ "APPROVAL_TIMEOUT=7d", 7 * 24 * 3600 * INT64_C(1000) - 60000 },
	};
	struct world w;
	int64_t before;

	for (size_t i = 0; i < COUNT(rows); i++) {
		world_open(&w, "PRODUCTION_APPROVALS=1", rows[i].setting, NULL);
		approval_asks(&w, COMMIT_A);
		world_restored(&w);
		approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		before = w.aid.at;
		world_due(&w, TIMER_QUESTION);
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_EXPIRED);
		assert_true(w.aid.at - before >= rows[i].least_ms);
		assert_true(w.aid.at - before <= rows[i].least_ms + 60000);
		world_close(&w);
	}
}

WORLD_TEST_OF(a_press_on_what_has_changed_is_no_yes, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_B);
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_run_ends(w, GOOD);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_string_equal(
	    w->toast, "Not approved: production bbbbbbb has changed, and is asked again.");
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	is_confirmed_again(w);
}

/* Also where nobody pressed before all were asked anew: the reminder's, and the question's. */
WORLD_TEST_OF(a_button_of_before_it_was_asked_anew_is_no_yes, "PRODUCTION_APPROVALS=1")
{
	char question[LIMIT_BUTTON_ID], reminder[LIMIT_BUTTON_ID];

	approval_asks(w, COMMIT_A);
	(void)text_copy(question, sizeof(question),
	    world_button(world_says_in(w, WORLD_TEAM, "Awaiting"), "Approve"));
	world_due(w, TIMER_APPROVAL);
	(void)text_copy(reminder, sizeof(reminder),
	    world_button(world_says_in(w, WORLD_TEAM, "Not approved yet"), "Approve"));
	world_restored(w);
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, question);
	assert_string_equal(w->toast, "This button has expired or was used.");
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_TEAM, reminder);
	assert_string_equal(w->toast, "This button has expired or was used.");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

/* Typed as the message with that id in its chat. */
static void
type_as(struct world *w, int64_t chat, int64_t message, const char *text)
{
	struct event *event = world_update(w, UPDATE_TEXT, WORLD_OTHER_ADMIN, chat);

	event->u.update->message = message;
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), text);
	(void)world_decide(w, event);
}

WORLD_TEST_OF(what_was_typed_before_it_was_asked_anew_is_no_yes, "PRODUCTION_APPROVALS=2", LEADS)
{
	static const char no[] =
	    "Not approved: production aaaaaaa has changed since it was shown here: look at it again, below.";
	int64_t shown;

	approval_asks(w, COMMIT_A);
	world_restored(w);
	shown = w->screen_remote[world_says_in(w, WORLD_TEAM, "asked again")->row % WORLD_SCREEN];
	/* It was on its way when the question came. */
	type_as(w, WORLD_TEAM, shown - 1, "/approve 1");
	assert_non_null(world_says_in(w, WORLD_TEAM, no));
	/* Where it was asked for stands what was asked first: it is shown there now. */
	type_as(w, WORLD_GROUP, 0, "/approve 1");
	assert_non_null(world_says_in(w, WORLD_GROUP, no));
	assert_int_equal(world_audited(w, "deploy_approval", "\"approved\""), 0);
	assert_non_null(world_says_in(w, WORLD_GROUP, "asked again: what production runs"));
	type_as(w, WORLD_GROUP, 0, "/approve 1");
	assert_non_null(world_says_in(w, WORLD_GROUP, "Approved: production aaaaaaa: 1 of 2"));
}

TEST(what_was_confirmed_over_another_release_is_confirmed_again_too)
{
	struct world w;

	b_awaits_over_a(&w);
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_non_null(world_says_in(&w, WORLD_TEAM,
	    "asked again: production runs aaaaaaa now\nauthor Ann Example · requested by @ada\n"));
	assert_non_null(world_says_in(
	    &w, WORLD_TEAM, "\nafter its approvals it is to be confirmed again: @ada\n"));
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	is_confirmed_again(&w);
	world_close(&w);

	/* Nor does it start on nobody's yes where none has to be approved any more. */
	b_awaits_over_a(&w);
	approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	world_settings(&w, NULL);
	world_settings_read(&w);
	is_confirmed_again(&w);
	world_close(&w);

	b_awaits_over_a(&w); /* the same, found by the settings alone */
	world_settings(&w, NULL);
	world_settings_read(&w);
	is_confirmed_again(&w);
	world_close(&w);
}

/* The runner finds it; what was approved and confirmed by other settings is neither. */
WORLD_TEST_OF(
    settings_that_change_while_it_is_approved_are_found_at_the_start, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	w->settings = "KEEP_RELEASES=bbbbbbbbbbbbbbbb pre-deploy/10-migrate=6588117f7b516232";
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_run_refused(w);
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "asked again: the settings changed since it was approved: KEEP_REL"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 1"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	assert_null(world_peek(w, EFFECT_RUN));
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
	assert_int_equal(world_run_starts(w), 200);
}

WORLD_TEST_OF(settings_that_need_fewer_or_more_are_in_force_at_once, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	world_settings(w, "PRODUCTION_APPROVALS=3", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_settings_read(w);
	assert_non_null(world_says_in(w, WORLD_GROUP,
	    "approved 1 of 3: @bob\n⏳ open until 08:00\n"
	    "⚠️ 2 more must approve, and only 1 may: an admin can change the settings"));
	world_settings(w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_settings_read(w);
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Approvals were switched off for an hour, and it waited all that time behind what runs. */
WORLD_TEST_OF(who_was_asked_the_very_same_is_not_rung_anew, "PRODUCTION_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	approval_asks(w, COMMIT_B);
	assert_false(world_says_in(w, WORLD_TEAM, "❓ Awaiting approval")->is_silent);
	world_settings(w, "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_settings_read(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	w->aid.at += 3600 * INT64_C(1000);
	world_settings(w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_settings_read(w);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_true(world_says_in(w, WORLD_TEAM, "❓ Awaiting approval")->is_silent);
}

/* Found by the simulation (SEED=271838041): the younger work had the older place. */
WORLD_TEST_OF(who_come_back_to_the_queue_together_start_by_their_places, "PRODUCTION_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	approval_asks(w, COMMIT_B);
	approval_presses(w, COMMIT_C, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production ccccccc");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Withdraw");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/approve 2");
	world_settings(w, "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44", NULL);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .branch_commit = COMMIT_C });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_int_equal(world_deployment(w, 2).state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_deployment(w, 3).state, DEPLOY_AWAITING_APPROVAL);
	assert_true(world_deployment(w, 3).place < world_deployment(w, 2).place);
	world_settings(w, NULL);
	world_settings_read(w);
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_C);
}

WORLD_TEST_OF(
    an_environment_that_leaves_the_settings_is_approved_by_nobody, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	world_settings(w, "ENVIRONMENTS=staging", NULL);
	world_settings_read(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_null(world_peek(w, EFFECT_RUN));
}

TEST(what_has_enough_by_the_hour_goes_on)
{
	struct world w;

	for (int is_pressed = 0; is_pressed < 2; is_pressed++) { /* at midnight */
		world_open(&w, "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44",
		    "PRODUCTION_APPROVALS_IF=outside Mon-Sun 01:00-23:59=2", NULL);
		approval_asks(&w, COMMIT_A);
		approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		assert_int_equal(world_newest(&w, "production").state, DEPLOY_AWAITING_APPROVAL);
		world_due(&w, TIMER_APPROVAL); /* it is night still */
		assert_null(world_says(&w, "Not approved yet"));
		w.aid.at += 2 * 3600 * INT64_C(1000);
		if (is_pressed)
			approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
		else
			world_due(&w, TIMER_APPROVAL);
		assert_non_null(world_peek(&w, EFFECT_RUN));
		world_close(&w);
	}
}

/* --- its branch no longer has it --- */

static void
moves_to_b(struct world *w)
{
	struct event *event = world_push(w, "main");

	(void)text_copy(event->u.delivery.after, LIMIT_COMMIT, COMMIT_B);
	(void)world_decide(w, event);
	world_git(w, (struct world_git){ .commit = COMMIT_B, .is_force_push = true });
}

/* Ada asks for A, which is no commit of main any more when Bob says yes. */
TEST(what_was_force_pushed_away_is_approved_anew)
{
	static const char *const confirm[] = { "PRODUCTION_CONFIRM=false",
		"PRODUCTION_CONFIRM=true" };

	for (int i = 0; i < 2; i++) {
		struct world w;

		world_open(&w, "PRODUCTION_APPROVALS=1", confirm[i], "ADMIN_TELEGRAM_IDS=11,22,44",
		    "PRODUCTION_APPROVALS_IF=forced=2", NULL);
		world_asks(&w, WORLD_ADMIN, "/deploy production", COMMIT_A);
		if (i == 1) {
			approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
			world_git_same(&w);
		}
		moves_to_b(&w);
		approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
		assert_string_equal(w.toast, "Approved: production aaaaaaa: it is queued.");
		world_git(&w,
		    (struct world_git){ .commit = COMMIT_A,
			.is_force_push = true,
			.is_off_branch = true,
			.branch_commit = COMMIT_B });
		assert_null(world_peek(&w, EFFECT_RUN));
		assert_non_null(world_says_in(
		    &w, WORLD_TEAM, "asked again: main was force-pushed and no longer has it"));
		assert_non_null(world_says_in(&w, WORLD_TEAM, "approved 0 of 2"));
		assert_int_equal(world_deployment(&w, 1).state, DEPLOY_AWAITING_APPROVAL);
		approval_press_in(&w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
		approval_press_in(&w, CAROL, WORLD_TEAM, "Approve production aaaaaaa");
		if (i == 1) { /* who had confirmed it confirms that, too */
			assert_null(world_peek(&w, EFFECT_RUN));
			approval_press_in(&w, WORLD_ADMIN, WORLD_GROUP, "Deploy to");
		}
		assert_string_equal(world_peek(&w, EFFECT_RUN)->u.run.commit, COMMIT_A);
		world_close(&w);
	}
}

/* Where main has it still nobody is asked twice, and git once. */
WORLD_TEST_OF(what_main_has_moved_on_from_is_approved_once, "PRODUCTION_APPROVALS=1",
    "PRODUCTION_CONFIRM=false", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	world_asks(w, WORLD_ADMIN, "/deploy production", COMMIT_A);
	moves_to_b(w);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_git(w, (struct world_git){ .commit = COMMIT_A, .branch_commit = COMMIT_B });
	assert_null(world_peek(w, EFFECT_GIT_QUERY));
	assert_string_equal(world_peek(w, EFFECT_RUN)->u.run.commit, COMMIT_A);
}

/* It has its yes, and waits for another one's end when a poll sees that main has moved. */
WORLD_TEST_OF(what_was_force_pushed_away_in_the_queue_is_approved_anew, "PRODUCTION_APPROVALS=1",
    "ADMIN_TELEGRAM_IDS=11,22,44", "POLL_REPOSITORY_SECONDS=60")
{
	approval_presses(w, COMMIT_C, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production ccccccc");
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_polled(w, COMMIT_B, COMMIT_B);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_null(world_peek(w, EFFECT_RUN));
	world_git(w,
	    (struct world_git){
		.commit = COMMIT_A, .is_off_branch = true, .branch_commit = COMMIT_B });
	assert_null(world_peek(w, EFFECT_RUN));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 1"));
}

/* Git is asked what B brings over A, which went live meanwhile, and main has no B any more. */
WORLD_TEST_OF(what_was_force_pushed_away_is_said_when_its_commits_are_listed,
    "PRODUCTION_APPROVALS=1", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	approval_asks(w, COMMIT_B);
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production aaaaaaa");
	world_run_ends(w, GOOD);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve production bbbbbbb");
	assert_non_null(strstr(w->toast, "has changed, and is asked again."));
	world_git(w,
	    (struct world_git){
		.commit = COMMIT_B, .is_off_branch = true, .branch_commit = COMMIT_A });
	assert_non_null(world_says_in(
	    w, WORLD_TEAM, "asked again: main was force-pushed and no longer has it"));
}
