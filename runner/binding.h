/* binding.h - what ships an environment, as the list that an approval is bound to.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Behind the settings of the files (fingerprint.h) stands what the runner alone sees:
 *	environment/NAME=MARK	a setting that it was started with, where that wins
 *	transport/NAME=MARK	one that only a transport of theirs knows
 *	script/NAME=MARK	their own script: DEPLOY_SCRIPT, ROLLBACK_SCRIPT, VERIFY_COMMAND
 *	KIND/HOOK=MARK		each hook that would be run: pre-deploy/10-migrate
 *	more/hooks=MARK		those for which no room is left
 * Of a file MARK is of its bytes; of one that is larger than BINDING_FILE_MAX, or cannot be read,
 * of its inode, size and times, and stands behind "large-" or "unreadable-".
 */
#pragma once

#include "runner/runner_settings.h"

#define BINDING_FILE_MAX  (8 * 1024 * 1024)  /* bytes of a script or hook */
#define BINDING_FILES_MAX (32 * 1024 * 1024) /* of all of them: beyond it they are "large" */

#define BINDING_HOOKS_MAX 512 /* bytes with the NUL */

/* "KIND=DIGEST KIND=DIGEST …" of all hooks that the folder has now: a run that is bound looks again
 * before each of them (deploy/hooks.sh). */
void binding_hooks(const char *folder, char ret[BINDING_HOOKS_MAX]);

/* The same of the folder in the settings. */
bool binding_hooks_of(struct runner_settings *settings, const char *scripts,
    char ret[BINDING_HOOKS_MAX], struct err *err) MUST_USE;

/* scripts: the folder with deploy.sh, for the hooks where HOOKS_DIRECTORY is not set.  Fails
 * where the list is too long alone. */
bool binding_list(struct runner_settings *settings, const char *environment, const char *scripts,
    char ret[FINGERPRINT_LIST_MAX], struct err *err) MUST_USE;
