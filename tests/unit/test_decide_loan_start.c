/* Goal: what was lent is known behind a start, and over when Vault says so and not by our clock.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "decide/work/decide_loan.h"

#include "loan_aid.h"

#define MINUTE	   INT64_C(60000)
#define DB_MIGRATE "/v1/secret/db-migrate"

static void
open_scene(struct scene *s)
{
	*s = (struct scene){ .job = JOB_OF_SHOP };
	world_open(&s->w, "ENABLE_API_SERVER=true", "PUBLIC_URL=https://bot.example.org",
	    "GITHUB_REPOSITORY=octo/shop", "VAULT_ADDR=https://vault.example.org",
	    "VAULT_TOKEN=hvs.0123456789abcdef0123",
	    "WORKFLOW_SHOP_IS=github 456789 deploy.yml@refs/heads/main",
	    "WORKFLOW_SHOP_MAY=secret.db-migrate:production",
	    "SECRET_DB_MIGRATE_PATH=creds database migrate", "SECRET_DB_MIGRATE_FOR=production",
	    "SECRET_DB_MIGRATE_TTL=10m", NULL);
}

static void
is_lent(struct scene *s)
{
	assert_int_equal(wants(s, DB_MIGRATE), 202);
	vault_says(s, EFFECT_VAULT_LEND, &MADE);
	assert_true(looks(s).is_lent);
}

/* --- a clock that jumps --- */

TEST(what_is_over_by_our_clock_is_revoked_once_and_over_when_vault_says_so)
{
	struct scene s;

	open_scene(&s);
	is_lent(&s);
	s.w.aid.at += 600 * MINUTE;
	world_due(&s.w, TIMER_LOAN);
	assert_string_equal(world_peek(&s.w, EFFECT_VAULT_REVOKE)->u.vault.accessor, ACCESSOR);
	assert_null(world_peek(&s.w, EFFECT_DELETE_MESSAGE));
	for (int i = 0; i < 3; i++) { /* ahead and back, and a start at each */
		s.w.aid.at += (i % 2 == 0 ? -600 : 600) * MINUTE;
		world_restart(&s.w);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	}
	assert_int_equal(gives_back(&s), 202); /* its job has not ended meanwhile */
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", NULL), 0);
	vault_says(&s, EFFECT_VAULT_REVOKE, &ENDED);
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", "\"revoked\""), 1);
	world_restart(&s.w);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
	assert_int_equal(world_audited(&s.w, "\"secret_revoked\"", NULL), 1);
	world_close(&s.w);
}

/* However far it is set back or ahead. */
TEST(what_vault_never_says_is_revoked_is_tried_for_as_long_as_it_lives)
{
	static const int64_t jumps[] = { 0, 600 * MINUTE, -600 * MINUTE };
	static const int tries[] = { 64, 14, 64 };

	for (size_t i = 0; i < COUNT(jumps); i++) {
		struct scene s;
		int n = 0;

		open_scene(&s);
		is_lent(&s);
		assert_int_equal(gives_back(&s), 202);
		s.w.aid.at += jumps[i];
		for (; world_count(&s.w, EFFECT_VAULT_REVOKE) > 0; n++)
			vault_says(
			    &s, EFFECT_VAULT_REVOKE, &(struct vault_said){ .why = "sealed" });
		assert_int_equal(n, tries[i]);
		world_close(&s.w);
	}
}

/* --- a start, in each state --- */

TEST(what_vault_was_making_at_a_start_is_lost_and_may_be_asked_for_again)
{
	struct scene s;

	open_scene(&s);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	world_restart(&s.w);
	assert_int_equal(is(&s), DEPLOY_RUNNING); /* the loop says so of what it finds open */
	vault_says(&s, EFFECT_VAULT_LEND,
	    &(struct vault_said){
		.is_unsure = true, .why = "deploybot was restarted while Vault made it" });
	assert_int_equal(is(&s), DEPLOY_FAILED);
	assert_int_equal(world_audited(&s.w, "\"secret_lost\"", NULL), 1);
	assert_int_equal(looks(&s).status, 410);
	assert_int_equal(wants(&s, DB_MIGRATE), 202);
	world_close(&s.w);
}

/* With what it looks by gone, too: that is said, and it is revoked when its time is over. */
TEST(what_was_given_before_a_start_is_looked_at_behind_it_and_revoked_in_time)
{
	struct scene s;

	open_scene(&s);
	is_lent(&s);
	for (int look = 0; look < 5; look++) {
		world_restart(&s.w);
		assert_int_equal(is(&s), DEPLOY_DONE);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 0);
		assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 1);
		vault_says(
		    &s, EFFECT_VAULT_LOOK, &(struct vault_said){ .why = "nothing is kept of it" });
	}
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_LOOK), 0);
	assert_non_null(world_says(&s.w, "Vault has not said whether it was used"));
	world_restart(&s.w);
	world_due(&s.w, TIMER_LOAN);
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}

/* The clock goes on where it is ahead of what Vault keeps. */
TEST(what_vault_says_behind_a_start_that_nobody_has_used_is_revoked)
{
	struct scene s;

	open_scene(&s);
	is_lent(&s);
	s.w.aid.at += 2 * MINUTE;
	world_restart(&s.w);
	vault_says(&s, EFFECT_VAULT_LOOK, &(struct vault_said){ .is_done = true });
	vault_says(&s, EFFECT_VAULT_LOOK, &(struct vault_said){ .is_done = true });
	assert_int_equal(world_count(&s.w, EFFECT_VAULT_REVOKE), 1);
	world_close(&s.w);
}
