/* hook.h - HOOK_<NAME>_STARTS: what a call of /hooks/NAME starts, and with which word of its body.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * "deploy:shop/staging ref=$.ref": a grant, and where it takes a word, that word or the path of a
 * string in the body: $.a.b, keys of objects, no index and no wildcard.  A hook is a principal
 * (principal_of_row()) whose one grant that is.
 */
#pragma once

#include "types/request.h"
#include "types/secret.h"
#include "types/update.h"

#define HOOK_VALUE_MAX 200 /* bytes of the word */
#define HOOK_KEY_MAX   200 /* of a call's idempotency key */
#define HOOK_GRANT     72  /* "do.restart-web:client/acme" */

struct hook {
	const char *id;	    /* "build-done"; of an application's file "shop/build-done" */
	struct secret secret; /* its own, or WEBHOOK_API_SECRET; without one nobody may call it */
	bool is_shared;	    /* the latter */
	const char *starts;
	const char *application; /* in whose file it stands; "": the main one */
};

/* Those of the main file, then those of applications, one after the other from *at = 0 on. */
bool hook_next(const struct settings *s, size_t *at, struct hook *ret);

/* The one of that id; false: there is none.  Looks at all of them, whichever it is. */
bool hook_find(const struct settings *s, const char *id, struct hook *ret);

/* A line as it is read. */
struct hook_line {
	char grant[HOOK_GRANT];	       /* "deploy:shop/staging", as it would stand in a grant */
	char target[LIMIT_ENVIRONMENT]; /* with its application; client/acme */
	char action[24];	       /* an action of /do; "": a deployment */
	char key[16];		       /* "ref", "argument"; "": it takes no word */
	char value[HOOK_VALUE_MAX + 1]; /* a word, or $.a.b; of an action also several, "a,$.b" */
};

/* Of a text that its type has let pass; application: in whose file it stands. */
void hook_line_read(const char *starts, const char *application, struct hook_line *ret);

/* The request that it stands for, with the word that the body has (JSON; not looked at where the
 * line has its own).  False, *err says what is wrong with the body: there is no such string, it is
 * longer than HOOK_VALUE_MAX, empty, or no one word of printable text. */
MUST_USE bool hook_line_request(const struct hook_line *line, const char *body, size_t size,
    struct request *ret, struct err *err);

/* By which key a caller knows its request again (NULL: none, ""); false: it cannot be one. */
bool hook_key_copy(const char *key, char out[HOOK_KEY_MAX + 1]) MUST_USE;

/* A call that was let in. */
struct hook_call {
	struct update from;
	struct request request;
	char id[ENVIRONMENT_ID_MAX];
	char key[HOOK_KEY_MAX + 1]; /* as the caller said it; "": none */
	uint8_t digest[32];	    /* of the body */
};
