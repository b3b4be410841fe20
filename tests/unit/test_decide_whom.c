/* Goal: without a group all who could act there are told, in private, and nobody else is.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "chat/chat_deployment.h"
#include "decide/tell/decide_tell.h"
#include "decide/tell/decide_whom.h"
#include "lib/text.h"
#include "store/row_message.h"

#define LEAD   55
#define WATCH  66 /* looks, and no more */
#define PUSHER 77

#define NO_GROUP "TELEGRAM_CHAT_ID="
#define ROLES \
	"ROLE_LEAD_IDS=55", "ROLE_LEAD_MAY=approve:production, status:*", "ROLE_WATCH_IDS=66", \
	    "ROLE_WATCH_MAY=status:*, history:*"

static void
do_nothing(UNUSED struct tx *tx, UNUSED void *arg)
{
}

/* Messages that stand in that chat. */
static size_t
count_in(const struct world *w, int64_t chat)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += w->screen[i].chat == chat && !w->screen[i].is_gone;
	return n;
}

/* Buttons of those words that stand anywhere. */
static size_t
count_buttons(const struct world *w, const char *label)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_screen; i++)
		n += world_button(&w->screen[i], label)[0] != '\0';
	return n;
}

static void
pushes(struct world *w, const char *branch, const char *commit)
{
	(void)world_decide(w, world_push(w, branch));
	world_git(w, (struct world_git){ .commit = commit, .count = 1 });
}

WORLD_TEST_OF(a_push_is_told_to_all_who_could_act_there_and_its_progress_to_one, NO_GROUP, ROLES)
{
	static const int64_t told[] = { WORLD_ADMIN, WORLD_OTHER_ADMIN, WORLD_STAGING_USER };
	int64_t sends;

	pushes(w, "develop", COMMIT_A);
	for (size_t i = 0; i < COUNT(told); i++)
		assert_true(world_says_in(w, told[i], "⏳ Deploying staging")->is_silent);
	assert_int_equal(count_in(w, LEAD) + count_in(w, WATCH), 0);
	assert_int_equal(w->n_screen, COUNT(told));
	(void)world_run_starts(w);
	sends = world_says_in(w, WORLD_OTHER_ADMIN, "")->sends;
	world_run_step(w, 0, "build");
	world_run_step(w, 1, "release");
	assert_non_null(world_says_in(w, WORLD_ADMIN, "▸ release"));
	assert_int_equal(world_says_in(w, WORLD_OTHER_ADMIN, "")->sends, sends);
	world_run_ends(w, GOOD);
	for (size_t i = 0; i < COUNT(told); i++) {
		assert_non_null(world_says_in(w, told[i], "Live: staging, not checked"));
		assert_int_equal(count_in(w, told[i]), 1);
		assert_int_equal(world_rings_in(w, told[i]), 0);
	}
	assert_int_equal(count_buttons(w, "Stop"), 0);
}

WORLD_TEST_OF(
    the_first_answer_to_a_push_closes_the_question_for_all, NO_GROUP, ROLES, "STAGING_CONFIRM=true")
{
	struct world_message *cys;

	pushes(w, "develop", COMMIT_A);
	assert_int_equal(count_buttons(w, "Deploy to"), 2);
	cys = world_says_in(w, WORLD_STAGING_USER, "Deploy to staging?");
	assert_true(cys->is_silent); /* who has no grant to confirm reads it, and is not rung */
	assert_int_equal(world_rings_in(w, WORLD_ADMIN), 1);
	assert_string_equal(world_button(cys, "Deploy to"), "");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Deploy to");
	world_git_same(w);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
	assert_int_equal(count_buttons(w, "Deploy to"), 0);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "⏳ Deploying staging"));
	assert_non_null(world_says_in(w, WORLD_STAGING_USER, "⏳ Deploying staging"));
}

