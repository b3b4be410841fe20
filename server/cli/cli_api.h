/* cli_api.h - asks the running server over LOCAL_SOCKET, and waits for its answer.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/json.h"

struct cli;

struct cli_api {
	char path[128]; /* of the socket */
	const char *as; /* --as ROLE; NULL: not said */
	const char
	    *unread; /* the settings file that we may not read: path is the default; or NULL */
};

/*
 * Its socket: LOCAL_SOCKET of the environment, of the settings file where we may read that, or its
 * default.  A ./.env that neither we nor root have made is somebody's who would have us speak to a
 * program of theirs: passed over, unless --env-file names it.  False: the file that --env-file
 * names cannot be read.
 */
bool
cli_api_of(const struct cli *cli, const char *as, struct cli_api *ret, struct err *err) MUST_USE;

struct cli_answer {
	int status; /* of HTTP */
	char *body;
	struct json *json; /* the same */
};

void cli_answer_done(struct cli_answer *answer); /* takes one that is all zero */

/* A file that is sent as it is. */
struct cli_file {
	int fd; /* read from its beginning */
	int64_t size;
	const char *name; /* of plain text */
	const char *code; /* of the second factor; NULL: none */
	const char *shown; /* the question that the code is for; NULL: none */
	void (*progress)(const struct cli_file *file, int64_t sent); /* NULL: nobody looks */
};

/* cli_api_ask() with that file as the body. */
bool cli_api_send(const struct cli_api *api, const char *target, const struct cli_file *file,
    struct cli_answer *ret, struct err *err) MUST_USE;

/* A GET that the server keeps until there is something new, 7 s at most; a signal ends it. */
bool cli_api_wait(const struct cli_api *api, const char *target, struct cli_answer *ret,
    struct err *err) MUST_USE;

/* body: JSON, NULL: a GET.  Only a listener of root's, ours, or of who has the socket's folder is
 * spoken to, and what it says can be printed: no controls but line ends and tabs are in it.  False,
 * and *err says what to do about it: no answer came.  A GET that is one too many is asked again,
 * for 5 s. */
bool cli_api_ask(const struct cli_api *api, const char *target, const char *body,
    struct cli_answer *ret, struct err *err) MUST_USE;
