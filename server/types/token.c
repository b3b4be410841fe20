/* token.c - a token's text: how it is made, recognised and taken out of other text.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/token.h"

#include "lib/text.h"

#define PREFIX	       (sizeof(TOKEN_PREFIX) - 1)
#define SESSION_PREFIX (sizeof(TOKEN_SESSION_PREFIX) - 1)
#define DIGITS_MIN     8 /* of one that was cut */

const struct token_fault_row token_fault_rows[TOKEN_FAULT_COUNT] = {
#define F(name, word, what, login, is_for_good) [TOKEN_##name] = { word, what, login, is_for_good },
	TOKEN_FAULTS(F)
#undef F
};

enum token_fault
token_fault_of(const char *word)
{
	for (size_t i = 0; i < TOKEN_FAULT_COUNT; i++) {
		const char *its = token_fault_rows[i].word;

		if (strcmp(its, word) == 0)
			return (enum token_fault)i;
	}
	return TOKEN_GOOD;
}

static const char digits[] = "0123456789abcdefABCDEF";

void
token_text(const uint8_t bytes[TOKEN_BYTES], char ret[TOKEN_TEXT])
{
	memcpy(ret, TOKEN_PREFIX, PREFIX);
	text_hex(ret + PREFIX, bytes, TOKEN_BYTES);
}

bool
token_is_text(const char *text)
{
	return strlen(text) == TOKEN_TEXT - 1 && text_starts(text, TOKEN_PREFIX) &&
	    strspn(text + PREFIX, "0123456789abcdef") == (size_t)TOKEN_BYTES * 2;
}

void
token_session_text(const uint8_t bytes[TOKEN_BYTES], char ret[TOKEN_SESSION_TEXT])
{
	memcpy(ret, TOKEN_SESSION_PREFIX, SESSION_PREFIX);
	text_hex(ret + SESSION_PREFIX, bytes, TOKEN_BYTES);
}

bool
token_is_session(const char *text)
{
	return strlen(text) == TOKEN_SESSION_TEXT - 1 && text_starts(text, TOKEN_SESSION_PREFIX) &&
	    strspn(text + SESSION_PREFIX, "0123456789abcdef") == (size_t)TOKEN_BYTES * 2;
}

bool
token_is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size < TOKEN_NAME && name[0] >= 'a' && name[0] <= 'z' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

const char *
token_find(const char *text, size_t *ret_size)
{
	for (const char *at = text; *at != '\0'; at++) {
		size_t size = text_starts_ci(at, TOKEN_PREFIX) ? PREFIX :
		    text_starts_ci(at, TOKEN_SESSION_PREFIX)   ? SESSION_PREFIX :
								 0;
		size_t n = size > 0 ? strspn(at + size, digits) : 0;

		if (n < DIGITS_MIN)
			continue;
		*ret_size = size + n;
		return at;
	}
	return NULL;
}
