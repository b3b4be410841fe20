/* policy_action.c - what somebody may want to do: the words of grants.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/policy_action.h"

#include "lib/text.h"

const struct policy_action_row policy_action_rows[POLICY_ACTION_COUNT] = {
#define ACTION(name, word, who, help) [POLICY_##name] = { word, POLICY_BY_##who, help },
	POLICY_ACTIONS(ACTION)
#undef ACTION
};

bool
policy_action_is_grantable(enum policy_action action)
{
	return policy_action_rows[action].who == POLICY_BY_GRANT ||
	    policy_action_rows[action].who == POLICY_BY_LATER;
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
