/* row_token.h - tokens, logins by them, and wrong ones that were typed, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/roles.h"
#include "types/token.h"

#define ROW_TOKEN_WHY  48
#define ROW_TOKEN_LIST TOKENS_KNOWN /* that are not revoked; no more are made */

struct token {
	int64_t id; /* 0: there is none */
	char name[TOKEN_NAME];
	char role[ENVIRONMENT_NAME_MAX];
	int64_t made_at, made_by; /* who, as rows know people */
	char by[LIMIT_PERSON];
	int64_t expires_at;
	int64_t person; /* the account that was the first to log in with it; 0: none yet */
	int64_t used_at;
	int64_t revoked_at; /* 0: it is not */
	char revoked_why[ROW_TOKEN_WHY];
};

struct session {
	int64_t person; /* 0: there is none */
	int64_t token;
	char name[LIMIT_PERSON];
	int64_t began_at, used_at;
};

struct login_try {
	int64_t failures, since, locked_until;
};

/* Under that of AUTH_TOKEN_SECRET, of the text of one; no token is valid without the setting. */
struct token row_token_find(struct tx *tx, const char *text);
struct token row_token_get(struct tx *tx, int64_t id);

/* The one of that name that is not revoked. */
struct token row_token_named(struct tx *tx, const char *name);

/* Those that are not revoked, by their names; returns how many. */
size_t row_token_list(struct tx *tx, struct token ret[ROW_TOKEN_LIST]);

/* Adds one that has this text, which is not kept.  Returns its id; 0: the tx has failed. */
int64_t row_token_add(struct tx *tx, const struct token *token, const char *text);

/* All that changes: person, used_at and what stands behind it. */
void row_token_save(struct tx *tx, const struct token *token);

/* Is it neither expired nor revoked, and its role there? */
bool row_token_is_good(const struct tx *tx, const struct token *token) MUST_USE;

/* Those that were over long ago, with what nobody may come back to: their names are free, their
 * numbers are not.  True: `max` of them went, and there may be more. */
#define ROW_TOKEN_KEPT_MS (90 * 24 * 3600 * INT64_C(1000))
bool row_token_clear(struct tx *tx, int64_t max);

/* What the loop is to know of them.  False: SQL failed, or there is no memory. */
bool row_token_known(struct tx *tx, struct known_tokens *ret);

struct session row_session_get(struct tx *tx, int64_t person);

/* The next, by the number of the person. */
struct session row_session_next(struct tx *tx, int64_t after);
void row_session_put(struct tx *tx, const struct session *session);
void row_session_drop(struct tx *tx, int64_t person);

/* When a login of that token ends if it is not used; not later than the token. */
int64_t row_session_end(
    const struct tx *tx, const struct session *session, const struct token *token);

/* The number of the role that this token has, or a login lends to this person, at this moment
 * (principal.lent); 0: none. */
int64_t row_token_lent(struct tx *tx, int64_t person);

struct login_try row_login_try_get(struct tx *tx, int64_t person);

/* In its place; those that are over go. */
void row_login_try_put(struct tx *tx, int64_t person, const struct login_try *tries);
#define ROW_LOGIN_TRY_MS INT64_C(3600000)
