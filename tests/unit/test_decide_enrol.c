/* Goal: on the machine a second factor is recovered with its own codes, by who may.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "factor_aid.h"

#include "decide/decide_factor.h"

#define LEAD 44

static void
open_here(struct world *w)
{
	factor_write_key(FACTOR_KEY);
	world_open(w, factor_key_setting, "REQUIRE_OTP=deploy:*", "ROLE_LEAD_IDS=44",
	    "ROLE_LEAD_MAY=2fa:*/*,status", NULL);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &bob);
	world_act(w, factor_add_recovery, &bob);
}

static void
let_bob_wait(struct tx *tx, void *arg)
{
	struct factor factor = row_factor_get(tx, bob.id);

	(void)arg;
	factor.failures = 20;
	factor.locked_until = tx->at + 60 * MINUTE_MS;
	row_factor_save(tx, &factor);
}

static void
recover(struct tx *tx, void *arg)
{
	char why[LIMIT_LINE];

	(void)arg;
	assert_false(decide_factor_is_ready(tx, bob.id, why));
	/* Who may not, with the code; who may, with another. */
	assert_int_equal(
	    factor_ask(tx, WORLD_STAGING_USER, "recover", bob.id, FACTOR_RECOVERY), 403);
	assert_int_equal(factor_ask(tx, ada.id, "recover", ada.id, FACTOR_RECOVERY), 409);
	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, "AAAA-AAAA-AAAA-AAAA"), 409);
	assert_string_equal(factor_said,
	    "not accepted: that is none of the recovery codes, or it was used already");
	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, ""), 409);
	assert_int_equal(
	    factor_ask(tx, ada.id, "recover", WORLD_STAGING_USER, FACTOR_RECOVERY), 409);
	assert_false(decide_factor_is_ready(tx, bob.id, why));

	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, "gayt emzu gu3d oobz"), 200);
	assert_true(decide_factor_is_ready(tx, bob.id, why));
	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, FACTOR_RECOVERY), 409);
}

static void
a_recovery_code_ends_a_wait_once_and_all_are_told(void **state)
{
	struct world w;

	(void)state;
	open_here(&w);
	world_act(&w, let_bob_wait, NULL);
	world_act(&w, recover, NULL);
	assert_non_null(world_says_in(&w, ada.id, "Recovery code used"));
	assert_non_null(world_says_in(&w, bob.id, "Recovery code used"));
	assert_int_equal(world_audited(&w, "factor_recovered", "\"person\":\"22\""), 1);
	assert_int_equal(world_audited(&w, "GAYT", NULL), 0);
	factor_close(&w);
}

static void
recover_closed(struct tx *tx, void *arg)
{
	struct factor factor = row_factor_get(tx, bob.id);

	(void)arg;
	factor.failures = 50;
	row_factor_save(tx, &factor);
	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, FACTOR_RECOVERY), 409);
	assert_string_equal(factor_said,
	    "not accepted: this second factor is closed after 50 wrong codes, until it is reset");
	factor.failures = 49;
	row_factor_save(tx, &factor);
	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, FACTOR_RECOVERY), 200);
}

static void
what_is_closed_only_a_reset_ends(void **state)
{
	struct world w;

	(void)state;
	open_here(&w);
	world_act(&w, recover_closed, NULL);
	factor_close(&w);
}

static void
recover_own(struct tx *tx, void *arg)
{
	struct person cy = { .id = WORLD_STAGING_USER };

	(void)arg;
	factor_enrol(tx, &cy);
	factor_add_recovery(tx, &cy);
	assert_int_equal(factor_ask(tx, cy.id, "recover", cy.id, FACTOR_RECOVERY), 200);
	assert_int_equal(factor_ask(tx, cy.id, "reset", cy.id, ""), 403);
}

static void
ones_own_needs_no_grant(void **state)
{
	struct world w;

	(void)state;
	open_here(&w);
	world_act(&w, recover_own, NULL);
	factor_close(&w);
}

static void
make_codes(struct tx *tx, void *arg)
{
	(void)arg;
	assert_int_equal(factor_ask(tx, WORLD_STAGING_USER, "codes", ada.id, ""), 403);
	assert_int_equal(factor_ask(tx, bob.id, "codes", WORLD_STAGING_USER, ""), 409);
	assert_int_equal(row_factor_count_recovery(tx, bob.id), 1);
	assert_int_equal(factor_ask(tx, ada.id, "codes", bob.id, ""), 200);
	assert_int_equal(row_factor_count_recovery(tx, bob.id), 10);
	assert_int_equal(factor_ask(tx, ada.id, "recover", bob.id, FACTOR_RECOVERY), 409);
}

/* Who was confirmed by a button had none, and no way to any. */
static void
recovery_codes_are_made_on_the_server_for_who_has_none(void **state)
{
	struct world w;

	(void)state;
	open_here(&w);
	world_act(&w, make_codes, NULL);
	assert_non_null(world_says_in(&w, bob.id, "🔐 telegram:22: ten new recovery codes"));
	assert_non_null(world_says_in(&w, ada.id, "🔐 telegram:22: ten new recovery codes"));
	assert_int_equal(world_audited(&w, "factor_codes", "\"person\":\"22\""), 1);
	factor_close(&w);
}

/* Who has the grant and is no admin was answered nothing. */
static void
who_resets_one_in_the_chat_is_answered(void **state)
{
	struct person lead = { .id = LEAD };
	struct world w;

	(void)state;
	open_here(&w);
	(void)world_text_in(&w, LEAD, LEAD, "/2fa reset 22");
	assert_non_null(world_says_in(&w, LEAD, "you have no second factor"));
	world_act(&w, factor_enrol, &lead);
	(void)world_text_in(&w, LEAD, LEAD, "/2fa reset 22");
	factor_type(&w, &lead, factor_code(&w, &lead, 0));
	assert_non_null(world_says_in(&w, LEAD,
	    "🔐 Done: the second factor of telegram:22 ends within 10 minutes. They and all admins are notified."));
	assert_non_null(world_says_in(&w, bob.id, "second factor reset"));
	factor_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recovery_code_ends_a_wait_once_and_all_are_told),
		cmocka_unit_test(what_is_closed_only_a_reset_ends),
		cmocka_unit_test(ones_own_needs_no_grant),
		cmocka_unit_test(recovery_codes_are_made_on_the_server_for_who_has_none),
		cmocka_unit_test(who_resets_one_in_the_chat_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
