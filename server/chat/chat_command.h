/* chat_command.h - reads what somebody typed: /word argument argument.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

#define CHAT_COMMAND_WORDS 4 /* one more than any command takes, to say "too many" */

struct chat_command {
	char word[32]; /* without the slash, lower case; "" when it is no command */
	size_t n_arguments; /* CHAT_COMMAND_WORDS: at least that many */
	char argument[CHAT_COMMAND_WORDS][LIMIT_REF]; /* "" where there is none */
	const char *rest[CHAT_COMMAND_WORDS]; /* from that argument on, in the text; NULL */
	bool is_too_long; /* an argument did not fit */
};

/*
 * True: it is a command.  Whom it is for ("/deploy@our_bot") was decided by the room that knows
 * the platform, which takes our own name off.
 */
bool chat_command_parse(const char *text, struct chat_command *ret);
