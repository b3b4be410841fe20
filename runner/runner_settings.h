/* runner_settings.h - the runner's own settings, read anew for each order.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Only names in runner/settings.def are looked at, and those of a transport of theirs
 * (program_settings.c).  The environment that the runner was started with wins over the main file,
 * never over an application's; what of an application is its own stands in its file alone, or has
 * its default.  What is empty is not set.
 */
#pragma once

#include <sys/types.h>

#include "lib/env_file.h"
#include "lib/environment_id.h"
#include "lib/err.h"
#include "lib/fingerprint.h"
#include "lib/setting.h"

#define RUNNER_SETTING_MAX 4096 /* bytes of a value; longer is refused */

struct runner_settings {
	char application[ENVIRONMENT_NAME_MAX]; /* "": the one without a name */
	char environment[ENVIRONMENT_NAME_MAX]; /* whose <ENV>_NAME are looked for; "": nobody's */
	uid_t owner; /* of the main file; without one we */
	struct env_file main;
	struct env_file own; /* the application's file; empty where it has no name */
	char fallback[SETTING_NAME_MAX]; /* the last default that carries its name */
	char secret[RUNNER_SETTING_MAX + 1]; /* the last one that came from NAME_FILE */
};

/* One of them, with what it is called. */
struct runner_setting {
	const struct row *row;
	bool is_secret;
	bool is_hosts_file;
	char name[SETTING_NAME_MAX];
};

struct runner_setting runner_setting(const char *name);

/* A family's member's: ("ENVIRONMENT", "PORT", "my-env") is MY_ENV_PORT. */
struct runner_setting runner_setting_of(const char *family, const char *id, const char *member);

/* Those of an application ("": of the one without a name).  path, the main file, may be NULL: none.
 * To be freed with _done, also after a failure.  Refuses an application's file that is a link, or
 * that anybody but root and the owner of the main file may write. */
bool runner_settings_read(struct runner_settings *ret, const char *path, const char *application,
    struct err *err) MUST_USE;

/* From now on a setting is what it is for that environment of the application ("": for none). */
void runner_settings_for(struct runner_settings *settings, const char *environment);

/* The folder with the applications' files, as the settings have it.  False: there is none. */
bool runner_settings_folder(struct runner_settings *settings, const char *path,
    char ret[SETTING_PART_MAX + 1]) MUST_USE;

/* *ret_value is the setting's text, its default, or NULL; a BOOL's is true or false.  It is
 * borrowed: of a secret from a file, or a default with the application's name, only until the next
 * call.  Fails with ERR_CONFIG when it cannot be the value of its type (lib/setting.def), or its
 * NAME_FILE cannot be read. */
bool runner_settings_get(struct runner_settings *settings, const struct runner_setting *setting,
    const char **ret_value, struct err *err) MUST_USE;
bool runner_settings_text(struct runner_settings *settings, const char *name,
    const char **ret_value, struct err *err) MUST_USE;

/* Calls back for each name of a setting of one environment, <ENV>_NAME and <ENV>_NAME_FILE, of all
 * in ENVIRONMENTS, that our own environment sets. */
void runner_settings_special(struct runner_settings *settings, void (*call)(const char *name));

/* Does anything say it, or has it its default? */
bool runner_settings_is_said(const struct runner_settings *settings, const char *name) MUST_USE;

/* Is it said in the application's own file? */
bool runner_settings_is_of_application(
    const struct runner_settings *settings, const char *name) MUST_USE;

/* Where a secret stands: the path of its file, or the application whose file has its value; ""
 * where it is the main file's or the environment's value, or not set.  Borrowed. */
const char *runner_settings_source(
    const struct runner_settings *settings, const struct runner_setting *setting);

/* The next of all settings, those of each environment in ENVIRONMENTS too, that would be refused,
 * from *from on (0 at first; left behind it).  False: there is none, and all that is set can be
 * handed to programs. */
bool runner_settings_next_fault(struct runner_settings *settings, size_t *from, struct err *err);

/* The list (lib/fingerprint.h) of what stands in the files for that environment.  Returns out. */
const char *runner_settings_fingerprint(const struct runner_settings *settings,
    const char *environment, char out[FINGERPRINT_LIST_MAX]);

/* The same of what stands there for a client. */
const char *runner_settings_fingerprint_client(const struct runner_settings *settings,
    const char *client, char out[FINGERPRINT_LIST_MAX]);

/* What of it the runner was started with, where that wins: environment/NAME=MARK. */
void runner_settings_add_environ(
    const struct runner_settings *settings, const char *environment, struct buf *list);

/* Wipes secrets. */
void runner_settings_done(struct runner_settings *settings);
