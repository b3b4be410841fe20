/* base64.h - reads base64 (RFC 4648, sections 4 and 5) strictly, and writes it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/* Decodes all of it: letters of the alphabet, padded to a multiple of four, no blanks, no bits set
 * behind the last byte.  False when it is anything else, or does not fit; *ret_size is untouched
 * then. */
MUST_USE bool
base64_decode(const char *text, size_t size, void *out, size_t room, size_t *ret_size);

#define BASE64_SIZE(bytes) (((bytes) + 2) / 3 * 4 + 1) /* with the NUL */

/* Writes BASE64_SIZE(size) bytes; returns out. */
char *base64_encode(const void *data, size_t size, char *out);

/* As base64_decode() and base64_encode(), with the alphabet for URLs and without padding, which
 * is how tokens and keys have it (RFC 7515, section 2). */
MUST_USE bool
base64_url_decode(const char *text, size_t size, void *out, size_t room, size_t *ret_size);

#define BASE64_URL_SIZE(bytes) (((bytes)*4 + 2) / 3 + 1) /* with the NUL */

/* Writes at most BASE64_URL_SIZE(size) bytes; returns out. */
char *base64_url_encode(const void *data, size_t size, char *out);
