/* Goal: a code answers the question that was shown then, and is spent on nothing else.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "lib/text.h"
#include "store/row_pad.h"
#include "store/store_inside.h"

/* How many pads with DIGITS were wiped. */
#define DIGITS "123"
static int n_wiped;

void __real_crypto_wipe(void *data, size_t size);
void __wrap_crypto_wipe(void *data, size_t size);

void
__wrap_crypto_wipe(void *data, size_t size)
{
	n_wiped += size == PAD_DIGITS && memcmp(data, DIGITS, sizeof(DIGITS)) == 0;
	__real_crypto_wipe(data, size);
}

static void
open_with(struct world *w, const char *required, const char *more)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, required, more, NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
	world_act(w, factor_add_recovery, &bob);
}

/* Presses what stands in the newest message of that chat which has such a button. */
static void
press_in(struct world *w, const struct person *person, int64_t chat, const char *label)
{
	for (size_t i = w->n_screen; i-- > 0;)
		if (w->screen[i].chat == chat && world_button(&w->screen[i], label)[0] != '\0') {
			factor_press(w, person->id, &w->screen[i], label);
			return;
		}
	fail_msg("no button %s", label);
}

/* Ada asks for A, which awaits an approval. */
static void
await_approval(struct world *w)
{
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, &ada, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
}

/* What is shown from now on is another thing. */
static void
change(struct world *w)
{
	struct event *event = store_aid_event(&w->aid, EVENT_STARTED);

	event->u.started.is_restored = true;
	(void)world_decide(w, event);
	assert_non_null(world_says_in(w, WORLD_TEAM, "asked again"));
}

static const struct effect *
begun(struct world *w)
{
	return world_peek(w, EFFECT_RUN);
}

/* --- bound to what was shown --- */

FACTOR_TEST_BARE(digits_for_what_was_cancelled_hear_that_it_is_over)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	(void)world_text(w, ada.id, "/cancel production");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
	assert_string_equal(world_plain(world_says_in(w, bob.id, "🔐")),
	    "🔐 Not done: production approve: it is over; no code was used.");
}

FACTOR_TEST_BARE(the_code_of_a_review_is_for_a_review)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_CONFIRM=false");
	(void)world_text(w, ada.id, "/deploy production emergency it is down");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, &bob, WORLD_TEAM, "Review done");
	assert_non_null(world_says_in(w, bob.id, "🔐 Code for production review: "));
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_string_equal(world_newest(w, "production").exempt.reviewer, "@bob");
}

FACTOR_TEST_BARE(a_pad_says_which_commit_its_digits_are_for)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	assert_string_equal(world_plain(world_says_in(w, bob.id, "🔐 Code for")),
	    "🔐 Code for production approve: the six digits that your authenticator app shows, within 2 minutes.\n#1 aaaaaaa \"Make it blue\" requested by @ada");
}

FACTOR_TEST_BARE(digits_for_a_question_are_none_for_the_one_asked_anew)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	change(w);
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_null(begun(w));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_string_equal(world_plain(world_says_in(w, bob.id, "🔐 Not done")),
	    "🔐 Not done: production approve: it has changed meanwhile. Look at it again; no code was used.");
	/* The code was not used up. */
	press_in(w, &bob, WORLD_TEAM, "Approve");
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_non_null(world_says(w, "Approved: production"));
}

FACTOR_TEST_BARE(what_was_typed_is_bound_as_what_was_pressed)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	(void)world_text(w, bob.id, "/approve 1");
	change(w);
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_null(world_says(w, "Approved: production"));
}

FACTOR_TEST_BARE(a_recovery_code_is_bound_too)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	change(w);
	(void)world_text_in(w, bob.id, bob.id, "/2fa recover " FACTOR_RECOVERY);
	assert_null(world_says(w, "Approved: production"));
	assert_null(world_says_in(w, bob.id, "Recovery code used"));
	press_in(w, &bob, WORLD_TEAM, "Approve");
	(void)world_text_in(w, bob.id, bob.id, "/2fa recover " FACTOR_RECOVERY);
	assert_non_null(world_says(w, "Approved: production"));
}

/* Where another pad takes the place of theirs, where it has changed meanwhile, and where a code
 * that recovers is typed in the place of the rest. */
