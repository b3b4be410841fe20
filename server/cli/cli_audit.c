/* cli_audit.c - `deploybot audit …`: which of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_audit_inside.h"
#include "lib/db_backup.h"
#include "types/settings.h"

static const char usage[] =
    "Check and read the audit log; a folder for auditors.\n\n"
    "Usage: %s audit verify [LOG] [--database FILE] [--bot ID] [--tsa-ca FILE] [DIGITS...]\n"
    "                [--against s3|s3://BUCKET/FOLDER|FOLDER|FILE|DIGITS]...\n"
    "       %s audit tail [-n NUMBER] [--format text|json|csv] [SOURCE]\n"
    "       %s audit search [--from TIME] [--to TIME] [--app NAME] [--environment NAME]\n"
    "                [--deployment NUMBER] [--person ID] [--severity WORD] [--code CODE]\n"
    "                [-n NUMBER] [--format text|json|csv] [SOURCE]\n"
    "       %s audit show NUMBER [SOURCE]\n"
    "       %s audit export FOLDER [--from TIME] [--to TIME] [--app NAME] [--environment NAME]\n"
    "                [--deployment NUMBER] [--anyway] [SOURCE]\n"
    "LOG: the path of its newest file; the closed ones beside it are read, too\n"
    "SOURCE: --database FILE, a copy of the database, or --log LOG, its files; export takes both\n"
    "        (else those of the settings, --env-file FILE); with LOG or SOURCE no settings and no server\n"
    "        are needed, and nothing is written there, but for a -shm where the copy has a -wal\n"
    "--against FOLDER: a witness's objects; FILE: another copy of the log, or Telegram's export of a\n"
    "        chat as JSON; DIGITS: the 16 behind \"audit\" in the chat; 8 in old messages\n"
    "TIME: 2026-11-20 or 2026-11-20T07:10:48Z, UTC; --to a day includes it\n"
    "ID: telegram:42 or 42, github:7, local:ada; CODE: of the table in docs/audit.md, or an action\n"
    "--environment: production, or shop/production; --anyway: also of a log that does not verify\n"
    "WORD: at least info, low, medium, high or critical\n";

void
cli_audit_usage(FILE *out, const char *program)
{
	(void)fprintf(out, usage, program, program, program, program, program);
}

static int
refuse(const char *word, const char *why)
{
	(void)fprintf(stderr, "error: audit %s: %s\n", word, why);
	return EX_USAGE;
}

/* Takes --database FILE and --log LOG out of argv.  0, or what to exit with. */
static int
take_source(struct cli *cli, struct audit_source *ret)
{
	const char *word = cli->argv[0];
	int n = 1;

	for (int i = 1; i < cli->argc; i++) {
		bool is_log = strcmp(cli->argv[i], "--log") == 0;
		const char **to = is_log ? &ret->log : &ret->database;

		if (!is_log && strcmp(cli->argv[i], "--database") != 0) {
			cli->argv[n++] = cli->argv[i];
			continue;
		}
		if (i + 1 == cli->argc)
			return refuse(word,
			    is_log ? "--log: a log's path must follow" :
				     "--database: a file must follow");
		if (*to != NULL)
			return refuse(word,
			    is_log ? "--log: one log at a time" :
				     "--database: one database at a time");
		*to = cli->argv[++i];
	}
	cli->argc = n;
	ret->is_copy = ret->database != NULL;
	if (ret->is_copy && db_backup_lacks_log(ret->database))
		(void)fprintf(stderr,
		    "note: %s was copied without its -wal: the newest entries may be missing in it; `deploybot backup FILE` makes a whole copy\n",
		    ret->database);
	return EX_OK;
}

/* What was named, or what the settings name. */
static int
find_source(const struct cli *cli, struct audit_source *ret, struct settings **ret_settings,
    char database[PATH_MAX])
{
	const char *word = cli->argv[0], *why;

	if (ret->database != NULL || ret->log != NULL) {
		if (cli->is_named)
			return refuse(
			    word, "--env-file beside --database or --log: one or the other");
		if (ret->database != NULL && ret->log != NULL && strcmp(word, "export") != 0)
			return refuse(word, "--database or --log: one of both");
		if (ret->log != NULL && !cli_audit_is_log(ret->log, &why))
			return refuse(word, why);
		return EX_OK;
	}
	*ret_settings = cli_settings(cli, false);
	if (*ret_settings == NULL)
		return EX_CONFIG;
	cli_database(*ret_settings, database, PATH_MAX);
	*ret =
	    (struct audit_source){ .database = database, .log = (*ret_settings)->audit_log_path };
	return EX_OK;
}

static bool
asks_for_help(const struct cli *cli)
{
	for (int i = 1; i < cli->argc; i++)
		if (strcmp(cli->argv[i], "--help") == 0 || strcmp(cli->argv[i], "-h") == 0)
			return true;
	return false;
}

int
cli_audit(const struct cli *given)
{
	static const struct {
		const char *word;
		int (*run)(const struct cli *cli, const struct audit_source *source);
	} kinds[] = {
		{ "tail", cli_audit_tail },
		{ "search", cli_audit_search },
		{ "show", cli_audit_show },
		{ "export", cli_audit_export },
	};
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	struct cli cli = *given;
	const char *word = cli.argc < 1 ? "" : cli.argv[0];
	struct audit_source source = { 0 };
	char database[PATH_MAX];
	int status;
	size_t i = 0;

	while (i < COUNT(kinds) && strcmp(kinds[i].word, word) != 0)
		i++;
	if (i == COUNT(kinds) && strcmp(word, "verify") != 0) {
		cli_audit_usage(stderr, cli.program);
		return EX_USAGE;
	}
	if (asks_for_help(&cli)) {
		cli_audit_usage(stdout, cli.program);
		return EX_OK;
	}
	status = take_source(&cli, &source);
	if (status != EX_OK)
		return status;
	if (i == COUNT(kinds) && source.log != NULL)
		return refuse(word, "the log's path stands by itself, without --log");
	if (i == COUNT(kinds))
		return cli_audit_verify(&cli, source.database);
	status = find_source(&cli, &source, &s, database);
	return status != EX_OK ? status : kinds[i].run(&cli, &source);
}
