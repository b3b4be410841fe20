/* github_signature.h - reads what GitHub signed a delivery with.  Computes nothing.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries: the header
 * X-Hub-Signature-256 holds "sha256=" and the HMAC-SHA256 of the raw body in lower-case hex.
 */
#pragma once

#include "lib/crypto.h"

#define GITHUB_SIGNATURE_SIZE CRYPTO_SHA256_SIZE

/* Decodes the header's value, which is "sha256=" and 64 lower-case hex digits and nothing else
 * (no blanks, capitals, SHA-1).  False otherwise and for NULL; ret is untouched then. */
MUST_USE bool github_signature_parse(const char *value, uint8_t ret[GITHUB_SIGNATURE_SIZE]);

/* Takes the MAC that was fed with the whole body.  Proven when it is what was given; the time does
 * not depend on where they differ.  ret_mac is the computed value in that case. */
MUST_USE enum crypto_proof github_signature_check(struct crypto_hmac *mac,
    const uint8_t given[GITHUB_SIGNATURE_SIZE], uint8_t ret_mac[GITHUB_SIGNATURE_SIZE]);
