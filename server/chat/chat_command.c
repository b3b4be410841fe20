/* chat_command.c - splits a command into its words.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "chat/chat_command.h"

#include <ctype.h>
#include <string.h>

#include "lib/text.h"

#define BLANKS	" \t\r\n"

/* "deploy@MyBot" → "deploy"; false when it is another bot's. */
static bool
take_word(const char *text, size_t size, const char *own_name, char *word, size_t room)
{
	const char *at = memchr(text, '@', size);
	size_t name_size = at != NULL ? (size_t)(at - text) : size;
	char name[64];

	if (name_size == 0 || name_size >= room)
		return false;
	for (size_t i = 0; i < name_size; i++) {
		if (!isascii((unsigned char)text[i]) ||
		    (!isalnum((unsigned char)text[i]) && text[i] != '_'))
			return false;
		word[i] = (char)tolower((unsigned char)text[i]);
	}
	word[name_size] = '\0';
	if (at == NULL)
		return true;
	size -= name_size + 1;
	if (size == 0 || size >= sizeof(name))
		return false;
	memcpy(name, at + 1, size);
	name[size] = '\0';
	return text_same_ci(name, own_name);
}

bool
chat_command_parse(const char *text, const char *own_name, struct chat_command *ret)
{
	size_t size;

	*ret = (struct chat_command){ 0 };
	if (text[0] != '/')
		return false;
	text++;
	size = strcspn(text, BLANKS);
	if (!take_word(text, size, own_name, ret->word, sizeof(ret->word))) {
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
		ret->n_arguments++;
	}
	return true;
}
