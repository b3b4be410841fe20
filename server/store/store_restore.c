/* store_restore.c - a backup takes the database's place; a kill leaves the old or the new.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * copy, check, name, mark | move away, rename the copy | (a start is committed) remove the mark.
 * Behind the mark each step may be done again: it is, by whoever comes next.  A mark of one before
 * names a folder that is used: it is changed before the copy has its name.
 */
#include "store/store_restore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/folder.h"
#include "lib/text.h"
#include "store/store_inside.h"
#include "types/settings.h"

#define PARTIAL	    STORE_FILE ".restoring"
#define COPY	    STORE_FILE ".restore"
#define MARK	    "restore"
#define MARK_MAX    64
#define AWAY	    "before-"
#define SPARE_BYTES INT64_C(16777216) /* what is left to everybody else on that disk */

/* What stands beside the database while it is open, or was cut. */
static const char *const beside[] = { "", "-wal", "-shm", "-journal" };

static bool
path_of(char out[PATH_MAX], const char *folder, const char *name, struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "too long a path: %.100s", folder);
	return true;
}

/* The folder of the audit log, and its name there. */
static const char *
split_audit(const char *audit, char folder[PATH_MAX])
{
	const char *slash = strrchr(audit, '/');

	if (slash == NULL) {
		(void)text_copy(folder, PATH_MAX, ".");
		return audit;
	}
	(void)snprintf(folder, PATH_MAX, "%.*s", slash == audit ? 1 : (int)(slash - audit), audit);
	return slash + 1;
}

/* --- the copy --- */

static bool
check_room(int from, int to, const char *file, struct err *err)
{
	struct statvfs disk;
	struct stat st;
	int64_t free_bytes;

	if (fstat(from, &st) != 0 || fstatvfs(to, &disk) != 0)
		return err_errno(err, ERR_IO, errno, "%s", file);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(err, ERR_INVALID, "%s is no file with a backup in it", file);
	free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
	if (free_bytes >= st.st_size + SPARE_BYTES)
		return true;
	return err_set(err, ERR_FULL,
	    "the disk of STATE_DIRECTORY has %lld MB free, and %lld MB are needed",
	    (long long)(free_bytes >> 20), (long long)((st.st_size + SPARE_BYTES) >> 20));
}

static bool
copy_bytes(int from, int to, const char *file, struct err *err)
{
	char bytes[65536];
	ssize_t size;

	if (lseek(from, 0, SEEK_SET) != 0)
		return err_errno(err, ERR_IO, errno, "%s", file);
	while ((size = read(from, bytes, sizeof(bytes))) != 0) {
		if (size < 0 && errno != EINTR)
			return err_errno(err, ERR_IO, errno, "reading %s", file);
		if (size > 0 && !file_write_all(to, bytes, (size_t)size, err))
			return false;
	}
	return fsync(to) == 0 || err_errno(err, ERR_IO, errno, "flushing the copy of %s", file);
}

bool
store_restore_knows(struct db *db, const char *file, struct err *err)
{
	int64_t version;

	if (!db_user_version(db, &version, err))
		return false;
	return version <= store_schema_newest() ||
	    err_set(err, ERR_CONFIG,
		"%s has version %lld and this program knows %lld: use the newer one", file,
		(long long)version, (long long)store_schema_newest());
}

/* One that is newer would be refused by the start, behind the mark. */
static bool
check_version(const char *copy, const char *file, struct err *err)
{
	CLEANUP(db_closep) struct db *db = db_open(copy, DB_READ_ONLY, err);

	if (db == NULL)
		return err_wrap(err, "%s is no backup", file);
	return store_restore_knows(db, file, err);
}

