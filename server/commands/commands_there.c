/* commands_there.c - of which commands the settings have nothing.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"
#include "types/loan.h"
#include "types/settings.h"

bool
commands_is_there(const struct settings *settings, const char *word, enum policy_action action)
{
	if (action == POLICY_SECRET || strcmp(word, "revoke") == 0)
		return loan_is_there(settings, "*", "*");
	if (strcmp(word, "agents") == 0)
		return settings->link.address != NULL;
	return strcmp(word, "console") != 0 || settings->console;
}
