/* hmac_of.h - HMAC-SHA256 of a whole text in one call, as whoever signs a request needs it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto.h"

static inline bool
hmac_of(const struct crypto_hmac_key *key, const void *data, size_t size,
    uint8_t out[CRYPTO_SHA256_SIZE], struct err *err)
{
	CLEANUP(crypto_hmac_dropp) struct crypto_hmac *mac = crypto_hmac_begin(key, err);

	return mac != NULL && crypto_hmac_add(mac, data, size, err) &&
	    crypto_hmac_finish(mac, out, err);
}
