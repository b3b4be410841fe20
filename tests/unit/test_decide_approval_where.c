/* Goal: who may approve is asked where they read it, once, and nobody else learns of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "approval_aid.h"

#include "decide/tell/decide_tell.h"
#include "lib/text.h"

WORLD_TEST_OF(another_chat_is_asked_and_the_teams_only_sees, "PRODUCTION_APPROVALS=1",
    "PRODUCTION_APPROVAL_CHAT_ID=-1009")
{
	approval_asks(w, COMMIT_A);
	assert_non_null(world_says_in(w, -1009, "❓ Awaiting approval: production"));
	assert_string_equal(approval_label_in(w, WORLD_GROUP, "Approve"), "");
	approval_press_in(w, WORLD_OTHER_ADMIN, -1009, "Approve");
	assert_non_null(world_says_in(w, -1009, "⏳ Deploying production"));
	world_run_ends(w, GOOD);
	assert_non_null(world_says_in(w, -1009, "Live: production, not checked"));
}

/* Whoever never wrote to the bot is tried once, and not for each work again, until they write. */
WORLD_TEST_OF(each_who_may_is_asked_in_private_and_whom_telegram_refuses_once,
    "PRODUCTION_APPROVALS=2", "ADMIN_TELEGRAM_IDS=11,22,44")
{
	size_t sends;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/start"); /* who approval_asks */
	w->refuses[0] = CAROL;
	approval_asks(w, COMMIT_A);
	assert_int_equal(w->n_refused, 1);
	assert_null(world_says_in(w, WORLD_ADMIN, "Awaiting approval"));
	assert_null(world_says_in(w, CAROL, "Awaiting approval"));
	assert_non_null(world_says_in(w, WORLD_OTHER_ADMIN, "Awaiting approval"));
	sends = (size_t)world_says_in(w, WORLD_OTHER_ADMIN, "Awaiting approval")->sends;
	approval_press_in(w, CAROL, WORLD_TEAM, "Approve");
	assert_int_equal(world_says_in(w, WORLD_OTHER_ADMIN, "Awaiting")->sends, sends);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve");
	assert_non_null(
	    world_says_in(w, WORLD_OTHER_ADMIN, "Approved: production \"Make it blue\" aaaaaaa"));
	world_run_ends(w, GOOD);
	approval_asks(w, COMMIT_B);
	assert_int_equal(w->n_refused, 1);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve production bbbbbbb");
	w->refuses[0] = 0;
	(void)world_text_in(w, CAROL, CAROL, "/start"); /* what is open comes then */
	approval_press_in(w, CAROL, CAROL, "Approve production bbbbbbb");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_RUNNING);
}

/* Also when they write to the bot at last: that chat has it already. */
WORLD_TEST_OF(where_a_chat_is_set_nobody_is_asked_in_private_later, "PRODUCTION_APPROVALS=1",
    "PRODUCTION_APPROVAL_CHAT_ID=-1009")
{
	w->refuses[0] = WORLD_OTHER_ADMIN;
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	assert_int_equal(w->n_refused, 1);
	approval_asks(w, COMMIT_A);
	w->refuses[0] = 0;
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	assert_null(world_says_in(w, WORLD_OTHER_ADMIN, "Awaiting approval"));
	assert_non_null(world_says_in(w, -1009, "Awaiting approval"));
}

/* Telegram's no to the oldest message of that chat. */
static void
refuse_open(struct world *w, int64_t chat)
{
	for (size_t i = 0; i < w->n_open; i++) {
		struct effect *effect = w->open[i];
		struct message_sent *said;

		if (effect->kind != EFFECT_SEND_MESSAGE ||
		    effect->u.send_message.message.address.chat != chat)
			continue;
		memmove(&w->open[i], &w->open[i + 1], (--w->n_open - i) * sizeof(w->open[0]));
		said = &effect->result->u.message_sent;
		said->message = effect->u.send_message.message.id;
		said->chat = chat;
		said->is_closed = true;
		(void)text_copy(said->failure, sizeof(said->failure), "Forbidden: bot was blocked");
		(void)store_aid_report(&w->aid, effect);
		return;
	}
	fail_msg("nothing is sent to %" PRId64, chat);
}

