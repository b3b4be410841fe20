/* crypto_renewal.h - a host asks for the certificate of its next key, by the key that it has.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * The text is one line: the key that the host has (SubjectPublicKeyInfo, base64), its signature
 * (ECDSA with SHA-256, base64) and a request in PEM, a comma in the place of each newline.  The
 * signature is over order_bytes_write() of the kind "renew", who it is, as its certificate says it,
 * and the digest of the next key: who passes it on puts no other key in its place.
 */
#pragma once

#include "lib/crypto_ca.h"

#define CRYPTO_RENEWAL_TEXT 1500 /* bytes, with the NUL */

struct crypto_renewal {
	char key[CRYPTO_SHA256_HEX];  /* digest of the key that has signed it */
	char next[CRYPTO_SHA256_HEX]; /* of the next one */
	char request[CRYPTO_CA_PEM];
};

/* By that private key, in PEM. */
MUST_USE bool crypto_renewal_make(const char *key, const char *identity, const char *request,
    char ret[CRYPTO_RENEWAL_TEXT], struct err *err);

/* ERR_INVALID: it is none, of another identity, or not signed by the keys that it names. */
MUST_USE bool crypto_renewal_read(
    const char *text, const char *identity, struct crypto_renewal *ret, struct err *err);

/* PEM as one line, and such a line as PEM: in its place. */
void crypto_renewal_fold(char *text);
void crypto_renewal_unfold(char *text);
