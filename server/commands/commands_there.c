/* commands_there.c - of which commands the settings have nothing.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "types/loan.h"
#include "types/settings.h"

static const struct {
	const char *word;
	enum policy_action action;
} typed[] = {
#define COMMAND(word, action, ...) { #word, POLICY_##action },
#include "commands/commands.def"
};

static bool
is_lending(enum policy_action action)
{
	return action == POLICY_SECRET;
}

bool
commands_is_there(const struct settings *settings, const char *word)
{
	bool is_of_loans = strcmp(word, "revoke") == 0;

	for (size_t i = 0; i < COUNT(typed); i++)
		is_of_loans |= strcmp(typed[i].word, word) == 0 && is_lending(typed[i].action);
	if (is_of_loans)
		return loan_is_there(settings, "*", "*");
	if (strcmp(word, "agents") == 0)
		return settings->link.address != NULL;
	return strcmp(word, "console") != 0 || settings->console;
}
