/* principal.h - who acts: a person, a user of this machine, a token, a hook, a workflow, or deploybot.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/environment_id.h"

#define PRINCIPAL_NAME 80 /* bytes with the NUL, of what has no number */
#define PRINCIPAL_TEXT 96
#define PRINCIPAL_ROOT "local:root"

/* X(name, word in rows and audit, has it a number?) */
#define PRINCIPALS(P) \
	P(SYSTEM, "system", false)  /* deploybot: polls, rollbacks, deadlines */ \
	P(PERSON, "telegram", true) /* by their account at Telegram */ \
	P(USER, "local", false)	    /* a user of this machine: ada(1000) */ \
	P(TOKEN, "token", false) \
	P(HOOK, "hook", false) \
	P(REPOSITORY, "github", false) /* whoever pushed there: login(7) */ \
	P(WORKFLOW, "workflow", false) /* a job of it, which proves that by its forge's token */

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
	/* Of the snapshot's roles the one that root says, a hook or workflow is, a token has or a
	 * login lends, and 1; 0: none.  Made for one decision (decide_principal()), and never kept:
	 * it is an index. */
	size_t lent;
	/* An end of theirs that was recorded: the clock that says it is earlier has jumped back.
	 * 0: none was. */
	int64_t not_before;
};

/* A role, a hook or a workflow: (application, name); application "": the main file's. */
struct role_id {
	char application[ENVIRONMENT_NAME_MAX];
	char name[ENVIRONMENT_NAME_MAX];
};

/* "lead", "shop:lead": as people write it, and read it.  Returns out. */
#define ROLE_TEXT (2 * ENVIRONMENT_NAME_MAX)
const char *role_id_text(const char *application, const char *name, char out[ROLE_TEXT]);

/* Of such a text; false: it is too long to be one. */
MUST_USE bool role_id_parse(const char *text, struct role_id *ret);

/*
 * Rows know people by a number.  A user of this machine who is nobody at Telegram has one below 0.
 * Root has one for each role that it says, and each hook and workflow has one: the number of its
 * row (store/row_principal.h).  What they have asked for is looked at with the grants of that
 * alone.
 */
int64_t principal_of_user(uint32_t uid);

/* Of that row: of root in a role (USER), of a HOOK or of a WORKFLOW. */
int64_t principal_of_row(enum principal_kind kind, int64_t row);
bool principal_is_root(int64_t person);

/* A token has a number below those, whatever its role is: rows know which it was. */
int64_t principal_of_token(int64_t token);
int64_t principal_token(int64_t person); /* 0: it is none */

bool principal_is_hook(int64_t person);

/* A hook or a workflow: a program that has grants of its own, and no second factor. */
bool principal_is_program(int64_t person);

/* The row that the number of root, of a hook or of a workflow stands for; 0: it stands for none. */
int64_t principal_row(int64_t person);

/* Numbers that versions before gave to root's roles, and to hooks by "shop/build-done": others of
 * that hash share them, so they say nothing but of work that was open then. */
int64_t principal_of_root_before(const char *role);
int64_t principal_of_hook_before(const char *id);

/* Of each of them. */
struct principal principal_of_person(int64_t person);

/* Of "telegram:42", "github:login(7)", "system"; false, and *ret as it was: it is none. */
MUST_USE bool principal_parse(const char *text, struct principal *ret);

/* The text that principal_parse() reads; returns out. */
const char *principal_text(const struct principal *principal, char out[PRINCIPAL_TEXT]);

/* The one person that it stands for, by their number at Telegram; 0: it stands for none, and counts
 * as nobody who approves. */
int64_t principal_person(const struct principal *principal);