/* Who has blocked the bot, and writes again, finds no question that has its answer. */
WORLD_TEST_OF(
    who_comes_back_finds_what_was_answered_meanwhile, NO_GROUP, ROLES, "STAGING_CONFIRM=true")
{
	pushes(w, "develop", COMMIT_A);
	w->refuses[0] = WORLD_OTHER_ADMIN;
	approval_press_in(w, WORLD_ADMIN, WORLD_ADMIN, "Deploy to");
	world_git_same(w);
	world_run_ends(w, GOOD);
	assert_string_not_equal(
	    world_button(world_says_in(w, WORLD_OTHER_ADMIN, "staging"), "Deploy to"), "");
	w->refuses[0] = 0;
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN, "Live: staging, not checked"));
	assert_null(world_says_in(w, WORLD_OTHER_ADMIN, "Deploy to staging?"));
}

WORLD_TEST_OF(what_fails_rings_for_all_who_could_act_there, NO_GROUP, ROLES, STAGING_URL)
{
	world_deploy_goes_live(w, COMMIT_A); /* in a group that is none of ours */
	assert_int_equal(count_in(w, WORLD_OTHER_ADMIN), 0);
	world_asks_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/deploy staging", COMMIT_B);
	(void)world_run_starts(w);
	world_run_is_probed(w, "HTTP 500");
	assert_int_equal(world_rings_in(w, WORLD_STAGING_USER), 1); /* who asked reads it at once */
	assert_int_equal(count_in(w, WORLD_ADMIN) + count_in(w, WORLD_OTHER_ADMIN), 0);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_rings_in(w, WORLD_STAGING_USER), 2);
	assert_int_equal(count_in(w, WORLD_STAGING_USER), 1);
	for (int64_t who = WORLD_ADMIN; who <= WORLD_OTHER_ADMIN; who += 11) {
		const struct world_message *said =
		    world_says_in(w, who, "❌ Rolled back: staging from");

		assert_true(!said->is_silent && said->is_alarm);
		assert_int_equal(count_in(w, who), 1);
	}
	assert_int_equal(count_in(w, LEAD) + count_in(w, WATCH), 0);
}

/* Staging is down: its deployment was not healthy, and what it was rolled back to is not either. */
static void
is_down(struct world *w)
{
	world_deploy_goes_live(w, COMMIT_A);
	pushes(w, "develop", COMMIT_B);
	(void)world_run_starts(w);
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, "HTTP 500");
	assert_int_equal(world_state(w), DEPLOY_ROLLBACK_FAILED);
}

/* Goal: whoever was rung because it is down is rung once when that is over, and what stands says
 * so: a button to roll back would take away what has just repaired it. */
WORLD_TEST_OF(each_who_was_rung_that_it_is_down_is_rung_that_it_is_over, NO_GROUP, STAGING_URL)
{
	static const int64_t others[] = { WORLD_ADMIN, WORLD_STAGING_USER };
	size_t rings[COUNT(others)], asker;

	is_down(w);
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_non_null(world_says_in(w, others[i], "🔥 DOWN: staging"));
		rings[i] = world_rings_in(w, others[i]);
	}
	assert_int_equal(count_buttons(w, "Roll back staging"), 2); /* admins */
	world_asks_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/deploy staging", COMMIT_C);
	asker = world_rings_in(w, WORLD_OTHER_ADMIN);
	(void)world_run_starts(w);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct world_message *said = world_says_in(w, others[i], "✅ Over: staging");

		assert_true(text_starts(world_plain(said),
		    "✅ Over: staging, ccccccc is live since 00:00\n"
		    "It was DOWN: bbbbbbb \"Make it blue\": HTTP 500"));
		assert_true(said->is_alarm);
		assert_int_equal(world_rings_in(w, others[i]), rings[i] + 1);
		assert_null(world_says_in(w, others[i], "🔥"));
	}
	assert_null(world_says_in(w, WORLD_OTHER_ADMIN, "🔥"));
	assert_int_equal(world_rings_in(w, WORLD_OTHER_ADMIN), asker); /* who looks at its end */
	for (size_t i = 0; i < w->n_screen; i++)
		if (strstr(world_plain(&w->screen[i]), "Over: staging") != NULL)
			assert_string_equal(world_button(&w->screen[i], "Roll back"), "");
}

