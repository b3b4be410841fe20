/* github_signature.c - the X-Hub-Signature-256 header.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "forges/github_signature.h"

#include "lib/text.h"

static const char prefix[] = "sha256=";

#define PREFIX_SIZE (sizeof(prefix) - 1)
#define DIGITS	    ((size_t)2 * GITHUB_SIGNATURE_SIZE)

bool
github_signature_parse(const char *value, uint8_t ret[GITHUB_SIGNATURE_SIZE])
{
	const char *hex;

	if (value == NULL || strncmp(value, prefix, PREFIX_SIZE) != 0)
		return false;
	hex = value + PREFIX_SIZE;
	if (strlen(hex) != DIGITS || strspn(hex, "0123456789abcdef") != DIGITS)
		return false;
	return text_unhex(ret, GITHUB_SIGNATURE_SIZE, hex, DIGITS);
}

enum crypto_proof
github_signature_check(struct crypto_hmac *mac, const uint8_t given[GITHUB_SIGNATURE_SIZE],
    uint8_t ret_mac[GITHUB_SIGNATURE_SIZE])
{
	uint8_t computed[GITHUB_SIGNATURE_SIZE];
	enum crypto_proof proof = CRYPTO_UNKNOWN;

	if (crypto_hmac_finish(mac, computed, NULL))
		proof =
		    crypto_same(computed, given, sizeof(computed)) ? CRYPTO_PROVEN : CRYPTO_REFUSED;
	if (proof == CRYPTO_PROVEN)
		memcpy(ret_mac, computed, sizeof(computed));
	crypto_wipe(computed, sizeof(computed)); /* else a dump would show how to sign this body */
	crypto_hmac_drop(mac);
	return proof;
}
