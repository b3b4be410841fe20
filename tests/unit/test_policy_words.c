/* Goal: what is said of roles names what people have, and which line decides.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy_aid.h"

TEST(all_roles_of_a_person_are_named_as_far_as_there_is_room)
{
	char words[40], few[6];
	struct settings *s;

	policy_aid_open();
	policy_aid_write(
	    &policy_aid, "apps/shop.env", OWN("shop") "ROLE_QA_IDS=50\nROLE_QA_MAY=log:staging\n");
	s = policy_aid_good("ROLE_EARLY_IDS=50\nROLE_EARLY_MAY=log:*/*\n"
			    "ROLE_LATE_IDS=50\nROLE_LATE_MAY=status:*/*\n");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(50), NOW, words, sizeof(words)),
	    "early, late, shop: qa");
	assert_string_equal(
	    policy_roles_text(s, principal_of_person(50), NOW, few, sizeof(few)), "early");
	policy_aid_close(s);
}

TEST(the_line_that_decides_is_named)
{
	struct policy_decision decision;
	char line[POLICY_LINE];
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env",
	    OWN("shop") "ROLE_QA_IDS=\"50 until 2027-01-31\"\n"
			"ROLE_QA_MAY=\"deploy:staging, log\"\n");
	s = policy_aid_good("STAGING_TELEGRAM_IDS=33\n");
	decision = policy_decide(s, principal_of_person(50), POLICY_LOG, "shop/staging", NOW);
	assert_string_equal(policy_line(s, &decision, line),
	    "qa (ROLE_QA_MAY of shop: log:shop/staging, until 2027-01-31)");
	decision = policy_decide(s, principal_of_person(33), POLICY_STATUS, "blog/production", NOW);
	assert_string_equal(
	    policy_line(s, &decision, line), "staging (STAGING_TELEGRAM_IDS: status:*/*)");
	decision = policy_decide(s, principal_of_person(99), POLICY_STATUS, "shop/staging", NOW);
	assert_string_equal(policy_line(s, &decision, line), "no role");
	policy_aid_close(s);
}

/* No hook and nobody who has left can be asked. */
TEST(who_may_is_the_first_three_roles_with_somebody_in_them)
{
	static const struct {
		const char *roles;
		const char *says;
	} cases[] = {
		{ "", "" },
		{ "ROLE_A_IDS=50\nROLE_A_MAY=deploy:shop/staging\n", "a" },
		{ "ROLE_A_IDS=\"50 until 2020-01-01\"\nROLE_A_MAY=deploy:shop/staging\n", "" },
		{ "ROLE_A_IDS=50\nROLE_A_MAY=deploy:shop/staging\n"
		  "ROLE_B_IDS=51\nROLE_B_MAY=rollback:shop/staging\n"
		  "ROLE_C_IDS=52\nROLE_C_MAY=deploy:*/*\n",
		    "a or c" },
		{ "ROLE_A_IDS=50\nROLE_A_MAY=deploy:*/*\nROLE_B_IDS=51\nROLE_B_MAY=deploy:*/*\n"
		  "ROLE_C_IDS=52\nROLE_C_MAY=deploy:*/*\nROLE_D_IDS=53\nROLE_D_MAY=deploy:*/*\n",
		    "a, b or c" },
	};
	char out[POLICY_LINE];
	struct settings *s;

	policy_aid_open();
	policy_aid_write(&policy_aid, "apps/shop.env",
	    OWN("shop") "HOOK_BUILD_STARTS=deploy:staging ref=$.ref\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		s = policy_aid_good(cases[i].roles);
		assert_string_equal(
		    policy_who_may(s, POLICY_DEPLOY, "", "shop/staging", NOW, out), cases[i].says);
		settings_unref(s);
	}
	policy_aid_close(NULL);
}

TEST(what_is_lent_is_named_behind_ones_own_roles)
{
	struct principal who = principal_of_person(50), token = { .kind = PRINCIPAL_TOKEN };
	char words[40], few[18];
	struct settings *s;

	policy_aid_open();
	s = policy_aid_good("ROLE_QA_IDS=50\nROLE_QA_MAY=log:*/*\n"
			    "ROLE_OPS_IDS=60\nROLE_OPS_MAY=deploy:*/*\n");
	who.lent = token.lent = roles_find(s->roles, "", "ops");
	assert_string_equal(
	    policy_roles_text(s, who, NOW, words, sizeof(words)), "qa, logged in as ops");
	assert_string_equal(policy_roles_text(s, token, NOW, words, sizeof(words)), "ops");
	assert_string_equal(policy_roles_text(s, who, NOW, few, sizeof(few)), "qa");
	policy_aid_close(s);
}
