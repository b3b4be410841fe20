/* cli_help.c - `deploybot version` and `deploybot help`.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli_options.h"
#include "cli/cli_usage.h"
#include "lib/version.h"

int
cli_version(UNUSED const struct cli *cli)
{
	(void)printf("deploybot %s\n", version_text);
	return EX_OK;
}

int
cli_help(const struct cli *cli)
{
	const struct cli_form *form;

	if (cli->argc == 0) {
		cli_usage_all(stdout, cli->program);
		return EX_OK;
	}
	form = cli_form_find(cli->argv[0], cli->argc > 1 ? cli->argv[1] : "");
	if (form == NULL)
		return cli_options_no_command(cli, cli->argv[cli->argc - 1]);
	cli_usage_help(cli->program, form);
	return EX_OK;
}
