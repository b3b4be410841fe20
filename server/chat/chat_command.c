/* chat_command.c - splits a command into its words.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_command.h"

#include <ctype.h>

#define BLANKS " \t\r\n"

/* Letters, digits and '_', lower case; false for anything else. */
static bool
take_word(const char *text, size_t size, char *word, size_t room)
{
	if (size == 0 || size >= room)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (!isascii((unsigned char)text[i]) ||
		    (!isalnum((unsigned char)text[i]) && text[i] != '_'))
			return false;
		word[i] = (char)tolower((unsigned char)text[i]);
	}
	word[size] = '\0';
	return true;
}

bool
chat_command_parse(const char *text, struct chat_command *ret)
{
	size_t size;

	*ret = (struct chat_command){ 0 };
	if (text[0] != '/')
		return false;
	text++;
	size = strcspn(text, BLANKS);
	if (!take_word(text, size, ret->word, sizeof(ret->word))) {
		ret->word[0] = '\0';
		return false;
	}
	for (text += size; ret->n_arguments < CHAT_COMMAND_WORDS; text += size) {
		char *argument = ret->argument[ret->n_arguments];

		text += strspn(text, BLANKS);
		size = strcspn(text, BLANKS);
		if (size == 0)
			break;
		if (size >= LIMIT_REF) {
			ret->is_too_long = true;
			continue;
		}
		memcpy(argument, text, size);
		argument[size] = '\0';
		ret->rest[ret->n_arguments++] = text;
	}
	return true;
}
