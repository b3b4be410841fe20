/* store_backup.c - a copy of the store's database that can be trusted, or none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/db_backup.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/file.h"
#include "store/audit_verify.h"

/* What is left to everybody else on that disk, which may be the server's own. */
#define SPARE_BYTES INT64_C(16777216)

static bool
check_name(const char *file, struct err *err)
{
	struct stat st;

	if (lstat(file, &st) != 0)
		return errno == ENOENT || err_errno(err, ERR_IO, errno, "%s", file);
	if (S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is a folder: name a file in it", file);
	return err_set(
	    err, ERR_BUSY, "%s is there already: name another file, or remove it first", file);
}

static bool
check_room(const char *database, int fd, const char *file, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(database, DB_READ_ONLY, err);
	int64_t pages, needed, free_bytes;
	struct statvfs disk;

	if (db == NULL || !db_page_count(db, &pages, err))
		return false;
	if (fstatvfs(fd, &disk) != 0)
		return err_errno(err, ERR_IO, errno, "the disk of %s", file);
	needed = pages * 4096 + SPARE_BYTES;
	free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	if (free_bytes < needed)
		return err_set(err, ERR_FULL,
		    "%s: the disk has %lld MB free, and %lld MB are needed: name a file on another",
		    file, (long long)(free_bytes >> 20), (long long)(needed >> 20));
	return true;
}

/* Of our making, and still of that name: one that was finished and named since we opened it is
 * somebody's backup, and one of another user is open to him while we write. */
static bool
is_ours(int fd, const char *partial)
{
	struct stat st, named;

	return fstat(fd, &st) == 0 && lstat(partial, &named) == 0 && st.st_uid == geteuid() &&
	    st.st_dev == named.st_dev && st.st_ino == named.st_ino;
}

/* Held for as long as it is written: two of us do not write into one file, and one that was killed
 * holds nothing. */
static int
open_partial(const char *partial, struct err *err)
{
	CLEANUP(file_closep)
	int fd = open(partial, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS))
		return ERR_FD(err_set(err, ERR_IO,
		    "%s may not be made there by this user: name a folder that it may write, or chown that one",
		    partial));
	if (fd < 0)
		return ERR_FD(err_errno(err, ERR_IO, errno, "creating %s", partial));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		return ERR_FD(err_set(err, ERR_BUSY, "%s: another backup is writing it", partial));
	if (!is_ours(fd, partial))
		return ERR_FD(err_set(err, ERR_BUSY,
		    "%s: another backup, or another user, made it: remove it, or name another file",
		    partial));
	if (ftruncate(fd, 0) != 0 || fchmod(fd, 0600) != 0)
		return ERR_FD(err_errno(err, ERR_IO, errno, "%s", partial));
	return TAKE_FD(fd);
}

/* Also a database that is copied before it is migrated: until version 4 the table was called so. */
static bool
count_deployments(struct db *db, int64_t *ret, struct err *err)
{
	int64_t version;

	return db_user_version(db, &version, err) &&
	    db_one_i64(ret, db, err,
		version < 5 ? "SELECT COUNT(*) FROM deployment" : "SELECT COUNT(*) FROM work");
}

bool
store_backup_check(const char *partial, struct store_backup *ret, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(partial, DB_READ_ONLY, err);
	struct audit_verified audit;

	if (db == NULL || !db_quick_check(db, NULL, err) ||
	    !count_deployments(db, &ret->deployments, err) ||
	    !audit_verify(partial, NULL, &audit, err))
		return err_wrap(err, "the copy is not whole");
	ret->entries = audit.entries;
	static_assert(sizeof(ret->head) == sizeof(audit.head), "a head fits, with its end");
	memcpy(ret->head, audit.head, sizeof(ret->head));
	return true;
}

static bool
flush_and_check(const char *partial, int fd, struct store_backup *ret, struct err *err)
{
	struct stat st;

	if (fsync(fd) != 0 || fstat(fd, &st) != 0)
		return err_errno(err, ERR_IO, errno, "flushing %s", partial);
	ret->size = st.st_size;
	return store_backup_check(partial, ret, err);
}

/* What SQLite keeps beside a file while rows are written there. */
static void
drop_beside(const char *partial)
{
	static const char *const ends[] = { "-wal", "-shm", "-journal" };
	char path[PATH_MAX];

	for (size_t i = 0; i < COUNT(ends); i++)
		if (snprintf(path, sizeof(path), "%s%s", partial, ends[i]) < PATH_MAX)
			(void)unlink(path); /* mostly there is none */
}

/* No name is given to two: what came there meanwhile stays. */
static bool
give_name(const char *partial, const char *file, struct err *err)
{
	if (renameat2(AT_FDCWD, partial, AT_FDCWD, file, RENAME_NOREPLACE) == 0)
		return file_flush_name(file, err);
	if (errno == EINVAL && link(partial, file) == 0) { /* NFS */
		(void)unlink(partial); /* another name of the same file, which harms nobody */
		return file_flush_name(file, err);
	}
	if (errno == EEXIST)
		return check_name(file, err);
	return err_errno(err, ERR_IO, errno, "renaming to %s", file);
}

bool
store_backup(const char *database, const char *file, struct store_backup *ret, struct err *err)
{
	return store_backup_by(db_backup, database, file, ret, err);
}

bool
store_backup_by(store_backup_copy *copy, const char *database, const char *file,
    struct store_backup *ret, struct err *err)
{
	CLEANUP(file_closep) int fd = -1; /* it is flushed */
	char partial[PATH_MAX];
	bool ok;

	if ((size_t)snprintf(partial, sizeof(partial), "%s.partial", file) >= sizeof(partial))
		return err_set(err, ERR_LIMIT, "too long a path: %.100s", file);
	if (!check_name(file, err) || (fd = open_partial(partial, err)) < 0)
		return false;
	ok = check_room(database, fd, partial, err) && copy(database, partial, err) &&
	    flush_and_check(partial, fd, ret, err);
	drop_beside(partial);
	ok = ok && give_name(partial, file, err);
	if (!ok)
		(void)unlink(partial); /* gone already, or nothing more can be done */
	return ok;
}
