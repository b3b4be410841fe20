/* Goal: what REQUIRE_OTP names is done with a code alone, of that person, and each code once.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "lib/text.h"
#include "policy/policy.h"

/* --- asked --- */

FACTOR_TEST(a_deployment_goes_on_when_the_code_is_right, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	assert_int_equal(factor_begun(w), 0);
	assert_non_null(world_says_in(
	    w, WORLD_GROUP, "Code needed: staging deploy: answer in our private chat"));
	assert_null(world_says_in(w, WORLD_GROUP, "Code for"));
	assert_int_equal(factor_pad(w, &ada)->buttons.n, 12);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(world_says_in(w, ada.id, "🔐 Code accepted: staging deploy"));
	assert_int_equal(factor_begun(w), 1);
	assert_int_equal(world_newest(w, "staging").requested_by, ada.id);
	assert_int_equal(world_newest(w, "staging").address.chat, WORLD_GROUP);
}

/* What asks a question first is asked for at its answer, which is bound to what was shown. */
FACTOR_TEST(a_question_asks_for_the_code_of_who_answers_yes, "REQUIRE_OTP=deploy:*")
{
	struct world_message *question;

	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	question = world_says(w, "Deploy to production");
	assert_non_null(question);
	(void)world_press(w, bob.id, WORLD_GROUP, world_button(question, "Deploy to"));
	assert_non_null(strstr(w->toast, "answer in our private chat"));
	assert_int_equal(factor_begun(w), 0);
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_int_equal(factor_begun(w), 1);
	world_git_same(w);
	assert_int_equal(world_newest(w, "production").confirmed_by, bob.id);
}

/* It is that chat already. */
FACTOR_TEST(in_private_the_pad_is_below, "REQUIRE_OTP=deploy:*")
{
	(void)world_text_in(w, ada.id, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	factor_press(w, ada.id, world_says_in(w, ada.id, "Deploy to production"), "Deploy to");
	assert_string_equal(w->toast, "🔐 Code needed: production deploy: type it below.");
}

/* Its answer was to bring the code: it is asked, though the settings ask nothing any more. */
FACTOR_TEST(a_question_that_falls_away_starts_nothing_without_its_code, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, WORLD_ADMIN, "/deploy production");
	world_settings(
	    w, factor_key_setting, "REQUIRE_OTP=deploy:*", "PRODUCTION_CONFIRM=false", NULL);
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	assert_null(world_peek(w, EFFECT_RUN));
}

FACTOR_TEST(who_may_confirm_needs_a_code_after_a_push_too, "REQUIRE_OTP=deploy:*")
{
	struct world_message *question;

	(void)world_decide(w, world_push(w, "main"));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	question = world_says(w, "Deploy to production");
	assert_non_null(question);
	(void)world_press(w, ada.id, WORLD_TEAM, world_button(question, "Deploy to"));
	assert_int_equal(factor_begun(w), 0);
	(void)world_press(w, ada.id, WORLD_TEAM, world_button(question, "Not now"));
	assert_int_equal(world_newest(w, "production").state, DEPLOY_CANCELLED);
	assert_non_null(world_says_in(w, ada.id, "it is over; no code was used."));
	assert_null(world_says_in(w, ada.id, "Code for"));
	assert_int_equal(factor_begun(w), 0);
}

TEST(stop_status_and_rollback_never_ask)
{
	struct world w;

	factor_open(&w, "REQUIRE_OTP=*:*");
	assert_false(policy_needs_factor(w.aid.settings, POLICY_STATUS, "", "staging"));
	assert_false(policy_needs_factor(w.aid.settings, POLICY_CANCEL, "", "staging"));
	assert_false(policy_needs_factor(w.aid.settings, POLICY_ROLLBACK, "", "staging"));
	assert_true(policy_needs_factor(w.aid.settings, POLICY_DEPLOY, "", "staging"));
	assert_true(policy_needs_factor(w.aid.settings, POLICY_LOCK, "", "production"));
	assert_false(policy_needs_factor(w.aid.settings, POLICY_TALK, "", "production"));
	assert_false(policy_needs_factor(w.aid.settings, POLICY_AUDIT, "", "production"));
	assert_true(policy_needs_factor(w.aid.settings, POLICY_DO, "restart-web", "production"));
	assert_false(
	    policy_needs_factor(w.aid.settings, POLICY_DO, "service-status", "production"));
	(void)world_text(&w, ada.id, "/deploy staging v1 and more");
	assert_non_null(world_says(&w, "Too much after /deploy"));
	(void)world_text(&w, ada.id, "/queue");
	assert_null(world_says(&w, "Code for"));
	factor_close(&w);
	factor_open(&w, "REQUIRE_OTP=rollback:*,deploy:production");
	assert_true(policy_needs_factor(w.aid.settings, POLICY_ROLLBACK, "", "staging"));
	assert_true(policy_needs_factor(w.aid.settings, POLICY_DEPLOY, "", "production"));
	assert_false(policy_needs_factor(w.aid.settings, POLICY_DEPLOY, "", "staging"));
	assert_false(policy_needs_factor(w.aid.settings, POLICY_LOCK, "", "production"));
	factor_close(&w);
}

