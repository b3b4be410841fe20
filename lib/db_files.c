/* db_files.c - the files of a database before SQLite opens them: ours, and of one database.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/db_inside.h"
#include "lib/file.h"

#define HEADER_READ_VERSION 19 /* https://www.sqlite.org/fileformat.html: 1 legacy, 2 WAL */

/* --- what is beside it --- */

static const char *const beside[] = { "-journal", "-wal", "-shm" };

static bool
check_owner(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return err_errno(err, ERR_IO, errno, "looking at %s", path);
	return file_owner_is_ours(st.st_uid, path, err);
}

/* What is not there yet is made, so that nobody makes it between our look and SQLite's: an empty
 * one is none to SQLite, and in a folder with the sticky bit only we can take it away. */
static bool
reserve_name(const char *database, const char *suffix, struct err *err)
{
	char path[PATH_MAX];
	struct stat st;
	CLEANUP(file_closep) int fd = -1;

	if ((size_t)snprintf(path, sizeof(path), "%s%s", database, suffix) >= sizeof(path))
		return err_set(err, ERR_LIMIT, "path too long: %.100s", database);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return check_owner(path, err);
	if (fd < 0)
		return true; /* SQLite says better why it cannot be made */
	/* Opened by root, once: as SQLite does it, or whoever has the database is refused. */
	if (geteuid() == 0 && stat(database, &st) == 0)
		(void)!fchown(fd, st.st_uid, st.st_gid);
	return true;
}

/* So that a new file never has another mode, whatever the umask. */
static bool
create_private(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	else if (errno != EEXIST)
		return file_creation_failed(errno, path, err);
	return true;
}

int
db_files_version(const char *path)
{
	unsigned char header[20];
	CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size;

	if (fd < 0)
		return 0; /* opening it says why */
	size = pread(fd, header, sizeof(header), 0);
	return size == (ssize_t)sizeof(header) ? header[HEADER_READ_VERSION] : 0;
}

/*
 * A database that was copied here while the log of the one before was left beside it: SQLite would
 * write that log's pages into it, whatever they were of.  A backup is no database with a log (its
 * header says 1), and one that has a log was never without that mark on disk.
 */
static bool
is_log_of_another(const char *path, const char *log)
{
	struct stat st;

	return stat(log, &st) == 0 && st.st_size > 0 && db_files_version(path) == 1;
}

static bool
check_log(const char *path, struct err *err)
{
	char log[PATH_MAX];

	(void)snprintf(log, sizeof(log), "%s-wal", path); /* cut, it is not there */
	if (!is_log_of_another(path, log))
		return true;
	return err_set(err, ERR_CONFIG,
	    "%s is not the log of the database beside it, which was restored: move it and the -shm file away",
	    log);
}

bool
db_files_prepare(const char *path, struct err *err)
{
	if (!create_private(path, err) || !check_owner(path, err))
		return false;
	for (size_t i = 0; i < COUNT(beside); i++)
		if (!reserve_name(path, beside[i], err))
			return false;
	return check_log(path, err);
}

bool
db_files_keep(const char *path, struct err *err)
{
	return reserve_name(path, beside[0], err);
}
