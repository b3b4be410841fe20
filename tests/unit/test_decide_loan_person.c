/* Goal: a person is sent in private what Vault lends them, and it is gone from there in two minutes.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan_ask.h"

#include "api_aid.h"
#include "factor_aid.h"
#include "lib/mem.h"

#define ACCESSOR "8609694a-cab0-4b4f-9c4d-0123456789ab"
#define MESSAGE	 770077

#define SETTINGS \
	"PUBLIC_URL=https://bot.example.org", "VAULT_ADDR=https://vault.example.org", \
	    "VAULT_TOKEN=hvs.0123456789abcdef0123", \
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production", \
	    "SECRET_STRIPE_PATH=kv2 secret shop/stripe", "SECRET_STRIPE_FOR=production"

struct scene {
	struct world w;
};

static void
open_scene(struct scene *s, const char *more)
{
	*s = (struct scene){ 0 };
	world_open(&s->w, SETTINGS, more, NULL);
}

/* A role of its own for person 12. */
#define OPS	      12
#define OPS_MAY(what) "ROLE_OPS_IDS=12", "ROLE_OPS_MAY=" what

#define MADE  ((struct vault_said){ .is_done = true, .accessor = ACCESSOR })
#define SENT  ((struct vault_said){ .is_done = true, .message = MESSAGE })
#define THERE ((struct vault_said){ .is_done = true })
#define USED  ((struct vault_said){ .is_used = true })

static void
in_private(struct scene *s, int64_t person, const char *text)
{
	(void)world_text_in(&s->w, person, person, text);
}

static enum deploy_state
is(struct scene *s)
{
	return world_deployment(&s->w, 1).state;
}

static void
is_sent(struct scene *s)
{
	in_private(s, WORLD_ADMIN, "/get_secret stripe");
	world_vault(&s->w, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(is(s), DEPLOY_RUNNING);
	world_vault(&s->w, EFFECT_LEND_MESSAGE, &SENT);
	assert_int_equal(is(s), DEPLOY_DONE);
}

/* The message of before is deleted. */
static bool
is_deleted(struct scene *s)
{
	const struct effect *effect = world_peek(&s->w, EFFECT_DELETE_MESSAGE);

	return effect != NULL && effect->u.delete_message.remote_id == MESSAGE &&
	    effect->u.delete_message.chat == WORLD_ADMIN;
}

TEST(what_was_lent_is_sent_to_who_asked_and_to_nobody_else)
{
	const struct effect_vault *what;
	struct scene s;

	open_scene(&s, NULL);
	in_private(&s, WORLD_ADMIN, "/get_secret stripe for the *refund* of 7");
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, "stripe for \"the *refund* of 7\""));
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	what = &world_peek(&s.w, EFFECT_LEND_MESSAGE)->u.vault;
	assert_string_equal(what->name, "stripe");
	assert_int_equal(what->chat, WORLD_ADMIN);
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, "✅ Lent: production secret stripe"));
	assert_null(world_says(&s.w, "shop/stripe")); /* the path */
	assert_int_equal(world_audited(&s.w, "\"code\":\"secret_lent\"", "\"deployment\":1,"), 1);
	assert_int_equal(
	    world_audited(&s.w, "\"code\":\"secret_requested\"", "kv2 secret shop/stripe"), 1);
	world_close(&s.w);
}

TEST(a_secret_is_found_by_its_path_too)
{
	static const char *const typed[] = { "/get_secret shop/stripe", "/get_secret stripe" };

	for (size_t i = 0; i < COUNT(typed); i++) {
		struct scene s;

		open_scene(&s, NULL);
		in_private(&s, WORLD_ADMIN, typed[i]);
		assert_string_equal(world_peek(&s.w, EFFECT_VAULT_LEND)->u.vault.name, "stripe");
		world_close(&s.w);
	}
}

