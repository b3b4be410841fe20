/* cli_options.c - the flags behind a subcommand's name.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/text.h"

bool
cli_has_flag(const struct cli *cli, const char *flag)
{
	for (int i = 0; i < cli->argc; i++)
		if (strcmp(cli->argv[i], flag) == 0)
			return true;
	return false;
}

bool
cli_takes(const struct cli *cli, const char *const flags[], size_t count, const char *usage)
{
	int known = 0;
	const char *nearest;

	for (size_t i = 0; i < count; i++)
		known += cli_has_flag(cli, flags[i]);
	if (cli->argc == known)
		return true;
	for (int i = 0; i < cli->argc; i++) {
		nearest = text_nearest(cli->argv[i], flags, count);
		if (nearest != NULL && strcmp(nearest, cli->argv[i]) != 0)
			(void)fprintf(stderr,
			    "%s: %s: there is no option \"%s\"; did you mean \"%s\"?\n",
			    cli->program, cli->word, cli->argv[i], nearest);
	}
	(void)fprintf(stderr, "Usage: %s %s %s\n", cli->program, cli->word, usage);
	return false;
}