static bool
make_copy(const char *copy, int fd, const char *file, struct store_backup *ret, struct err *err)
{
	CLEANUP(file_closep) int to = -1;
	struct stat st;

	if (unlink(copy) != 0 && errno != ENOENT) /* of one that was killed before its mark */
		return err_errno(err, ERR_IO, errno, "%s", copy);
	to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return file_creation_failed(errno, copy, err);
	if (!check_room(fd, to, file, err) || !copy_bytes(fd, to, file, err) ||
	    !check_version(copy, file, err))
		return false;
	if (!store_backup_check(copy, ret, err))
		return err_wrap(err, "%s is no backup that can be restored", file);
	if (fstat(to, &st) != 0)
		return err_errno(err, ERR_IO, errno, "%s", copy);
	ret->size = st.st_size;
	return true;
}

/* With what reading it may have left beside it. */
static void
drop_copy(const char *copy)
{
	char path[PATH_MAX];

	for (size_t i = 1; i < COUNT(beside); i++)
		if (snprintf(path, sizeof(path), "%s%s", copy, beside[i]) < PATH_MAX)
			(void)unlink(path); /* mostly there is none */
	(void)unlink(copy);
}

/* The time, or the next that no folder has: what was kept once is never written over. */
static bool
name_away(const char *folder, char away[STORE_RESTORE_AWAY], struct err *err)
{
	char path[PATH_MAX];
	struct tm utc;

	for (time_t now = time(NULL);; now++) {
		if (gmtime_r(&now, &utc) == NULL ||
		    strftime(away, STORE_RESTORE_AWAY, AWAY "%Y%m%d-%H%M%S", &utc) == 0)
			return err_set(err, ERR_INVALID, "the clock of this machine is wrong");
		if (!path_of(path, folder, away, err))
			return false;
		if (access(path, F_OK) != 0)
			return errno == ENOENT || err_errno(err, ERR_IO, errno, "%s", path);
	}
}

/* --- the mark --- */

/* Whoever shares our folder could have put it there.  0: there is none. */
static int
read_mark(const char *folder, char away[MARK_MAX], struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	char mark[PATH_MAX];
	struct stat st;
	ssize_t size;

	if (!path_of(mark, folder, MARK, err))
		return -1;
	fd = open(mark, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) != 0 || (size = read(fd, away, MARK_MAX - 1)) < 0)
		return ERR_FD(err_errno(err, ERR_IO, errno, "%s", mark));
	if (!file_owner_is_ours(st.st_uid, mark, err))
		return -1;
	away[size] = '\0';
	if (text_starts(away, AWAY) &&
	    strspn(away + strlen(AWAY), "0123456789-") == strlen(away + strlen(AWAY)))
		return 1;
	return ERR_FD(err_set(err, ERR_INVALID, "%s names no folder: remove it", mark));
}

/* What is checked is the copy from here on, and `away` where what it replaces goes. */
static bool
name_copy(
    const char *folder, const char *partial, const char *mark, const char *away, struct err *err)
{
	char copy[PATH_MAX], before[MARK_MAX];
	int found = read_mark(folder, before, err);

	if (found < 0 || !path_of(copy, folder, COPY, err) || !file_flush_name(partial, err) ||
	    (found == 1 && !file_write(mark, away, strlen(away), 0600, err)))
		return false;
	if (rename(partial, copy) != 0)
		return err_errno(err, ERR_IO, errno, "renaming %s", partial);
	if (file_flush_name(copy, err) && file_write(mark, away, strlen(away), 0600, err))
		return true;
	/* A mark without a copy makes the next start one of a restored database: it asks first. */
	(void)unlink(copy);
	return false;
}

bool
store_restore_begin(const struct store_restore *where, int fd, const char *file,
    struct store_backup *ret, char away[STORE_RESTORE_AWAY], struct err *err)
{
	char partial[PATH_MAX], mark[PATH_MAX];

	if (!path_of(partial, where->folder, PARTIAL, err) ||
	    !path_of(mark, where->folder, MARK, err) || !name_away(where->folder, away, err))
		return false;
	if (make_copy(partial, fd, file, ret, err) &&
	    name_copy(where->folder, partial, mark, away, err))
		return true;
	drop_copy(partial);
	return false;
}

/* --- its name --- */

