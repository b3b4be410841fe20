/* fuzz_command.c - what somebody types: /word argument argument.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "chat/chat_command.h"
#include "tests/fuzz/fuzz.h"

#define BLANKS " \t\r\n"

/* Every argument stands in the text, in that order, and is one word. */
static void
check_arguments(const struct chat_command *command, const char *text)
{
	for (size_t i = 0; i < CHAT_COMMAND_WORDS; i++) {
		const char *argument = command->argument[i];

		if (i >= command->n_arguments) {
			assert(argument[0] == '\0');
			continue;
		}
		assert(argument[0] != '\0' && strlen(argument) < LIMIT_REF);
		assert(strpbrk(argument, BLANKS) == NULL);
		text = strstr(text, argument);
		assert(text != NULL);
		text += strlen(argument);
	}
}

/* Written anew it is the same command. */
static void
check_again(const struct chat_command *command)
{
	struct chat_command again;
	struct buf text;

	buf_init(&text, sizeof(*command) + 16);
	buf_addc(&text, '/');
	buf_adds(&text, command->word);
	for (size_t i = 0; i < command->n_arguments; i++) {
		buf_addc(&text, ' ');
		buf_adds(&text, command->argument[i]);
	}
	assert(chat_command_parse(buf_text(&text), &again));
	again.is_too_long = command->is_too_long;
	memcpy(again.rest, command->rest, sizeof(again.rest)); /* of another text */
	assert(memcmp(&again, command, sizeof(again)) == 0);
	buf_done(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	struct chat_command command;

	memset(&command, 0, sizeof(command));
	if (chat_command_parse(text, &command)) {
		assert(text[0] == '/' && command.word[0] != '\0');
		assert(strspn(command.word, "abcdefghijklmnopqrstuvwxyz0123456789_") ==
		    strlen(command.word));
		check_arguments(&command, text + 1 + strlen(command.word));
		check_again(&command);
	} else {
		assert(command.word[0] == '\0' && command.n_arguments == 0);
	}
	free(text);
	return 0;
}
