/* sha256.h - SHA-256 of bytes, without a library: for programs that link none.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * FIPS 180-4.  Of what is no secret: its time depends on the length alone, but nothing is wiped.
 * For more than an archive who has OpenSSL takes lib/crypto.h, which is faster.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

void sha256(const void *data, size_t size, uint8_t out[SHA256_SIZE]);

/* The same of pieces, one behind the other. */
struct sha256 {
	uint32_t state[8];
	uint64_t size;
	uint8_t block[64]; /* what has come of the next one */
};

void sha256_init(struct sha256 *sum);
void sha256_add(struct sha256 *sum, const void *data, size_t size);
void sha256_end(struct sha256 *sum, uint8_t out[SHA256_SIZE]);
