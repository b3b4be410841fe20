/* cli.h - the subcommands of `deploybot`, and how one is found.  Side: start. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdio.h>

#include "lib/base.h"
#include "lib/setting.h"

/* Read where there is no .env in the folder that we were started in: an installed one's. */
#define CLI_SETTINGS_FILE "/etc/deploybot/deploybot.conf"
#define CLI_FILE_HERE	  ".env"

/* What stands on the command line beside the subcommand. */
struct cli {
	const char *program;	/* argv[0] */
	const char *word;	/* the subcommand */
	const char *env_file;	/* --env-file, ".env" or CLI_SETTINGS_FILE; NULL: none is there */
	bool is_named;		/* env_file was given with --env-file */
	int argc;		/* what follows the subcommand */
	char **argv;
};

/* Does that flag follow the subcommand? */
bool cli_has_flag(const struct cli *cli, const char *flag) MUST_USE;

/* False: something else follows than these flags, each once; that was said, with the usage. */
bool cli_takes(const struct cli *cli, const char *const flags[], size_t count,
    const char *usage) MUST_USE;

/* Returns the exit status (sysexits.h). */
typedef int cli_command(const struct cli *cli);

/* CLI(word, function, usage behind the word, help) in the order of the help text. */
#define CLI_COMMANDS(CLI) \
	CLI("serve",        serve,        "[--no-copy] [--restored]", "Run the server (the default); restored: on a copy.") \
	CLI("doctor",       doctor,       "[--json] [--production|ENV]", \
	    "Check everything, over the network; ENV: its target.") \
	CLI("check-config", check_config, "[--json] [--production]", "Check the settings; asks no network.") \
	CLI("application",  application,  "list | check [NAME] | adopt NAME", "Applications: which there are, what is wrong.") \
	CLI("config-example", config_example, "",           "Print a file with every setting and its default.") \
	CLI("healthcheck",  healthcheck,  "[--instance]",    "Ask the running server whether it is alive.") \
	CLI("webhook",      webhook,      "set|info|delete", "Register, show or remove the webhook at Telegram.") \
	CLI("first-admin",  first_admin,  "",                "Print the id of who opens a one-time link.") \
	CLI("audit",        audit,        "verify|tail|search|show|export", "Check and read the audit log; a folder for auditors.") \
	CLI("policy",       policy,       "explain WHO ACTION TARGET|report", "Who may what, and which line says so.") \
	CLI("logs",         logs,         "ENV [LINES]",     "What the application logged last.") \
	CLI("log",          log,          "ENV|NUMBER [--wait]", "What a deployment has printed; --wait: follow it.") \
	CLI("answer",       answer,       "ENV|NUMBER [yes|no]", "Read a deployment's question, or answer it.") \
	CLI("2fa",          factor,       "add|confirm|codes|recover|reset PERSON", "Make or reset a second factor, by its person's id.") \
	CLI("token",        token,        "add NAME --role ROLE --expires 90d|DATE|list|revoke NAME", "Make, list or revoke a token.") \
	CLI("secrets",      secrets,      "check [--json]|fetch", "Where secrets come from, their age; NAME_COMMAND.") \
	CLI("completion",   completion,   "bash|zsh|fish",   "Print what makes a shell complete these words.") \
	CLI("backup",       backup,       "FILE",            "Copy the database, while the server runs.") \
	CLI("restore",      restore,      "FILE",            "A backup becomes the database: stop deploybot first.") \
	CLI("version",      version,      "",                "Print the version.") \
	CLI("help",         help,         "[COMMAND]",       "This text, or help with COMMAND.")

/*
 * Reads `deploybot [SUBCOMMAND [ARGUMENT...]]`, with `--env-file FILE` anywhere in it, and runs it;
 * returns the exit status.  serve is the caller's (rooms of the same rank do not include each
 * other).
 */
int cli_run(int argc, char **argv, cli_command *serve) MUST_USE;

cli_command cli_doctor, cli_check_config, cli_config_example, cli_healthcheck, cli_webhook;
cli_command cli_application, cli_audit, cli_backup, cli_policy, cli_restore;
cli_command cli_first_admin, cli_secrets;
/* Its kinds and their options. */
void cli_audit_usage(FILE *out, const char *program);

cli_command cli_log, cli_logs, cli_answer, cli_factor, cli_token, cli_completion;

/* Each command of the chat but those about chats is a subcommand too: it asks the server. */
bool cli_is_chat_command(const char *word);
cli_command cli_chat_command;
void cli_print_chat_commands(FILE *out);
void cli_print_chat_command(const struct cli *cli, const char *word); /* which is one */

/* Their words; how many. */
#define CLI_CHAT_COMMANDS_MAX 64
size_t cli_list_chat_commands(const char *words[CLI_CHAT_COMMANDS_MAX]);

struct settings;
struct settings_report;

/* Loads the settings and prints what is to say about them on stderr, warnings and notes only when
 * they are errors' company or `all`.  NULL: the caller exits with 78. */
struct settings *cli_settings(const struct cli *cli, bool all) MUST_USE;
struct settings *cli_settings_reported(const struct cli *cli, bool all,
    struct settings_report *report) MUST_USE;

/* The same of what there is to say of one application (NULL: of all). */
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
struct settings *cli_settings_with(const char *env_file, char *line,
    struct settings_report *report) MUST_USE;

/* Writes the path of the store's database. */
void cli_database(const struct settings *settings, char *out, size_t room);

/* Says "error: …"; what to exit with. */
int cli_fail(const struct err *err);
