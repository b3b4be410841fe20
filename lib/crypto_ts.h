/* crypto_ts.h - RFC 3161 timestamps of a SHA-256: asking for one, and reading one.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/crypto.h"

#define CRYPTO_TS_NONCE	  8     /* bytes */
#define CRYPTO_TS_REQUEST 128   /* bytes of a request, at most */
#define CRYPTO_TS_ANSWER  65536 /* bytes of an answer, at most: certificates are in it */

struct crypto_ts {
	uint8_t hash[CRYPTO_SHA256_SIZE]; /* what was stamped */
	int64_t at;	/* wall ms, to the second */
	char by[160];	/* the name in the signer's certificate (RFC 2253), in printable ASCII */
};

/* A request in DER, with the certificate asked for; *ret_nonce must come back. */
bool crypto_ts_request(const uint8_t hash[CRYPTO_SHA256_SIZE], uint8_t ret[CRYPTO_TS_REQUEST],
    size_t *ret_size, uint8_t ret_nonce[CRYPTO_TS_NONCE], struct err *err) MUST_USE;

enum crypto_ts_trust {
	CRYPTO_TS_NOBODY, /* the signature is not looked at */
	CRYPTO_TS_SYSTEM, /* it must lead to an authority of the system's */
	CRYPTO_TS_FILE,	  /* it must lead to an authority in a file of PEM */
};

/*
 * Reads an answer in DER: granted, of one SHA-256, and with that trust signed by a certificate for
 * timestamping.  hash, nonce: what was asked for; NULL: is not compared.  A certificate that has
 * expired since the stamp's moment is taken as of that moment.
 */
bool crypto_ts_read(const void *answer, size_t size, const uint8_t *hash, const uint8_t *nonce,
    enum crypto_ts_trust trust, const char *ca_file, struct crypto_ts *ret,
    struct err *err) MUST_USE;