/* They had blocked the bot, and have unblocked it while Telegram's no was on its way. */
TEST(who_writes_before_the_no_of_before_is_read_is_sent_it_all_the_same)
{
	struct world w;

	for (int is_before = 0; is_before < 2; is_before++) {
		world_open(&w, "PRODUCTION_APPROVALS=1", "PRODUCTION_CONFIRM=false", NULL);
		(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
		w.is_telegram_away = true;
		world_asks(&w, WORLD_ADMIN, "/deploy production", COMMIT_A);
		if (is_before == 1)
			(void)world_text_in(&w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
		refuse_open(&w, WORLD_OTHER_ADMIN);
		world_telegram_back(&w);
		assert_int_equal(
		    world_says_in(&w, WORLD_OTHER_ADMIN, "Awaiting approval") != NULL, is_before);
		(void)world_text(&w, WORLD_ADMIN, "/cancel production");
		world_asks(&w, WORLD_ADMIN, "/deploy production", COMMIT_B);
		assert_int_equal(
		    world_says_in(&w, WORLD_OTHER_ADMIN, "bbbbbbb") != NULL, is_before);
		world_close(&w);
	}
}

/* Where there is no group it is asked in the first admin's own chat, who may have asked for it. */
WORLD_TEST_OF(
    who_asked_has_no_button_that_only_denies, "PRODUCTION_APPROVALS=1", "TELEGRAM_CHAT_ID=11")
{
	const struct world_message *asked;

	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	world_asks_in(w, WORLD_ADMIN, WORLD_ADMIN, "/deploy production", COMMIT_A);
	approval_press_in(w, WORLD_ADMIN, WORLD_ADMIN, "Deploy to");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	asked = world_says_in(w, WORLD_ADMIN, "Awaiting approval: production");
	assert_int_equal(asked->buttons.n, 1);
	assert_string_not_equal(world_button(asked, "Cancel"), "");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve production aaaaaaa");
	assert_non_null(world_peek(w, EFFECT_RUN));
}

/* Who was asked in private and has not answered is reminded there; it says how that went on. */
WORLD_TEST_OF(who_was_asked_in_private_is_reminded_there, "PRODUCTION_APPROVALS=3",
    "ADMIN_TELEGRAM_IDS=11,22,44,55", "APPROVAL_TIMEOUT=2h")
{
	const struct world_message *reminder;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/start"); /* who approval_asks */
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(w, CAROL, CAROL, "/start");
	approval_presses(w, COMMIT_A, CAROL, CAROL, "Approve production aaaaaaa");
	world_due(w, TIMER_APPROVAL);
	reminder = world_says_in(w, WORLD_OTHER_ADMIN, "Not approved yet: production");
	assert_non_null(reminder);
	assert_false(reminder->is_silent);
	assert_string_not_equal(world_button(reminder, "Approve"), "");
	assert_false(world_says_in(w, WORLD_TEAM, "Not approved yet")->is_silent);
	assert_null(world_says_in(w, CAROL, "Not approved yet")); /* has approved it */
	assert_null(world_says_in(w, WORLD_ADMIN, "Not approved yet"));
	assert_non_null(world_says_in(w, DAN, "Not approved yet"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve production aaaaaaa");
	assert_string_equal(world_button(reminder, "Approve"), "");
	world_due(w, TIMER_APPROVAL);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_EXPIRED);
	assert_null(world_says_in(w, WORLD_OTHER_ADMIN, "Not approved yet"));
}

/* Goal: an approver who was asleep reads on the lock screen that it is over, and is not woken. */
WORLD_TEST_OF(who_has_not_answered_is_told_once_that_it_expired, "PRODUCTION_APPROVALS=3",
    "ADMIN_TELEGRAM_IDS=11,22,44,55", "APPROVAL_TIMEOUT=2h")
{
	const struct world_message *said;

	(void)world_text_in(w, WORLD_ADMIN, WORLD_ADMIN, "/start"); /* who approval_asks */
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(w, CAROL, CAROL, "/start");
	approval_presses(w, COMMIT_A, CAROL, CAROL, "Approve production aaaaaaa");
	world_due(w, TIMER_APPROVAL);
	world_due(w, TIMER_APPROVAL);
	said = world_says_in(w, WORLD_OTHER_ADMIN, "⛔ Approval expired: production");
	assert_true(said->is_silent);
	assert_true(
	    text_starts(world_plain(said), "⛔ Approval expired: production \"Make it blue\""));
	assert_int_equal(said->sends, 1);
}

/* Each has the buttons that are theirs; the others' messages are edited once it is settled. */
WORLD_TEST_OF(ones_own_message_follows_ones_own_yes, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44,55")
{
	struct world_message *own, *others;
	int64_t sends;

	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/start");
	(void)world_text_in(w, CAROL, CAROL, "/start");
	(void)world_text_in(w, DAN, DAN, "/start");
	approval_presses(w, COMMIT_B, CAROL, WORLD_TEAM, "Approve production bbbbbbb");
	approval_press_in(
	    w, DAN, WORLD_TEAM, "Approve production bbbbbbb"); /* what runs meanwhile */
	approval_asks(w, COMMIT_A);
	own = world_says_in(w, WORLD_OTHER_ADMIN, "Awaiting approval");
	others = world_says_in(w, DAN, "Awaiting approval");
	sends = others->sends;
	assert_string_equal(world_button(own, "Withdraw"), "");
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve production aaaaaaa");
	assert_non_null(strstr(world_plain(own), "approved 1 of 2: @bob"));
	assert_string_equal(world_button(own, "Approve"), "");
	assert_string_equal(world_button(others, "Withdraw"), "");
	assert_int_equal(others->sends, sends);
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Withdraw");
	assert_non_null(strstr(world_plain(own), "approved 0 of 2"));
	approval_press_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "Approve production aaaaaaa");
	(void)world_text_in(w, WORLD_OTHER_ADMIN, WORLD_OTHER_ADMIN, "/pending");
	assert_string_not_equal(world_button(world_last(w), "Withdraw my approval of #2"), "");

	approval_press_in(w, CAROL, CAROL, "Approve production aaaaaaa");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	assert_non_null(strstr(world_plain(others), "Approved: production"));
	assert_int_equal(others->buttons.n, 0);
	assert_string_not_equal(world_button(own, "Withdraw"), "");
}

WORLD_TEST_OF(what_awaits_stands_in_the_queue_and_the_status, "PRODUCTION_APPROVALS=2",
    "ADMIN_TELEGRAM_IDS=11,22,44", "CLIENTS=acme", "CLIENT_ACME_HOST=h",
    "CLIENT_ACME_ACTIONS=disk-free", "CLIENT_ACME_APPROVALS=1", "CLIENT_ACME_ENVIRONMENT=staging")
{
	approval_presses(w, COMMIT_A, WORLD_OTHER_ADMIN, WORLD_TEAM, "Approve");
	(void)world_text(w, WORLD_ADMIN, "/queue");
	assert_string_equal(world_plain(world_last(w)),
	    "production\n❓ #1 awaits approval, 1 of 2: @ada wants to deploy aaaaaaa");
	world_answers_last(w, WORLD_ADMIN, "/status production",
	    "\n❓ #1 awaits approval, 1 of 2: @ada wants to deploy aaaaaaa\n");

	(void)world_text(w, WORLD_ADMIN, "/do disk-free acme");
	assert_int_equal(world_newest(w, "staging").state, DEPLOY_AWAITING_APPROVAL);
	world_answers_last(w, WORLD_ADMIN, "/queue staging", "awaits approval, 0 of 1");
	(void)world_text(w, WORLD_STAGING_USER, "/queue"); /* who sees no client */
	assert_null(strstr(world_plain(world_last(w)), "#2"));
	assert_null(strstr(world_plain(world_last(w)), "staging"));
	(void)world_text(w, WORLD_STAGING_USER, "/status staging");
	assert_null(strstr(world_plain(world_last(w)), "#2"));
}

WORLD_TEST_OF(what_awaits_is_listed_for_who_may, "PRODUCTION_APPROVALS=1")
{
	approval_asks(w, COMMIT_A);
	(void)world_text(w, WORLD_ADMIN, "/pending");
	assert_string_equal(world_plain(world_last(w)),
	    "Awaiting approval\n\n❓ #1 production: @ada wants to deploy aaaaaaa, asked just now\n"
	    "    approved 0 of 1; you asked for it");
	(void)world_text(w, WORLD_ADMIN, "/approve 1");
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "⛔ Denied: production approve: you asked for it"));
	(void)world_text(w, WORLD_OTHER_ADMIN, "/pending production");
	assert_string_not_equal(world_button(world_last(w), "Reject #1"), "");
	(void)world_press(
	    w, WORLD_OTHER_ADMIN, WORLD_GROUP, world_button(world_last(w), "Approve #1"));
	assert_non_null(world_peek(w, EFFECT_RUN));
}

WORLD_TEST_OF(who_does_not_see_it_learns_nothing_of_it, "PRODUCTION_APPROVALS=1", "ROLE_DEV_IDS=44",
    "ROLE_DEV_MAY=deploy:staging,approve:staging,status")
{
	approval_asks(w, COMMIT_A);
	(void)world_text(w, CAROL, "/approve 1");
	assert_string_equal(world_plain(world_last(w)),
	    "#1: no work of that number awaits an approval. /pending lists what does.");
	(void)world_text(w, CAROL, "/approve 7");
	assert_string_equal(world_plain(world_last(w)),
	    "#7: no work of that number awaits an approval. /pending lists what does.");
	(void)world_text(w, CAROL, "/pending");
	assert_string_equal(world_plain(world_last(w)), "Nothing awaits an approval.");
}

static void
act_tell_unread(struct tx *tx, void *arg)
{
	struct deployment work;

	row_deployment_get(tx, *(int64_t *)arg, &work);
	tx->failed = true; /* as no memory for the next row does it */
	decide_tell(tx, &work, NULL);
	tx->failed = false;
}

/* The decision is undone; until then it goes on with rows that could not be read. */
WORLD_TEST_OF(what_awaits_is_told_of_rows_that_cannot_be_read, "PRODUCTION_APPROVALS=1")
{
	int64_t id;

	approval_asks(w, COMMIT_A);
	id = world_newest(w, "production").id;
	world_act(w, act_tell_unread, &id);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

WORLD_TEST_OF(each_of_many_requests_can_be_reached, "ADMIN_TELEGRAM_IDS=11,22,44", "CLIENTS=acme",
    "CLIENT_ACME_HOST=web@acme.example", "CLIENT_ACME_APPROVALS=1",
    "CLIENT_ACME_ACTIONS=restart-web,clear-cache", "CLIENT_ACME_CACHE_COMMAND=true",
    "CLIENT_ACME_WEB_UNIT=web.service")
{
	for (int i = 0; i < 4; i++)
		(void)world_text(w, i < 2 ? WORLD_ADMIN : CAROL,
		    i % 2 == 0 ? "/request restart-web acme" : "/request clear-cache acme");
	(void)world_text(w, WORLD_OTHER_ADMIN, "/pending");
	assert_string_not_equal(world_button(world_last(w), "Approve #3"), "");
	assert_string_equal(world_button(world_last(w), "Approve #4"), "");
	assert_string_not_equal(world_button(world_last(w), "2"), "");
}
