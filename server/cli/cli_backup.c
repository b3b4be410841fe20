/* cli_backup.c - `deploybot backup FILE`: the database as it is now, checked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/store_backup.h"
#include "types/backup.h"
#include "types/settings.h"

/* For the alert on a backup that is too old; what is copied is copied all the same.  In a folder of
 * another user's a stamp of root's would be one that this user replaces no more. */
static void
note_backup(const struct settings *s, const char *file)
{
	char path[PATH_MAX], text[PATH_MAX + 1];
	struct stat folder;
	struct err err = { .text = "a stamp of root's would stay" };
	int size = snprintf(text, sizeof(text), "%s\n", file);

	(void)snprintf(path, sizeof(path), "%s/" BACKUP_STAMP, s->state_directory);
	if ((geteuid() == 0 && stat(s->state_directory, &folder) == 0 && folder.st_uid != 0) ||
	    !file_write(path, text, (size_t)size, 0640, &err))
		(void)fprintf(stderr,
		    "warning: %s: the alert on old backups does not know of this one: make it as the server's user\n",
		    err.text);
}

int
cli_backup(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = NULL;
	struct store_backup made;
	char database[PATH_MAX];
	struct err err;

	if (cli->argc != 1) {
		(void)fprintf(stderr, "Usage: %s backup FILE\n", cli->program);
		return EX_USAGE;
	}
	s = cli_settings(cli, false);
	if (s == NULL)
		return EX_CONFIG;
	cli_database(s, database, sizeof(database));
	if (!store_backup(database, cli->argv[0], &made, &err)) {
		(void)fprintf(stderr, "error: no backup was made: %s\n", err.text);
		return err_exit_status(err.code);
	}
	note_backup(s, cli->argv[0]);
	(void)printf("ok: %s: %" PRId64 " bytes, %" PRId64 " deployments, %" PRId64
		     " audit entries, head %s; read again and checked\n",
	    cli->argv[0], made.size, made.deployments, made.entries, made.head);
	return EX_OK;
}
