/* power.c - notes what is written and what is flushed, and cuts the power at a chosen moment.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 *	LD_PRELOAD=libpower.so POWER_PAGE=file POWER_PATHS=/path/state:/path/audit.log program
 *
 * Every change below those paths goes into a journal in shared memory, with its bytes, and so does
 * every flush: power.py computes from it what a disk could hold when the power goes (power_disk.py
 * knows the same layout).  Behind the `cut_at`-th record of one kind and path the power goes: from
 * then on every process that has loaded this stands still where it would write, flush or send,
 * until it is killed.
 *
 * A record is appended behind its call, with what the call did.  A flush that is under way at the
 * cut has not happened.  What stdio and shells write is not seen: it does not come through the
 * linker.  POWER_BOOT names a file that is read instead of
 * the kernel's boot id: the machine was started anew.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define POWER_MAGIC   UINT64_C(0x3152455754554f50)
#define JOURNAL_BYTES (UINT64_C(192) << 20) /* sparse: only what is used takes room */
#define TOLD_BYTES    160		    /* of a packet: enough to know what it says */
#define BOOT_ID	      "/proc/sys/kernel/random/boot_id"

#define POWER_KINDS(K) \
	K(write) K(size) K(flush) K(create) K(folder) K(unlink) K(rename) K(link) K(map) K(told)

#define X(name) POWER_##name,
#define K(name) X(name)
enum power_kind { POWER_KINDS(K) };
#undef K
#undef X

struct record {
	_Atomic uint32_t length; /* of all of it, a multiple of 8; 0: not written yet */
	uint32_t kind;
	uint64_t inode;
	uint64_t offset;    /* or the new size, or the mode */
	uint32_t data_size; /* behind the two names, which end in NUL */
	uint16_t name_size;
	uint16_t other_size;
	int32_t pid;
	uint32_t pad;
};

struct power_page {
	_Atomic uint64_t magic;
	_Atomic uint64_t count;
	_Atomic uint64_t cut_at; /* 0: never */
	_Atomic uint64_t is_cut;
	_Atomic uint64_t used; /* bytes of the journal */
	_Atomic uint64_t is_full;
	_Atomic uint64_t matched; /* records of that kind and path */
	uint64_t kind;		  /* of those that count */
	char pattern[168]; /* as for fnmatch(); what its path is, or the first word that was told */
	char journal[];
};

static struct power_page *page;
static char paths[4][512]; /* watched, without a slash at their end */
static size_t path_count;
static const char *boot_file;

/* ---- the cut ----------------------------------------------------------------------------- */

/* Before everything that changes something or tells somebody. */
static void
go_on_if_there_is_power(void)
{
	while (page != NULL && atomic_load(&page->is_cut) != 0)
		(void)syscall(SYS_pause); /* power.py kills us */
}

/* ---- the journal ------------------------------------------------------------------------- */

static bool
is_watched(const char *path)
{
	for (size_t i = 0; i < path_count; i++) {
		size_t n = strlen(paths[i]);

		if (strncmp(path, paths[i], n) == 0 && (path[n] == '\0' || path[n] == '/'))
			return true;
	}
	return false;
}

/* A folder in which the name of a watched one stands. */
static bool
holds_watched(const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < path_count; i++)
		if (strncmp(path, paths[i], n) == 0 && paths[i][n] == '/' &&
		    strchr(paths[i] + n + 1, '/') == NULL)
			return true;
	return false;
}

static bool
path_of_fd(int fd, char out[PATH_MAX])
{
	char link[40];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlink, link, out, PATH_MAX - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 && out[0] == '/';
}

/* Where a name in a folder is; what it points to is not looked at. */
static bool
path_at(int folder, const char *name, char out[PATH_MAX])
{
	char base[PATH_MAX] = "";
	int n;

	if (name[0] != '/' && folder == AT_FDCWD && getcwd(base, sizeof(base)) == NULL)
		return false;
	if (name[0] != '/' && folder != AT_FDCWD && !path_of_fd(folder, base))
		return false;
	n = snprintf(out, PATH_MAX, "%s%s%s", base, base[0] == '\0' ? "" : "/", name);
	return n > 0 && n < PATH_MAX;
}

struct note {
	enum power_kind kind;
	uint64_t inode;
	uint64_t offset;
	const char *name;
	const char *other;
	const void *data;
	size_t data_size;
};