/* The files whose names begin so; one that is not there was moved before. */
static bool
move_away(const char *folder, const char *name, const char *away, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (snprintf(to, sizeof(to), "%s/%s/%s", folder, away, name) >= PATH_MAX ||
	    !path_of(from, folder, name, err))
		return err_set(err, ERR_LIMIT, "too long a path: %.100s", folder);
	return rename(from, to) == 0 || errno == ENOENT ||
	    err_errno(err, ERR_IO, errno, "moving %s away", from);
}

static bool
move_database(const char *folder, const char *away, struct err *err)
{
	char name[NAME_MAX];

	for (size_t i = 0; i < COUNT(beside); i++) {
		(void)snprintf(name, sizeof(name), STORE_FILE "%s", beside[i]);
		if (!move_away(folder, name, away, err))
			return false;
	}
	return true;
}

/* audit.log, and audit.log.* of its closed files. */
static bool
is_of(const char *file, const char *name)
{
	size_t size = strlen(name);

	return text_starts(file, name) && (file[size] == '\0' || file[size] == '.');
}

static bool
move_audit(const char *folder, const char *name, const char *away, struct err *err)
{
	CLEANUP(folder_closep) DIR *dir = opendir(folder);
	struct dirent *entry;
	bool ok = true;

	if (dir == NULL)
		return err_errno(err, ERR_IO, errno, "%s", folder);
	while (ok && (entry = readdir(dir)) != NULL)
		ok = !is_of(entry->d_name, name) || move_away(folder, entry->d_name, away, err);
	return ok;
}

static bool
make_away(const char *folder, const char *away, struct err *err)
{
	char path[PATH_MAX];

	return path_of(path, folder, away, err) && file_mkdirs(path, 0700, err);
}

/* On disk before the copy has its name: a log of the old database's is none of the new one's. */
static bool
flush_away(const char *folder, const char *away, struct err *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s/.", folder, away) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "too long a path: %.100s", folder);
	return file_flush_name(path, err) && path_of(path, folder, away, err) &&
	    file_flush_name(path, err);
}

static bool
move_log(const char *folder, const char *name, const char *away, struct err *err)
{
	return make_away(folder, away, err) && move_audit(folder, name, away, err) &&
	    flush_away(folder, away, err);
}

bool
store_restore_log_away(const char *audit, char away[STORE_RESTORE_AWAY], struct err *err)
{
	char folder[PATH_MAX];
	const char *name = split_audit(audit, folder);

	return name_away(folder, away, err) && move_log(folder, name, away, err);
}

static bool
give_name(const struct store_restore *where, const char *copy, const char *away, struct err *err)
{
	char database[PATH_MAX], folder[PATH_MAX];
	const char *name = split_audit(where->audit, folder);

	if (!make_away(where->folder, away, err) || !move_log(folder, name, away, err) ||
	    !move_database(where->folder, away, err) || !flush_away(where->folder, away, err) ||
	    !path_of(database, where->folder, STORE_FILE, err))
		return false;
	if (rename(copy, database) != 0)
		return err_errno(err, ERR_IO, errno, "renaming %s", copy);
	return file_flush_name(database, err);
}

bool
store_restore_finish(const struct store_restore *where, bool *ret_is_restored, struct err *err)
{
	char away[MARK_MAX], copy[PATH_MAX];
	int found = read_mark(where->folder, away, err);
	struct stat st;

	*ret_is_restored = found == 1;
	if (found <= 0)
		return found == 0;
	if (!path_of(copy, where->folder, COPY, err))
		return false;
	if (lstat(copy, &st) != 0) /* it has its name */
		return errno == ENOENT || err_errno(err, ERR_IO, errno, "%s", copy);
	return file_owner_is_ours(st.st_uid, copy, err) && give_name(where, copy, away, err);
}

void
store_restore_spent(const char *folder)
{
	char mark[PATH_MAX];

	if (snprintf(mark, sizeof(mark), "%s/" MARK, folder) < PATH_MAX)
		(void)unlink(mark);
}
