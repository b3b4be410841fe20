/* chat_command.h - reads what somebody typed: /word argument argument.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "types/limits.h"

#define CHAT_COMMAND_WORDS 4 /* one more than any command takes, to say "too many" */

struct chat_command {
	char word[32];	    /* without the slash, lower case; "" when it is no command */
	size_t n_arguments; /* CHAT_COMMAND_WORDS: at least that many */
	char argument[CHAT_COMMAND_WORDS][LIMIT_REF]; /* "" where there is none */
	const char *rest[CHAT_COMMAND_WORDS];	      /* from that argument on, in the text; NULL */
	bool is_too_long;			      /* an argument did not fit */
};

/*
 * True: it is a command.  Whom it is for ("/deploy@our_bot") was decided by the room that knows
 * the platform, which takes our own name off.
 */
bool chat_command_parse(const char *text, struct chat_command *ret);

/* What a phone makes of one: without its slash, with a blank behind it or a full-width one, with a
 * full stop behind the word.  False: it does not begin as one.  ret points into line. */
bool chat_command_guess(const char *text, char line[LIMIT_TEXT_IN], struct chat_command *ret);

/* Which of its arguments, from `from` on, is the word emergency, as an option too, and as a phone's
 * keyboard writes that ("—Emergency"); n_arguments: none.  *ret_behind: what stands behind it. */
size_t
chat_command_emergency(const struct chat_command *command, size_t from, const char **ret_behind);
