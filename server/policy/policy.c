/* policy.c - the table of roles and actions.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "policy/policy.h"

struct policy_row {
	const char *word;
	enum policy_role staging;
	enum policy_role elsewhere;
};

static const struct policy_row rows[] = {
#define A(name, word, staging, elsewhere) { word, POLICY_##staging, POLICY_##elsewhere },
	POLICY_ACTIONS(A)
#undef A
};

enum policy_role
policy_role(const struct settings *settings, int64_t person)
{
	if (settings_is_admin(settings, person))
		return POLICY_ADMIN;
	if (settings_is_staging_user(settings, person))
		return POLICY_STAGING;
	return POLICY_STRANGER;
}

struct policy_decision
policy_decide(enum policy_role role, enum policy_action action, const char *environment)
{
	enum policy_role needed;

	assert((size_t)action < COUNT(rows));
	needed =
	    strcmp(environment, "staging") == 0 ? rows[action].staging : rows[action].elsewhere;
	if (role >= needed)
		return (struct policy_decision){ .is_allowed = true, .reason = "" };
	if (role == POLICY_STRANGER)
		return (struct policy_decision){ .reason = "you have no role here" };
	return (struct policy_decision){ .reason = "only an admin may" };
}

const char *
policy_role_word(enum policy_role role)
{
	static const char *const words[] = { "nobody", "staging", "admin" };

	assert((size_t)role < COUNT(words));
	return words[role];
}

const char *
policy_action_word(enum policy_action action)
{
	assert((size_t)action < COUNT(rows));
	return rows[action].word;
}
