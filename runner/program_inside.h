/* program_inside.h - which settings a program is given, for program*.[ch].  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/program.h"
#include "runner/runner_settings.h"

/* Names, each list with NULL at its end. */
struct program_settings {
	const char *const *names;
	const char *const *of_environment; /* without what stands before them, "STAGING_" */
};

extern const struct program_settings program_repository;
extern const struct program_settings program_registry; /* what asks it for CI's image */
extern const struct program_settings program_shipping;
extern const struct program_settings program_acting;
extern const struct program_settings program_playing;

bool program_add_variable(struct program_plan *plan, const char *name, const char *value,
    struct err *err) MUST_USE;

/* Those of the list that are set; of a secret NAME_FILE.  plan NULL: all are printed. */
bool program_add_settings(struct program_plan *plan, const struct program_settings *of,
    const char *environment, struct runner_settings *settings, struct err *err) MUST_USE;

/* RENAMED_FROM, where the application had another name. */
bool program_add_former(struct program_plan *plan, struct runner_settings *settings,
    const struct program_dirs *dirs, struct err *err) MUST_USE;

/* RUN_HOSTS and what belongs to it.  Refuses an order for a host that the settings do not name. */
bool program_add_hosts(struct program_plan *plan, const struct protocol_message *order,
    const struct program_dirs *dirs, struct runner_settings *settings, struct err *err) MUST_USE;

/* What deploy/act-on.sh gets of a client, without its id; "": nothing. */
bool program_add_client(struct program_plan *plan, const char *client,
    struct runner_settings *settings, struct err *err) MUST_USE;

#define PROGRAM_LOGIN "REPOSITORY_LOGIN"
/* Its value.  "own": the key or token that git logs in with is set for this application, and no
 * other one's file says the same; else "shared", as of a path, which all may read.  NULL: no
 * submodules are fetched, so that nobody asks. */
const char *program_login(struct runner_settings *settings, const char *env_file);

/* Settings whose names begin with TRANSPORT_: only a transport of somebody's own knows them. */
bool program_add_own_settings(struct program_plan *plan, const char *environment,
    const struct runner_settings *settings, struct err *err) MUST_USE;
