/* base64.h - reads base64 (RFC 4648, section 4) strictly, and writes it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Decodes all of it: letters of the alphabet, padded to a multiple of four, no blanks, no bits set
 * behind the last byte.  False when it is anything else, or does not fit; *ret_size is untouched
 * then. */
MUST_USE bool base64_decode(
    const char *text, size_t size, void *out, size_t room, size_t *ret_size);

#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1) /* with the NUL */

/* Writes BASE64_SIZE(size) bytes; returns out. */
char *base64_encode(const void *data, size_t size, char *out);
