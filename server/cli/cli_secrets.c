/* cli_secrets.c - `deploybot secrets check|fetch`: finds the one that is meant.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli_secrets.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int
usage(const struct cli *cli)
{
	(void)fprintf(stderr,
	    "Usage: %s secrets check [--json]\n"
	    "       %s secrets fetch [--folder FOLDER] [--users SERVER,RUNNER]\n"
	    "check: where each secret comes from, how old it is, who may read it\n"
	    "fetch: as root, run each NAME_COMMAND of the settings file, and keep what it prints\n",
	    cli->program, cli->program);
	return EX_USAGE;
}

int
cli_secrets(const struct cli *cli)
{
	const char *word = cli->argc > 0 ? cli->argv[0] : "";
	bool is_check = strcmp(word, "check") == 0;
	bool is_json = is_check && cli->argc == 2 && strcmp(cli->argv[1], "--json") == 0;
	int status = EX_USAGE;

	if (is_check && (cli->argc == 1 || is_json))
		return cli_secrets_check(cli, is_json);
	if (strcmp(word, "fetch") == 0)
		status = cli_secrets_fetch(cli);
	else if (strcmp(word, "commands") == 0 && cli->argc == 1)
		status = cli_secrets_commands(cli);
	else if (strcmp(word, "take") == 0 && cli->argc == 2)
		status = cli_secrets_take(cli->argv[1]);
	return status == EX_USAGE ? usage(cli) : status;
}
