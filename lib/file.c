/* file.c - plain POSIX; every flush and every rename is checked.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/crash_point.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"

void
file_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* --- reading --- */

static int
open_regular(const char *path, int flags, struct err *err)
{
	/* O_NONBLOCK: a fifo must not hold us up before it is refused. */
	CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	struct stat st;

	if (fd < 0)
		return ERR_FD(
		    err_errno(err, errno == ENOENT || errno == ENOTDIR ? ERR_MISSING : ERR_IO,
			errno, "cannot open %s", path));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return TAKE_FD(fd);
	return ERR_FD(err_set(err, ERR_INVALID, "%s is not a regular file", path));
}

/* Reads until the end or until room is full; -1 with errno. */
static ssize_t
read_up_to(int fd, char *data, size_t room)
{
	size_t used = 0;
	ssize_t n;

	while (used < room) {
		n = read(fd, data + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	return (ssize_t)used;
}

/* Into *data, which has room bytes and a NUL; of a file that has more by now cap + 1 at most. */
static ssize_t
read_growing(int fd, char **data, size_t room, size_t cap)
{
	ssize_t used = read_up_to(fd, *data, room), rest;

	if (used < 0 || (size_t)used < room || room > cap)
		return used;
	*data = mem_grow(*data, cap + 2, 1);
	rest = read_up_to(fd, *data + used, cap + 1 - room);
	return rest < 0 ? rest : used + rest;
}

static char *
read_all(int fd, const char *path, size_t cap, size_t *ret_size, struct err *err)
{
	struct stat st;
	size_t room;
	ssize_t used;
	char *data;

	/* Files of /proc say 0, growing ones too little: the size is only a first guess. */
	room = fstat(fd, &st) == 0 && st.st_size > 0 && (size_t)st.st_size <= cap ?
	    (size_t)st.st_size + 1 :
	    cap + 1;
	data = mem_alloc(room + 1);
	used = read_growing(fd, &data, room, cap);
	if (used < 0 || (size_t)used > cap) {
		if (used < 0)
			(void)err_errno(err, ERR_IO, errno, "reading %s", path);
		else
			(void)err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, cap);
		free(data);
		return NULL;
	}
	data[used] = '\0';
	if (ret_size != NULL)
		*ret_size = (size_t)used;
	return mem_grow(data, (size_t)used + 1, 1);
}

char *
file_read(const char *path, size_t cap, size_t *ret_size, struct err *err)
{
	CLEANUP(file_closep) int fd = open_regular(path, 0, err);

	assert(cap < SIZE_MAX / 4);
	return fd < 0 ? NULL : read_all(fd, path, cap, ret_size, err);
}

char *
file_read_ours(const char *path, size_t cap, size_t *ret_size, struct err *err)
{
	CLEANUP(file_closep) int fd = open_regular(path, O_NOFOLLOW, err);
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) != 0)
		return ERR_NULL(err_errno(err, ERR_IO, errno, "cannot look at %s", path));
	return file_owner_is_ours(st.st_uid, path, err) ? read_all(fd, path, cap, ret_size, err) :
							  NULL;
}

ssize_t
file_read_small(int folder, const char *name, char *buf, size_t room)
{
	CLEANUP(file_closep) int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t used = fd == -1 ? 0 : read_up_to(fd, buf, room - 1);

	used = used < 0 ? 0 : used;
	buf[used] = '\0';
	return fd == -1 ? -1 : used;
}

/* --- writing --- */

bool
file_write_all(int fd, const void *data, size_t size, struct err *err)
{
	const char *at = data;
	ssize_t n;

	while (size > 0) {
		n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, ERR_IO, errno, "write");
		at += n;
		size -= (size_t)n;
	}
	return true;
}

