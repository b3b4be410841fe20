/* crypto_certificate.h - reads what a certificate says, and who has signed it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto_ca.h"

struct x509_st;

struct crypto_certificate {
	char identity[CRYPTO_CA_IDENTITY]; /* "server"; "": it has no name of ours, or several */
	char key[CRYPTO_SHA256_HEX];	   /* digest of its public key */
	int64_t from, until;		   /* wall ms */
	bool is_signed; /* for a server's use, dates apart: as hosts look at it */
};

/* The name behind URI:deploybot: in its SAN. */
void crypto_certificate_identity(const struct x509_st *cert, char ret[CRYPTO_CA_IDENTITY]);

/* The first certificate of a text (PEM); others in it may stand between it and one of `ca`, a text
 * of the same kind.  Each has at most CRYPTO_CA_FILE bytes.  ERR_INVALID: there is none. */
MUST_USE bool crypto_certificate_read(
    const char *text, const char *ca, struct crypto_certificate *ret, struct err *err);
