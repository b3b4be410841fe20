/* update.c - names of refusals, and taking a token out of a text.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/update.h"

#include <stdio.h>

#include "lib/column.h"
#include "lib/crypto.h"
#include "lib/text.h"

const char *
update_refusal_words(enum update_refusal refusal)
{
	static const char *const words[] = { UPDATE_REFUSALS(COLUMN_SECOND) };

	assert((size_t)refusal < COUNT(words));
	return words[refusal];
}

void
update_set_text(struct update *update, const char *text)
{
	text_set(update->text, text);
	update->raw_size = strlen(text);
	memcpy(update->raw, text,
	    update->raw_size < sizeof(update->raw) ? update->raw_size : sizeof(update->raw));
}

static void
keep_token(struct update *update, const char *text, size_t size)
{
	if (update->token[0] != '\0' || size == 0)
		return;
	if (size >= sizeof(update->token)) /* longer than one: a wrong one all the same */
		size = sizeof(update->token) - 1;
	memcpy(update->token, text, size);
	update->token[size] = '\0';
}

/* What stands behind that word, "/login@our_bot" too; NULL: it is another text. */
static const char *
behind(const char *text, const char *word)
{
	size_t size = strlen(word);

	if (!text_starts_ci(text, word))
		return NULL;
	if (text[size] == '@')
		size += strcspn(text + size, " \n\t");
	return strchr(" \n\t", text[size]) != NULL ? text + size : NULL;
}

bool
update_is_deploy(const struct update *update)
{
	return behind(update->text, "/deploy") != NULL;
}

void
update_take_token(struct update *update)
{
	const char *words = behind(update->text, "/login"), *rest = update->text, *found;
	char *login = update->text + (words == NULL ? 0 : words - update->text);
	char text[LIMIT_TEXT_IN];
	size_t size, used = 0;

	if (words != NULL && words[0] != '\0') {
		size = strspn(login, " \n\t");
		keep_token(update, login + size, strcspn(login + size, " \n\t"));
		crypto_wipe(login + 1, strlen(login + 1));
		(void)text_copy(
		    login + 1, sizeof(TOKEN_BLANK), update->token[0] != '\0' ? TOKEN_BLANK : "");
	} else if (token_find(rest, &size) == NULL) {
		return;
	}
	for (; (found = token_find(rest, &size)) != NULL; rest = found + size) {
		keep_token(update, found, size);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%.*s" TOKEN_BLANK,
		    (int)(found - rest), rest);
	}
	(void)snprintf(text + used, sizeof(text) - used, "%s", rest); /* it only gets shorter */
	crypto_wipe(update->text, sizeof(update->text));
	crypto_wipe(update->raw, sizeof(update->raw));
	update_set_text(update, text);
}