/* Appends; at the chosen record the power goes. */
static void
note(const struct note *what)
{
	size_t name = strlen(what->name) + 1,
	       other = what->other == NULL ? 1 : strlen(what->other) + 1;
	size_t length = (sizeof(struct record) + name + other + what->data_size + 7) & ~(size_t)7;
	uint64_t at = atomic_fetch_add(&page->used, length);
	struct record *record;

	if (at + length > JOURNAL_BYTES) {
		atomic_store(&page->is_full, 1);
		return;
	}
	record = (struct record *)(void *)(page->journal + at);
	record->kind = what->kind;
	record->inode = what->inode;
	record->offset = what->offset;
	record->data_size = (uint32_t)what->data_size;
	record->name_size = (uint16_t)name;
	record->other_size = (uint16_t)other;
	record->pid = (int32_t)syscall(SYS_getpid);
	memcpy(record + 1, what->name, name);
	memcpy((char *)(record + 1) + name, what->other == NULL ? "" : what->other, other);
	if (what->data_size > 0)
		memcpy((char *)(record + 1) + name + other, what->data, what->data_size);
	atomic_store(&record->length, (uint32_t)length);
	atomic_fetch_add(&page->count, 1);
	if (page->kind == what->kind && fnmatch(page->pattern, what->name, FNM_PATHNAME) == 0 &&
	    atomic_fetch_add(&page->matched, 1) + 1 == atomic_load(&page->cut_at))
		atomic_store(&page->is_cut, 1);
	go_on_if_there_is_power();
}

/* What a descriptor is, when it is a watched file or folder that has a name. */
static bool
look_at(int fd, char path[PATH_MAX], struct stat *ret)
{
	size_t n;

	if (page == NULL || fstat(fd, ret) != 0 ||
	    (!S_ISREG(ret->st_mode) && !S_ISDIR(ret->st_mode)) || !path_of_fd(fd, path))
		return false;
	n = strlen(path);
	if (n > 10 && strcmp(path + n - 10, " (deleted)") == 0)
		return false;
	return is_watched(path) || (S_ISDIR(ret->st_mode) && holds_watched(path));
}

static void
note_write(int fd, uint64_t offset, const void *data, ssize_t size)
{
	char path[PATH_MAX];
	struct stat st;
	int before = errno;

	if (size > 0 && look_at(fd, path, &st))
		note(&(struct note){
		    POWER_write, st.st_ino, offset, path, NULL, data, (size_t)size });
	errno = before;
}

/* Behind a write without an offset: it ends where the descriptor stands now. */
static void
note_write_here(int fd, const void *data, ssize_t size)
{
	int before = errno;
	off_t end = page == NULL || size <= 0 ? -1 : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);

	if (end >= size)
		note_write(fd, (uint64_t)(end - size), data, size);
	errno = before;
}

static void
note_vector(int fd, const struct iovec *parts, int count, ssize_t size, off_t offset)
{
	off_t at = offset;

	if (size <= 0 || page == NULL)
		return;
	if (at < 0)
		at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - size;
	for (int i = 0; at >= 0 && i < count && size > 0; i++) {
		ssize_t n = (size_t)size < parts[i].iov_len ? size : (ssize_t)parts[i].iov_len;

		note_write(fd, (uint64_t)at, parts[i].iov_base, n);
		at += n;
		size -= n;
	}
}

static void
note_fd(enum power_kind kind, int fd)
{
	char path[PATH_MAX];
	struct stat st;
	int before = errno;

	if (look_at(fd, path, &st))
		note(&(struct note){ kind, st.st_ino, (uint64_t)st.st_size, path, NULL, NULL, 0 });
	errno = before;
}

/* A name that a call has made. */
static void
note_name(enum power_kind kind, int folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int before = errno;

	if (page != NULL && path_at(folder, name, path) && is_watched(path) &&
	    lstat(path, &st) == 0)
		note(&(struct note){ kind, st.st_ino, st.st_mode, path, NULL, NULL, 0 });
	errno = before;
}

static void
note_unlink(const char *path)
{
	int before = errno;

	if (page != NULL && is_watched(path))
		note(&(struct note){ POWER_unlink, 0, 0, path, NULL, NULL, 0 });
	errno = before;
}

static void
note_two(enum power_kind kind, const char *from, const char *to)
{
	int before = errno;

	if (page != NULL && (is_watched(from) || is_watched(to)))
		note(&(struct note){ kind, 0, 0, from, to, NULL, 0 });
	errno = before;
}

/* Known by its first word. */
static void
note_packet(const char *data, size_t size)
{
	char word[16] = "";

	for (size_t i = 0; i < size && i < sizeof(word) - 1 && data[i] >= 'a' && data[i] <= 'z';
	     i++)
		word[i] = data[i];
	note(&(struct note){
	    POWER_told, 0, 0, word, NULL, data, size < TOLD_BYTES ? size : TOLD_BYTES });
}

static void
note_told(int fd, const void *data, ssize_t size)
{
	int before = errno, type = 0;
	socklen_t n = sizeof(type);

	if (page != NULL && size > 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	    type == SOCK_SEQPACKET)
		note_packet(data, (size_t)size);
	errno = before;
}

/* ---- joining ----------------------------------------------------------------------------- */

