/* commands.h - the table of chat commands.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A new command is a row in commands.def and a file command_<word>.c with command_<word>().  Its
 * role is checked (decide_may) by itself, as soon as it knows for which environment.
 */
#pragma once

#include "chat/chat_command.h"
#include "policy/policy.h"
#include "store/tx.h"

typedef void
command_fn(struct tx *tx, const struct update *update, const struct chat_command *command);

struct command {
	const char *word;
	size_t most_arguments;
	enum policy_action action;
	const char *usage;
	const char *help;
	command_fn *run;
};

#define COMMAND(word, most, action, usage, help) command_fn command_##word;
#include "commands/commands.def"
#undef COMMAND

size_t commands_count(void);
const struct command *commands_get(size_t i);

/* What somebody typed, if it was a command for us: carried out, or answered with a hint. */
void commands_handle(struct tx *tx, const struct update *update);
