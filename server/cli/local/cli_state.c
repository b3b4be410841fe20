/* cli_state.c - the server's folder while it does not run: its user, and its lock.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "cli/local/cli_state.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "store/store.h"

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
cli_state_become_owner(const struct settings *s, struct err *err)
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
	return true;
}

/* As open_lock() of serve.c has it. */
int
cli_state_lock(const struct settings *s, const char *folder, struct err *err)
{
	bool is_shared = s->runner_socket != NULL;
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", folder, is_shared ? "/" POISON_FILE : "");
	fd = is_shared ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600) :
			 open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_FD(file_creation_failed(errno, path, err));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)close(fd); /* nothing was written */
	return ERR_FD(err_set(err, ERR_BUSY,
	    "deploybot runs: wait until no deployment is in progress, then: systemctl stop deploybot.socket deploybot-local.socket deploybot"));
}
