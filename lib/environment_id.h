/* environment_id.h - which environment of which application: the one type, the one parser.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * An environment is (application, name).  For people, in rows and on the wire it is one text,
 * shop/staging; on disk and in labels of units shop.staging.  The application without a name is
 * what a single settings file makes, and its environments read as ever: staging.
 */
#pragma once

#include "lib/base.h"

#define ENVIRONMENT_NAME_MAX 21 /* bytes with the NUL, of either name: [a-z][a-z0-9-]{0,19} */
#define ENVIRONMENT_ID_MAX   42 /* both, and what stands between */

struct environment_id {
	char application[ENVIRONMENT_NAME_MAX]; /* "": the one without a name */
	char name[ENVIRONMENT_NAME_MAX];
};

/* Is it a name of an application, or of an environment? */
bool environment_name_is_valid(const char *name);

/* Of "staging" or "shop/staging"; false, and *ret as it was: it is neither. */
MUST_USE bool environment_id_parse(const char *text, struct environment_id *ret);

/* The text of both names; returns out.  application "": the name alone. */
const char *environment_id_text(const char *application, const char *name,
    char out[ENVIRONMENT_ID_MAX]);

/* The same environment's name on disk, shop.staging; returns out.  text is a valid id. */
const char *environment_id_file(const char *text, char out[ENVIRONMENT_ID_MAX]);

/* Does the text name an environment of that application ("": of the one without a name)? */
bool environment_id_is_of(const char *text, const char *application);
