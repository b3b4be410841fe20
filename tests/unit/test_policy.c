/* Goal: every role may do what the table says, and nothing else.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "policy/policy.h"
#include "settings/settings_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* As the issue has it, written down a second time: S stranger, s staging user, A admin. */
static const struct {
	enum policy_action action;
	const char *staging; /* who may in staging */
	const char *elsewhere;
} may[POLICY_ACTION_COUNT] = {
	{ POLICY_GREET, "SsA", "SsA" },
	{ POLICY_STATUS, "sA", "sA" },
	{ POLICY_HISTORY, "sA", "sA" },
	{ POLICY_DEPLOY, "sA", "A" },
	{ POLICY_CANCEL, "sA", "A" },
	{ POLICY_LOG, "sA", "A" },
	{ POLICY_ROLLBACK, "A", "A" },
	{ POLICY_LOOKED, "A", "A" },
};

static void
check(enum policy_role role, enum policy_action action, const char *environment, const char *who)
{
	static const char letter[] = {
		[POLICY_STRANGER] = 'S', [POLICY_STAGING] = 's', [POLICY_ADMIN] = 'A'
	};
	struct policy_decision decision = policy_decide(role, action, environment);

	if (decision.is_allowed != (strchr(who, letter[role]) != NULL))
		fail_msg("%s, %s in \"%s\": %d", policy_role_word(role), policy_action_word(action),
		    environment, decision.is_allowed);
	assert_string_equal(decision.reason,
	    decision.is_allowed		? "" :
		role == POLICY_STRANGER ? "you have no role here" :
					  "only an admin may");
}

static void
every_role_may_what_the_table_says(void **state)
{
	static const char *const elsewhere[] = { "production", "", "Staging", "staging2",
		"stagin" };

	(void)state;
	for (int role = POLICY_STRANGER; role <= POLICY_ADMIN; role++) {
		for (size_t i = 0; i < COUNT(may); i++) {
			assert_int_equal(may[i].action, i);
			check((enum policy_role)role, may[i].action, "staging", may[i].staging);
			for (size_t e = 0; e < COUNT(elsewhere); e++)
				check((enum policy_role)role, may[i].action, elsewhere[e],
				    may[i].elsewhere);
		}
	}
}

static void
a_role_is_what_the_settings_at_hand_say(void **state)
{
	char *before[] = { "TELEGRAM_BOT_TOKEN=123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789",
		"ADMIN_TELEGRAM_IDS=11,22", "STAGING_TELEGRAM_IDS=22,33",
		"GITHUB_REPOSITORY=acme/shop", NULL };
	char *after[] = { before[0], "ADMIN_TELEGRAM_IDS=33", before[3], NULL };
	struct settings_report report = { 0 };
	struct settings *settings;

	(void)state;
	if (!settings_load(NULL, before, &settings, &report))
		fail_msg("%s", report.lines[0].text);
	assert_int_equal(policy_role(settings, 11), POLICY_ADMIN);
	assert_int_equal(policy_role(settings, 22), POLICY_ADMIN); /* the higher of two */
	assert_int_equal(policy_role(settings, 33), POLICY_STAGING);
	assert_int_equal(policy_role(settings, 44), POLICY_STRANGER);
	assert_int_equal(policy_role(settings, 0), POLICY_STRANGER); /* nobody is known */
	settings_unref(settings);

	assert_true(settings_load(NULL, after, &settings, &report));
	assert_int_equal(policy_role(settings, 11), POLICY_STRANGER);
	assert_int_equal(policy_role(settings, 33), POLICY_ADMIN);
	settings_unref(settings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_role_may_what_the_table_says),
		cmocka_unit_test(a_role_is_what_the_settings_at_hand_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
