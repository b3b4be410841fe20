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

#define TOKEN_MAC 32 /* HMAC-SHA256 of its text, under AUTH_TOKEN_SECRET */

/* What the loop knows of them, so that nobody waits behind who has none: those that are not
 * revoked, at most 256, and as many that were, of which the store says why they are not valid. */
#define TOKENS_KNOWN 256
struct known_token {
	uint8_t mac[TOKEN_MAC];
	int64_t until; /* wall ms: it is valid before that; 0: it is not */
};
struct known_tokens {
	size_t n;
	struct known_token at[2 * TOKENS_KNOWN];
};

/* "deploybot_" and 64 hex digits: what looks for secrets in files finds it by that. */
void token_text(const uint8_t bytes[TOKEN_BYTES], char ret[TOKEN_TEXT]);

/* Is it as long as one, and made of the same characters? */
bool token_is_text(const char *text) MUST_USE;

/* May a token have that name: [a-z][a-z0-9-]*? */
bool token_is_name(const char *name) MUST_USE;

/* The first of a text that is one or the beginning of one, with at least eight of its digits; NULL:
 * none.  *ret_size: its bytes. */
const char *token_find(const char *text, size_t *ret_size);
