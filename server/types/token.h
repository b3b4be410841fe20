/* token.h - a token's text: how it is made, recognised and taken out of other text.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

#define TOKEN_BYTES  32 /* random */
#define TOKEN_PREFIX "deploybot_"
#define TOKEN_TEXT   (sizeof(TOKEN_PREFIX) + (size_t)TOKEN_BYTES * 2) /* with the NUL */
#define TOKEN_BLANK  "***"
#define TOKEN_NAME   32 /* of one, with the NUL */

/* "deploybot_" and 64 hex digits: what looks for secrets in files finds it by that. */
void token_text(const uint8_t bytes[TOKEN_BYTES], char ret[TOKEN_TEXT]);

/* Is it as long as one, and made of the same characters? */
bool token_is_text(const char *text) MUST_USE;

/* May a token have that name: [a-z][a-z0-9-]*? */
bool token_is_name(const char *name) MUST_USE;

/* The first of a text that is one or the beginning of one, with at least eight of its digits; NULL:
 * none.  *ret_size: its bytes. */
const char *token_find(const char *text, size_t *ret_size);
