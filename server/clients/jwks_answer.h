/* jwks_answer.h - an issuer of tokens and its keys: OpenID Connect Discovery 1.0, RFC 7517.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto_rsa.h"
#include "lib/jwt.h"

#define JWKS_KEYS_MAX	64
#define JWKS_ANSWER_MAX (256 * 1024)
#define JWKS_URL	1024 /* bytes with the NUL */

/* "https://ISSUER/.well-known/openid-configuration"; false: it would not fit. */
MUST_USE bool jwks_configuration_url(const char *issuer, char out[JWKS_URL]);

/* Of that page: where the keys are.  False, *err: it is none, of another issuer, or its keys are
 * elsewhere than on the issuer's own scheme, host and port. */
MUST_USE bool jwks_read_configuration(
    const char *body, size_t size, const char *issuer, char out[JWKS_URL], struct err *err);

struct jwks_key {
	char kid[JWT_KID];
	struct crypto_rsa *rsa;
};

struct jwks_keys {
	size_t n;
	struct jwks_key at[JWKS_KEYS_MAX];
};

void jwks_keys_free(struct jwks_keys *keys); /* takes NULL */
DEFINE_FREEP(struct jwks_keys, jwks_keys_free)

/* The keys of a set that sign with RS256, to be freed; those for anything else are passed over.
 * NULL, *err: it is no set, has more than JWKS_KEYS_MAX, one id twice, or none for RS256. */
MUST_USE struct jwks_keys *jwks_read_keys(const char *body, size_t size, struct err *err);

/* NULL: it is not among them, or keys is NULL. */
const struct crypto_rsa *jwks_find(const struct jwks_keys *keys, const char *kid);
