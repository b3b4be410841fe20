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

/* Which of the two words it is that there is none of. */
static int
refuse(const struct cli *cli)
{
	struct cli typed = { .program = cli->program, .word = cli->argv[0] };
	char expected[96];

	typed.form = cli_form_find(typed.word, "");
	if (typed.form == NULL)
		return cli_options_no_command(cli, typed.word);
	typed.argv = &cli->argv[1];
	typed.argc = cli->argc - 1;
	if (cli_form_has_kinds(typed.form))
		return cli_kinds(&typed);
	(void)snprintf(expected, sizeof(expected), "nothing behind \"%.40s\"", typed.word);
	return cli_refuse(cli, OPTION_COUNT, typed.argv[0], expected);
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
		return refuse(cli);
	cli_usage_help(cli->program, form);
	return EX_OK;
}
