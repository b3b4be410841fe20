/* crypto_ca.h - a small authority of certificates: P-256, one URI as the only identity.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Requests (PKCS #10, RFC 2986), certificates (RFC 5280) and keys are texts in PEM.  Of a request
 * its key alone goes into the certificate.
 */
#pragma once

#include "lib/base.h"
#include "lib/crypto.h"
#include "lib/crypto_ed25519.h"

#define CRYPTO_CA_REQUEST  4096 /* bytes of a request, at most */
#define CRYPTO_CA_PEM	   4096 /* bytes of what is made here, with the NUL */
#define CRYPTO_CA_FILE	   16384 /* bytes of several certificates, at most */
#define CRYPTO_CA_IDENTITY 80	/* "agent/acme" and the NUL */
#define CRYPTO_CA_NAME_MAX 57 /* with its role 64, as a common name; a-z 0-9 . -, no sign first */

/* A key that one has oneself, and what says of it: a certificate, or the request for one. */
struct crypto_ca_pair {
	char key[CRYPTO_CA_PEM];
	char text[CRYPTO_CA_PEM];
};

/* Who signs, for whom, and from when until when: wall ms, to the second. */
struct crypto_ca_order {
	const char *key;	 /* the authority's */
	const char *certificate; /* of it; others may stand beside it */
	const char *identity; /* "agent/NAME", "runner/NAME" or "server" */
	int64_t from, until;
};

/* An authority: a new key, and its certificate by itself.  Wipe *ret. */
MUST_USE bool crypto_ca_make(
    int64_t from, int64_t until, struct crypto_ca_pair *ret, struct err *err);

/* A new key, and the request for its certificate.  Wipe *ret. */
MUST_USE bool crypto_ca_make_request(struct crypto_ca_pair *ret, struct err *err);

/* The request for the certificate of ret->key, which is there. */
MUST_USE bool crypto_ca_request_of(struct crypto_ca_pair *ret, struct err *err);

/* A new private key of Ed25519, as PKCS #8.  Wipe it. */
MUST_USE bool crypto_ca_make_order_key(char ret[CRYPTO_CA_PEM], struct err *err);

/* The public key of that one, in hex. */
MUST_USE bool crypto_ca_order_public(
    const char *key, char ret[CRYPTO_SHA256_HEX], struct err *err);

/* What it is signed with: crypto_ed25519_sign()'s seed.  Wipe it. */
MUST_USE bool crypto_ca_order_seed(
    const char *key, uint8_t ret[CRYPTO_ED25519_KEY], struct err *err);

/* The digest of a request's key, where it can be signed: at most CRYPTO_CA_REQUEST bytes, signed by
 * its own key, which is one of P-256.  ERR_INVALID says what it is instead. */
MUST_USE bool crypto_ca_check_request(
    const char *request, char ret[CRYPTO_SHA256_HEX], struct err *err);

/* SHA-256 over the SubjectPublicKeyInfo of the first certificate in a text, in hex. */
MUST_USE bool crypto_ca_key_digest(
    const char *certificate, char ret[CRYPTO_SHA256_HEX], struct err *err);

/* ERR_CONFIG: no certificate in the text is that of an authority with this key. */
MUST_USE bool crypto_ca_check(const char *key, const char *certificate, struct err *err);

/* Signs the request's key for that identity, with a serial number of 128 random bits; for servers'
 * use where it is "server", for clients' else.  ERR_CONFIG: as crypto_ca_check() has it. */
MUST_USE bool crypto_ca_sign(const struct crypto_ca_order *order, const char *request,
    char ret[CRYPTO_CA_PEM], struct err *err);
