/* cli.h - the subcommands of `deploybot`, and how one is found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdio.h>

#include "lib/base.h"
#include "lib/setting.h"

/* Read where there is no .env in the folder that we were started in: an installed one's. */
#define CLI_SETTINGS_FILE "/etc/deploybot/deploybot.conf"
#define CLI_FILE_HERE	  ".env"

/* Of cli.def. */
enum cli_option {
#define OPTION(name, ...) OPTION_##name,
#include "cli/cli.def"
	OPTION_COUNT
};

#define CLI_MANY_MAX 64

/* What stands on the command line. */
struct cli {
	const char *program;	     /* argv[0] */
	const struct cli_form *form; /* the subcommand, and which of its forms */
	const char *word;	     /* "audit"; NULL: none was typed */
	const char *env_file; /* --env-file, ".env" or CLI_SETTINGS_FILE; NULL: none is there */
	int argc;	      /* what is no option, behind the form's words */
	char **argv;
	char *value[OPTION_COUNT];	/* NULL: not given; of a flag not NULL */
	const char *many[CLI_MANY_MAX]; /* of the option that may be given several times */
	size_t many_count;
};

/* Returns the exit status (sysexits.h). */
typedef int cli_command(const struct cli *cli);

/* The same of what asks the running server (cli_server.h). */
struct cli_server;
typedef int cli_server_command(struct cli_server *local);

#define FORM(word, kind, function, ...) cli_command cli_##function;
#define ASK(word, kind, function, ...)	cli_server_command cli_##function;
#include "cli/cli.def"

/*
 * Reads `deploybot [SUBCOMMAND [ARGUMENT...]]`, with options anywhere in it, and runs it; returns
 * the exit status.  serve is the caller's (rooms of the same rank do not include each other).
 */
int cli_run(int argc, char **argv, cli_command *serve) MUST_USE;

/* Says that the option's value, or the operand (OPTION_COUNT), is not what is expected there
 * (NULL: as cli.def has it); returns EX_USAGE. */
int
cli_refuse(const struct cli *cli, enum cli_option option, const char *text, const char *expected);

struct settings;
struct settings_report;

/* Loads the settings and prints what is to say about them on stderr, warnings and notes only when
 * they are errors' company or `all`.  NULL: the caller exits with 78. */
struct settings *cli_settings(const struct cli *cli, bool all) MUST_USE;

/* As cli_settings(), reported too, of what there is to say of one application (NULL: of all). */
struct settings *cli_settings_for(const struct cli *cli, bool all, const char *application,
    struct settings_report *report) MUST_USE;

/* The environment that is meant: as in the chat a name that one application alone has is enough.
 * NULL: none or several, which was said. */
const char *cli_target(const struct settings *s, const char *text) MUST_USE;

/* The path of that application's file.  False: there is no folder for them. */
bool cli_application_file(const char *env_file, const struct settings *s, const char *application,
    char out[SETTING_APPS_FILE_MAX]);

/* The settings once more with this "NAME=value" over all else; prints nothing.  NULL: they are
 * wrong then. */
struct settings *
cli_settings_with(const char *env_file, char *line, struct settings_report *report) MUST_USE;

/* Says "error: …"; what to exit with. */
int cli_fail(const struct err *err);
