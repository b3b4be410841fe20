/* seal.c - AES-256-GCM under the keys of a file, bound to a place.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/seal.h"

#include <stdio.h>

#include "lib/crypto.h"
#include "lib/crypto_gcm.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define VERSION "v1:"
#define HEX_KEY 64
_Static_assert(SEAL_NONCE == CRYPTO_GCM_NONCE, "they go together");

/* --- keys --- */

/* A key's id is of its hash: it says nothing of the key. */
static bool
add_key(const char *line, struct seal_keys *ret, struct err *err)
{
	struct seal_key *key = &ret->key[ret->count];
	uint8_t hash[CRYPTO_SHA256_SIZE];

	if (ret->count == SEAL_KEYS_MAX)
		return err_set(err, ERR_INVALID, "more than %d keys", SEAL_KEYS_MAX);
	if (strlen(line) != HEX_KEY || !text_unhex(key->key, sizeof(key->key), line, HEX_KEY))
		return err_set(err, ERR_INVALID,
		    "expected a key as 64 hex digits on a line of its own; make one with: openssl rand -hex 32");
	if (!crypto_sha256(key->key, sizeof(key->key), hash, err))
		return false;
	text_hex(key->id, hash, (SEAL_KEY_ID - 1) / 2);
	if (ret->count == 1 && strcmp(key->id, ret->key[0].id) == 0)
		return err_set(err, ERR_INVALID, "both keys are the same");
	ret->count++;
	return true;
}

static bool
parse(const char *text, struct seal_keys *ret, struct err *err)
{
	char line[HEX_KEY + 2]; /* a longer one is cut, and is no key */
	bool ok = true;

	*ret = (struct seal_keys){ .count = 0 };
	while (ok && *text != '\0') {
		size_t size = strcspn(text, "\n");
		size_t used = size > 0 && text[size - 1] == '\r' ? size - 1 : size;

		(void)snprintf(line, sizeof(line), "%.*s", (int)used, text);
		if (line[0] != '\0' && line[0] != '#')
			ok = add_key(line, ret, err);
		text += size + (text[size] == '\n');
	}
	if (ok && ret->count == 0)
		ok = err_set(err, ERR_INVALID, "no key in it; make one with: openssl rand -hex 32");
	crypto_wipe(line, sizeof(line));
	if (!ok)
		seal_wipe(ret);
	return ok;
}

bool
seal_read(const char *path, struct seal_keys *ret, struct err *err)
{
	size_t size = 0;
	CLEANUP(freep) char *text = file_read(path, SEAL_FILE_MAX, &size, err);
	bool ok;

	*ret = (struct seal_keys){ .count = 0 };
	if (text == NULL)
		return false;
	ok = parse(text, ret, err);
	crypto_wipe(text, size);
	return ok;
}

void
seal_wipe(struct seal_keys *keys)
{
	crypto_wipe(keys, sizeof(*keys));
}

/* --- sealed texts --- */

/* The key that a text names; NULL: it is no such text, or the key is not there. */
static const struct seal_key *
key_of(const struct seal_keys *keys, const char *text)
{
	const char *id = text + strlen(VERSION);

	if (!text_starts(text, VERSION))
		return NULL;
	for (size_t i = 0; i < keys->count; i++)
		if (text_starts(id, keys->key[i].id) && id[SEAL_KEY_ID - 1] == ':')
			return &keys->key[i];
	return NULL;
}

bool
seal_close(const struct seal_keys *keys, const char *place, const uint8_t nonce[SEAL_NONCE],
    const void *data, size_t size, char out[SEAL_TEXT], struct err *err)
{
	uint8_t sealed[SEAL_NONCE + SEAL_MAX + CRYPTO_GCM_TAG];
	int used;

	if (keys->count == 0)
		return err_set(err, ERR_MISSING, "there is no key to encrypt with");
	if (size > SEAL_MAX)
		return err_set(err, ERR_LIMIT, "more than %d bytes to encrypt", SEAL_MAX);
	memcpy(sealed, nonce, SEAL_NONCE);
	if (!crypto_gcm_seal(&(struct crypto_gcm){ keys->key[0].key, nonce, place, strlen(place) },
		data, size, sealed + SEAL_NONCE, sealed + SEAL_NONCE + size, err))
		return false;
	used = snprintf(out, SEAL_TEXT, VERSION "%s:", keys->key[0].id);
	text_hex(out + used, sealed, SEAL_NONCE + size + CRYPTO_GCM_TAG);
	return true;
}

bool
seal_open(const struct seal_keys *keys, const char *place, const char *text, void *out, size_t size,
    struct err *err)
{
	const struct seal_key *key = key_of(keys, text);
	const char *hex = text + strlen(VERSION) + SEAL_KEY_ID;
	uint8_t sealed[SEAL_NONCE + SEAL_MAX + CRYPTO_GCM_TAG];
	size_t all = SEAL_NONCE + size + CRYPTO_GCM_TAG;

	assert(size <= SEAL_MAX);
	if (key == NULL)
		return text_starts(text, VERSION) ?
		    err_set(err, ERR_MISSING, "the key that it was encrypted with is not there") :
		    err_set(err, ERR_INVALID, "it is no encrypted text of a version that is known");
	if (strlen(hex) != all * 2 || !text_unhex(sealed, all, hex, all * 2))
		return err_set(err, ERR_INVALID, "it is no encrypted text of that size");
	return crypto_gcm_open(&(struct crypto_gcm){ key->key, sealed, place, strlen(place) },
	    sealed + SEAL_NONCE, size, sealed + SEAL_NONCE + size, out, err);
}

bool
seal_is_old(const struct seal_keys *keys, const char *text)
{
	return keys->count > 0 && key_of(keys, text) != &keys->key[0];
}
