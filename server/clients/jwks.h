/* jwks.h - the keys of one issuer of tokens: fetched when they are needed, kept, and renewed.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * A set is fetched at first use and again after a day; for a key that it does not have once a
 * minute at most, for all who ask together.  While it cannot be fetched the old one counts for a
 * week.
 */
#pragma once

#include "lib/crypto_rsa.h"
#include "types/limits.h"

struct http_client;
struct jwks;

#define JWKS_WAIT_MS	5000 /* that a caller waits for a key, at most */
#define JWKS_FRESH_MS	(24 * 3600 * INT64_C(1000))
#define JWKS_OLD_MS	(7 * JWKS_FRESH_MS)
#define JWKS_PAUSE_MS	INT64_C(60000)
#define JWKS_CALLERS	64 /* that wait at once; whoever comes then is told to come again */

enum jwks_found {
	JWKS_FOUND,
	JWKS_NO_SUCH_KEY,   /* the issuer has none of that id */
	JWKS_UNREACHABLE,   /* what it has is not known */
};

/* key: of JWKS_FOUND, valid within the call. */
typedef void jwks_key_fn(void *ctx, enum jwks_found found, const struct crypto_rsa *key);

/* client: of one call at once, to that issuer alone (outbound_client.h); it outlives them. */
struct jwks *jwks_new(struct http_client *client, const char *issuer) MUST_USE;
void jwks_free(struct jwks *jwks); /* takes NULL; whoever waits is called: UNREACHABLE */

/* Why its set could not be fetched at the last try; "": it could, or nobody has asked yet. */
const char *jwks_failure(const struct jwks *jwks);

/* Calls on_key once: within this call where the key, or that there is none, is known; else later,
 * within JWKS_WAIT_MS. */
void jwks_get(struct jwks *jwks, const char *kid, jwks_key_fn *on_key, void *ctx);