/* Goal: whoever released it learns that somebody else has rolled it back. */
WORLD_TEST_OF(a_rollback_by_hand_is_read_by_all_who_could_act_there, NO_GROUP, ROLES)
{
	static const int64_t others[] = { WORLD_ADMIN, WORLD_STAGING_USER };
	size_t asker;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/rollback staging");
	for (size_t i = 0; i < COUNT(others); i++)
		assert_null(world_says_in(w, others[i], "Roll back staging?"));
	(void)world_press(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN,
	    world_button(world_last(w), "Roll back staging"));
	asker = count_in(w, WORLD_OTHER_ADMIN);
	for (size_t i = 0; i < COUNT(others); i++)
		assert_null(world_says_in(w, others[i], "Rolling back"));
	world_run_ends(w, GOOD);
	assert_int_equal(world_state(w), DEPLOY_LIVE);
	for (size_t i = 0; i < COUNT(others); i++) {
		const struct world_message *said =
		    world_says_in(w, others[i], "↩️ Rolled back: staging");

		assert_non_null(strstr(world_plain(said), "requested by @bob"));
		assert_true(said->is_silent);
	}
	assert_int_equal(count_in(w, WORLD_OTHER_ADMIN), asker);
	assert_int_equal(count_in(w, LEAD) + count_in(w, WATCH), 0); /* not of staging */
}

/* Goal: the team reads of the end of an outage as it read of its begin. */
WORLD_TEST_OF(the_end_of_an_outage_rings_in_the_group_once, STAGING_URL)
{
	size_t rings;

	is_down(w);
	rings = world_rings_in(w, WORLD_TEAM);
	assert_non_null(world_says_in(w, WORLD_TEAM, "🔥 DOWN: staging"));
	world_deploy_starts(w, COMMIT_C);
	world_run_is_probed(w, NULL);
	assert_non_null(world_says_in(w, WORLD_TEAM, "✅ Over: staging, ccccccc is live since"));
	assert_null(world_says_in(w, WORLD_TEAM, "🔥"));
	assert_int_equal(world_rings_in(w, WORLD_TEAM), rings + 1);
	/* It is said once. */
	world_deploy_starts(w, COMMIT_D);
	world_run_is_probed(w, NULL);
	assert_int_equal(world_rings_in(w, WORLD_TEAM), rings + 1);
}

/* What rang already, as it was confirmed, says the end: the alarm is edited alone. */
WORLD_TEST_OF(an_end_that_rings_by_itself_is_no_second_sound, STAGING_URL)
{
	size_t rings;

	is_down(w);
	rings = world_rings_in(w, WORLD_TEAM);
	world_asks_in(w, WORLD_ADMIN, WORLD_TEAM, "/deploy staging", COMMIT_C);
	(void)world_run_starts(w);
	w->aid.at += 10 * INT64_C(60000); /* longer than NOTIFY_AFTER_SECONDS */
	world_run_is_probed(w, NULL);
	assert_non_null(world_says_in(w, WORLD_TEAM, "✅ Live: staging"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "✅ Over: staging"));
	assert_null(world_says_in(w, WORLD_TEAM, "🔥"));
	assert_int_equal(world_rings_in(w, WORLD_TEAM), rings + 1);
}

