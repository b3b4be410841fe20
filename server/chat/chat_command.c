/* chat_command.c - splits a command into its words.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_command.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/text.h"

#define BLANKS		 " \t\r\n"
#define STOPS		 ".,;:!?"
#define FULL_WIDTH_SLASH "\xef\xbc\x8f"

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

bool
chat_command_guess(const char *text, char line[LIMIT_TEXT_IN], struct chat_command *ret)
{
	size_t size, stops;

	for (;;) {
		if (text_starts(text, FULL_WIDTH_SLASH))
			text += strlen(FULL_WIDTH_SLASH);
		else if (*text != '\0' && strchr("/" BLANKS, *text) != NULL)
			text++;
		else
			break;
	}
	size = strcspn(text, BLANKS STOPS);
	stops = strspn(text + size, STOPS);
	(void)snprintf(line, LIMIT_TEXT_IN, "/%.*s%s", (int)size, text, text + size + stops);
	return chat_command_parse(line, ret);
}

/* What a keyboard makes of "--": a hyphen or dash of any kind (U+2010 to U+2015), a minus. */
static size_t
dash_size(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	if (at[0] == '-')
		return 1;
	return at[0] == 0xe2 &&
		((at[1] == 0x80 && at[2] >= 0x90 && at[2] <= 0x95) ||
		    (at[1] == 0x88 && at[2] == 0x92)) ?
	    3 :
	    0;
}

size_t
chat_command_emergency(const struct chat_command *command, size_t from, const char **ret_behind)
{
	for (size_t i = from; i < command->n_arguments; i++) {
		const char *word = command->argument[i];

		for (size_t size; (size = dash_size(word)) > 0;)
			word += size;
		if (!text_same_ci(word, "emergency"))
			continue;
		*ret_behind = command->rest[i] + strlen(command->argument[i]);
		return i;
	}
	return command->n_arguments;
}