/* No path that somebody types reaches Vault. */
TEST(what_the_settings_do_not_name_is_lent_to_nobody)
{
	static const char *const typed[] = { "secret/shop/stripe", "kv2", "shop/../stripe",
		"stripe.", "%2e", "*", "shop/stripe/", "STRIPE " };

	for (size_t i = 0; i < COUNT(typed); i++) {
		char text[64];
		struct scene s;

		open_scene(&s, NULL);
		(void)snprintf(text, sizeof(text), "/get_secret %s", typed[i]);
		in_private(&s, WORLD_ADMIN, text);
		if (world_count(&s.w, EFFECT_VAULT_LEND) != (i + 1 == COUNT(typed)))
			fail_msg("%s", typed[i]);
		world_close(&s.w);
	}
}

TEST(a_group_is_no_place_for_a_secret)
{
	struct scene s;

	open_scene(&s, NULL);
	(void)world_text(&s.w, WORLD_ADMIN, "/get_secret stripe");
	assert_non_null(world_says(&s.w, "works in our private chat only"));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	assert_int_equal(world_deployment(&s.w, 1).id, 0);
	world_close(&s.w);
}

/* One that is not there and one that is not theirs are refused alike. */
TEST(who_has_no_grant_is_lent_nothing_and_learns_nothing)
{
	static const char *const typed[] = { "/get_secret stripe", "/get_secret nothing" };
	struct scene s;

	for (size_t i = 0; i < COUNT(typed); i++) {
		s = (struct scene){ 0 };
		world_open(&s.w, SETTINGS, OPS_MAY("secret.db-migrate:production"), NULL);
		in_private(&s, OPS, typed[i]);
		assert_non_null(world_says_in(&s.w, OPS, "⛔ Denied: "));
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
		in_private(&s, OPS, "/secrets");
		assert_non_null(world_says_in(&s.w, OPS, "db-migrate"));
		assert_null(world_says_in(&s.w, OPS, "stripe of production"));
		world_close(&s.w);
	}
}

TEST(approvers_are_asked_and_a_code_before_them)
{
	struct scene s = { 0 };

	factor_write_key(FACTOR_KEY);
	world_open(&s.w, SETTINGS, "SECRET_STRIPE_APPROVALS=1",
	    "REQUIRE_OTP=secret.stripe:production", factor_key_setting, NULL);
	world_act(&s.w, factor_enrol, &ada);
	in_private(&s, ada.id, "/get_secret stripe");
	assert_int_equal(world_deployment(&s.w, 1).id, 0);
	factor_type(&s.w, &ada, factor_code(&s.w, &ada, 0));
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LEND), 0);
	/* Nobody approves what they have asked for. */
	(void)world_text(&s.w, ada.id, "/approve 1");
	assert_int_equal(is(&s), DEPLOY_AWAITING_APPROVAL);
	factor_close(&s.w);
}

TEST(who_asks_twice_has_one)
{
	struct scene s;

	open_scene(&s, "SECRET_STRIPE_APPROVALS=1");
	in_private(&s, WORLD_ADMIN, "/get_secret stripe");
	in_private(&s, WORLD_ADMIN, "/get_secret stripe");
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, "#1 asks for it already"));
	assert_int_equal(world_deployment(&s.w, 2).id, 0);
	world_close(&s.w);
}

TEST(a_person_asks_three_times_a_minute)
{
	struct scene s;

	open_scene(&s, "RATE_LIMIT_REQUESTS=0");
	for (int i = 0; i < 4; i++) {
		in_private(&s, WORLD_ADMIN, "/get_secret stripe");
		world_text(&s.w, WORLD_ADMIN, "/cancel production");
		if (i < 3)
			world_vault(&s.w, EFFECT_VAULT_LEND,
			    &(struct vault_said){ .why = "permission denied" });
	}
	assert_non_null(world_says_in(
	    &s.w, WORLD_ADMIN, "🔐 stripe: you ask for secrets too often: 3 a minute"));
	assert_int_equal(world_deployment(&s.w, 4).id, 0);
	world_close(&s.w);
}

/* --- what becomes of it --- */

TEST(what_was_used_is_deleted_from_the_chat_and_goes_on)
{
	struct scene s;

	open_scene(&s, NULL);
	is_sent(&s);
	world_vault(&s.w, EFFECT_VAULT_LOOK, &THERE);
	assert_false(is_deleted(&s));
	world_vault(&s.w, EFFECT_VAULT_LOOK, &USED);
	assert_true(is_deleted(&s));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, "used "));
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	world_vault(&s.w, EFFECT_VAULT_REVOKE, &THERE);
	assert_non_null(world_says_in(
	    &s.w, WORLD_ADMIN, "production secret stripe\nℹ️ used 00:00; revoked by @ada\n"));
	world_close(&s.w);
}