/* Goal: a question that nobody can answer any more does not wake anybody. */
WORLD_TEST_OF(a_question_that_is_over_before_it_is_sent_makes_no_sound, "STAGING_CONFIRM=true")
{
	w->is_telegram_away = true;
	pushes(w, "develop", COMMIT_A);
	pushes(w, "develop", COMMIT_B);
	world_telegram_back(w);
	assert_true(world_says_in(w, WORLD_TEAM, "⛔ Skipped: staging")->is_silent);
	assert_false(world_says_in(w, WORLD_TEAM, "❓ Deploy to staging?")->is_silent);
	assert_int_equal(world_rings_in(w, WORLD_TEAM), 1);
}

/* Goal: in a full minute how it ended is read before how far another one is. */
WORLD_TEST(an_edit_that_says_an_end_goes_before_others)
{
	size_t n = 0;

	world_two_go_live(w, COMMIT_A, COMMIT_B);
	(void)world_rollback_asks(w, "/rollback staging");
	approval_press_in(w, WORLD_ADMIN, WORLD_GROUP, "Roll back");
	(void)world_run_starts(w);
	world_run_step(w, 0, "release");
	w->is_telegram_away = true;
	world_run_ends(w, GOOD);
	for (size_t i = 0; i < w->n_open; i++)
		if (w->open[i]->kind == EFFECT_SEND_MESSAGE &&
		    w->open[i]->u.send_message.message.address.chat == WORLD_TEAM &&
		    w->open[i]->u.send_message.message.remote_id != 0) {
			assert_true(w->open[i]->u.send_message.message.is_closing);
			n++;
		}
	assert_int_equal(n, 1);
	world_telegram_back(w);
}

/* Goal: who approves, and reads it in private and in the group, is rung once. */
WORLD_TEST_OF(approvers_who_are_rung_in_private_are_not_rung_by_the_group, "STAGING_APPROVALS=1")
{
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/start");
	world_asks_in(w, WORLD_STAGING_USER, WORLD_TEAM, "/deploy staging", COMMIT_A);
	/* One of them was never written to. */
	assert_false(world_says_in(w, WORLD_TEAM, "❓ Awaiting approval: staging")->is_silent);
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_TEAM, "/cancel staging");
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	world_asks_in(w, WORLD_STAGING_USER, WORLD_TEAM, "/deploy staging", COMMIT_B);
	assert_true(world_says_in(w, WORLD_TEAM, "❓ Awaiting approval: staging")->is_silent);
	assert_false(world_says_in(w, WORLD_ADMIN, "❓ Awaiting approval: staging")->is_silent);
	assert_false(
	    world_says_in(w, WORLD_OTHER_ADMIN, "❓ Awaiting approval: staging")->is_silent);
}

/* Goal: nobody is sent to a name that cannot be written to: an account of the machine is none. */
WORLD_TEST(who_can_be_asked_has_a_name_of_telegram)
{
	static const char *const names[] = { "games (from the machine)", "Bob Example" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct event *event = world_update(w, UPDATE_TEXT, WORLD_OTHER_ADMIN, WORLD_GROUP);

		update_set_text(event->u.update, "/deploy staging");
		(void)text_copy(event->u.update->name, sizeof(event->u.update->name), names[i]);
		(void)world_decide(w, event);
		(void)world_text(w, WORLD_STAGING_USER, "/rollback staging");
		assert_null(strstr(world_plain(world_last(w)), names[i]));
		assert_non_null(strstr(world_plain(world_last(w)), "⛔ Denied: staging"));
	}
	(void)world_text(w, WORLD_ADMIN, "/deploy staging");
	world_answers_last(w, WORLD_STAGING_USER, "/rollback staging", "Ask @ada.");
}

