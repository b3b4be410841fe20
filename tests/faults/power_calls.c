/* power_calls.c - the calls that change a file, a folder or what others know, and are noted.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "tests/faults/power.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL) \
	real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t
write(int fd, const void *data, size_t size)
{
	ssize_t n;

	power_wait();
	n = syscall(SYS_write, fd, data, size);
	power_note_write_here(fd, data, n);
	return n;
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	ssize_t n;

	power_wait();
	n = syscall(SYS_pwrite64, fd, data, size, offset);
	power_note_write(fd, (uint64_t)offset, data, n);
	return n;
}

ssize_t
pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite64(fd, data, size, offset);
}

ssize_t
writev(int fd, const struct iovec *parts, int count)
{
	ssize_t n;

	power_wait();
	n = syscall(SYS_writev, fd, parts, count);
	power_note_vector(fd, parts, count, n, -1);
	return n;
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
	REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
	ssize_t n;

	power_wait();
	n = real(fd, parts, count, offset);
	power_note_vector(fd, parts, count, n, offset);
	return n;
}

ssize_t
pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return pwritev64(fd, parts, count, offset);
}

int
ftruncate64(int fd, off_t size)
{
	int failed;

	power_wait();
	failed = (int)syscall(SYS_ftruncate, fd, size);
	if (failed == 0)
		power_note_fd(POWER_size, fd);
	return failed;
}

int
ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}

int
posix_fallocate64(int fd, off_t offset, off_t size)
{
	REAL(int, "posix_fallocate", int, off_t, off_t);
	int failed;

	power_wait();
	failed = real(fd, offset, size);
	if (failed == 0)
		power_note_fd(POWER_size, fd);
	return failed;
}

int
posix_fallocate(int fd, off_t offset, off_t size)
{
	return posix_fallocate64(fd, offset, size);
}

int
fallocate64(int fd, int mode, off_t offset, off_t size)
{
	int failed;

	power_wait();
	failed = (int)syscall(SYS_fallocate, fd, mode, offset, size);
	if (failed == 0)
		power_note_fd(POWER_size, fd);
	return failed;
}

int
fallocate(int fd, int mode, off_t offset, off_t size)
{
	return fallocate64(fd, mode, offset, size);
}

int
fsync(int fd)
{
	int failed;

	power_wait();
	failed = (int)syscall(SYS_fsync, fd);
	if (failed == 0)
		power_note_fd(POWER_flush, fd);
	return failed;
}

int
fdatasync(int fd)
{
	int failed;

	power_wait();
	failed = (int)syscall(SYS_fdatasync, fd);
	if (failed == 0)
		power_note_fd(POWER_flush, fd);
	return failed;
}

/* --- names --- */

static int
open_file(int folder, const char *name, int flags, mode_t mode)
{
	struct stat st;
	bool was_there = true;
	int before = errno, fd;

	name = power_path_of_boot(name);
	if (power_is_noting() && (flags & (O_CREAT | O_TRUNC)) != 0) {
		power_wait();
		was_there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		errno = before;
	}
	fd = (int)syscall(SYS_openat, folder, name, flags, mode);
	if (fd >= 0 && (flags & O_TMPFILE) != O_TMPFILE) {
		if ((flags & O_CREAT) != 0 && !was_there)
			power_note_name(POWER_create, folder, name);
		else if ((flags & O_TRUNC) != 0)
			power_note_fd(POWER_size, fd);
	}
	return fd;
}

#define MODE_OF(flags) \
	mode_t mode = 0; \
	if ((flags & (O_CREAT | O_TMPFILE)) != 0) { \
		va_list more; \
		va_start(more, flags); \
		mode = va_arg(more, mode_t); \
		va_end(more); \
	}

int
open64(const char *name, int flags, ...)
{
	MODE_OF(flags)
	return open_file(AT_FDCWD, name, flags, mode);
}

int
open(const char *name, int flags, ...)
{
	MODE_OF(flags)
	return open_file(AT_FDCWD, name, flags, mode);
}

int
openat64(int folder, const char *name, int flags, ...)
{
	MODE_OF(flags)
	return open_file(folder, name, flags, mode);
}

int
openat(int folder, const char *name, int flags, ...)
{
	MODE_OF(flags)
	return open_file(folder, name, flags, mode);
}

/* _FORTIFY_SOURCE's names. */
int __open_2(const char *name, int flags);
int __open64_2(const char *name, int flags);
int __openat_2(int folder, const char *name, int flags);
int __openat64_2(int folder, const char *name, int flags);

int
__open_2(const char *name, int flags)
{
	return open_file(AT_FDCWD, name, flags, 0);
}

int
__open64_2(const char *name, int flags)
{
	return open_file(AT_FDCWD, name, flags, 0);
}

int
__openat_2(int folder, const char *name, int flags)
{
	return open_file(folder, name, flags, 0);
}

int
__openat64_2(int folder, const char *name, int flags)
{
	return open_file(folder, name, flags, 0);
}

int
mkostemp64(char *template, int flags)
{
	REAL(int, "mkostemp", char *, int);
	int fd;

	power_wait();
	fd = real(template, flags);
	if (fd >= 0)
		power_note_name(POWER_create, AT_FDCWD, template);
	return fd;
}

int
mkostemp(char *template, int flags)
{
	return mkostemp64(template, flags);
}

int
mkdirat(int folder, const char *name, mode_t mode)
{
	int failed;

	power_wait();
	failed = (int)syscall(SYS_mkdirat, folder, name, mode);
	if (failed == 0)
		power_note_name(POWER_folder, folder, name);
	return failed;
}

int
mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

int
unlinkat(int folder, const char *name, int flags)
{
	char path[PATH_MAX];
	bool is_known = power_path_at(folder, name, path);
	int failed;

	power_wait();
	failed = (int)syscall(SYS_unlinkat, folder, name, flags);
	if (failed == 0 && is_known)
		power_note_unlink(path);
	return failed;
}

int
unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int
rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int
renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
	char from_path[PATH_MAX], to_path[PATH_MAX];
	bool is_known =
	    power_path_at(from_folder, from, from_path) && power_path_at(to_folder, to, to_path);
	int failed;

	power_wait();
	failed = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
	if (failed == 0 && is_known)
		power_note_two(POWER_rename, from_path, to_path);
	return failed;
}

int
rename(const char *from, const char *to)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	char from_path[PATH_MAX], to_path[PATH_MAX];
	bool is_known =
	    power_path_at(from_folder, from, from_path) && power_path_at(to_folder, to, to_path);
	int failed;

	power_wait();
	failed = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
	if (failed == 0 && is_known)
		power_note_two(POWER_link, from_path, to_path);
	return failed;
}

int
link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* --- memory that is a file: what of it reaches the disk is anybody's guess --- */

void *
mmap64(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *at = (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);

	if (at != MAP_FAILED && (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0 &&
	    fd >= 0)
		power_note_fd(POWER_map, fd);
	return at;
}

void *
mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	return mmap64(address, size, protection, flags, fd, offset);
}

/* --- what others are told --- */

ssize_t
sendto(
    int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	ssize_t n;

	power_wait();
	n = syscall(SYS_sendto, fd, data, size, flags, to, to_size);
	power_note_told(fd, data, n);
	return n;
}

ssize_t
send(int fd, const void *data, size_t size, int flags)
{
	return sendto(fd, data, size, flags, NULL, 0);
}

ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
	power_wait();
	return syscall(SYS_sendmsg, fd, message, flags);
}
