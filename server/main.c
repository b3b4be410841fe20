/* main.c - argv → subcommand.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"
#include "lib/err.h"
#include "serve.h"

static int
serve(const struct cli *cli)
{
	struct settings *settings = cli_settings(cli, true);

	return settings != NULL ? serve_run(settings, cli->env_file) : err_exit_status(ERR_CONFIG);
}

int
main(int argc, char **argv)
{
	return cli_run(argc, argv, serve);
}
