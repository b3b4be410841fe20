/* crypto_gcm.h - AES-256-GCM (NIST SP 800-38D) of short texts, whole.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define CRYPTO_GCM_KEY	 32
#define CRYPTO_GCM_NONCE 12
#define CRYPTO_GCM_TAG	 16
#define CRYPTO_GCM_MAX	 65536 /* bytes of data, and of what goes with it */

/* What goes with data that is not encrypted: whoever opens it must name the same. */
struct crypto_gcm {
	const uint8_t *key;   /* CRYPTO_GCM_KEY bytes */
	const uint8_t *nonce; /* CRYPTO_GCM_NONCE bytes, never twice under one key */
	const void *with;
	size_t with_size;
};

/* Encrypts size bytes into out, of the same size, and writes the tag.  ERR_LIMIT: more than
 * CRYPTO_GCM_MAX.  Without memory for it the program aborts, here and below (mem_abort()). */
MUST_USE bool crypto_gcm_seal(const struct crypto_gcm *gcm, const void *data, size_t size,
    void *out, uint8_t tag[CRYPTO_GCM_TAG], struct err *err);

/* The reverse.  ERR_LIMIT as above; ERR_DENIED: key, nonce, data, tag or what goes with it is
 * another; out is wiped then. */
MUST_USE bool crypto_gcm_open(const struct crypto_gcm *gcm, const void *data, size_t size,
    const uint8_t tag[CRYPTO_GCM_TAG], void *out, struct err *err);
