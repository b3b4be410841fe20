/* Goal: our token is renewed before it ends, replaced where it cannot be, and looked at meanwhile.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_life.h"

#include "unit.h"

#define S(seconds) ((seconds)*INT64_C(1000))

static void
take(struct vault_life *life, enum vault_step step, int64_t ttl_s, int64_t now)
{
	vault_life_take(
	    life, step, &(struct vault_token){ .ttl_s = ttl_s, .is_renewable = true }, now);
}

TEST(a_login_is_looked_at_and_renewed_at_two_thirds_of_its_life)
{
	struct vault_life life = { .is_by_role = true };

	assert_int_equal(vault_life_next(&life, 0), VAULT_LOG_IN);
	take(&life, VAULT_LOG_IN, 3600, S(10));
	assert_int_equal(vault_life_next(&life, S(10)), VAULT_LOOK_UP);
	assert_false(life.is_confirmed);
	for (int64_t now = S(11); now < S(2409); now += VAULT_LIFE_LOOK_MS) {
		assert_int_equal(vault_life_next(&life, now), VAULT_LOOK_UP);
		take(&life, VAULT_LOOK_UP, 3610 - now / 1000, now);
		assert_in_range(vault_life_wait_ms(&life, now), 1, VAULT_LIFE_LOOK_MS);
	}
	assert_true(life.is_confirmed);
	assert_int_equal(life.renew_at, S(2410)); /* looks have not put it off */
	assert_int_equal(vault_life_wait_ms(&life, S(2400)), S(10));
	assert_int_equal(vault_life_next(&life, S(2410)), VAULT_RENEW);
	take(&life, VAULT_RENEW, 3600, S(2410));
	assert_int_equal(life.ends_at, S(6010));
	assert_int_equal(vault_life_next(&life, S(2411)), VAULT_LOOK_UP);
}

TEST(near_the_longest_life_that_vault_allows_a_login_takes_its_place)
{
	struct vault_life life = { .is_by_role = true };

	take(&life, VAULT_LOG_IN, 3600, 0);
	take(&life, VAULT_RENEW, 1801, S(2400));
	assert_int_equal(vault_life_next(&life, S(2400 + 1201)), VAULT_RENEW);
	take(&life, VAULT_RENEW, 1799, S(3601));
	assert_int_equal(vault_life_next(&life, S(3601 + 1200)), VAULT_LOG_IN);
	take(&life, VAULT_LOG_IN, 3600, S(4801));
	assert_false(life.is_spent);
	assert_int_equal(life.longest_ms, S(3600));
}

TEST(one_that_cannot_be_renewed_is_replaced_or_said_to_end)
{
	struct vault_life life = { .is_by_role = true };
	enum vault_step next = VAULT_LOOK_UP;
	const struct vault_token batch = { .ttl_s = 90 };

	vault_life_take(&life, VAULT_LOG_IN, &batch, 0);
	assert_int_equal(vault_life_wait_ms(&life, S(30)), S(30));
	assert_int_equal(vault_life_next(&life, S(60)), VAULT_LOG_IN);
	assert_false(vault_life_is_ending(&life));
	take(&life, VAULT_LOG_IN, 90, 0);
	assert_true(vault_life_refuse(&life, VAULT_RENEW, &next));
	assert_int_equal(next, VAULT_LOG_IN);
	life = (struct vault_life){ .is_by_role = false };
	take(&life, VAULT_LOOK_UP, 90, 0);
	assert_false(vault_life_is_ending(&life));
	assert_int_equal(vault_life_next(&life, S(60)), VAULT_RENEW);
	assert_true(vault_life_refuse(&life, VAULT_RENEW, &next));
	assert_int_equal(next, VAULT_LOOK_UP);
	assert_true(vault_life_is_ending(&life));
	assert_int_equal(vault_life_next(&life, S(61)), VAULT_LOOK_UP);
	assert_int_equal(vault_life_wait_ms(&life, S(61)), VAULT_LIFE_LOOK_MS);
}

TEST(one_that_does_not_end_is_looked_at)
{
	struct vault_life life = { .is_by_role = false };

	assert_int_equal(vault_life_next(&life, 0), VAULT_LOOK_UP);
	take(&life, VAULT_LOOK_UP, 0, 0);
	assert_int_equal(vault_life_next(&life, S(1000000)), VAULT_LOOK_UP);
	assert_int_equal(vault_life_wait_ms(&life, S(1000000)), VAULT_LIFE_LOOK_MS);
	assert_false(vault_life_is_ending(&life));
}

/* Else a policy that lacks the look would make a login each minute. */
TEST(only_a_token_that_was_good_before_is_replaced_when_it_is_refused)
{
	struct vault_life life = { .is_by_role = true };
	enum vault_step next = VAULT_RENEW;

	take(&life, VAULT_LOG_IN, 3600, 0);
	assert_false(vault_life_refuse(&life, VAULT_LOOK_UP, &next));
	assert_true(life.has_token);
	assert_int_equal(vault_life_next(&life, S(5)), VAULT_LOOK_UP);
	take(&life, VAULT_LOOK_UP, 3595, S(5));
	assert_true(vault_life_refuse(&life, VAULT_LOOK_UP, &next));
	assert_int_equal(next, VAULT_LOG_IN);
	assert_false(life.has_token);
	assert_false(vault_life_refuse(&life, VAULT_LOG_IN, &next));
	life = (struct vault_life){ .is_by_role = false };
	take(&life, VAULT_LOOK_UP, 3600, 0);
	assert_false(vault_life_refuse(&life, VAULT_LOOK_UP, &next));
	assert_false(life.has_token);
}

TEST(a_failure_is_followed_by_longer_and_longer_pauses)
{
	static const int64_t pauses_s[] = { 5, 10, 20, 40, 60, 60 };
	struct vault_life life = { .is_by_role = true };

	for (size_t i = 0; i < COUNT(pauses_s); i++) {
		vault_life_fail(&life, 0);
		assert_int_equal(vault_life_wait_ms(&life, 0), S(pauses_s[i]));
	}
	vault_life_fail(&life, 900);
	assert_int_equal(vault_life_wait_ms(&life, 0), S(900));
	take(&life, VAULT_LOG_IN, 3600, 0);
	assert_int_equal(life.pause_s, 900); /* until a look has taken it */
	take(&life, VAULT_LOOK_UP, 3600, 0);
	assert_int_equal(life.pause_s, 0);
}

TEST(what_has_ended_is_not_renewed)
{
	struct vault_life life = { .is_by_role = true };

	take(&life, VAULT_LOG_IN, 60, 0);
	assert_int_equal(vault_life_next(&life, S(59)), VAULT_RENEW);
	assert_int_equal(vault_life_next(&life, S(60)), VAULT_LOG_IN);
	take(&life, VAULT_LOG_IN, 1, 0);
	assert_int_equal(vault_life_wait_ms(&life, 0), 1000); /* and not all the time */
}
