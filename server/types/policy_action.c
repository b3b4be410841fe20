/* policy_action.c - what somebody may want to do: the words of grants.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/policy_action.h"

#include "lib/text.h"

const struct policy_action_row policy_action_rows[POLICY_ACTION_COUNT] = {
#define ACTION(name, word, who, scope, help) \
	[POLICY_##name] = { word, POLICY_BY_##who, POLICY_ON_##scope, help },
	POLICY_ACTIONS(ACTION)
#undef ACTION
};

uint32_t
policy_action_of_server(uint32_t set)
{
	uint32_t of_server = 0;

	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_rows[i].scope == POLICY_ON_SERVER)
			of_server |= POLICY_ACTION_BIT(i);
	return set & of_server;
}

const char *
policy_action_thing(enum policy_action action)
{
	return action == POLICY_TOKEN ? "a token" :
	    action == POLICY_TWO_FA   ? "another person's second factor" :
					"what concerns all applications";
}

bool
policy_action_is_grantable(enum policy_action action)
{
	return policy_action_rows[action].who == POLICY_BY_GRANT;
}

uint32_t
policy_action_set(const char *word)
{
	if (strcmp(word, "*") == 0)
		return UINT32_MAX;
	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_is_grantable((enum policy_action)i) &&
		    strcmp(policy_action_rows[i].word, word) == 0)
			return POLICY_ACTION_BIT(i);
	return 0;
}

const char *
policy_action_nearest(const char *word)
{
	const char *words[POLICY_ACTION_COUNT];
	size_t n = 0;

	for (size_t i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_is_grantable((enum policy_action)i))
			words[n++] = policy_action_rows[i].word;
	return text_nearest(word, words, n);
}
