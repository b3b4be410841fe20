/* commands.c - finds the command and hands it on.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "commands/commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "decide/decide_reply.h"
#include "lib/text.h"
#include "store/row_rate_limit.h"

/* A person's commands: a burst, then one in a while.  Enough for hands, not for a script. */
#define COMMAND_BURST	 20
#define COMMAND_EVERY_MS 2000
#define HINT_EVERY_MS	 (60 * INT64_C(1000))

static const struct command table[] = {
#define COMMAND(word, most, action, usage, help) \
	{ #word, most, POLICY_##action, usage, help, command_##word },
#include "commands/commands.def"
#undef COMMAND
};

size_t
commands_count(void)
{
	return COUNT(table);
}

const struct command *
commands_get(size_t i)
{
	assert(i < COUNT(table));
	return &table[i];
}

static const struct command *
find(const char *word)
{
	for (size_t i = 0; i < COUNT(table); i++)
		if (strcmp(table[i].word, word) == 0)
			return &table[i];
	return NULL;
}

/* Answered once a minute, the rest in silence; a stranger gets denials alone, each audited. */
static bool
is_too_fast(struct tx *tx, const struct update *update, const char *word)
{
	bool is_stranger = policy_role(tx->settings, update->person) == POLICY_STRANGER;
	char who[64];

	if (is_stranger && !update->is_private)
		return false;
	(void)snprintf(who, sizeof(who), "commands:%" PRId64, update->person);
	if (row_rate_limit_take(tx, who, COMMAND_BURST, COMMAND_EVERY_MS))
		return false;
	if (is_stranger)
		decide_audit_denied(tx, update, word, "", "too many commands");
	(void)snprintf(who, sizeof(who), "slower:%" PRId64, update->person);
	if (row_rate_limit_take(tx, who, 1, HINT_EVERY_MS))
		(void)decide_sendf(tx, &update->address, "🐢 Too many commands: wait a moment.");
	return true;
}

static void
hint_unknown(struct tx *tx, const struct update *update, const char *word)
{
	const char *names[COUNT(table)];
	const char *near;

	if (!decide_may(tx, update, POLICY_STATUS, ""))
		return;
	for (size_t i = 0; i < COUNT(table); i++)
		names[i] = table[i].word;
	near = text_nearest(word, names, COUNT(table));
	if (near != NULL)
		(void)decide_sendf(
		    tx, &update->address, "I don't know /%s. Did you mean /%s?", word, near);
	else
		(void)decide_sendf(
		    tx, &update->address, "I don't know /%s. /help lists what you may do.", word);
}

/* What is counted of it: a typo is no denial. */
static const char *
outcome_of(struct tx *tx, const struct update *update, const struct command *command,
    const char *environment)
{
	enum policy_role role = policy_role(tx->settings, update->person);

	if (policy_decide(role, command->action, environment).is_allowed)
		return "taken";
	return role != POLICY_STRANGER && environment[0] != '\0' &&
		settings_environment(tx->settings, environment) == NULL ?
	    "refused" :
	    "denied";
}

void
commands_handle(struct tx *tx, const struct update *update)
{
	struct chat_command typed;
	const struct command *command;

	if (!chat_command_parse(update->text, &typed) || is_too_fast(tx, update, typed.word))
		return;
	command = find(typed.word);
	if (command == NULL) {
		tx_count_metric(tx, INCREMENT_COMMAND, "unknown", "refused", "", 0);
		hint_unknown(tx, update, typed.word);
		return;
	}
	if (typed.is_too_long || typed.n_arguments > command->most_arguments) {
		tx_count_metric(tx, INCREMENT_COMMAND, command->word, "refused", "", 0);
		if (decide_may(tx, update, command->action, "staging"))
			(void)decide_sendf(tx, &update->address,
			    "Too much behind /%s. Usage: " MARK_CODE "%s" MARK_CODE, command->word,
			    command->usage);
		return;
	}
	for (char *c = typed.argument[0]; *c != '\0'; c++) /* an environment: lower case */
		*c = (char)tolower((unsigned char)*c);
	tx_count_metric(tx, INCREMENT_COMMAND, command->word,
	    outcome_of(tx, update, command, typed.argument[0]), "", 0);
	command->run(tx, update, &typed);
}
