/* forge_signature.c - the schemes of tokens and MACs.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "forges/forge_signature.h"

#include "lib/base64.h"
#include "lib/err.h"
#include "lib/signing_key.h"
#include "lib/text.h"

#define HEX	      ((size_t)2 * CRYPTO_SHA256_SIZE)
#define TIMESTAMP_MAX 20

bool
forge_secret_key(
    enum forge_scheme scheme, const char *secret, struct crypto_hmac_key **ret, struct err *err)
{
	uint8_t key[SIGNING_KEY_MAX];
	size_t size = 0;

	if (scheme != FORGE_TOKEN || !signing_key_is_meant(secret)) {
		*ret = crypto_hmac_key_new(secret, strlen(secret), err);
		return *ret != NULL;
	}
	if (!signing_key_read(secret, key, &size))
		return err_set(err, ERR_CONFIG,
		    "expected " SIGNING_KEY_MARK " and base64 of %d to %d bytes", SIGNING_KEY_LEAST,
		    SIGNING_KEY_MAX);
	*ret = crypto_hmac_key_new(key, size, err);
	crypto_wipe(key, sizeof(key));
	return *ret != NULL;
}

/* 64 lower-case hex digits and nothing else. */
static bool
read_hex(const char *hex, struct forge_signature *ret)
{
	if (strlen(hex) != HEX || strspn(hex, "0123456789abcdef") != HEX)
		return false;
	ret->count = 1;
	return text_unhex(ret->given[0], CRYPTO_SHA256_SIZE, hex, HEX);
}

/* "v1,<base64> v1,<base64>"; other versions are passed over. */
static void
read_versions(const char *list, struct forge_signature *ret)
{
	while (*list != '\0' && ret->count < FORGE_SIGNATURES_MAX) {
		size_t size = strcspn(list, " "), got = 0;

		if (size > 3 && memcmp(list, "v1,", 3) == 0 &&
		    base64_decode(
			list + 3, size - 3, ret->given[ret->count], CRYPTO_SHA256_SIZE, &got) &&
		    got == CRYPTO_SHA256_SIZE)
			ret->count++;
		list += size + strspn(list + size, " ");
	}
}

static bool
is_id(const char *id)
{
	return id != NULL && id[0] != '\0' && strlen(id) < LIMIT_DELIVERY &&
	    strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
	    strlen(id);
}

static bool
read_standard(const struct forge_headers *headers, struct forge_signature *ret)
{
	const char *at = headers->timestamp;

	if (headers->standard == NULL || !is_id(headers->id) || at == NULL || at[0] == '\0' ||
	    strlen(at) > TIMESTAMP_MAX || strspn(at, "0123456789") != strlen(at))
		return false;
	text_setf(ret->before, "%s.%s.", headers->id, at); /* fits */
	read_versions(headers->standard, ret);
	return ret->count > 0;
}

enum forge_proof
forge_signature_read(enum forge_scheme scheme, const char *secret,
    const struct forge_headers *headers, struct forge_signature *ret)
{
	static const char prefix[] = "sha256=";
	const char *value = headers->signature;

	_Static_assert(LIMIT_DELIVERY + TIMESTAMP_MAX + 2 <= FORGE_SIGNED_BEFORE, "it fits");
	memset(ret, 0, sizeof(*ret));
	if (secret == NULL)
		return FORGE_REFUSED;
	if (scheme == FORGE_TOKEN && signing_key_is_meant(secret))
		return read_standard(headers, ret) ? FORGE_SIGNED : FORGE_REFUSED;
	if (value == NULL || value[0] == '\0')
		return FORGE_REFUSED;
	if (scheme == FORGE_TOKEN)
		return crypto_same_text(value, secret) ? FORGE_PROVEN : FORGE_REFUSED;
	if (scheme == FORGE_SHA256_HEX) {
		if (!text_starts(value, prefix))
			return FORGE_REFUSED;
		value += strlen(prefix);
	}
	return read_hex(value, ret) ? FORGE_SIGNED : FORGE_REFUSED;
}

enum crypto_proof
forge_signature_check(struct crypto_hmac *mac, const struct forge_signature *signature,
    uint8_t ret_mac[CRYPTO_SHA256_SIZE])
{
	uint8_t computed[CRYPTO_SHA256_SIZE];
	bool is_known = crypto_hmac_finish(mac, computed, NULL), holds = false;

	for (size_t i = 0; is_known && i < signature->count; i++)
		holds |= crypto_same(computed, signature->given[i], sizeof(computed));
	if (holds)
		memcpy(ret_mac, computed, sizeof(computed));
	crypto_wipe(computed, sizeof(computed)); /* else a dump would show how to sign this body */
	crypto_hmac_drop(mac);
	return !is_known ? CRYPTO_UNKNOWN : holds ? CRYPTO_PROVEN : CRYPTO_REFUSED;
}