/* [Seen] of one is seen by all. */
WORLD_TEST_OF(all_are_reminded_until_one_has_seen_it, NO_GROUP, STAGING_URL,
    "STAGING_ROLLBACK_NAG_MINUTES=15")
{
	world_deploy_goes_live(w, COMMIT_A);
	pushes(w, "develop", COMMIT_B);
	(void)world_run_starts(w);
	world_run_is_probed(w, "HTTP 500");
	world_run_is_probed(w, NULL);
	assert_int_equal(count_buttons(w, CHAT_SEEN), 2);
	world_due(w, TIMER_NAG);
	assert_int_equal(count_buttons(w, CHAT_SEEN), 4);
	assert_false(world_says_in(w, WORLD_OTHER_ADMIN, "❌ Rolled back: staging")->is_silent);
	assert_non_null(world_says_in(w, WORLD_STAGING_USER, "❌ Rolled back: staging"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, CHAT_SEEN);
	assert_int_equal(count_buttons(w, CHAT_SEEN), 0);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "Seen by @bob"));
	assert_non_null(world_says_in(w, WORLD_STAGING_USER, "Seen by @bob"));
}

WORLD_TEST_BARE(what_runs_is_not_known_is_told_to_all)
{
	const struct world_message *theirs;

	world_b_over_a(w, NO_GROUP);
	world_run_ends(w, FOLDER_GONE);
	theirs = world_says_in(w, WORLD_STAGING_USER, "State unknown: staging");
	assert_non_null(theirs);
	assert_string_equal(world_button(theirs, "Resume queue"), ""); /* who may roll back */
	theirs = world_says_in(w, WORLD_ADMIN, "State unknown: staging");
	assert_int_equal(theirs->buttons.n, 3); /* one for each of its lines */
	assert_non_null(strstr(theirs->buttons.at[0].label, "Application log"));
	assert_non_null(strstr(theirs->buttons.at[1].label, "Roll back staging"));
	assert_non_null(strstr(theirs->buttons.at[2].label, "Resume queue of staging"));
}

/* --- who pushed it --- */

static struct event *
pushed_by(struct world *w, const char *login)
{
	struct event *event = world_push(w, "develop");

	(void)text_copy(event->u.delivery.login, sizeof(event->u.delivery.login), login);
	return event;
}

static void
push_fails(struct world *w, const char *login)
{
	(void)world_decide(w, pushed_by(w, login));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	(void)world_run_starts(w);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
}

/* With a group it is the team's, and whoever broke it had to look there. */
TEST(who_pushed_it_is_told_that_it_failed)
{
	struct world w;

	world_open(&w, "PERSON_77_GITHUB=octo", "ROLE_DEV_IDS=77", "ROLE_DEV_MAY=status:staging",
	    "PERSON_88_GITHUB=evil", NULL);
	push_fails(&w, "octo");
	assert_false(world_says_in(&w, PUSHER, "❌ Failed: staging")->is_silent);
	assert_int_equal(count_in(&w, PUSHER), 1);
	assert_int_equal(count_in(&w, WORLD_TEAM), 1);
	assert_int_equal(world_rings(&w), 2);
	world_close(&w);
	/* Who sees nothing of it learns nothing of it. */
	world_open(&w, "PERSON_88_GITHUB=evil", NULL);
	push_fails(&w, "evil");
	assert_int_equal(count_in(&w, 88), 0);
	assert_int_equal(count_in(&w, WORLD_TEAM), 1);
	world_close(&w);
}

WORLD_TEST_OF(
    without_a_group_a_push_shows_its_progress_to_who_pushed_it, NO_GROUP, "PERSON_33_GITHUB=octo")
{
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/start");
	push_fails(w, "octo");
	assert_int_equal(world_deployment(w, 1).address.chat, WORLD_STAGING_USER);
	assert_int_equal(world_rings_in(w, WORLD_STAGING_USER), 1);
	assert_int_equal(world_rings_in(w, WORLD_ADMIN), 1);
	assert_int_equal(world_rings_in(w, WORLD_OTHER_ADMIN), 1);
}

/* --- approvals --- */