FACTOR_TEST_BARE(of_digits_nothing_is_left_behind_whatever_becomes_of_their_pad)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	factor_type(w, &bob, DIGITS);
	n_wiped = 0;
	press_in(w, &bob, WORLD_TEAM, "Approve");
	assert_int_equal(n_wiped, 2); /* by each of the two that read them */
	for (int is_recovered = 0; is_recovered < 2; is_recovered++) {
		factor_type(w, &bob, DIGITS);
		change(w);
		n_wiped = 0;
		if (is_recovered == 0)
			factor_type(w, &bob, "4");
		else
			(void)world_text_in(w, bob.id, bob.id, "/2fa recover " FACTOR_RECOVERY);
		assert_true(n_wiped > 0);
		assert_null(world_says(w, "Approved: production"));
		press_in(w, &bob, WORLD_TEAM, "Approve");
	}
}

FACTOR_TEST_BARE(an_approval_without_a_code_counts_no_more_once_one_is_needed)
{
	open_with(w, "PRODUCTION_APPROVALS=1", NULL);
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve"); /* in progress, and behind it: */
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_B });
	press_in(w, &ada, WORLD_GROUP, "Deploy to");
	world_git_same(w);
	press_in(w, &bob, WORLD_TEAM, "Approve production bbbbbbb");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_QUEUED);
	world_settings(w, factor_key_setting, "REQUIRE_OTP=approve:production",
	    "PRODUCTION_APPROVALS=1", NULL);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	assert_null(begun(w));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_audited(w, "approval_void", "given without a code"), 1);
	press_in(w, &bob, WORLD_TEAM, "Approve production bbbbbbb");
	assert_null(begun(w));
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_string_equal(begun(w)->u.run.commit, COMMIT_B); /* with a code it counts */
}

/* Ada has asked and looked; meanwhile Bob confirms what has changed, and it is asked anew. */
FACTOR_TEST_BARE(a_yes_is_bound_to_the_question_it_answers)
{
	open_with(w, "REQUIRE_OTP=deploy:production", "CONFIRM_TIMEOUT=10m");
	w->settings = "KEEP_RELEASES=4e07408562bedb8b";
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, &ada, WORLD_GROUP, "Deploy to");
	press_in(w, &bob, WORLD_GROUP, "Deploy to");
	factor_type(w, &bob, factor_code(w, &bob, 0));
	w->settings = "KEEP_RELEASES=bbbbbbbbbbbbbbbb";
	world_git_same(w);
	assert_int_equal(world_newest(w, "production").state, DEPLOY_AWAITING_CONFIRMATION);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 0);
	press_in(w, &ada, WORLD_GROUP, "Deploy to");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	world_git_same(w);
	assert_non_null(begun(w));
}

/* --- spent on nothing --- */

FACTOR_TEST_BARE(a_code_is_not_spent_on_what_is_over)
{
	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	press_in(w, &ada, WORLD_GROUP, "Cancel");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
	assert_non_null(world_says_in(w, bob.id, "no code was used"));
	/* Nor is one asked for then. */
	(void)world_text(w, bob.id, "/approve 1");
	assert_non_null(world_says(w, "#1 is cancelled (by @ada): nothing is left to approve."));
	assert_null(world_says_in(w, bob.id, "Code for"));
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_non_null(begun(w));
}

FACTOR_TEST_BARE(a_no_needs_no_code)
{
	open_with(w, "REQUIRE_OTP=*:*,rollback:*", "PRODUCTION_APPROVALS=1");
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, &bob, WORLD_GROUP, "Not now");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, &ada, WORLD_GROUP, "Deploy to");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	world_git_same(w);
	press_in(w, &bob, WORLD_TEAM, "Reject");
	press_in(w, &bob, WORLD_TEAM, "Not tonight");
	assert_int_equal(world_newest(w, "production").state, DEPLOY_REFUSED);
	assert_null(world_says_in(w, bob.id, "🔐"));
}

/* Its grant is that of rollbacks: who starts a queue was asked for the code of one. */
FACTOR_TEST_BARE(who_starts_a_queue_is_asked_for_its_code)
{
	const struct world_message *asked;

	open_with(w, "REQUIRE_OTP=rollback:*", STAGING_URL);
	world_starts_over(w, COMMIT_A, COMMIT_B);
	world_run_ends(w, FOLDER_GONE);
	press_in(w, &ada, WORLD_TEAM, "Resume queue");
	asked = world_says_in(w, ada.id, "🔐");
	assert_non_null(asked);
	assert_non_null(strstr(world_plain(asked), "staging start queue: the six digits"));
	assert_int_not_equal(world_environment(w, "staging").unknown_since, 0);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_environment(w, "staging").unknown_since, 0);
}

/* --- what asks again --- */

