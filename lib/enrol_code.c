/* enrol_code.c - a code by which a host enrols, and what is proven by it through whoever passes it on.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/enrol_code.h"

#include "lib/text.h"

#define GROUP 5

void
enrol_code_text(const uint8_t drawn[ENROL_CODE_DRAWN], char ret[ENROL_CODE])
{
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* 5 bits each */

	for (size_t i = 0; i < ENROL_CODE_DRAWN; i++) {
		if (i != 0 && i % GROUP == 0)
			*ret++ = '-';
		*ret++ = letters[drawn[i] % (sizeof(letters) - 1)];
	}
	*ret = '\0';
}

/* HMAC-SHA256 of two texts, the first of which says what it is for. */
static bool
mac(const char *key, const char *what, const char *text, char ret[CRYPTO_SHA256_HEX],
    struct err *err)
{
	CLEANUP(crypto_hmac_key_freep)
	struct crypto_hmac_key *prepared = crypto_hmac_key_new(key, strlen(key), err);
	CLEANUP(crypto_hmac_dropp)
	struct crypto_hmac *sum = prepared == NULL ? NULL : crypto_hmac_begin(prepared, err);
	uint8_t out[CRYPTO_SHA256_SIZE];

	if (sum == NULL || !crypto_hmac_add(sum, what, strlen(what) + 1, err) ||
	    !crypto_hmac_add(sum, text, strlen(text), err) || !crypto_hmac_finish(sum, out, err))
		return false;
	text_hex(ret, out, sizeof(out));
	return true;
}

bool
enrol_code_proof(const char *code, struct enrol_proof *ret, struct err *err)
{
	return mac(code, "id", "", ret->id, err) && mac(code, "secret", "", ret->secret, err);
}

bool
enrol_code_mac(const char *secret, const char *side, const char *text, char ret[CRYPTO_SHA256_HEX],
    struct err *err)
{
	return mac(secret, side, text, ret, err);
}

bool
enrol_code_digest(const char *id, char ret[CRYPTO_SHA256_HEX], struct err *err)
{
	uint8_t digest[CRYPTO_SHA256_SIZE];

	if (!crypto_sha256(id, strlen(id), digest, err))
		return false;
	text_hex(ret, digest, sizeof(digest));
	return true;
}
