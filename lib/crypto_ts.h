/* crypto_ts.h - reads an RFC 3161 timestamp of a SHA-256.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/crypto.h"

#define CRYPTO_TS_ANSWER 65536 /* bytes of a timestamp, at most: certificates are in it */

struct crypto_ts {
	uint8_t hash[CRYPTO_SHA256_SIZE]; /* what was stamped */
	int64_t at;	/* wall ms, to the second */
	char by[160];	/* the name in the signer's certificate (RFC 2253), in printable ASCII */
};

enum crypto_ts_trust {
	CRYPTO_TS_NOBODY, /* the signature is not looked at */
	CRYPTO_TS_SYSTEM, /* it must lead to an authority of the system's */
	CRYPTO_TS_FILE,	  /* it must lead to an authority in a file of PEM */
};

/*
 * Reads an authority's answer in DER: granted, of one SHA-256, and with that trust signed by a
 * certificate for timestamping.  A certificate that has expired since the stamp's moment is taken
 * as of that moment.
 */
bool crypto_ts_read(const void *answer, size_t size, enum crypto_ts_trust trust,
    const char *ca_file, struct crypto_ts *ret, struct err *err) MUST_USE;