/* Found by hand: the button was used up before its code was given, and a right code found none. */
FACTOR_TEST_BARE(a_choice_can_be_pressed_again_until_its_code_is_given)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=do:client/*", "CLIENTS=acme",
	    "CLIENT_ACME_HOST=web@acme.example", "CLIENT_ACME_ACTIONS=reload-nginx", NULL);
	world_act(w, factor_enrol, &ada);
	(void)world_text(w, ada.id, "/do acme");
	press_in(w, &ada, WORLD_GROUP, "reload-nginx");
	factor_type(w, &ada, factor_wrong(w, &ada));
	w->aid.at += 2 * MINUTE_MS;
	press_in(w, &ada, WORLD_GROUP, "reload-nginx");
	assert_null(begun(w));
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(begun(w));
	assert_non_null(world_says(w, "@ada: /do reload-nginx acme"));
}

/* --- typed where nobody takes it --- */

/* Alone, and as apps show it; in private, and where others read it. */
FACTOR_TEST_BARE(a_code_that_is_typed_as_text_is_deleted_and_belongs_on_the_pad)
{
	static const struct {
		int64_t chat;
		const char *text, *answer;
	} rows[] = {
		{ WORLD_OTHER_ADMIN, "123456",
		    "🔐 Not taken: press the code on the pad, by its buttons. Your message is deleted." },
		{ WORLD_OTHER_ADMIN, "123 456",
		    "🔐 Not taken: press the code on the pad, by its buttons. Your message is deleted." },
		{ WORLD_TEAM, "123456",
		    "🔐 Not taken: press the code on the pad in our private chat, by its buttons. Your message is deleted." },
	};

	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct effect *effect;

		(void)world_text_in(w, bob.id, rows[i].chat, rows[i].text);
		assert_int_equal(world_last(w)->chat, rows[i].chat);
		assert_string_equal(world_plain(world_last(w)), rows[i].answer);
		assert_int_equal(world_count(w, EFFECT_DELETE_MESSAGE), 1);
		effect = world_take(w, EFFECT_DELETE_MESSAGE);
		assert_int_equal(effect->u.delete_message.chat, rows[i].chat);
		assert_true(effect->u.delete_message.remote_id > WORLD_WRITTEN);
		(void)store_aid_report(&w->aid, effect);
	}
	assert_null(world_says_in(w, WORLD_TEAM, "production approve")); /* what for, is not said */
	assert_null(begun(w));
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_non_null(begun(w));
}

/* What was not looked at as a message of its own stands in the chat all the same. */
FACTOR_TEST_BARE(a_message_that_is_edited_into_a_code_is_deleted_too)
{
	struct event *event;

	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	event = world_update(w, UPDATE_TEXT, bob.id, WORLD_TEAM);
	event->u.update->refusal = UPDATE_REFUSED_EDITED;
	(void)text_copy(event->context.own_name, sizeof(event->context.own_name), "our_bot");
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), "123456");
	(void)world_decide(w, event);
	assert_int_equal(world_count(w, EFFECT_DELETE_MESSAGE), 1);
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "🔐 Not taken")),
	    "🔐 Not taken: press the code on the pad in our private chat, https://t.me/our_bot, by its buttons. Your message is deleted.");
}

/* A group where the bot may delete nothing keeps it, and that is said there. */
FACTOR_TEST_BARE(a_code_that_telegram_does_not_delete_is_deleted_by_who_typed_it)
{
	struct effect *effect;

	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	(void)world_text_in(w, bob.id, WORLD_TEAM, "123456");
	effect = world_take(w, EFFECT_DELETE_MESSAGE);
	(void)text_copy(effect->result->u.message_sent.failure,
	    sizeof(effect->result->u.message_sent.failure), "message can't be deleted");
	(void)store_aid_report(&w->aid, effect);
	(void)world_text_in(w, bob.id, bob.id, "/whoami"); /* delivers what was said */
	assert_string_equal(world_plain(world_says_in(w, WORLD_TEAM, "🔐 Delete it")),
	    "🔐 Delete it yourself: a message with a token or code is still in this chat, because Telegram would not delete it: message can't be deleted");
}