/* What is for all environments is for each. */
FACTOR_TEST(a_freeze_of_all_needs_the_code_of_one, "REQUIRE_OTP=freeze:production")
{
	(void)world_text(w, ada.id, "/freeze staging until 23:00");
	assert_non_null(world_says(w, "Frozen: staging"));
	(void)world_text(w, ada.id, "/freeze all until 23:00");
	assert_int_equal(world_audited(w, "freeze", "*/*"), 0);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(world_audited(w, "freeze", "*/*"), 1);
}

/* A reply says why, and is decided once more when the code is right. */
FACTOR_TEST(a_reason_that_was_replied_with_goes_on, "REQUIRE_OTP=deploy:*")
{
	struct world_message *denied;
	struct event *reply;

	(void)world_text(w, bob.id, "/freeze staging until 23:00");
	(void)world_text(w, ada.id, "/deploy staging"); /* a no needs no code */
	denied = world_says_in(w, WORLD_GROUP, "reply to this message with the reason");
	assert_non_null(denied);
	reply = world_update(w, UPDATE_TEXT, ada.id, WORLD_GROUP);
	reply->u.update->reply_to = w->screen_remote[denied->row % WORLD_SCREEN];
	(void)text_copy(reply->u.update->text, sizeof(reply->u.update->text), "the shop is down");
	(void)world_decide(w, reply);
	assert_int_equal(factor_begun(w), 0);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_begun(w), 1);
	assert_string_equal(world_newest(w, "staging").exempt.exception, "the shop is down");
}

FACTOR_TEST(who_has_none_is_told_so_and_who_may_not_is_not_asked, "REQUIRE_OTP=deploy:*")
{
	world_answers(w, WORLD_STAGING_USER, "/deploy staging", "you have no second factor");
	world_answers_last(
	    w, WORLD_STAGING_USER, "/deploy production", "⛔ Denied: production deploy");
	(void)world_text_in(w, WORLD_STRANGER, WORLD_STRANGER, "/deploy staging");
	assert_non_null(world_says_in(w, WORLD_STRANGER, "you have no role here"));
	assert_int_equal(factor_begun(w), 0);
}

/* --- once --- */

FACTOR_TEST(a_code_is_taken_once_wherever_it_is_typed, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_begun(w), 1);
	(void)world_text_in(w, ada.id, WORLD_TEAM, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(strstr(w->toast, "was used already"));
	factor_type(w, &ada, factor_code(w, &ada, -1));
	assert_non_null(strstr(w->toast, "was used already"));
	assert_int_equal(factor_begun(w), 1);
	assert_int_equal(factor_failures(w), 0);
	factor_type(w, &ada, factor_code(w, &ada, 1));
	assert_int_equal(factor_begun(w), 2);
}

FACTOR_TEST(a_restart_forgets_no_code_and_no_digit, "REQUIRE_OTP=deploy:*")
{
	const char *code;

	(void)world_text(w, ada.id, "/deploy staging");
	code = factor_code(w, &ada, 0);
	for (char key[2] = "", i = 0; i < 3; i++) {
		key[0] = code[(int)i];
		factor_press(w, ada.id, factor_pad(w, &ada), key);
	}
	store_aid_reopen(&w->aid);
	factor_type(w, &ada, code + 3);
	assert_int_equal(factor_begun(w), 1);
	store_aid_reopen(&w->aid);
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(strstr(w->toast, "was used already"));
}

FACTOR_TEST(a_code_opens_one_thing_and_the_pad_before_is_no_more, "REQUIRE_OTP=deploy:*,lock:*")
{
	struct world_message *first;

	(void)world_text(w, ada.id, "/deploy staging");
	first = factor_pad(w, &ada);
	(void)world_text(w, ada.id, "/lock production");
	factor_press(w, ada.id, first, "1");
	assert_non_null(strstr(w->toast, "expired"));
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(world_says(w, "Locked: production"));
	assert_int_equal(factor_begun(w), 0);
}

