/* runner_settings.h - the runner's own settings, read anew for each order.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Only names in runner/settings.def are looked at, and those of a transport of theirs (program.c).
 * The environment that the runner was started
 * with wins over the file.  What is empty is not set.
 */
#pragma once

#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/setting.h"

#define RUNNER_SETTING_MAX 4096 /* bytes of a value; longer is refused */

struct runner_settings {
	struct env_file file;
	char secret[RUNNER_SETTING_MAX + 1]; /* the last one that came from NAME_FILE */
};

/* path may be NULL: no file.  To be freed with _done, also after a failure. */
bool runner_settings_read(struct runner_settings *ret, const char *path, struct err *err) MUST_USE;

/* *ret_value is the setting's text, its default, or NULL; a BOOL's is true or false.  It is
 * borrowed: of a secret from a file only until the next call.  Fails with ERR_CONFIG when it cannot
 * be the value of its type (lib/setting.def), or its NAME_FILE cannot be read. */
bool runner_settings_text(struct runner_settings *settings, const char *name,
    const char **ret_value, struct err *err) MUST_USE;

bool runner_settings_is_secret(const char *name);

/* The next of all settings, those of each environment in ENVIRONMENTS too, that would be refused,
 * from *from on (0 at first; left behind it).  False: there is none, and all that is set can be
 * handed to programs. */
bool runner_settings_next_fault(struct runner_settings *settings, size_t *from, struct err *err);

/* The name of an environment's setting: ("PORT", "my-env") gives MY_ENV_PORT.  Returns ret. */
const char *
runner_settings_name(const char *id, const char *environment, char ret[SETTING_NAME_MAX]);

/* As runner_settings_text, for the environment's setting called id. */
bool runner_settings_of(struct runner_settings *settings, const char *id, const char *environment,
    const char **ret_value, struct err *err) MUST_USE;

/* Wipes secrets. */
void runner_settings_done(struct runner_settings *settings);