static void
asks_in_private(struct world *w, int64_t person, const char *commit)
{
	(void)world_text_in(w, person, person, "/deploy production");
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
	approval_press_in(w, person, person, "Deploy to");
	world_git(w, (struct world_git){ .commit = commit, .count = 2 });
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

WORLD_TEST_OF(
    who_asks_gets_one_message_and_each_approver_another, NO_GROUP, ROLES, "PRODUCTION_APPROVALS=1")
{
	const struct world_message *own;

	asks_in_private(w, WORLD_ADMIN, COMMIT_A);
	own = world_says_in(w, WORLD_ADMIN, "❓ Awaiting approval: production");
	assert_int_equal(count_in(w, WORLD_ADMIN), 1);
	assert_string_equal(world_button(own, "Approve"), "");
	assert_string_equal(world_button(own, "Reject"), "");
	assert_string_not_equal(world_button(own, "Cancel"), "");
	assert_int_equal(count_in(w, WORLD_OTHER_ADMIN), 1);
	assert_int_equal(count_in(w, LEAD), 1);
	assert_non_null(strstr(world_plain(own), "\nasked in private: 2 people"));
	assert_false(world_says_in(w, WORLD_OTHER_ADMIN, "Awaiting approval")->is_silent);
	assert_false(world_says_in(w, LEAD, "Awaiting approval")->is_silent);
	assert_int_equal(count_in(w, WATCH) + count_in(w, WORLD_STAGING_USER), 0);
	assert_int_equal(count_buttons(w, "Approve"), 2);
	approval_press_in(w, LEAD, LEAD, "Approve");
	assert_int_equal(count_buttons(w, "Approve") + count_buttons(w, "Reject"), 0);
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN, "Approved: production"));
	assert_non_null(world_says_in(w, LEAD, "Approved: production"));
	world_run_ends(w, GOOD);
	assert_non_null(world_says_in(w, WORLD_ADMIN, "Live: production, not checked"));
	assert_non_null(world_says_in(w, LEAD, "Live: production, not checked"));
	assert_int_equal(count_in(w, WORLD_ADMIN), 1);
	assert_int_equal(world_rings_in(w, WORLD_ADMIN), 2); /* question and end */
	assert_int_equal(world_rings_in(w, LEAD), 1);
}

/* The first admin, in whose chat a push is followed, is asked there, and nowhere else. */
WORLD_TEST_OF(a_push_that_needs_an_approval_asks_each_once, NO_GROUP, "STAGING_APPROVALS=1")
{
	pushes(w, "develop", COMMIT_A);
	assert_int_equal(world_state(w), DEPLOY_AWAITING_APPROVAL);
	for (int64_t who = WORLD_ADMIN; who <= WORLD_OTHER_ADMIN; who += 11) {
		assert_int_equal(count_in(w, who), 1);
		assert_int_equal(world_rings_in(w, who), 1);
	}
	assert_int_equal(count_buttons(w, "Approve"), 2);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve");
	assert_int_equal(count_buttons(w, "Approve") + count_buttons(w, "Reject"), 0);
	assert_int_equal(world_state(w), DEPLOY_RUNNING);
}

#define CROWD	   30
#define FIRST_LEAD 500

static void
open_crowd(struct world *w)
{
	char leads[CROWD * 4 + 32] = "ROLE_LEAD_IDS=";

	for (int i = 0; i < CROWD; i++)
		(void)snprintf(leads + strlen(leads), sizeof(leads) - strlen(leads), "%s%d",
		    i > 0 ? "," : "", FIRST_LEAD + i);
	world_open(w, NO_GROUP, leads, "ROLE_LEAD_MAY=approve:production", "ADMIN_TELEGRAM_IDS=11",
	    "PRODUCTION_APPROVALS=2", "APPROVAL_TIMEOUT=2h", NULL);
}

static size_t
asked(struct world *w)
{
	size_t n = 0;

	for (int i = 0; i < CROWD; i++) {
		n += world_says_in(w, FIRST_LEAD + i, "pprov") != NULL;
		assert_true(count_in(w, FIRST_LEAD + i) <= 1);
	}
	return n;
}