/* No answer of Vault's revokes nothing. */
TEST(what_nobody_has_used_is_revoked_where_vault_says_so)
{
	for (int is_known = 0; is_known < 2; is_known++) {
		struct scene s;

		open_scene(&s, NULL);
		is_sent(&s);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 1);
			assert_false(is_deleted(&s));
			world_vault(&s.w, EFFECT_VAULT_LOOK,
			    is_known ? &THERE : &(struct vault_said){ .why = "sealed" });
		}
		assert_true(is_deleted(&s));
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), is_known);
		assert_non_null(world_says_in(&s.w, WORLD_ADMIN,
		    is_known ? "not used" : "Vault has not said whether it was used"));
		world_close(&s.w);
	}
}

/* Vault keeps it for 120 s from when it was made, however long Telegram took it. */
TEST(the_last_look_is_made_while_vault_still_knows)
{
	static const struct {
		int after_s, n_looks, first_s;
	} rows[] = { { 0, 5, 30 }, { 31, 4, 60 }, { 70, 3, 90 }, { 100, 2, 105 }, { 106, 1, 115 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;
		int64_t made;

		open_scene(&s, NULL);
		in_private(&s, WORLD_ADMIN, "/get_secret stripe");
		world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
		made = s.w.aid.at;
		s.w.aid.at += INT64_C(1000) * rows[i].after_s;
		world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
		for (int n = rows[i].n_looks; n > 0; n--) {
			int64_t due = world_peek(&s.w, EFFECT_VAULT_LOOK)->u.vault.not_before;

			if (n == rows[i].n_looks)
				assert_in_range(due - made, 1000 * rows[i].first_s - 500,
				    1000 * rows[i].first_s + 500);
			if (n == 1)
				assert_in_range(due - made, 114500, 115500);
			assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
			s.w.aid.at = due;
			world_vault(&s.w, EFFECT_VAULT_LOOK, &THERE);
		}
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
		world_close(&s.w);
	}
}

/* Vault says the same of what it keeps no longer as of what was used. */
TEST(what_vault_may_have_forgotten_is_not_said_to_be_used)
{
	static const struct {
		int64_t after_ms;
		bool is_used;
	} rows[] = { { 109000, true }, { 110500, false } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scene s;
		int64_t made;

		open_scene(&s, NULL);
		in_private(&s, WORLD_ADMIN, "/get_secret stripe");
		world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
		made = s.w.aid.at;
		world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
		s.w.aid.at = made + rows[i].after_ms;
		while (world_count(&s.w, EFFECT_VAULT_LOOK) == 1)
			world_vault(&s.w, EFFECT_VAULT_LOOK, &USED);
		assert_true(is_deleted(&s));
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
		assert_non_null(world_says_in(&s.w, WORLD_ADMIN,
		    rows[i].is_used ? "used " : "Vault has not said whether it was used"));
		world_close(&s.w);
	}
}

TEST(what_telegram_does_not_take_in_time_is_revoked_and_deleted_when_it_comes)
{
	struct scene s;

	open_scene(&s, NULL);
	in_private(&s, WORLD_ADMIN, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	world_due(&s.w, TIMER_LOAN);
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_non_null(
	    world_says_in(&s.w, WORLD_ADMIN, "Telegram did not take it within two minutes"));
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
	assert_true(is_deleted(&s));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
	world_close(&s.w);
}

TEST(what_could_not_be_sent_is_revoked)
{
	struct scene s;

	open_scene(&s, NULL);
	in_private(&s, WORLD_ADMIN, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &(struct vault_said){ .why = "bot was blocked" });
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_non_null(world_says_in(&s.w, WORLD_ADMIN, "bot was blocked"));
	world_close(&s.w);
}

/* It is on its way when its time is over, or somebody revokes it. */
TEST(what_is_sent_too_late_is_deleted_at_once)
{
	struct scene s;

	open_scene(&s, NULL);
	in_private(&s, WORLD_ADMIN, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	assert_int_equal(is(&s), DEPLOY_FAILED);
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
	assert_true(is_deleted(&s));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
	world_close(&s.w);
}

TEST(what_is_revoked_is_deleted_from_the_chat)
{
	struct scene s;

	open_scene(&s, NULL);
	is_sent(&s);
	(void)world_text(&s.w, WORLD_ADMIN, "/revoke 1");
	assert_true(is_deleted(&s));
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_vault(&s.w, EFFECT_VAULT_LOOK, &USED); /* of before */
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

/* Who may cancel nothing there, too; another person not. */
TEST(whoever_has_it_may_revoke_it_as_long_as_they_have_a_role)
{
	struct scene s = { 0 };

	world_open(
	    &s.w, SETTINGS, "ROLE_OPS_IDS=12", "ROLE_OPS_MAY=secret.stripe:production", NULL);
	in_private(&s, OPS, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
	world_settings(&s.w, SETTINGS, NULL); /* and they are looked at later */
	(void)world_press(
	    &s.w, OPS, OPS, world_button(world_says_in(&s.w, OPS, "✅ Lent"), "Revoke"));
	in_private(&s, OPS, "/revoke 1");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	world_close(&s.w);
}

TEST(whoever_has_it_may_revoke_it)
{
	struct scene s = { 0 };

	world_open(
	    &s.w, SETTINGS, "ROLE_OPS_IDS=12, 13", "ROLE_OPS_MAY=secret.stripe:production", NULL);
	in_private(&s, OPS, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	world_vault(&s.w, EFFECT_LEND_MESSAGE, &SENT);
	assert_non_null(world_button(world_says_in(&s.w, OPS, "✅ Lent"), "Revoke"));
	in_private(&s, 13, "/revoke 1");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	in_private(&s, OPS, "/revoke 1");
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	in_private(&s, OPS, "/revoke 1");
	assert_non_null(world_says_in(&s.w, OPS, "Vault has not said yet that it is"));
	world_close(&s.w);
}

TEST(a_grant_that_has_ended_sends_nothing)
{
	struct scene s = { 0 };

	world_open(&s.w, SETTINGS, OPS_MAY("secret.stripe:production"), NULL);
	in_private(&s, OPS, "/get_secret stripe");
	world_settings(
	    &s.w, SETTINGS, NULL); /* the event that says so comes behind Vault's answer */
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(world_count(&s.w, EFFECT_LEND_MESSAGE), 0);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

/* --- on the machine --- */

static int
on_the_machine(struct scene *s, uint32_t uid)
{
	return api_aid_ask(&s->w, uid, API_LOAN, "/v1/loan/1", NULL);
}

/* As whoever they are there; another person's is not there. */
TEST(a_person_on_the_machine_fetches_their_own)
{
	struct scene s = { 0 };

	world_open(&s.w, SETTINGS, ADA_IS, ADMIN_IS, TEAM, NULL);
	assert_int_equal(api_aid_ask(&s.w, ADA, API_SECRET, "/v1/secret/stripe", "{}"), 202);
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(world_count(&s.w, EFFECT_LEND_MESSAGE), 0);
	assert_int_equal(on_the_machine(&s, ADMIN), 404);
	assert_int_equal(on_the_machine(&s, ADA), 200);
	SAID(&s.w, "\"command\":\"kv get -mount=secret shop/stripe\"");
	SAID(&s.w, "\"vault\":\"https://vault.example.org\"");
	assert_int_equal(on_the_machine(&s, ADA), 410);
	world_close(&s.w);
}

TEST(what_is_sent_in_a_chat_is_not_fetched_on_the_machine)
{
	struct scene s = { 0 };

	world_open(&s.w, SETTINGS, ADA_IS, TEAM, NULL);
	in_private(&s, WORLD_ADMIN, "/get_secret stripe");
	world_vault(&s.w, EFFECT_VAULT_LEND, &MADE);
	assert_int_equal(on_the_machine(&s, ADA), 404);
	world_close(&s.w);
}
