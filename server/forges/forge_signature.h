/* forge_signature.h - how a forge proves a delivery.  Reads no request.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Gitea and Forgejo sign with the bare HMAC-SHA256 of the body, in lower-case hex and nothing else;
 * GitHub (docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries) and Bitbucket
 * Cloud write "sha256=" in front of it.  GitLab sends the secret itself, which covers nothing; or,
 * where the secret begins with whsec_, its signing token: webhook-signature of Standard Webhooks
 * 1.0.0 (standard-webhooks/standard-webhooks, spec/), "v1," and base64 of the HMAC of
 * "id.timestamp.body", blanks between several of them.  Its timestamp is signed and not compared
 * with our clock: one that comes again is known by its id, and only lets git be asked.
 */
#pragma once

#include "lib/crypto.h"
#include "types/delivery.h"

#define FORGE_SIGNATURES_MAX 4	/* of one header: two while a secret is rotated */
#define FORGE_SIGNED_BEFORE  128 /* "id.timestamp." */

enum forge_scheme { FORGE_HEX, FORGE_SHA256_HEX, FORGE_TOKEN };

/* Values of headers; NULL: not there, or there twice. */
struct forge_headers {
	const char *signature; /* of the forge's own header: the token too */
	const char *standard;  /* webhook-signature */
	const char *id;	       /* webhook-id */
	const char *timestamp; /* webhook-timestamp */
};

enum forge_proof {
	FORGE_REFUSED, /* nothing that could be right */
	FORGE_PROVEN,  /* by its token: the body is not signed */
	FORGE_SIGNED,  /* if the body's MAC is one of those given */
	FORGE_UNKNOWN, /* OpenSSL had no memory to say */
};

struct forge_signature {
	char before[FORGE_SIGNED_BEFORE]; /* is signed in front of the body; "": nothing */
	size_t count;
	uint8_t given[FORGE_SIGNATURES_MAX][CRYPTO_SHA256_SIZE];
};

/* The key that a secret stands for; false: it is a signing token, and none that can be one. */
MUST_USE bool forge_secret_key(
    enum forge_scheme scheme, const char *secret, struct crypto_hmac_key **ret, struct err *err);

/* What the headers prove; an empty value, and a secret of NULL, are refused.  *ret is filled in
 * where a body is signed.  The time does not depend on where a token differs. */
enum forge_proof forge_signature_read(enum forge_scheme scheme, const char *secret,
    const struct forge_headers *headers, struct forge_signature *ret);

/* Takes the MAC that was fed with what is signed.  Proven when it is one of those given; the time
 * does not depend on where they differ.  ret_mac is the computed value in that case. */
MUST_USE enum crypto_proof forge_signature_check(struct crypto_hmac *mac,
    const struct forge_signature *signature, uint8_t ret_mac[CRYPTO_SHA256_SIZE]);