/* Nothing is doubled and nothing lost: not by a reminder, a restart, or that it is asked anew. */
WORLD_TEST_BARE(thirty_approvers_have_one_message_each_to_the_end)
{
	open_crowd(w);
	asks_in_private(w, WORLD_ADMIN, COMMIT_A);
	assert_int_equal(asked(w), CROWD);
	assert_int_equal(count_buttons(w, "Approve"), CROWD);
	store_aid_reopen(&w->aid);
	world_act(w, do_nothing, NULL);
	assert_int_equal(asked(w), CROWD);
	world_due(w, TIMER_APPROVAL); /* half of its time */
	assert_int_equal(asked(w), CROWD);
	assert_int_equal(count_buttons(w, "Approve"), CROWD);
	assert_false(world_says_in(w, FIRST_LEAD, "❓ Not approved yet")->is_silent);
	approval_press_in(w, FIRST_LEAD, FIRST_LEAD, "Approve");
	assert_int_equal(count_buttons(w, "Approve"), CROWD - 1);
	approval_press_in(w, FIRST_LEAD + 1, FIRST_LEAD + 1, "Approve");
	assert_int_equal(count_buttons(w, "Approve") + count_buttons(w, "Reject"), 0);
	(void)world_run_starts(w);
	world_run_ends(w, GOOD);
	for (int i = 0; i < CROWD; i++)
		assert_non_null(world_says_in(w, FIRST_LEAD + i, "Live: production, not checked"));
	assert_int_equal(asked(w), CROWD);
}

/* Between question and answer. */
WORLD_TEST_OF(whose_role_has_ended_is_not_asked_any_more, NO_GROUP, ROLES, "PRODUCTION_APPROVALS=2")
{
	const char *button;
	struct event *event;

	asks_in_private(w, WORLD_ADMIN, COMMIT_A);
	button = approval_label_in(w, LEAD, "Approve");
	world_settings(w, NO_GROUP, "PRODUCTION_APPROVALS=2", "PRODUCTION_HOST=other", NULL);
	(void)world_press(w, LEAD, LEAD, button);
	assert_true(w->is_alert);
	assert_int_equal(world_audited(w, "deploy_approval", "approved"), 0);
	w->settings = "MIGRATE_COMMAND=0123456789abcdef";
	event = store_aid_event(&w->aid, EVENT_SETTINGS);
	event->u.settings_read.accepted = true;
	(void)world_decide(w, event);
	assert_non_null(world_says_in(w, LEAD, "is asked of others"));
	assert_int_equal(world_says_in(w, LEAD, "")->buttons.n, 0);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve");
	assert_int_equal(world_audited(w, "deploy_approval", "approved"), 1);
}

static void
act_ask_anew(struct tx *tx, void *arg)
{
	struct deployment work;

	row_deployment_get(tx, *(int64_t *)arg, &work);
	decide_tell_approvers(tx, &work);
	row_deployment_save(tx, &work);
}

/* ... and where it is asked anew, what stands with them says so. */
WORLD_TEST_OF(what_is_asked_anew_closes_what_stands_with_who_may_no_more, NO_GROUP, ROLES,
    "PRODUCTION_APPROVALS=2")
{
	int64_t work = 1;

	asks_in_private(w, WORLD_ADMIN, COMMIT_A);
	world_settings(w, NO_GROUP, "PRODUCTION_APPROVALS=2", NULL);
	world_act(w, act_ask_anew, &work);
	assert_non_null(world_says_in(
	    w, LEAD, "⛔ Closed: production, \"Make it blue\" aaaaaaa\n#1 is asked of others"));
	assert_int_equal(world_says_in(w, LEAD, "")->buttons.n, 0);
	assert_int_equal(count_in(w, WORLD_OTHER_ADMIN), 1);
	assert_int_equal(
	    world_rings_in(w, WORLD_OTHER_ADMIN), 1); /* they were asked the very same */
}

