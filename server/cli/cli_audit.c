/* cli_audit.c - `deploybot audit …`: which of them.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_audit_inside.h"
#include "types/settings.h"

static const char usage[] =
    "Usage: %s audit verify [LOG] [--against s3|s3://BUCKET/FOLDER|FOLDER|FILE|DIGITS]... [--bot ID]\n"
    "                       [--tsa-ca FILE] [DIGITS...]\n"
    "       %s audit tail [-n NUMBER] [--format text|json|csv]\n"
    "       %s audit search [--from TIME] [--to TIME] [--app NAME] [--environment NAME] [--deployment NUMBER]\n"
    "                       [--person ID] [--severity WORD] [--code CODE] [-n NUMBER] [--format text|json|csv]\n"
    "       %s audit show NUMBER\n"
    "       %s audit export FOLDER [--from TIME] [--to TIME] [--app NAME] [--environment NAME]\n"
    "                       [--deployment NUMBER] [--format json|csv] [--anyway]\n"
    "LOG: its path; read by itself, without settings, server and database\n"
    "FOLDER: a witness's objects; FILE: another copy of the log, or Telegram's export of a chat as JSON\n"
    "DIGITS: the 16 hexadecimal ones behind \"audit\" in a final message; 8 in an old one\n"
    "TIME: 2026-11-20 or 2026-11-20T07:10:48Z, UTC; --to a day includes it\n"
    "ID: telegram:42 or 42, github:7, local:ada; CODE: of the table in docs/audit.md, or an action\n"
    "--environment: production, or shop/production; --anyway: also of a log that does not verify\n"
    "WORD: at least info, low, medium, high or critical\n";

int
cli_audit(const struct cli *cli)
{
	static const struct {
		const char *word;
		int (*run)(const struct cli *cli, const char *database);
	} kinds[] = {
		{ "tail", cli_audit_tail },
		{ "search", cli_audit_search },
		{ "show", cli_audit_show },
	};
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	const char *word = cli->argc < 1 ? "" : cli->argv[0], *program = cli->program;
	char database[PATH_MAX];
	size_t i = 0;

	while (i < COUNT(kinds) && strcmp(kinds[i].word, word) != 0)
		i++;
	if (strcmp(word, "verify") == 0)
		return cli_audit_verify(cli);
	if (i == COUNT(kinds) && strcmp(word, "export") != 0) {
		(void)fprintf(stderr, usage, program, program, program, program, program);
		return EX_USAGE;
	}
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	cli_database(s, database, sizeof(database));
	return i < COUNT(kinds) ? kinds[i].run(cli, database) :
				  cli_audit_export(cli, database, s->audit_log_path);
}
