/* crypto_ed25519.c - Ed25519 through EVP; every answer is checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/crypto_ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/err.h"

DEFINE_FREEP(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_FREEP(EVP_PKEY, EVP_PKEY_free)

static bool
fail(struct err *err, const char *what)
{
	ERR_clear_error();
	return err_set(err, ERR_IO, "OpenSSL: %s failed", what);
}

enum crypto_proof
crypto_ed25519_verify(const uint8_t key[CRYPTO_ED25519_KEY], const void *data, size_t size,
    const uint8_t signature[CRYPTO_ED25519_SIGNATURE])
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *pkey =
	    EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, CRYPTO_ED25519_KEY);
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int answer;

	if (pkey == NULL || ctx == NULL || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) != 1) {
		ERR_clear_error();
		return CRYPTO_UNKNOWN;
	}
	answer = EVP_DigestVerify(ctx, signature, CRYPTO_ED25519_SIGNATURE, data, size);
	ERR_clear_error();
	return answer == 1 ? CRYPTO_PROVEN : CRYPTO_REFUSED;
}

bool
crypto_ed25519_sign(const uint8_t seed[CRYPTO_ED25519_KEY], const void *data, size_t size,
    uint8_t out[CRYPTO_ED25519_SIGNATURE], struct err *err)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *pkey =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CRYPTO_ED25519_KEY);
	CLEANUP(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t out_size = CRYPTO_ED25519_SIGNATURE;

	return (pkey != NULL && ctx != NULL &&
		   EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
		   EVP_DigestSign(ctx, out, &out_size, data, size) == 1) ||
	    fail(err, "signing with Ed25519");
}

bool
crypto_ed25519_public(
    const uint8_t seed[CRYPTO_ED25519_KEY], uint8_t out[CRYPTO_ED25519_KEY], struct err *err)
{
	CLEANUP(EVP_PKEY_freep)
	EVP_PKEY *pkey =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, CRYPTO_ED25519_KEY);
	size_t size = CRYPTO_ED25519_KEY;

	return (pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, out, &size) == 1) ||
	    fail(err, "the public key of an Ed25519 seed");
}
