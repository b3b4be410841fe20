/* setting.h - the types of settings as rows, and one value against its row.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define SETTING_IDS_MAX	     512 /* people of a role: a company of 500 in ALLOWED_USERS */
#define SETTING_IDS_SIZE_MAX 16384 /* bytes: each with an id of 12 digits and the day it ends */
#define SETTING_GRANTS_MAX   64
#define SETTING_PATTERNS_MAX 32
#define SETTING_SERVICES_MAX 32 /* of one image: web, worker, scheduler and some more */
#define SETTING_REPOSITORIES_MAX 64 /* that submodules may be fetched from */
#define SETTING_PATTERN_LIST_MAX 1023
#define SETTING_HOSTS_MAX    64
#define SETTING_NAMES_MAX    64 /* environments of a file: each pair is compared when it is read */
#define SETTING_URLS_MAX     8
#define SETTING_URL_LIST_MAX 2047 /* bytes of all of them */
#define SETTING_PART_MAX     1023 /* bytes of a part of a list */
#define SETTING_SECRET_OK    32	  /* bytes; shorter is warned of */

enum setting_type {
#define SETTING_TYPE(name, ...) SETTING_TYPE_##name,
#include "lib/setting.def"
	SETTING_TYPES
};

struct setting_row {
	const char *name;
	const char *sentence;		/* what is expected: "a port, 1 to 65535" */
	const char *expression;		/* NULL: none.  For the whole of each part */
	bool (*fits)(const char *part); /* asked besides; NULL: nothing */
	size_t most;			/* bytes of a value */
	size_t parts;			/* of a list; 0: it is none */
	bool is_hidden;			/* the value stands in no message */
	bool is_folded;			/* capitals mean nothing */
};

extern const struct setting_row setting_rows[SETTING_TYPES];

/* May text be the value of a setting of this type?  What is said is «"VALUE" is not SENTENCE»,
 * without the value where it is hidden, by its type or because the setting is_secret.  An
 * expression is compiled when it is first needed and kept; any thread may ask. */
MUST_USE bool
setting_check(enum setting_type type, const char *text, bool is_secret, struct err *err);

/* The time that a DURATION is, in ms; 0 of NULL: a wrong one was said. */
int64_t setting_duration_ms(const char *text);

/* Does it look like what a guide writes where a secret belongs? */
bool setting_is_placeholder(const char *text);

/* Takes the next part of a comma list, without the blanks around it, from *list, which moves on.
 * False at the end.  A part longer than room - 1 is cut: no check lets a list with one pass. */
MUST_USE bool setting_next(const char **list, char *out, size_t room);

/* The name of a member's setting: ("<ENV>_PORT", "eu-west") gives EU_WEST_PORT.  What stands in <>
 * is replaced by the member's name in capitals, every character but letters and digits as _.
 * Returns out. */
#define SETTING_NAME_MAX 80 /* bytes with the NUL */
const char *setting_name(const char *pattern, const char *member, char out[SETTING_NAME_MAX]);

/* What a setting is called for one environment: ("DEPLOY_USER", "eu-west") gives
 * EU_WEST_DEPLOY_USER.  Returns out. */
const char *setting_special(const char *name, const char *environment, char out[SETTING_NAME_MAX]);

/*
 * Where a setting that may be said for one environment is looked for: steps, the first of which
 * that has it decides.  Of count sources the first own are those of the application itself: first
 * there, <ENV>_NAME and then NAME; then the same behind.
 */
struct setting_step {
	size_t source;
	bool is_environments; /* <ENV>_NAME is looked for, else NAME */
};

/* The n-th, from 0 on.  False: there are not so many. */
MUST_USE bool setting_step(size_t own, size_t count, size_t n, struct setting_step *ret);

/* The default that a setting ("REGISTRY_IMAGE", "<ENV>_COMPOSE_DIR") with this one in the table has
 * in an application: those by which two applications would meet carry its name, or there is none.
 * Returns out, fallback or NULL. */
const char *setting_fallback(const char *pattern, const char *fallback, const char *application,
    char out[SETTING_NAME_MAX]);

/* Where the applications' files are: beside the settings file, if nothing else is given (an
 * absolute path, or NULL).  False: neither says.  And one of them, "…/apps/shop.env". */
MUST_USE bool setting_apps_directory(const char *settings_file, const char *given,
    char out[SETTING_PART_MAX + 1]);
#define SETTING_APPS_FILE_MAX (SETTING_PART_MAX + 32) /* bytes with the NUL */
const char *setting_apps_file(const char *directory, const char *application,
    char out[SETTING_APPS_FILE_MAX]);

/* Is it a setting that only a transport of theirs knows: TRANSPORT_NAME, or <ENV>_TRANSPORT_NAME of
 * that environment? */
bool setting_is_transports(const char *name, const char *environment);