/* To end a bake is to deploy: its code is another one than that of who asked. */
FACTOR_TEST(what_bakes_is_live_early_with_a_code_alone, "REQUIRE_OTP=deploy:*")
{
	world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:*", "STAGING_BAKE=2m", NULL);
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	world_run_releases(w, GOOD);
	factor_press(w, bob.id, world_says(w, "Baking: staging"), "Live now");
	assert_non_null(strstr(w->toast, "Code needed: staging deploy"));
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	(void)world_text(w, bob.id, "/live staging");
	assert_int_equal(world_state(w), DEPLOY_BAKING);
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_int_equal(world_state(w), DEPLOY_LIVE);
}

FACTOR_TEST(a_pad_ends_after_two_minutes_and_by_its_button, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	w->aid.at += 2 * MINUTE_MS;
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_non_null(strstr(w->toast, "expired"));
	(void)world_text(w, ada.id, "/deploy staging");
	factor_press(w, ada.id, factor_pad(w, &ada), "✖");
	assert_non_null(world_says_in(w, ada.id, "Not done: staging deploy: no code was given"));
	assert_int_equal(factor_begun(w), 0);
}

FACTOR_TEST(a_digit_is_taken_back, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, "99");
	assert_string_equal(w->toast, "••");
	factor_press(w, ada.id, factor_pad(w, &ada), "⌫");
	assert_string_equal(w->toast, "•");
	factor_press(w, ada.id, factor_pad(w, &ada), "⌫");
	factor_press(w, ada.id, factor_pad(w, &ada), "⌫");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_begun(w), 1);
}

/* --- wrong --- */

FACTOR_TEST(each_five_wrong_codes_are_a_longer_wait, "REQUIRE_OTP=deploy:*")
{
	static const int minutes[] = { 1, 5, 30, 60, 60, 60, 60, 60, 60 };
	char wait[32];

	for (size_t i = 0; i < COUNT(minutes); i++) {
		for (int n = 0; n < 5; n++) {
			(void)world_text(w, ada.id, "/deploy staging");
			factor_type(w, &ada, factor_wrong(w, &ada));
			w->aid.at += MINUTE_MS / 2;
		}
		(void)snprintf(wait, sizeof(wait), "again in %d min", minutes[i]);
		assert_non_null(strstr(w->toast, wait));
		(void)world_text(w, ada.id, "/deploy staging");
		assert_non_null(strstr(world_plain(world_last(w)), "too many wrong codes"));
		w->aid.at += minutes[i] * MINUTE_MS;
	}
	for (int n = 0; n < 5; n++) {
		(void)world_text(w, ada.id, "/deploy staging");
		factor_type(w, &ada, factor_wrong(w, &ada));
		w->aid.at += MINUTE_MS / 2;
	}
	assert_int_equal(factor_failures(w), 50);
	assert_non_null(world_says_in(w, ada.id, "Second factor closed"));
	assert_non_null(world_says_in(w, bob.id, "Second factor closed"));
	w->aid.at += 24 * 60 * MINUTE_MS;
	(void)world_text(w, ada.id, "/deploy staging");
	assert_non_null(world_says(w, "closed after 50 wrong codes"));
	assert_int_equal(world_audited(w, "factor_closed", "critical"), 1);
	assert_int_equal(factor_begun(w), 0);
}

FACTOR_TEST(a_right_code_ends_the_count, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	for (int n = 0; n < 4; n++) {
		factor_type(w, &ada, factor_wrong(w, &ada));
		w->aid.at += MINUTE_MS / 4;
	}
	assert_int_equal(factor_failures(w), 4);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_failures(w), 0);
	assert_int_equal(factor_begun(w), 1);
}

FACTOR_TEST(presses_of_another_change_and_count_nothing, "REQUIRE_OTP=deploy:*")
{
	struct world_message *pad;

	(void)world_text(w, ada.id, "/deploy staging");
	pad = factor_pad(w, &ada);
	for (int i = 0; i < 12; i++)
		factor_press(w, bob.id, pad, "0");
	assert_int_equal(factor_failures(w), 0);
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_begun(w), 1);
}

FACTOR_TEST(a_code_of_another_is_a_wrong_one, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &bob, 0));
	assert_int_equal(factor_failures(w), 1);
	assert_int_equal(factor_begun(w), 0);
}

FACTOR_TEST(thirty_presses_a_minute_are_taken, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	for (int i = 0; i < 15; i++) {
		factor_press(w, ada.id, factor_pad(w, &ada), "1");
		factor_press(w, ada.id, factor_pad(w, &ada), "⌫");
	}
	assert_string_equal(w->toast, "…");
	factor_press(w, ada.id, factor_pad(w, &ada), "1");
	assert_string_equal(w->toast, "Slower.");
}