/* Of somebody else's pad, of one that is over, and of other numbers. */
FACTOR_TEST_BARE(a_number_is_talk_where_no_code_of_theirs_is_asked_for)
{
	static const char *const numbers[] = { "12345", "1234567", "12 3456", "123  456", "123-456",
		"12345a", "pr 123456" };

	open_with(w, "REQUIRE_OTP=approve:production", "PRODUCTION_APPROVALS=1");
	(void)world_text_in(w, bob.id, bob.id, "123456");
	await_approval(w);
	press_in(w, &bob, WORLD_TEAM, "Approve");
	for (size_t i = 0; i < COUNT(numbers); i++)
		(void)world_text_in(w, bob.id, bob.id, numbers[i]);
	(void)world_text_in(w, ada.id, ada.id, "123456");
	(void)world_text(w, ada.id, "123456");
	world_due(w, TIMER_PAD);
	(void)world_text_in(w, bob.id, bob.id, "123456");
	assert_int_equal(world_count(w, EFFECT_DELETE_MESSAGE), 0);
	assert_null(world_says(w, "Not taken: press"));
	assert_null(world_says_in(w, bob.id, "Not taken: press"));
}

/* --- what people read --- */

/* The server was away when it expired. */
FACTOR_TEST_BARE(a_pad_that_expired_unseen_is_closed_by_the_next)
{
	struct world_message *pad;

	open_with(w, "REQUIRE_OTP=deploy:*", STAGING_URL);
	(void)world_text(w, ada.id, "/deploy staging");
	pad = factor_pad(w, &ada);
	w->aid.at += 5 * MINUTE_MS;
	(void)world_text(w, ada.id, "/deploy staging");
	assert_non_null(strstr(world_plain(pad), "no code came within 2 minutes"));
	assert_int_equal(pad->buttons.n, 0);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
}

FACTOR_TEST_BARE(a_pad_that_expired_says_what_now)
{
	struct world_message *pad;
	size_t n_timers;

	open_with(w, "REQUIRE_OTP=deploy:*", STAGING_URL);
	n_timers = world_count(w, EFFECT_TIMER);
	(void)world_text(w, ada.id, "/deploy staging");
	pad = factor_pad(w, &ada);
	world_due(w, TIMER_PAD);
	assert_string_equal(world_plain(pad),
	    "⛔ Not done: staging deploy: no code came within 2 minutes. Ask for it again to get a new pad.");
	assert_int_equal(pad->buttons.n, 0);
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_count(w, EFFECT_GIT_QUERY), 1);
	assert_int_equal(world_count(w, EFFECT_TIMER), n_timers); /* it went with its pad */
}

static void
forget_start(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx, "DELETE FROM private_chat");
}

FACTOR_TEST_BARE(who_never_pressed_start_is_given_the_link)
{
	struct event *event;

	open_with(w, "REQUIRE_OTP=deploy:*", STAGING_URL);
	world_act(w, forget_start, NULL);
	event = world_update(w, UPDATE_TEXT, ada.id, WORLD_GROUP);
	(void)text_copy(event->context.own_name, sizeof(event->context.own_name), "our_bot");
	(void)text_copy(event->u.update->text, sizeof(event->u.update->text), "/deploy staging");
	(void)world_decide(w, event);
	assert_string_equal(world_plain(world_says(w, "Code needed")),
	    "🔐 Code needed: staging deploy: type it in our private chat. No pad there? Open https://t.me/our_bot?start=2fa, press Start, then ask for it again here.");
	(void)world_text_in(w, ada.id, ada.id, "/start 2fa"); /* what the link sends */
	assert_non_null(world_says_in(w, ada.id, "I deploy releases"));
	(void)world_text(w, ada.id, "/deploy staging");
	assert_non_null(strstr(world_plain(world_says(w, "Code needed")),
	    "🔐 Code needed: staging deploy: answer in our private chat."));
}

FACTOR_TEST_BARE(who_presses_without_start_is_given_it_too)
{
	open_with(w, "REQUIRE_OTP=deploy:*", STAGING_URL);
	world_act(w, forget_start, NULL);
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	press_in(w, &ada, WORLD_GROUP, "Deploy to");
	assert_string_equal(w->toast,
	    "🔐 Code needed: production deploy: type it in our private chat. Never pressed Start there? See the link below.");
	assert_non_null(world_says(w, "Open it, press Start, then ask for it again here."));
}

FACTOR_TEST_BARE(whoami_says_what_needs_a_code_of_them)
{
	open_with(w, "REQUIRE_OTP=deploy:production,rollback:*,deploy:staging", STAGING_URL);
	(void)world_text_in(w, ada.id, ada.id, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "Needs a code of your second factor: deploy:production, rollback:*, deploy:staging."));
	/* Of production they may nothing, and have none. */
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/whoami");
	assert_non_null(strstr(world_plain(world_last(w)),
	    "Needs a code of your second factor: deploy:staging. You have none yet: /2fa."));
	(void)world_text(w, ada.id, "/whoami");
	assert_null(strstr(world_plain(world_last(w)), "second factor"));
}
