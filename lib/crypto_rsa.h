/* crypto_rsa.h - RSA with SHA-256 (PKCS #1 v1.5): RS256 of RFC 7518, section 3.3.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/crypto.h"

#define CRYPTO_RSA_BITS_MIN 2048
#define CRYPTO_RSA_BITS_MAX 8192
#define CRYPTO_RSA_BYTES    (CRYPTO_RSA_BITS_MAX / 8) /* of a modulus and a signature, at most */

/* A public key, or a pair.  May be shared by threads. */
struct crypto_rsa;
void crypto_rsa_free(struct crypto_rsa *key);
DEFINE_FREEP(struct crypto_rsa, crypto_rsa_free)

/* Of a modulus and an exponent, most significant byte first.  Refused, as ERR_INVALID: a modulus of
 * fewer bits than CRYPTO_RSA_BITS_MIN or of more than CRYPTO_RSA_BITS_MAX, an even one, leading
 * zeros, an exponent that is even, below 3, or longer than four bytes. */
MUST_USE struct crypto_rsa *crypto_rsa_new_public(const void *modulus, size_t modulus_size,
    const void *exponent, size_t exponent_size, struct err *err);

/* Of a private key in PEM (PKCS #1 or PKCS #8), without a passphrase, of as many bits. */
MUST_USE struct crypto_rsa *crypto_rsa_new_private(const char *pem, size_t size, struct err *err);

/* Has the key made this signature of these bytes? */
enum crypto_proof crypto_rsa_verify(const struct crypto_rsa *key, const void *data, size_t size,
    const void *signature, size_t signature_size);

/* Writes a signature, as long as the modulus, by a private key; returns its size, 0: it failed. */
MUST_USE size_t crypto_rsa_sign(const struct crypto_rsa *key, const void *data, size_t size,
    uint8_t out[CRYPTO_RSA_BYTES], struct err *err);