/* A lead who never wrote to the bot: Telegram refuses it, and who asked knows that nobody can. */
WORLD_TEST_OF(that_nobody_can_be_asked_is_said_to_who_asks, NO_GROUP, "ADMIN_TELEGRAM_IDS=11",
    "ROLE_LEAD_IDS=55", "ROLE_LEAD_MAY=approve:production", "PRODUCTION_APPROVALS=1")
{
	w->refuses[0] = LEAD;
	asks_in_private(w, WORLD_ADMIN, COMMIT_A);
	assert_int_equal(w->n_refused, 1);
	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/cancel production");
	asks_in_private(w, WORLD_ADMIN, COMMIT_A);
	assert_int_equal(w->n_refused, 1);
	assert_non_null(world_says_in(w, WORLD_ADMIN,
	    "⚠️ nobody could be asked: who may approve it has to write /start to the bot first"));
	w->refuses[0] = 0;
	(void)world_text_in(w, LEAD, LEAD, "/start");
	approval_press_in(w, LEAD, LEAD, "Approve");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_RUNNING);
}

/* Rings stay bounded, whoever pushes how often. */
WORLD_TEST_OF(however_often_it_fails_nobody_is_rung_without_end, NO_GROUP)
{
	size_t rings;

	for (int i = 0; i < 40; i++) {
		char commit[LIMIT_COMMIT];

		(void)snprintf(commit, sizeof(commit), "%s", COMMIT_A);
		commit[1] = (char)('a' + i % 6);
		commit[0] = (char)('0' + i / 6);
		pushes(w, "develop", commit);
		(void)world_run_starts(w);
		world_run_ends(w, FAILED_BEFORE_RELEASE);
	}
	rings = world_rings_in(w, WORLD_OTHER_ADMIN);
	assert_in_range(rings, 12, 20);
	assert_int_equal(count_in(w, WORLD_OTHER_ADMIN), 40); /* each says how it ended */
}

/* The walk: of each of the roles of these settings, by what it grants on that target. */
static void
act_walk(struct tx *tx, void *arg)
{
	static const int64_t production[] = { WORLD_ADMIN, WORLD_OTHER_ADMIN, LEAD };
	static const int64_t staging[] = { WORLD_ADMIN, WORLD_OTHER_ADMIN, WORLD_STAGING_USER };
	int64_t person = 0;

	(void)arg;
	for (size_t i = 0; i < COUNT(production); i++)
		assert_int_equal(
		    person = decide_whom_next(tx, "production", person), production[i]);
	assert_int_equal(decide_whom_next(tx, "production", person), 0);
	person = 0;
	for (size_t i = 0; i < COUNT(staging); i++)
		assert_int_equal(person = decide_whom_next(tx, "staging", person), staging[i]);
	assert_int_equal(decide_whom_next(tx, "staging", person), 0);
}

WORLD_TEST_OF(they_are_found_by_what_they_may_on_that_target, NO_GROUP, ROLES)
{
	world_act(w, act_walk, NULL);
}

static void
say_whose(struct tx *tx, void *arg)
{
	char whose[DECIDE_WHOSE];

	(void)arg;
	assert_string_equal(decide_whose(tx, WORLD_OTHER_ADMIN, whose),
	    "@bob (" MARK_CODE "telegram:22" MARK_CODE ")");
	assert_string_equal(
	    decide_whose(tx, WORLD_STAGING_USER, whose), MARK_CODE "telegram:33" MARK_CODE);
}

/* A number is nobody to who reads it; a name alone may be taken by somebody else. */
WORLD_TEST(a_person_has_a_name_where_it_is_known_and_a_number)
{
	(void)world_text(w, WORLD_OTHER_ADMIN, "/deploy staging");
	world_act(w, say_whose, NULL);
}
