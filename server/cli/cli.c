/* cli.c - finds the subcommand, and runs it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_options.h"
#include "cli/cli_server.h"
#include "cli/cli_table.h"
#include "lib/err.h"
#include "lib/path.h"

#define SERVER_USER "deploybot" /* as the package and the image call it */

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

/* What reads no settings, or of them alone where the server listens (cli_api.h). */
static bool
reads_no_settings(const struct cli *cli)
{
	static cli_command *const those[] = { cli_version, cli_help, cli_kinds, cli_config_example,
		cli_completion, cli_completion_words, cli_environments, cli_ca_init, cli_ca_sign,
		cli_ca_rotate };

	for (size_t i = 0; i < COUNT(those); i++)
		if (acts[cli->form->row].run == those[i])
			return true;
	return acts[cli->form->row].ask != NULL;
}

/* Who may write the settings has their programs run (SSH_PROXY_COMMAND, NAME_COMMAND): as root,
 * where root types this, whoever's the folder is.  The server's user may write its own. */
static bool
is_for_root(const char *file, struct err *err)
{
	struct passwd entry, *found = NULL;
	char room[4096], here[PATH_MAX], path[2 * PATH_MAX + 2];
	uid_t also = 0;

	if (getpwnam_r(SERVER_USER, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		also = entry.pw_uid;
	if (file[0] == '/')
		(void)snprintf(path, sizeof(path), "%s", file);
	else if (getcwd(here, sizeof(here)) != NULL)
		(void)snprintf(path, sizeof(path), "%s/%s", here, file);
	else
		return err_errno(err, ERR_DENIED, errno, "the folder that this was typed in");
	/* What is not there says its reader. */
	return path_is_safe_with(path, also, err) || err->code != ERR_DENIED;
}

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
	struct err err = { 0 };
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
	if (geteuid() == 0 && cli.env_file != NULL && cli.form->row < COUNT(acts) &&
	    !reads_no_settings(&cli) && !is_for_root(cli.env_file, &err)) {
		(void)fprintf(stderr,
		    "%s: root takes no settings that somebody else may write: %s; run this as who owns them (sudo -u USER), or chown and chmod go-w what is named\n",
		    cli.program, err.text); /* nobody else to say it to */
		return EX_CONFIG;
	}
	if (cli.form->row == COUNT(acts))
		return cli_server_run(&cli, cli_chat_command);
	if (acts[cli.form->row].ask != NULL)
		return cli_server_run(&cli, acts[cli.form->row].ask);
	return acts[cli.form->row].run == NULL ? serve(&cli) : acts[cli.form->row].run(&cli);
}
