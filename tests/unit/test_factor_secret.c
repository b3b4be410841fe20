/* Goal: a secret is of one person and one key; who lost it gets in by a recovery code or a reset.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "decide/factor/decide_factor.h"
#include "store/row_factor.h"
#include "store/store_inside.h"
#include "types/principal.h"

/* --- sealed --- */

static void
swap_secrets(struct tx *tx, UNUSED void *arg)
{
	(void)tx_run(tx,
	    "UPDATE factor SET sealed = (SELECT sealed FROM factor f WHERE f.person = $1)"
	    " WHERE person = $2",
	    DB_I64(bob.id), DB_I64(ada.id));
}

FACTOR_TEST(a_secret_that_was_moved_to_another_row_opens_nothing, "REQUIRE_OTP=deploy:*")
{
	world_act(w, swap_secrets, NULL);
	(void)world_text(w, ada.id, "/deploy staging");
	assert_non_null(world_says(w, "cannot be read now"));
	assert_int_equal(factor_begun(w), 0);
}

FACTOR_TEST(without_its_key_nothing_is_opened_and_the_server_starts, "REQUIRE_OTP=deploy:*")
{
	static const char *const lost[] = { FACTOR_OTHER_KEY, "no key\n" };

	for (size_t i = 0; i < COUNT(lost); i++) {
		factor_write_key(lost[i]);
		world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:*", NULL);
		(void)world_text(w, ada.id, "/deploy staging");
		assert_non_null(strstr(world_plain(world_last(w)), "cannot be read now"));
	}
	factor_write_key(FACTOR_OTHER_KEY FACTOR_KEY);
	world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:*", NULL);
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_begun(w), 1);
}

/* --- recovery codes, reset, rotation --- */

FACTOR_TEST(a_recovery_code_stands_for_a_code_once, "REQUIRE_OTP=deploy:*")
{
	world_act(w, factor_add_recovery, &ada);
	(void)world_text(w, ada.id, "/deploy staging");
	for (int n = 0; n < 4; n++)
		factor_type(w, &ada, factor_wrong(w, &ada));
	(void)world_text(w, ada.id, "/2fa recover " FACTOR_RECOVERY);
	assert_non_null(
	    world_says_in(w, WORLD_GROUP, "🔐 Not done: /2fa: it works in our private chat only"));
	(void)world_text_in(w, bob.id, bob.id, "/2fa recover " FACTOR_RECOVERY);
	assert_non_null(world_says_in(w, bob.id, "none of the recovery codes"));
	assert_int_equal(factor_begun(w), 0);
	(void)world_text_in(w, ada.id, ada.id, "/2fa recover gayt emzu gu3d oobz");
	assert_int_equal(factor_begun(w), 1);
	assert_int_equal(factor_failures(w), 0);
	assert_non_null(world_says_in(w, bob.id, "Recovery code used"));
	(void)world_text(w, ada.id, "/deploy staging");
	(void)world_text_in(w, ada.id, ada.id, "/2fa recover " FACTOR_RECOVERY);
	assert_non_null(world_says_in(w, ada.id, "or it was used already"));
	assert_int_equal(factor_begun(w), 1);
	assert_int_equal(world_audited(w, FACTOR_RECOVERY, NULL), 0);
}

FACTOR_TEST(an_admin_resets_with_a_code_of_their_own, "REQUIRE_OTP=deploy:*")
{
	(void)world_text_in(w, WORLD_STAGING_USER, WORLD_STAGING_USER, "/2fa reset 11");
	assert_non_null(world_says_in(w, WORLD_STAGING_USER, "⛔"));
	(void)world_text_in(w, bob.id, bob.id, "/2fa reset 11");
	assert_null(world_says(w, "second factor reset"));
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_non_null(world_says_in(w, ada.id, "second factor reset"));
	w->aid.at +=
	    9 * MINUTE_MS; /* of the admins only she and bob are there: nobody else can object */
	(void)world_text_in(w, ada.id, ada.id, "/2fa");
	assert_non_null(world_says_in(w, ada.id, "You have a second factor"));
	w->aid.at += MINUTE_MS;
	(void)world_text_in(w, ada.id, ada.id, "/2fa");
	assert_non_null(world_says_in(w, ada.id, "You have no second factor. Root"));
}

