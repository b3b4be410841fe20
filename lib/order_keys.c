/* order_keys.c - a file of NAME=VALUE, read once at the start.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/order_keys.h"

#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/path.h"
#include "lib/text.h"

static bool
take_name(struct order_keys *ret, const char *name, const char *text, struct err *err)
{
	return (text != NULL && text_is_word(text, sizeof(ret->name) - 1) &&
		   text_copy(ret->name, sizeof(ret->name), text)) ||
	    err_set(err, ERR_CONFIG, "%s: letters a-z, digits, '.' and '-', at most %zu", name,
		sizeof(ret->name) - 1);
}

static bool
take_keys(struct order_keys *ret, const char *text, struct err *err)
{
	const size_t digits = 2 * (size_t)CRYPTO_ED25519_KEY;
	size_t length;

	for (; text != NULL && text[strspn(text, " ")] != '\0'; text += length) {
		text += strspn(text, " ");
		length = strcspn(text, " ");
		if (ret->count == ORDER_KEYS_MAX || length != digits ||
		    !text_unhex(ret->all[ret->count], CRYPTO_ED25519_KEY, text, digits))
			return err_set(err, ERR_CONFIG,
			    "ORDER_KEYS: one public key or two, each of %zu hex digits", digits);
		ret->count++;
	}
	return ret->count > 0 ||
	    err_set(err, ERR_CONFIG, "ORDER_KEYS is not set: no order would be taken");
}

static bool
take(struct order_keys *ret, const char *name, const struct env_file *file, struct err *err)
{
	const char *const known[] = { name, "ORDER_KEYS" };

	return env_file_check(file, known, COUNT(known), err) &&
	    take_name(ret, name, env_file_text(file, name), err) &&
	    take_keys(ret, env_file_text(file, "ORDER_KEYS"), err);
}

bool
order_keys_read(struct order_keys *ret, const char *name, const char *path, struct err *err)
{
	CLEANUP(env_file_done) struct env_file file = { 0 };

	*ret = (struct order_keys){ .count = 0 };
	if (path_is_safe(path, err) && env_file_read(&file, path, err) &&
	    take(ret, name, &file, err))
		return true;
	if (err != NULL)
		err->code = ERR_CONFIG;
	return err_wrap(err, "%s", path);
}
