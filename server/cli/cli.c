/* cli.c - finds the subcommand, and runs it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli_options.h"
#include "cli/cli_server.h"
#include "cli/cli_table.h"

/* What each row of cli.def runs, here or with what the server answers; neither: the caller's. */
#define cli_serve NULL
static const struct {
	cli_command *run;
	cli_server_command *ask;
} acts[] = {
#define FORM(word, kind, function, ...) { cli_##function, NULL },
#define ASK(word, kind, function, ...)	{ NULL, cli_##function },
#include "cli/cli.def"
};

/* What cannot be looked at counts as there: reading it then says why not, instead of a start
 * without the settings that it holds. */
static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int
cli_run(int argc, char **argv, cli_command *serve)
{
	struct cli cli = { .program = argc > 0 ? basename(argv[0]) : "deploybot" };
	const struct rlimit none = { 0, 0 };
	int status;

	/* No core with secrets in it, none readable through /proc by others of our user. */
	(void)setrlimit(RLIMIT_CORE, &none); /* a limit that cannot be lowered was lower */
	(void)prctl(PR_SET_DUMPABLE, 0);
	status = cli_options_read(argc, argv, &cli);
	if (status >= 0)
		return status;
	cli.env_file = cli.value[OPTION_ENV_FILE];
	/* A folder that we may not even enter has no settings of ours: an administrator's home,
	 * in which this was typed as the server's user. */
	if (cli.env_file == NULL && access(".", X_OK) == 0 && is_there(CLI_FILE_HERE))
		cli.env_file = CLI_FILE_HERE;
	else if (cli.env_file == NULL && is_there(CLI_SETTINGS_FILE))
		cli.env_file = CLI_SETTINGS_FILE;
	if (cli.form->row == COUNT(acts))
		return cli_server_run(&cli, cli_chat_command);
	if (acts[cli.form->row].ask != NULL)
		return cli_server_run(&cli, acts[cli.form->row].ask);
	return acts[cli.form->row].run == NULL ? serve(&cli) : acts[cli.form->row].run(&cli);
}
