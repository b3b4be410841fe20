/* row_token.h - tokens, logins by them, and wrong ones that were typed, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "policy/policy.h"
#include "store/tx.h"
#include "types/token.h"

#define ROW_TOKEN_WHY  48
#define ROW_TOKEN_LIST TOKENS_KNOWN /* that are not revoked; no more are made */

/* In the place of a token's application: of before, when a name was enough, and not found yet; and
 * found to be several's, of which it is none. */
#define ROLE_OF_UNKNOWN "*"
#define ROLE_OF_SEVERAL "?"

struct token {
	int64_t id; /* 0: there is none */
	char name[TOKEN_NAME];
	char application[ENVIRONMENT_NAME_MAX]; /* its role's; "": the main file's */
	char role[ENVIRONMENT_NAME_MAX];
	int64_t made_at, made_by; /* who, as rows know people */
	char by[LIMIT_PERSON];
	int64_t expires_at;
	int64_t person; /* the account that was the first to log in with it; 0: none yet */
	int64_t used_at;
	int64_t revoked_at; /* 0: it is not */
	char revoked_why[ROW_TOKEN_WHY];
	enum token_fault fault; /* as it was looked at last */
	int64_t ended_at; /* when that was for good, whatever a clock says later; 0: it is not */
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

/* All that changes: application, person, used_at and what stands behind it.  The loop gets them all
 * anew. */
void row_token_save(struct tx *tx, const struct token *token);

/* It was used at this moment, which says nothing new to the loop. */
void row_token_use(struct tx *tx, const struct token *token);

/* Those of that application's roles are of that one's from now on. */
void row_token_rename(struct tx *tx, const char *from, const char *to);

/* The index of its role and 1; 0: there is none. */
size_t row_token_role(const struct settings *settings, const struct token *token) MUST_USE;

/* The role as people write it; of one of before the name alone.  Returns out. */
const char *row_token_role_text(const struct token *token, char out[ROLE_TEXT]);

/* Until when it is valid: not later than its role, and than the role of who has made it.  `at` 0:
 * it has no role, or who made it has not. */
struct policy_end row_token_end(const struct settings *settings, const struct token *token);

/* Why it is not valid; TOKEN_GOOD: it is. */
enum token_fault
row_token_fault(const struct settings *settings, const struct token *token, int64_t at) MUST_USE;

/* The one of that name that is not revoked, id 0: none, of a database that a server may be
 * using. */
bool
row_token_read(const char *database, const char *name, struct token *ret, struct err *err) MUST_USE;

/* Those that were over long ago, with what nobody may come back to: their names are free, their
 * numbers are not.  One by which an emergency was asked for stays until that is reviewed: its maker
 * does not review it.  True: `max` of them went, and there may be more. */
#define ROW_TOKEN_KEPT_MS (90 * 24 * 3600 * INT64_C(1000))
bool row_token_clear(struct tx *tx, int64_t max);

/* What the loop is to know of them.  False: SQL failed. */
bool row_token_known(struct tx *tx, struct known_tokens *ret);

struct session row_session_get(struct tx *tx, int64_t person);

/* The next, by the number of the person. */
struct session row_session_next(struct tx *tx, int64_t after);
void row_session_put(struct tx *tx, const struct session *session);
void row_session_drop(struct tx *tx, int64_t person);

/* When a login of that token ends if it is not used; not later than the token. */
int64_t
row_session_end(const struct tx *tx, const struct session *session, const struct token *token);

/* The role that this token has, or a login lends to this person, at this moment (principal.lent);
 * 0: none. */
size_t row_token_lent(struct tx *tx, int64_t person);

/* By which token that person acts at this moment: the bearer's, or that of their login; 0: none. */
int64_t row_token_acting(struct tx *tx, int64_t person);

struct login_try row_login_try_get(struct tx *tx, int64_t person);

/* In its place; those that are over go. */
void row_login_try_put(struct tx *tx, int64_t person, const struct login_try *tries);
#define ROW_LOGIN_TRY_MS INT64_C(3600000)
