/* chat_command.h - reads what somebody typed: /word@bot argument argument.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#ifndef CHAT_COMMAND_H
#define CHAT_COMMAND_H

#include "lib/base.h"
#include "types/limits.h"

#define CHAT_COMMAND_WORDS	4	/* one more than any command takes, to say "too many" */

struct chat_command {
	char word[32];		/* without the slash, lower case; "" when it is no command */
	size_t n_arguments;	/* CHAT_COMMAND_WORDS: at least that many */
	char argument[CHAT_COMMAND_WORDS][LIMIT_REF];	/* "" where there is none */
	bool is_too_long;	/* an argument did not fit */
};

/*
 * True: it is a command for us.  False: it is none, or one for another bot, or one addressed
 * while our own name ("" then) is not known yet.
 */
bool chat_command_parse(const char *text, const char *own_name, struct chat_command *ret);

#endif
