/* isolation_aid.h - two worlds that differ in what one person has no grant on, and in nothing else.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * In each there is the application shop, whose owner has all grants there (and whose role is called
 * as a test says), and another application with work, questions, locks, tokens, hooks and clients
 * of its own, whose owner's role has the same name.  The other one is called cider in the first
 * world and zebra in the second, and everything that people, git and the settings say of it
 * differs, and so does what is the server's.
 *
 * What shop's owner does is done in both at once.  What they are shown must be the same, letter by
 * letter: then nothing of the other application was in it, not even that it is there.  And each row
 * that was there before them must be as it was.
 */
#pragma once

#include "decide_aid.h"
#include "types/api.h"

#define OWNER	   71		  /* has the role in apps/shop.env */
#define STAGING_OF 72		  /* STAGING_TELEGRAM_IDS of apps/shop.env */
#define MAIN_OF	   73		  /* a role of the settings file, with grants on shop alone */
#define LOGGED_IN  98		  /* by a token of that role */
#define SHOP_CHAT  INT64_C(-1004) /* the chat of shop */
#define GAMES	   5		  /* a user of the machine with that role */

struct isolation {
	struct world w[2];
	const char *role;
	char token[2][TOKEN_TEXT]; /* of that role */
	char *before[2];	   /* the rows that were there before the owner was */
	size_t n_asked;
};

/* The role of both owners is called that. */
void isolation_open(struct isolation *both, const char *role);
void isolation_close(struct isolation *both);

/* Somebody of shop types that in their private chat; presses a button that stands for the request
 * and is there for whoever may: of each world it is about that world's application, and what is
 * shown may name it. */
void isolation_type(struct isolation *both, int64_t person, const char *text);
void isolation_press(struct isolation *both, int64_t person, const struct request *request);

/* The archive that each upload brings. */
#define ISOLATION_ARCHIVE "1111111111111111111111111111111111111111111111111111111111111111"

/* A request of /v1: by that user of the machine, as that role where root says one; by the token
 * where uid is ISOLATION_TOKEN. */
#define ISOLATION_TOKEN UINT32_MAX
void isolation_ask(struct isolation *both, uint32_t uid, const char *as,
    enum api_operation operation, const char *path, const char *body);

/* A call of that hook. */
void isolation_call(struct isolation *both, const char *id, const char *body);

/* What was done last was refused, or shown: no row that was there has changed, and none but what
 * says that it was asked names the other application.  what: for the failure. */
void isolation_check_rows(struct isolation *both, const char *what);

/* Works of the other application are these numbers, and its holds these. */
#define ISOLATION_WORKS 7
#define ISOLATION_HOLDS 2
