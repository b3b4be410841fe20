/* crypto_ed25519.h - Ed25519 (RFC 8032, section 5.1.6 and 5.1.7) with raw keys.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/crypto.h"

#define CRYPTO_ED25519_KEY	 32 /* bytes of a public key, and of the seed of a private one */
#define CRYPTO_ED25519_SIGNATURE 64

/* Has the key made this signature of these bytes? */
MUST_USE enum crypto_proof crypto_ed25519_verify(const uint8_t key[CRYPTO_ED25519_KEY],
    const void *data, size_t size, const uint8_t signature[CRYPTO_ED25519_SIGNATURE]);

/* The signature by a private key, which is given as its seed. */
MUST_USE bool crypto_ed25519_sign(const uint8_t seed[CRYPTO_ED25519_KEY], const void *data,
    size_t size, uint8_t out[CRYPTO_ED25519_SIGNATURE], struct err *err);

/* The public key of a seed. */
MUST_USE bool crypto_ed25519_public(const uint8_t seed[CRYPTO_ED25519_KEY],
    uint8_t out[CRYPTO_ED25519_KEY], struct err *err);
