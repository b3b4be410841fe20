/* cli_restore.c - `deploybot restore FILE`: a backup takes the place of the database.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The file is opened as who calls us, for it may be root's alone; all else is done as the server's
 * user, whose folders these are.  What is there is moved away, never removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "cli/cli.h"
#include "cli/local/cli_state.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/store_restore.h"
#include "types/settings.h"

/* Old copies that hold a log of what is not in the file are no backups. */
static int
open_backup(const char *file, struct err *err)
{
	char log[PATH_MAX];
	struct stat st;
	int fd;

	if (snprintf(log, sizeof(log), "%s-wal", file) < PATH_MAX && stat(log, &st) == 0 &&
	    st.st_size > 0)
		return ERR_FD(err_set(err, ERR_INVALID,
		    "%s is a database that is in use, with a -wal beside it: deploybot backup FILE makes a backup of one",
		    file));
	fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd >= 0 ? fd : ERR_FD(err_errno(err, ERR_MISSING, errno, "%s", file));
}

/* What an earlier one was killed at is finished first: what was there then is moved away too. */
static bool
restore(const struct settings *s, int fd, const char *file, struct store_backup *ret,
    char away[STORE_RESTORE_AWAY], struct err *err)
{
	const struct store_restore where = { s->state_directory, s->audit_log_path };
	bool is_restored;

	if (db_is_url(s->database))
		return err_set(err, ERR_CONFIG,
		    "DATABASE_URL is set: deploybot database copy %s DATABASE_URL restores into an empty database",
		    file);
	if (!store_restore_finish(&where, &is_restored, err) ||
	    !store_restore_begin(&where, fd, file, ret, away, err))
		return err_wrap(err, "nothing was restored");
	return store_restore_finish(&where, &is_restored, err) ||
	    err_wrap(err, "the next start, or this typed again, goes on with it");
}

static void
say_restored(
    const struct settings *s, const char *file, const struct store_backup *made, const char *away)
{
	(void)printf("ok: %s is the database now: %" PRId64 " bytes, %" PRId64
		     " deployments, %" PRId64 " audit entries, head %s; checked\n",
	    file, made->size, made->deployments, made->entries, made->head);
	(void)printf("what was there is kept: %s/%s, and %s beside %s\n", s->state_directory, away,
	    away, s->audit_log_path);
	(void)printf(
	    "valid again as they were: tokens that were revoked since that backup was made, second factors that were reset, recovery codes that were replaced or used. The next start ends all logins and sends the admins the list: revoke and reset those again\n");
	(void)printf(
	    "now: systemctl start deploybot.socket deploybot-local.socket deploybot (it knows that this is a copy, and asks before it deploys); then, as the server's user: deploybot audit verify\n");
}

int
cli_restore(const struct cli *cli)
{
	CLEANUP(settings_unrefp) struct settings *s = cli_settings(cli, false);
	CLEANUP(file_closep) int file = -1;
	CLEANUP(file_closep) int lock = -1;
	char away[STORE_RESTORE_AWAY];
	struct store_backup made = { 0 };
	struct err err;

	if (s == NULL)
		return EX_CONFIG;
	if ((file = open_backup(cli->argv[0], &err)) < 0 || !cli_state_become_owner(s, &err))
		return cli_fail(&err);
	lock = cli_state_lock(s, s->state_directory, &err);
	if (lock < 0 || !restore(s, file, cli->argv[0], &made, away, &err))
		return cli_fail(&err);
	say_restored(s, cli->argv[0], &made, away);
	return EX_OK;
}
