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
#include "tests/faults/power.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POWER_MAGIC   UINT64_C(0x3152455754554f50)
#define JOURNAL_BYTES (UINT64_C(192) << 20) /* sparse: only what is used takes room */
#define TOLD_BYTES    160		    /* of a packet: enough to know what it says */
#define BOOT_ID	      "/proc/sys/kernel/random/boot_id"

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

void
power_wait(void)
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

bool
power_is_noting(void)
{
	return page != NULL;
}

const char *
power_path_of_boot(const char *path)
{
	return boot_file != NULL && strcmp(path, BOOT_ID) == 0 ? boot_file : path;
}

bool
power_path_at(int folder, const char *name, char out[PATH_MAX])
{
	char base[PATH_MAX] = "";
	int n;

	if (page == NULL)
		return false;
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
	power_wait();
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

void
power_note_write(int fd, uint64_t offset, const void *data, ssize_t size)
{
	char path[PATH_MAX];
	struct stat st;
	int before = errno;

	if (size > 0 && look_at(fd, path, &st))
		note(&(struct note){
		    POWER_write, st.st_ino, offset, path, NULL, data, (size_t)size });
	errno = before;
}

void
power_note_write_here(int fd, const void *data, ssize_t size)
{
	int before = errno;
	off_t end = page == NULL || size <= 0 ? -1 : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);

	if (end >= size)
		power_note_write(fd, (uint64_t)(end - size), data, size);
	errno = before;
}

void
power_note_vector(int fd, const struct iovec *parts, int count, ssize_t size, off_t offset)
{
	off_t at = offset;

	if (size <= 0 || page == NULL)
		return;
	if (at < 0)
		at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR) - size;
	for (int i = 0; at >= 0 && i < count && size > 0; i++) {
		ssize_t n = (size_t)size < parts[i].iov_len ? size : (ssize_t)parts[i].iov_len;

		power_note_write(fd, (uint64_t)at, parts[i].iov_base, n);
		at += n;
		size -= n;
	}
}

void
power_note_fd(enum power_kind kind, int fd)
{
	char path[PATH_MAX];
	struct stat st;
	int before = errno;

	if (look_at(fd, path, &st))
		note(&(struct note){ kind, st.st_ino, (uint64_t)st.st_size, path, NULL, NULL, 0 });
	errno = before;
}

void
power_note_name(enum power_kind kind, int folder, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	int before = errno;

	if (page != NULL && power_path_at(folder, name, path) && is_watched(path) &&
	    lstat(path, &st) == 0)
		note(&(struct note){ kind, st.st_ino, st.st_mode, path, NULL, NULL, 0 });
	errno = before;
}

void
power_note_unlink(const char *path)
{
	int before = errno;

	if (page != NULL && is_watched(path))
		note(&(struct note){ POWER_unlink, 0, 0, path, NULL, NULL, 0 });
	errno = before;
}

void
power_note_two(enum power_kind kind, const char *from, const char *to)
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

void
power_note_told(int fd, const void *data, ssize_t size)
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