static void
reset_it(struct tx *tx, void *arg)
{
	struct update root = { .person = principal_of_row(PRINCIPAL_USER, 1), .name = "root" };

	(void)arg;
	decide_factor_reset(tx, &root, ada.id);
	assert_int_equal(decide_factor_of(tx, ada.id).person, ada.id); /* not sent yet */
}

static void
reset_bob(struct tx *tx, void *arg)
{
	struct update root = { .person = principal_of_row(PRINCIPAL_USER, 1), .name = "root" };

	(void)arg;
	decide_factor_reset(tx, &root, bob.id);
}

/* Whoever had it may have given them. */
FACTOR_TEST_BARE(an_approval_needs_a_code_and_a_reset_takes_it_back)
{
	struct world_message *question;

	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=approve:production",
	    "PRODUCTION_APPROVALS=2", "ROLE_LEAD_IDS=22,44",
	    "ROLE_LEAD_MAY=approve:production,status", NULL);
	world_act(w, factor_enrol, &bob);
	(void)world_text(w, ada.id, "/deploy production");
	world_git(w, (struct world_git){ .commit = COMMIT_A });
	question = world_says(w, "Deploy to production");
	(void)world_press(w, ada.id, WORLD_GROUP, world_button(question, "Deploy to"));
	world_git_same(w);
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 2"));
	question = world_says_in(w, WORLD_TEAM, "approved 0 of 2");
	(void)world_press(w, bob.id, WORLD_TEAM, world_button(question, "Approve"));
	assert_null(world_says_in(w, WORLD_TEAM, "approved 1 of 2"));
	factor_type(w, &bob, factor_code(w, &bob, 0));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 1 of 2"));
	world_act(w, reset_bob, NULL);
	assert_null(world_says_in(w, WORLD_TEAM, "approved 1 of 2"));
	assert_non_null(world_says_in(w, WORLD_TEAM, "approved 0 of 2"));
	assert_int_equal(world_audited(w, "their second factor was reset", NULL), 1);
}

static void
read_later(struct tx *tx, UNUSED void *arg)
{
	assert_int_equal(decide_factor_of(tx, ada.id).person, 0);
}

FACTOR_TEST(a_reset_waits_until_it_was_told, "REQUIRE_OTP=deploy:*")
{
	world_act(w, reset_it, NULL);
	world_act(w, read_later, NULL);
}

static void
read_reseal(struct tx *tx, void *arg)
{
	*(int64_t *)arg = row_factor_reseal(tx);
}

FACTOR_TEST(the_first_key_seals_what_the_second_had, "REQUIRE_OTP=deploy:*")
{
	int64_t unreadable = -1;
	CLEANUP(db_closep) struct db *db = db_open(w->aid.path, DB_READ_ONLY, NULL);

	factor_write_key(FACTOR_OTHER_KEY FACTOR_KEY);
	world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:*", NULL);
	assert_int_equal(row_factor_look(db, w->aid.settings->totp_keys, &unreadable), 2);
	assert_int_equal(unreadable, 0);
	world_act(w, read_reseal, &unreadable);
	assert_int_equal(unreadable, 0);
	factor_write_key(FACTOR_OTHER_KEY);
	world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:*", NULL);
	world_act(w, read_reseal, &unreadable);
	assert_int_equal(unreadable, 0);
	(void)world_text(w, ada.id, "/deploy staging");
	factor_type(w, &ada, factor_code(w, &ada, 0));
	assert_int_equal(factor_begun(w), 1);
	factor_write_key(FACTOR_KEY);
	world_settings(w, factor_key_setting, "REQUIRE_OTP=deploy:*", NULL);
	assert_int_equal(row_factor_look(db, w->aid.settings->totp_keys, &unreadable), 2);
	assert_int_equal(unreadable, 2);
}
