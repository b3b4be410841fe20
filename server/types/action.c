/* action.c - what may be done to a target beside a deployment: the compiled table.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/action.h"

#include "lib/setting.h"
#include "lib/text.h"

const struct action action_table[ACTION_COUNT] = {
#define ACTION( \
    name, what, grant, executor, target, argument, risk, asks, approvals, deadline, stop, help) \
	[ACTION_##what] = { name, POLICY_##grant, ACTION_BY_##executor, ACTION_ON_##target, \
		ACTION_TAKES_##argument, ACTION_RISK_##risk, ACTION_ASKS_##asks, approvals, \
		deadline, ACTION_##stop, help },
#include "types/action.def"
};

const struct action *
action_row_of(const char *name)
{
	for (size_t i = 0; i < ACTION_COUNT; i++)
		if (strcmp(action_table[i].name, name) == 0)
			return &action_table[i];
	return NULL;
}

const struct action *
action_find(const char *name)
{
	const struct action *action = action_row_of(name);

	return action != NULL && action->grant == POLICY_DO ? action : NULL;
}

uint32_t
action_bit(const struct action *action)
{
	return ACTION_BIT(action - action_table);
}

uint32_t
action_set(const char *list)
{
	char name[ACTION_NAME];
	uint32_t set = 0;

	while (list != NULL && setting_next(&list, name, sizeof(name))) {
		const struct action *action = action_find(name);

		set |= action != NULL ? action_bit(action) : 0;
	}
	return set;
}

uint32_t
action_set_by(enum action_executor executor)
{
	uint32_t set = 0;

	for (size_t i = 0; i < ACTION_COUNT; i++)
		set |= action_table[i].executor == executor ? ACTION_BIT(i) : 0;
	return set;
}

bool
action_restores(const struct action *action)
{
	return action == &action_table[ACTION_CF_NORMAL];
}

bool
action_fits_line(const struct action *action)
{
	return action->target == ACTION_ON_CLIENT && action->argument != ACTION_TAKES_WORD &&
	    action->argument != ACTION_TAKES_PLAYBOOK;
}

const char *
action_nearest(const char *name)
{
	const char *names[ACTION_COUNT];
	size_t n = 0;

	for (size_t i = 0; i < ACTION_COUNT; i++)
		if (action_table[i].grant == POLICY_DO)
			names[n++] = action_table[i].name;
	return text_nearest(name, names, n);
}
