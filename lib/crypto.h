/* crypto.h - hashes, MACs, random bytes, comparing, wiping: the wrapper of OpenSSL.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define CRYPTO_SHA256_SIZE 32
#define CRYPTO_SHA256_HEX 65 /* digits and NUL */

/* Once, before threads and before anything else here: OpenSSL without its configuration file and
 * whatever the environment says. */
MUST_USE bool crypto_start(struct err *err);

MUST_USE bool crypto_sha256(
    const void *data, size_t size, uint8_t out[CRYPTO_SHA256_SIZE], struct err *err);

/* A hash fed piece by piece.  finish may be called once; free at any moment. */
struct crypto_sha256;
MUST_USE struct crypto_sha256 *crypto_sha256_new(struct err *err);
MUST_USE bool crypto_sha256_add(
    struct crypto_sha256 *hash, const void *data, size_t size, struct err *err);
MUST_USE bool crypto_sha256_finish(
    struct crypto_sha256 *hash, uint8_t out[CRYPTO_SHA256_SIZE], struct err *err);
void crypto_sha256_free(struct crypto_sha256 *hash);
DEFINE_FREEP(struct crypto_sha256, crypto_sha256_free)

/* A key for HMAC-SHA256, prepared once; an empty one is refused.  May be shared by threads. */
struct crypto_hmac_key;
MUST_USE struct crypto_hmac_key *crypto_hmac_key_new(const void *key, size_t size, struct err *err);
void crypto_hmac_key_free(struct crypto_hmac_key *key);
DEFINE_FREEP(struct crypto_hmac_key, crypto_hmac_key_free)

/* One MAC fed piece by piece; the key may be freed once it has begun.  finish may be called once;
 * drop at any moment (wipes and frees; takes NULL). */
struct crypto_hmac;
MUST_USE struct crypto_hmac *crypto_hmac_begin(const struct crypto_hmac_key *key, struct err *err);
MUST_USE bool crypto_hmac_add(
    struct crypto_hmac *mac, const void *data, size_t size, struct err *err);
MUST_USE bool crypto_hmac_finish(
    struct crypto_hmac *mac, uint8_t out[CRYPTO_SHA256_SIZE], struct err *err);
void crypto_hmac_drop(struct crypto_hmac *mac);
DEFINE_FREEP(struct crypto_hmac, crypto_hmac_drop)

/* The MAC of something whole, with a key that is used once; out may be the key. */
MUST_USE bool crypto_hmac(const void *key, size_t key_size, const void *data, size_t size,
    uint8_t out[CRYPTO_SHA256_SIZE], struct err *err);

/* Is it proven?  UNKNOWN: OpenSSL had no memory to say; that is nobody's mistake. */
enum crypto_proof { CRYPTO_REFUSED, CRYPTO_PROVEN, CRYPTO_UNKNOWN };

/* Same bytes?  The time depends on size alone. */
bool crypto_same(const void *a, const void *b, size_t size);

/* Same secret text?  The time depends on the length of `given` alone, not on what is equal or how
 * long `secret` is.  False when either is NULL or the secret is empty. */
bool crypto_same_text(const char *given, const char *secret);

MUST_USE bool crypto_random(void *out, size_t size, struct err *err);

/* Overwrites in a way no compiler leaves out. */
void crypto_wipe(void *data, size_t size);
