/* jwt.h - reads and writes JSON Web Tokens (RFC 7519) signed with RS256.  Knows no clock and no key.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Of what the format allows one form is read: three parts, a header that says RS256 and asks for
 * nothing that has to be understood besides (RFC 7515, section 4.1.11), and the key by its id.
 * What a header offers as its own key (jwk, jku, x5u, x5c) is refused.
 */
#pragma once

#include "lib/base.h"
#include "lib/crypto_rsa.h"

struct buf;
struct json;

#define JWT_MAX	   7168		/* bytes of a token: nginx takes 8 KB of a header's line */
#define JWT_KID	   129		/* a key's id, with the NUL */
#define JWT_LEEWAY 60000	/* ms by which clocks may differ */

struct jwt {
	const char *text; /* borrowed; header and claims, which are signed */
	size_t signed_size;
	uint8_t signature[CRYPTO_RSA_BYTES];
	size_t signature_size;
	char kid[JWT_KID];   /* [A-Za-z0-9_=-], at least one */
	struct json *claims; /* an object */
};

/* Three parts with a dot between each: such a text is meant as a JWT. */
bool jwt_is_meant(const char *text);

/* Of a token, which is kept as long as *ret is used; nothing in it is to be believed before
 * jwt_verify().  jwt_done() frees it, and takes a zeroed one. */
MUST_USE bool jwt_read(const char *text, size_t size, struct jwt *ret, struct err *err);
void jwt_done(struct jwt *jwt);

/* Is the signature of the key's owner? */
enum crypto_proof jwt_verify(const struct jwt *jwt, const struct crypto_rsa *key);

struct jwt_wanted {
	const char *issuer, *audience;
	int64_t life_ms; /* from iat to exp, at most */
};

enum jwt_fault {
	JWT_FIT,
	JWT_ISSUER,
	JWT_AUDIENCE,
	JWT_TIMES, /* over, not begun, too long, or none that anybody means */
};

/* Is it of this issuer, for this audience alone, and in force at the moment `now` (wall ms)?  Each
 * of iss, aud, iat, exp must be there, nbf may be.  What is not JWT_FIT *err says in words. */
MUST_USE enum jwt_fault jwt_check_claims(
    const struct json *claims, const struct jwt_wanted *wanted, int64_t now, struct err *err);

/* Adds a token with these claims (JSON), signed by a private key. */
MUST_USE bool
jwt_write(struct buf *out, const char *claims, const struct crypto_rsa *key, struct err *err);