/* --- actions and lines --- */

static void
open_clients(struct world *w, const char *required)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, required, "CLIENTS=acme",
	    "CLIENT_ACME_HOST=web@acme.example", "CLIENT_ACME_ACTIONS=restart-web,service-status",
	    "CLIENT_ACME_WEB_UNIT=web.service", NULL);
	world_act(w, factor_enrol, &ada);
}

static void
say_line(struct world *w, const char *nonce, const char *code)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "APPROVE: restart-web acme nonce=%s ts=%lld%s%s", nonce,
	    (long long)w->aid.at / 1000, code[0] != '\0' ? " otp=" : "", code);
	(void)world_text(w, ada.id, text);
}

static bool
is_restarted(struct world *w)
{
	return world_newest(w, "client/acme").id != 0;
}

FACTOR_TEST_BARE(a_line_brings_its_code_and_a_wrong_one_costs_a_failure)
{
	open_clients(w, "REQUIRE_OTP=do.restart-web:client/acme");
	say_line(w, "0123456789abcdef", factor_wrong(w, &ada));
	assert_non_null(strstr(world_plain(world_last(w)), "wrong code: 4 more tries"));
	assert_int_equal(factor_failures(w), 1);
	assert_false(is_restarted(w));
	say_line(w, "0123456789abcdef", factor_code(w, &ada, 0));
	assert_true(is_restarted(w));
	world_run_ends(w, (struct run_ended){ .gate_opened = true });
	say_line(w, "fedcba9876543210", factor_code(w, &ada, 0));
	assert_non_null(strstr(world_plain(world_last(w)), "was used already"));
	assert_int_equal(world_audited(w, factor_code(w, &ada, 0), NULL), 0);
}

TEST(an_action_asks_by_its_name_and_one_that_looks_does_not)
{
	struct world_message *question;
	struct world w;

	open_clients(&w, "REQUIRE_OTP=do:client/*");
	(void)world_text(&w, ada.id, "/do service-status acme");
	assert_true(is_restarted(&w));
	assert_null(world_says_in(&w, ada.id, "Code for"));
	factor_close(&w);
	open_clients(&w, "REQUIRE_OTP=do:client/*");
	(void)world_text(&w, ada.id, "/do restart-web acme");
	assert_null(world_says_in(&w, ada.id, "Code for"));
	question = world_says_in(&w, WORLD_GROUP, "restart-web");
	assert_non_null(question);
	(void)world_press(&w, ada.id, WORLD_GROUP, question->buttons.at[0].id);
	assert_null(world_peek(&w, EFFECT_RUN));
	factor_type(&w, &ada, factor_code(&w, &ada, 0));
	assert_non_null(world_peek(&w, EFFECT_RUN));
	factor_close(&w);
}

/* --- a wrong clock --- */

/* The last key of a code, pressed while Telegram's clock is another. */
static void
type_at(struct world *w, const struct person *person, const char *code, int64_t ahead_s)
{
	struct world_message *pad = factor_pad(w, person);
	struct event *event = world_update(w, UPDATE_PRESS, person->id, person->id);
	char first[TOTP_DIGITS + 1], key[2] = "";

	(void)text_copy(first, sizeof(first), code);
	key[0] = first[TOTP_DIGITS - 1];
	first[TOTP_DIGITS - 1] = '\0';
	factor_type(w, person, first);
	(void)text_copy(
	    event->u.update->button, sizeof(event->u.update->button), world_button(pad, key));
	event->context.knows_clock = true;
	event->context.clock_ahead_s = ahead_s;
	(void)world_decide(w, event);
}

FACTOR_TEST(while_the_clock_is_wrong_codes_are_neither_taken_nor_counted, "REQUIRE_OTP=deploy:*")
{
	(void)world_text(w, ada.id, "/deploy staging");
	type_at(w, &ada, factor_code(w, &ada, 0), 21);
	assert_non_null(strstr(w->toast, "21 s ahead of Telegram's"));
	type_at(w, &ada, factor_wrong(w, &ada), -600);
	assert_non_null(strstr(w->toast, "600 s behind Telegram's"));
	assert_int_equal(factor_failures(w), 0);
	assert_int_equal(factor_begun(w), 0);
	w->aid.at += MINUTE_MS;
	type_at(w, &ada, factor_wrong(w, &ada), 20);
	assert_int_equal(factor_failures(w), 1);
	type_at(w, &ada, factor_code(w, &ada, 0), -20);
	assert_int_equal(factor_begun(w), 1);
}
