/* cli_restore.c - `deploybot restore FILE`: a backup takes the place of the database.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The file is opened as who calls us, for it may be root's alone; all else is done as the server's
 * user, whose folders these are.  What is there is moved away, never removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/local/cli_restore.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/store.h"
#include "store/store_restore.h"
#include "types/settings.h"

/* Whose the database is, or will be: who has it now, or the folder of the audit log. */
static bool
find_owner(const struct settings *s, struct stat *ret)
{
	char path[PATH_MAX];

	if (lstat(s->database, ret) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "%s", s->audit_log_path);
	return stat(dirname(path), ret) == 0 || stat(s->state_directory, ret) == 0;
}

bool
cli_become_owner(const struct settings *s, struct err *err)
{
	const struct passwd *user;
	struct stat st;

	if (geteuid() != 0)
		return true;
	if (!find_owner(s, &st))
		return err_set(err, ERR_MISSING,
		    "there is no folder %s: STATE_DIRECTORY and the package's systemd-tmpfiles --create deploybot.conf",
		    s->state_directory);
	if (st.st_uid == 0)
		return true;
	user = getpwuid(st.st_uid);
	if (user == NULL)
		return err_set(err, ERR_CONFIG, "user %u of %s is not known here",
		    (unsigned)st.st_uid, s->state_directory);
	if (initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
	    setresuid(st.st_uid, st.st_uid, st.st_uid) != 0)
		return err_errno(err, ERR_DENIED, errno, "becoming %s", user->pw_name);
	(void)setenv("HOME", user->pw_dir, 1); /* libpq looks there for certificates */
	return true;
}

/* As open_lock() of serve.c has it. */
int
cli_lock_state(const struct settings *s, const char *folder, struct err *err)
{
	bool is_shared = s->runner_socket != NULL;
	CLEANUP(file_closep) int fd = -1;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s%s", folder, is_shared ? "/" POISON_FILE : "");
	fd = is_shared ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600) :
			 open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_FD(file_creation_failed(errno, path, err));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return TAKE_FD(fd);
	return ERR_FD(err_set(err, ERR_BUSY,
	    "deploybot runs: wait until no deployment is in progress, then: systemctl stop deploybot.socket deploybot-local.socket deploybot"));
}

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
		    "DATABASE_URL is set: `deploybot database copy %s DATABASE_URL` restores into an empty database",
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
	if ((file = open_backup(cli->argv[0], &err)) < 0 || !cli_become_owner(s, &err))
		return cli_fail(&err);
	lock = cli_lock_state(s, s->state_directory, &err);
	if (lock < 0 || !restore(s, file, cli->argv[0], &made, away, &err))
		return cli_fail(&err);
	say_restored(s, cli->argv[0], &made, away);
	return EX_OK;
}
