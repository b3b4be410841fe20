/* principal.h - who acts: a person, a user of this machine, a token, a hook, a repository, or deploybot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#include "lib/base.h"

#define PRINCIPAL_NAME 80 /* bytes with the NUL, of what has no number */
#define PRINCIPAL_TEXT 96
#define PRINCIPAL_ROOT "local:root"

/* X(name, word in rows and audit, has it a number?) */
#define PRINCIPALS(P) \
	P(SYSTEM,     "system",   false)	/* deploybot: polls, rollbacks, deadlines */ \
	P(PERSON,     "telegram", true)	/* by their account at Telegram */ \
	P(USER,       "local",    false)	/* a user of this machine: ada(1000) */ \
	P(TOKEN,      "token",    false) \
	P(HOOK,       "hook",     false) \
	P(REPOSITORY, "github",   false)	/* whoever pushed there: login(7) */

enum principal_kind {
#define P(name, ...) PRINCIPAL_##name,
	PRINCIPALS(P)
#undef P
};

/* Zero is the system. */
struct principal {
	enum principal_kind kind;
	int64_t id; /* a person's; a user's as principal_of_user() has it, 0: not known */
	char name[PRINCIPAL_NAME]; /* of who has no number */
	int64_t lent; /* the number of a role that a token has, or a login lends; 0: none.  It never
			 approves, enrols no factor, makes no token */
};

/*
 * Rows know people by a number.  A user of this machine who is nobody at Telegram has one below 0,
 * and root has one for each role that it may act as: what it has asked for is looked at with the
 * grants of that role alone.
 */
int64_t principal_of_user(uint32_t uid);
int64_t principal_of_root(const char *role);
bool principal_is_root(int64_t person);

/* A token has a number below those, whatever its role is: rows know which it was. */
int64_t principal_of_token(int64_t token);
int64_t principal_token(int64_t person); /* 0: it is none */

/* A hook's, by its id: below those. */
int64_t principal_of_hook(const char *id);
bool principal_is_hook(int64_t person);

/* Of each of them. */
struct principal principal_of_person(int64_t person);

/* Of "telegram:42", "github:login(7)", "system"; false, and *ret as it was: it is none. */
MUST_USE bool principal_parse(const char *text, struct principal *ret);

/* The text that principal_parse() reads; returns out. */
const char *principal_text(const struct principal *principal, char out[PRINCIPAL_TEXT]);

/* The one person that it stands for, by their number at Telegram; 0: it stands for none, and counts
 * as nobody who approves. */
int64_t principal_person(const struct principal *principal);