static void
map_page(const char *file)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	size_t size = sizeof(*page) + JOURNAL_BYTES;
	uint64_t fresh = 0;
	void *at = MAP_FAILED;

	if (fd >= 0 && syscall(SYS_ftruncate, fd, size) == 0)
		at = (void *)syscall(
		    SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		perror(file);
		_exit(64);
	}
	(void)syscall(SYS_close, fd);
	page = at;
	(void)atomic_compare_exchange_strong(&page->magic, &fresh, POWER_MAGIC);
}

__attribute__((constructor)) static void
on_load(void)
{
	const char *file = getenv("POWER_PAGE"), *list = getenv("POWER_PATHS");

	boot_file = getenv("POWER_BOOT");
	if (file == NULL || list == NULL)
		return;
	while (*list != '\0' && path_count < 4) {
		size_t n = strcspn(list, ":");

		if (n > 0 && n < sizeof(paths[0]))
			memcpy(paths[path_count++], list, n);
		list += n + (list[n] == ':');
	}
	map_page(file);
}

/* ---- the calls --------------------------------------------------------------------------- */

#define REAL(type, name, ...) \
	static type (*real)(__VA_ARGS__); \
	if (real == NULL) \
	real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t
write(int fd, const void *data, size_t size)
{
	ssize_t n;

	go_on_if_there_is_power();
	n = syscall(SYS_write, fd, data, size);
	note_write_here(fd, data, n);
	return n;
}

ssize_t
pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	ssize_t n;

	go_on_if_there_is_power();
	n = syscall(SYS_pwrite64, fd, data, size, offset);
	note_write(fd, (uint64_t)offset, data, n);
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

	go_on_if_there_is_power();
	n = syscall(SYS_writev, fd, parts, count);
	note_vector(fd, parts, count, n, -1);
	return n;
}

ssize_t
pwritev64(int fd, const struct iovec *parts, int count, off_t offset)
{
	REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
	ssize_t n;

	go_on_if_there_is_power();
	n = real(fd, parts, count, offset);
	note_vector(fd, parts, count, n, offset);
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

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_ftruncate, fd, size);
	if (failed == 0)
		note_fd(POWER_size, fd);
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

	go_on_if_there_is_power();
	failed = real(fd, offset, size);
	if (failed == 0)
		note_fd(POWER_size, fd);
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

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_fallocate, fd, mode, offset, size);
	if (failed == 0)
		note_fd(POWER_size, fd);
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

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_fsync, fd);
	if (failed == 0)
		note_fd(POWER_flush, fd);
	return failed;
}

int
fdatasync(int fd)
{
	int failed;

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_fdatasync, fd);
	if (failed == 0)
		note_fd(POWER_flush, fd);
	return failed;
}

/* --- names --- */

static int
open_file(int folder, const char *name, int flags, mode_t mode)
{
	struct stat st;
	bool was_there = true;
	int before = errno, fd;

	if (boot_file != NULL && strcmp(name, BOOT_ID) == 0)
		name = boot_file;
	if (page != NULL && (flags & (O_CREAT | O_TRUNC)) != 0) {
		go_on_if_there_is_power();
		was_there = fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
		errno = before;
	}
	fd = (int)syscall(SYS_openat, folder, name, flags, mode);
	if (fd >= 0 && (flags & O_TMPFILE) != O_TMPFILE) {
		if ((flags & O_CREAT) != 0 && !was_there)
			note_name(POWER_create, folder, name);
		else if ((flags & O_TRUNC) != 0)
			note_fd(POWER_size, fd);
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

	go_on_if_there_is_power();
	fd = real(template, flags);
	if (fd >= 0)
		note_name(POWER_create, AT_FDCWD, template);
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

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_mkdirat, folder, name, mode);
	if (failed == 0)
		note_name(POWER_folder, folder, name);
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
	bool is_known = page != NULL && path_at(folder, name, path);
	int failed;

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_unlinkat, folder, name, flags);
	if (failed == 0 && is_known)
		note_unlink(path);
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
	bool is_known = page != NULL && path_at(from_folder, from, from_path) &&
	    path_at(to_folder, to, to_path);
	int failed;

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
	if (failed == 0 && is_known)
		note_two(POWER_rename, from_path, to_path);
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
	bool is_known = page != NULL && path_at(from_folder, from, from_path) &&
	    path_at(to_folder, to, to_path);
	int failed;

	go_on_if_there_is_power();
	failed = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
	if (failed == 0 && is_known)
		note_two(POWER_link, from_path, to_path);
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
		note_fd(POWER_map, fd);
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

	go_on_if_there_is_power();
	n = syscall(SYS_sendto, fd, data, size, flags, to, to_size);
	note_told(fd, data, n);
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
	go_on_if_there_is_power();
	return syscall(SYS_sendmsg, fd, message, flags);
}