/* "a/b" → "a", "/b" → "/", "b" → ".". */
static bool
folder_of(const char *path, char out[PATH_MAX], struct err *err)
{
	const char *slash = strrchr(path, '/');
	size_t size = slash == NULL ? 1 : slash == path ? 1 : (size_t)(slash - path);

	if (strlen(path) >= PATH_MAX - 16)
		return err_set(err, ERR_LIMIT, "path too long: %.100s…", path);
	memcpy(out, slash == NULL ? "." : path, size);
	out[size] = '\0';
	return true;
}

static bool
sync_folder(const char *folder, struct err *err)
{
	CLEANUP(file_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return err_errno(err, ERR_IO, errno, "flushing folder %s", folder);
	return true;
}

static bool
fill_and_rename(int fd, const char *temporary, const char *path, const void *data, size_t size,
    mode_t mode, struct err *err)
{
	if (!file_write_all(fd, data, size, err))
		return false;
	if (fchmod(fd, mode) != 0)
		return err_errno(err, ERR_IO, errno, "fchmod");
	if (fsync(fd) != 0)
		return err_errno(err, ERR_IO, errno, "fsync");
	CRASH_POINT(file_written);
	if (rename(temporary, path) != 0)
		return err_errno(err, ERR_IO, errno, "rename");
	CRASH_POINT(file_renamed);
	return true;
}

bool
file_write(const char *path, const void *data, size_t size, mode_t mode, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	char folder[PATH_MAX], temporary[PATH_MAX + 16];

	if (!folder_of(path, folder, err))
		return false;
	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path); /* fits: folder_of */
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, ERR_IO, errno, "creating a file in %s", folder);
	if (!fill_and_rename(fd, temporary, path, data, size, mode, err)) {
		(void)unlink(temporary); /* gone already, or nothing more can be done */
		return err_wrap(err, "writing %s", path);
	}
	return sync_folder(folder, err);
}

bool
file_flush_name(const char *path, struct err *err)
{
	char folder[PATH_MAX];

	return folder_of(path, folder, err) && sync_folder(folder, err);
}

/* A folder whose own name is not flushed vanishes with all that was flushed in it. */
static bool
make_folder(const char *path, mode_t mode, struct err *err)
{
	char above[PATH_MAX];

	if (mkdir(path, mode) != 0)
		return errno == EEXIST || err_errno(err, ERR_IO, errno, "making folder %s", path);
	return folder_of(path, above, err) && sync_folder(above, err);
}

bool
file_mkdirs(const char *path, mode_t mode, struct err *err)
{
	char part[PATH_MAX];
	struct stat st;

	if (!text_copy(part, sizeof(part), path) || path[0] == '\0')
		return err_set(err, ERR_LIMIT, "not a usable path: %.100s", path);
	for (char *slash = part + 1;; slash++) {
		slash += strcspn(slash, "/");
		bool is_whole = *slash == '\0';

		*slash = '\0';
		if (!make_folder(part, mode, err))
			return false;
		if (is_whole)
			break;
		*slash = '/';
	}
	if (stat(path, &st) != 0)
		return err_errno(err, ERR_IO, errno, "looking at %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is not a folder", path);
	return true;
}

/* --- of whom it is --- */

bool
file_owner_is_ours(uid_t owner, const char *path, struct err *err)
{
	if (owner == geteuid() || owner == 0 || geteuid() == 0)
		return true;
	return err_set(err, ERR_CONFIG,
	    "%s was made by user %u, and we are user %u: find out why, and remove it, or give it to us",
	    path, (unsigned)owner, (unsigned)geteuid());
}

bool
file_creation_failed(int errno_value, const char *path, struct err *err)
{
	struct stat st;

	if (errno_value == EROFS)
		return err_errno(err, ERR_IO, errno_value, "creating %s (mount it writable)", path);
	if (lstat(path, &st) == 0)
		return err_errno(
		    err, ERR_IO, errno_value, "opening %s, of user %u", path, (unsigned)st.st_uid);
	if (errno_value == EACCES)
		return err_errno(err, ERR_IO, errno_value,
		    "creating %s (user %u must be able to write in its folder)", path,
		    (unsigned)geteuid());
	return err_errno(err, ERR_IO, errno_value, "creating %s", path);
}
