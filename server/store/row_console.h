/* row_console.h - sessions of the console, and the codes that open one, as rows.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A session is a person's own: `session` (row_token.h) is a login that lends a role, one for each
 * person.  Neither the token nor the code is kept, but its MAC under AUTH_TOKEN_SECRET.
 */
#pragma once

#include "store/tx.h"
#include "types/token.h"

#define ROW_CONSOLE_MAC 65 /* hex */
#define ROW_CONSOLE_BOT 17 /* hex */

struct console_session {
	char mac[ROW_CONSOLE_MAC];
	int64_t person; /* 0: there is none */
	char name[LIMIT_PERSON];
	char bot[ROW_CONSOLE_BOT]; /* of the bot's token that its initData was signed with; "": a
				    * code has opened it */
	int64_t began_at, used_at, ends_at;
	int64_t proof_at; /* they last proved that it is they */
};

/* The session of that token; one under the previous key stands under the one that holds now. */
struct console_session row_console_find(struct tx *tx, const char *token);

/* The next, by its MAC ("": the first); of that person, or of all, the one that was not used for
 * longest, and how many there are; person 0: all. */
struct console_session row_console_next(struct tx *tx, const char *after);
struct console_session row_console_idlest(struct tx *tx, int64_t person);
int64_t row_console_count(struct tx *tx, int64_t person);

/* Adds one with that token; its mac is not looked at. */
void row_console_add(struct tx *tx, const struct console_session *session, const char *token);

/* Writes used_at and proof_at. */
void row_console_save(struct tx *tx, const struct console_session *session);
void row_console_drop(struct tx *tx, const struct console_session *session);

/* The code of that person, in the place of one before it. */
void row_console_put_code(
    struct tx *tx, int64_t person, const char *name, const char *code, int64_t until);

/* Takes the row of that code, which is gone then.  Returns whose it was; 0: nobody's, or it is
 * over. */
int64_t row_console_take_code(struct tx *tx, const char *code, char ret_name[LIMIT_PERSON]);

/* Adds those that go on to what the loop is to know.  False: SQL failed. */
bool row_console_known(struct tx *tx, struct known_tokens *ret);
