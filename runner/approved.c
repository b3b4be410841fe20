/* approved.c - APPROVED_DIRECTORY: an archive's tree, made once, whole or not at all.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/approved.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/folder.h"
#include "lib/path.h"
#include "lib/text.h"
#include "runner/runner_settings.h"
#include "runner/unpack.h"

#define WALK_FDS  16
#define PATH_ROOM 112
#define PART	  ".part"

/* The path of it, made where it is the default. */
static bool
find_directory(const struct program_dirs *dirs, char ret[PATH_MAX], struct err *err)
{
	static const char *const refused[] = { "/", "/home", "/etc", "/var", "/usr" };
	CLEANUP(runner_settings_done) struct runner_settings settings;
	const char *given;

	if (!runner_settings_read(&settings, dirs->env_file, "", err) ||
	    !runner_settings_text(&settings, "APPROVED_DIRECTORY", &given, err))
		return false;
	(void)snprintf(ret, PATH_MAX, "%s%s", given != NULL ? given : dirs->state,
	    given != NULL ? "" : "/approved");
	if (text_index(ret, refused, COUNT(refused)) < COUNT(refused))
		return err_set(
		    err, ERR_CONFIG, "APPROVED_DIRECTORY is %s: give it a folder of its own", ret);
	return given != NULL || mkdir(ret, 0700) == 0 || errno == EEXIST ||
	    err_errno(err, ERR_IO, errno, "making %s", ret);
}

/* Made where it is the default and missing. */
static int
open_directory(const struct program_dirs *dirs, struct err *err)
{
	static const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS };
	struct stat st = { .st_mode = 0 };
	char path[PATH_MAX];
	int fd;

	if (!find_directory(dirs, path, err))
		return -1;
	fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	if (fd == -1)
		return ERR_FD(err_errno(err, ERR_CONFIG, errno,
		    "APPROVED_DIRECTORY, without a link on the way: %s", path));
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    path_is_safe(path, err))
		return fd;
	(void)close(fd);
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		(void)err_set(
		    err, ERR_CONFIG, "%s is not the runner's alone: chown it, chmod 0700", path);
	return ERR_FD(err_wrap(err, "APPROVED_DIRECTORY"));
}

bool
approved_check(const struct program_dirs *dirs, struct err *err)
{
	CLEANUP(file_closep) int fd = open_directory(dirs, err);

	return fd != -1;
}

/* -1 with errno. */
static int
open_uploads(const char *state)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/uploads", state);
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* No link, no pipe, and not more than would be read. */
static int
open_archive(const char *state, const char *name, struct err *err)
{
	CLEANUP(file_closep) int folder = open_uploads(state);
	struct stat st;
	int fd;

	fd = folder == -1 ? -1 :
			    openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return ERR_FD(err_errno(err, ERR_IO, errno, "the archive that was sent"));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)UNPACK_PACKED_MAX)
		return fd;
	(void)close(fd);
	return ERR_FD(
	    err_set(err, ERR_IO, "the archive that was sent is no file of 20 MB at most"));
}

/* Through the descriptor: it is that folder, whatever becomes of its path. */
static const char *
path_of(const struct approved *approved, const char *end, char ret[PATH_ROOM])
{
	(void)snprintf(
	    ret, PATH_ROOM, "/proc/self/fd/%d/%s%s", approved->directory, approved->name, end);
	return ret;
}

static int
remove_one(const char *path, UNUSED const struct stat *st, UNUSED int type, UNUSED struct FTW *at)
{
	return remove(path);
}

/* A folder and all below it; one that is not there is fine. */
static bool
remove_tree(const struct approved *approved, const char *end, struct err *err)
{
	char path[PATH_ROOM];

	return nftw(path_of(approved, end, path), remove_one, WALK_FDS,
		   FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ||
	    errno == ENOENT || err_errno(err, ERR_IO, errno, "removing an archive's tree");
}

/* Of an archive that is gone all goes, its answer first: nobody needs it, so no run uses its tree.
 * What cannot be removed is tried again. */
static void
tidy(int directory, const char *state)
{
	static const char *const ends[] = { ".answer", PART, "" };
	struct approved gone = { .directory = directory };
	CLEANUP(folder_closep)
	DIR *folder = folder_take(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	CLEANUP(file_closep) int uploads = open_uploads(state);

	for (const struct dirent *entry;
	     folder != NULL && uploads != -1 && (entry = readdir(folder)) != NULL;) {
		(void)snprintf(gone.name, sizeof(gone.name), "%.64s", entry->d_name);
		if (!text_is_hex(gone.name, 64, 64) ||
		    faccessat(uploads, gone.name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		    errno != ENOENT)
			continue;
		for (size_t i = 0; i < COUNT(ends); i++)
			(void)remove_tree(&gone, ends[i], NULL);
	}
}

void
approved_tidy(const struct program_dirs *dirs)
{
	CLEANUP(file_closep) int directory = open_directory(dirs, NULL);

	if (directory != -1)
		tidy(directory, dirs->state);
}

bool
approved_begin(
    struct approved *ret, const char *name, const struct program_dirs *dirs, struct err *err)
{
	char path[PATH_ROOM];

	*ret = (struct approved){ -1, -1, -1, "", "" };
	if (!text_is_hex(name, 64, 64))
		return err_set(err, ERR_INVALID, "no archive has that name");
	memcpy(ret->name, name, sizeof(ret->name));
	ret->archive = open_archive(dirs->state, name, err);
	ret->directory = ret->archive == -1 ? -1 : open_directory(dirs, err);
	if (ret->directory == -1)
		return false;
	if (access(path_of(ret, "", path), F_OK) == 0 &&
	    file_read_small(AT_FDCWD, path_of(ret, ".answer", path), ret->kept, sizeof(ret->kept)) >
		0)
		return true;
	ret->kept[0] = '\0';
	tidy(ret->directory, dirs->state);
	if (!remove_tree(ret, PART, err) || !remove_tree(ret, "", err))
		return false;
	if (mkdir(path_of(ret, PART, path), 0700) == 0)
		ret->folder = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return ret->folder != -1 || err_errno(err, ERR_IO, errno, "a folder for the archive");
}

/* Its files are on disk before it has its name, and that before its answer. */
static bool
keep(const struct approved *approved, const char *answer, size_t size, struct err *err)
{
	char from[PATH_ROOM], path[PATH_ROOM];

	if (syncfs(approved->directory) != 0 ||
	    rename(path_of(approved, PART, from), path_of(approved, "", path)) != 0)
		return err_errno(err, ERR_IO, errno, "keeping an archive's tree");
	return file_write(path_of(approved, ".answer", path), answer, size, 0600, err);
}

bool
approved_end(struct approved *approved, const char *answer, size_t size, struct err *err)
{
	bool is_good = answer == NULL || keep(approved, answer, size, err);

	if ((answer == NULL || !is_good) && approved->folder != -1)
		is_good = remove_tree(approved, PART, err) && is_good;
	file_closep(&approved->folder);
	file_closep(&approved->archive);
	file_closep(&approved->directory);
	return is_good;
}
