/* sha256.h - SHA-256 of bytes in memory, without a library: for programs that link none.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * FIPS 180-4.  Of what is no secret: its time depends on the length alone, but nothing is wiped.
 * Who has OpenSSL takes lib/crypto.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

void sha256(const void *data, size_t size, uint8_t out[SHA256_SIZE]);
