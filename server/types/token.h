/* token.h - a token's text: how it is made, recognised and taken out of other text.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define TOKEN_BYTES  32 /* random */
#define TOKEN_PREFIX "deploybot_"
#define TOKEN_TEXT   (sizeof(TOKEN_PREFIX) + (size_t)TOKEN_BYTES * 2) /* with the NUL */
/* Of a session of the console (store/row_console.h). */
#define TOKEN_SESSION_PREFIX "deploybotc_"
#define TOKEN_SESSION_TEXT   (sizeof(TOKEN_SESSION_PREFIX) + (size_t)TOKEN_BYTES * 2)
#define TOKEN_BLANK	     "***"
#define TOKEN_NAME   32 /* of one, with the NUL */

/*
 * Why one is not valid.
 * F(NAME, word in rows, for who sends it and for the audit, for who is logged in by it, is it over
 * for good?).  What the settings took away they can give back; what had its end has ended.
 */
#define TOKEN_FAULTS(F) \
	F(GOOD, "", "a valid token", "it is valid", false) \
	F(UNKNOWN, "unknown", "an unknown token", "the token is not known any more", false) \
	F(OFF, "off", "an unknown token", "logins by tokens are switched off", false) \
	F(REVOKED, "revoked", "a revoked token", "the token was revoked", false) \
	F(EXPIRED, "expired", "an expired token", "the token has expired", true) \
	F(ROLE_GONE, "role-gone", "a token whose role is gone", "its role is gone", false) \
	F(ROLE_SEVERAL, "role-several", "a token of before, whose role several applications have", \
	    "several applications have a role of its name", false) \
	F(ROLE_ENDED, "role-ended", "a token whose role has ended", "its role has ended", true) \
	F(MAKER_GONE, "maker-gone", "a token whose maker does not have its role any more", \
	    "who made the token does not have its role any more", false) \
	F(MAKER_ENDED, "maker-ended", "a token whose maker's own role has ended", \
	    "the role of who made the token has ended", true)

enum token_fault {
#define F(name, ...) TOKEN_##name,
	TOKEN_FAULTS(F)
#undef F
	    TOKEN_FAULT_COUNT
};

struct token_fault_row {
	const char *word;
	const char *what;
	const char *login;
	bool is_for_good;
};

extern const struct token_fault_row token_fault_rows[TOKEN_FAULT_COUNT];

/* By its word; TOKEN_GOOD for what is none. */
enum token_fault token_fault_of(const char *word);

#define TOKEN_MAC 32 /* HMAC-SHA256 of its text, under AUTH_TOKEN_SECRET */

/* What the loop knows of them, so that nobody waits behind who has none: those that are not
 * revoked, at most 256, and as many that were, of which the store says why they are not valid. */
#define TOKENS_KNOWN   256
#define SESSIONS_KNOWN 500 /* of the console; no more are opened */
#define CREDENTIALS_KNOWN (2 * TOKENS_KNOWN + SESSIONS_KNOWN)
struct known_token {
	uint8_t mac[TOKEN_MAC];
	int64_t until; /* wall ms: it is valid before that; 0: it is not */
};
struct known_tokens {
	size_t n;
	struct known_token at[CREDENTIALS_KNOWN];
};

/* "deploybot_" and 64 hex digits: what looks for secrets in files finds it by that. */
void token_text(const uint8_t bytes[TOKEN_BYTES], char ret[TOKEN_TEXT]);

/* Is it as long as one, and made of the same characters? */
bool token_is_text(const char *text) MUST_USE;

/* The same two of a session of the console. */
void token_session_text(const uint8_t bytes[TOKEN_BYTES], char ret[TOKEN_SESSION_TEXT]);
bool token_is_session(const char *text) MUST_USE;

/* May a token have that name: [a-z][a-z0-9-]*? */
bool token_is_name(const char *name) MUST_USE;

/* The first of a text that is one of both or the beginning of one, with at least eight of its
 * digits; NULL: none.  *ret_size: its bytes. */
const char *token_find(const char *text, size_t *ret_size);
