/* cli_backup.c - `deploybot backup FILE`: the database as it is now, checked.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/db_backup.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/store_backup.h"
#include "store/store_move.h"
#include "types/backup.h"
#include "types/settings.h"

/* The folder is sticky: a stamp of root's would be one that the server's user replaces no more. */
static bool
give_away(const struct settings *s, const char *path, struct err *err)
{
	struct stat st;

	return geteuid() != 0 ||
	    ((stat(s->database, &st) == 0 || stat(s->audit_log_path, &st) == 0) &&
		lchown(path, st.st_uid, st.st_gid) == 0) ||
	    err_errno(err, ERR_DENIED, errno, "the owner of %s", path);
}

/* For the alert on a backup that is too old; what is copied is copied all the same. */
static void
note_backup(const struct settings *s, const char *file)
{
	char path[PATH_MAX], text[PATH_MAX + 1];
	struct err err;
	int size = snprintf(text, sizeof(text), "%s\n", file);

	(void)snprintf(path, sizeof(path), "%s/" BACKUP_STAMP, s->state_directory);
	if (!file_write(path, text, (size_t)size, 0640, &err) || !give_away(s, path, &err))
		(void)fprintf(stderr,
		    "warning: %s: the alert on old backups does not know of this one: make it as root, sudo deploybot backup FILE\n",
		    err.text);
}

int
cli_backup(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	struct store_backup made;
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	if (!store_backup_by(db_is_url(s->database) ? store_move_backup : db_backup, s->database,
		cli->argv[0], &made, &err)) {
		(void)fprintf(stderr, "error: no backup was made: %s\n", err.text);
		return err_exit_status(err.code);
	}
	note_backup(s, cli->argv[0]);
	(void)printf("ok: %s: %" PRId64 " bytes, %" PRId64 " deployments, %" PRId64
		     " audit entries, head %s; read again and checked\n",
	    cli->argv[0], made.size, made.deployments, made.entries, made.head);
	return EX_OK;
}
