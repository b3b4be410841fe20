/* program.h - the fixed table of programs: their scripts, arguments and settings.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/environment_id.h"
#include "lib/fingerprint.h"
#include "lib/redact.h"
#include "runner/protocol.h"

#define PROGRAM_ARGS_MAX	32
#define PROGRAM_VARIABLES_MAX	136 /* those of a transport of theirs too */

/* Where the runner works. */
struct program_dirs {
	const char *state;	/* absolute */
	const char *env_file;	/* NULL: none */
	const char *scripts;	/* the folder with deploy.sh, rollback.sh and commits.sh */
};

/* What to execute.  Secrets are no variables: NAME_FILE names a file in memory that this process
 * holds open, so that it can be read as long as we live and by nobody else's user. */
struct program_plan {
	char *path;
	char *argv[PROGRAM_ARGS_MAX + 1];
	char *envp[PROGRAM_VARIABLES_MAX + 1];
	size_t args;
	size_t variables;
	uint64_t log_limit;
	int64_t fetch_limit_s;
	int64_t await_limit_s; /* 0: nothing is migrated, as below */
	int64_t migrate_limit_s;
	struct redact *secrets; /* their values, to be kept out of the log; NULL: there are none */
};

/* Reads the settings and plans a run (kind RUN, with its tag) or a git query (GIT_QUERY).  To be
 * freed with program_plan_done, also after a failure.  The files in memory stay open until we
 * end. */
bool program_plan(struct program_plan *ret, const struct protocol_message *order,
    const struct program_dirs *dirs, struct err *err) MUST_USE;

/* The list of what ships that environment now (binding.h): an order of another fingerprint fails
 * with ERR_CHANGED. */
bool program_list(const struct protocol_message *order, const struct program_dirs *dirs,
    char ret[FINGERPRINT_LIST_MAX], struct err *err) MUST_USE;

/* The same for `target.sh ENV preflight`, which a person asks for. */
bool program_plan_preflight(struct program_plan *ret, const struct environment_id *environment,
    const struct program_dirs *dirs, struct err *err) MUST_USE;

/* Prints what deploy.sh is given of the settings of that environment, for one that a person starts:
 * NAME=VALUE, and NAME alone of what is not set, each with a NUL behind it.  Of a secret the path
 * of its file, where it has one. */
bool program_print_settings(const struct environment_id *environment, const char *env_file,
    struct err *err) MUST_USE;

void program_plan_done(struct program_plan *plan);
