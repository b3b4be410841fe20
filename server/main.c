/* main.c - argv → subcommand.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <sysexits.h>

#include "cli/cli.h"
#include "serve.h"
#include "settings/sources/settings_load.h"

static int
serve(const struct cli *cli)
{
	struct serve_options options = {
		.env_file = cli->env_file,
		.no_copy = cli->value[OPTION_NO_COPY] != NULL,
		.is_restored =
		    cli->value[OPTION_RESTORED] != NULL || cli->value[OPTION_REWOUND] != NULL,
		.is_moved_back = cli->value[OPTION_MOVED_BACK] != NULL,
	};
	static struct settings_report report;
	struct settings *settings;

	settings = cli_settings_for(cli, true, NULL, &report);
	options.report = &report;
	return settings != NULL ? serve_run(settings, &options) : EX_CONFIG;
}

int
main(int argc, char **argv)
{
	return cli_run(argc, argv, serve);
}
