/* main.c - argv → subcommand.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "serve.h"
#include "settings/settings_load.h"

static int
serve(const struct cli *cli)
{
	struct serve_options options = { .env_file = cli->env_file };
	static struct settings_report report;
	struct settings *settings;

	for (int i = 0; i < cli->argc; i++) {
		if (strcmp(cli->argv[i], "--no-copy") == 0) {
			options.no_copy = true;
		} else if (strcmp(cli->argv[i], "--restored") == 0) {
			options.is_restored = true;
		} else {
			(void)fprintf(
			    stderr, "Usage: %s serve [--no-copy] [--restored]\n", cli->program);
			return EX_USAGE;
		}
	}
	settings = cli_settings_reported(cli, true, &report);
	options.report = &report;
	return settings != NULL ? serve_run(settings, &options) : EX_CONFIG;
}

int
main(int argc, char **argv)
{
	return cli_run(argc, argv, serve);
}
