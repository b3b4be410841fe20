/* agent_settings.c - a file of NAME=VALUE, read once at the start.  Side: agent. */
/* SPDX-License-Identifier: ISC */
#include "agent/agent_settings.h"

#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/path.h"
#include "lib/text.h"

static bool
take_name(struct agent_settings *ret, const char *text, struct err *err)
{
	return (text != NULL && text_is_word(text, sizeof(ret->name) - 1) &&
		   text_copy(ret->name, sizeof(ret->name), text)) ||
	    err_set(err, ERR_CONFIG, "AGENT_NAME: letters a-z, digits, '.' and '-', at most %zu",
		sizeof(ret->name) - 1);
}

static bool
take_keys(struct agent_settings *ret, const char *text, struct err *err)
{
	const size_t digits = 2 * (size_t)CRYPTO_ED25519_KEY;
	size_t length;

	for (; text != NULL && text[strspn(text, " ")] != '\0'; text += length) {
		text += strspn(text, " ");
		length = strcspn(text, " ");
		if (ret->key_count == AGENT_KEYS_MAX || length != digits ||
		    !text_unhex(ret->keys[ret->key_count], CRYPTO_ED25519_KEY, text, digits))
			return err_set(err, ERR_CONFIG,
			    "ORDER_KEYS: one public key or two, each of %zu hex digits", digits);
		ret->key_count++;
	}
	return ret->key_count > 0 ||
	    err_set(err, ERR_CONFIG, "ORDER_KEYS is not set: no order would be taken");
}

static bool
take(struct agent_settings *ret, const struct env_file *file, struct err *err)
{
	static const char *const known[] = { "AGENT_NAME", "ORDER_KEYS" };

	for (size_t i = 0; i < file->count; i++)
		if (text_index(file->entries[i].name, known, COUNT(known)) == COUNT(known))
			return err_set(err, ERR_CONFIG, "line %u: there is no setting %.60s",
			    file->entries[i].line, file->entries[i].name);
	return take_name(ret, env_file_text(file, "AGENT_NAME"), err) &&
	    take_keys(ret, env_file_text(file, "ORDER_KEYS"), err);
}

bool
agent_settings_read(struct agent_settings *ret, const char *path, struct err *err)
{
	struct env_file file = { 0 };
	bool good = path_is_safe(path, err) && env_file_read(&file, path, err);

	*ret = (struct agent_settings){ .key_count = 0 };
	good = good && take(ret, &file, err);
	env_file_done(&file);
	if (!good && err != NULL) {
		(void)err_wrap(err, "%s", path);
		err->code = ERR_CONFIG;
	}
	return good;
}
