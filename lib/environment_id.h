/* environment_id.h - which environment of which application: the one type, the one parser.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * An environment is (application, name).  For people, in rows and on the wire it is one text,
 * shop/staging; on disk and in labels of units shop.staging.  The application without a name is
 * what a single settings file makes, and its environments read as ever: staging.
 * What work is done to may be a client as well, client/acme: no application is called client.
 */
#pragma once

#include "lib/base.h"

#define ENVIRONMENT_NAME_MAX 21 /* bytes with the NUL, of either name: [a-z][a-z0-9-]{0,19} */
#define ENVIRONMENT_ID_MAX   53 /* both, and what stands between */
#define ENVIRONMENT_CLIENT   "client"
#define ENVIRONMENT_CLIENT_MAX 32 /* bytes with the NUL of a client's id: [a-z0-9][a-z0-9-]{0,30} */

struct environment_id {
	char application[ENVIRONMENT_NAME_MAX]; /* "": the one without a name */
	char name[ENVIRONMENT_CLIENT_MAX];
};

/* Is it a name of an application, or of an environment? */
bool environment_name_is_valid(const char *name);

bool environment_client_is_valid(const char *id);

/* The id in "client/acme"; NULL: it is no client. */
const char *environment_client(const char *text);

/* Of "staging", "shop/staging" or "client/acme"; false, and *ret as it was: it is none. */
MUST_USE bool environment_id_parse(const char *text, struct environment_id *ret);

/* The text of both names; returns out.  application "": the name alone. */
const char *environment_id_text(const char *application, const char *name,
    char out[ENVIRONMENT_ID_MAX]);

/* The same environment's name on disk, shop.staging; returns out.  text is a valid id. */
const char *environment_id_file(const char *text, char out[ENVIRONMENT_ID_MAX]);

/* Is it called production, as people call that: "shop/production", "prod-eu"? */
bool environment_is_production(const char *text);

/* Does the text name an environment of that application ("": of the one without a name)? */
bool environment_id_is_of(const char *text, const char *application);
