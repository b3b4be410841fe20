/* settings_folder.c - the folder of the applications' files, looked at by name, kind, owner and mode.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "settings/sources/settings_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/array.h"
#include "lib/err.h"
#include "lib/folder.h"
#include "lib/text.h"

static const char ending[] = ".env";

void
settings_refuse(struct settings_refused **list, size_t *count, const char *file, const char *reason)
{
	struct settings_refused *added = array_add(list, count, sizeof(*added));

	text_set(added->file, file); /* cut is fine, in both */
	text_set(added->reason, reason);
}

/* Who may write there: root, and who owns the settings file; without one whoever we are. */
static uid_t
owner_of(const char *settings_file)
{
	struct stat status;

	if (settings_file != NULL && stat(settings_file, &status) == 0)
		return status.st_uid;
	return geteuid();
}

/* May others write it?  NULL: they may not. */
static const char *
why_not_ours(const struct stat *status, uid_t owner, char out[LIMIT_LINE])
{
	if (status->st_uid != 0 && status->st_uid != owner)
		(void)snprintf(out, LIMIT_LINE,
		    "belongs to user %u, and may be of root or of user %u, who owns the settings file: chown it",
		    (unsigned)status->st_uid, (unsigned)owner);
	else if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		(void)snprintf(out, LIMIT_LINE, "others may write it (mode %04o): chmod go-w",
		    (unsigned)status->st_mode & 07777);
	else
		return NULL;
	return out;
}

uint64_t
settings_stamp(const struct stat *status)
{
	uint64_t stamp = (uint64_t)status->st_mtim.tv_sec;

	stamp = stamp * 1000000007 + (uint64_t)status->st_mtim.tv_nsec;
	stamp = stamp * 1000000007 + (uint64_t)status->st_size;
	return stamp * 1000000007 + (uint64_t)status->st_ino;
}

const char *
settings_why_no_application(const char *name)
{
	char small[ENVIRONMENT_NAME_MAX];
	size_t n = strlen(name);

	if (strcmp(name, "client") == 0)
		return "is not read: client/ID in a grant is no application; rename it";
	if (environment_name_is_valid(name))
		return NULL;
	for (size_t i = 0; i <= n && n < sizeof(small); i++)
		small[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	if (n < sizeof(small) && environment_name_is_valid(small))
		return "capitals: an application's name has small letters alone; rename it";
	return "is not read: an application's name is a-z, then up to 19 of a-z 0-9 -; rename it";
}

static void
add_file(struct settings_folder *folder, const char *application, const struct stat *status)
{
	struct settings_folder_file *added =
	    array_add(&folder->files, &folder->count, sizeof(*added));

	text_set(added->application, application);
	added->stamp = settings_stamp(status);
}

static void
take_file(struct settings_folder *folder, int fd, const char *file, uid_t owner)
{
	char name[NAME_MAX + 1], sentence[LIMIT_LINE];
	const char *why;
	struct stat status;

	text_setf(name, "%.*s", (int)(strlen(file) - strlen(ending)), file);
	why = settings_why_no_application(name);
	if (why == NULL && fstatat(fd, file, &status, AT_SYMLINK_NOFOLLOW) != 0)
		return; /* gone meanwhile */
	if (why == NULL && !S_ISREG(status.st_mode))
		why = "is a link, or no file: put the file itself there";
	if (why == NULL)
		why = why_not_ours(&status, owner, sentence);
	if (why == NULL && faccessat(fd, file, R_OK, AT_EACCESS) != 0)
		why = "cannot be read: chown root:deploybot and chmod 0640, as the settings file";
	if (why == NULL && folder->count == SETTINGS_APPLICATIONS_MAX)
		why = "there are more than 500 applications";
	if (why != NULL)
		settings_refuse(&folder->refused, &folder->refused_count, file, why);
	else
		add_file(folder, name, &status);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct settings_folder_file *)a)->application,
	    ((const struct settings_folder_file *)b)->application);
}

void
settings_folder_sort(struct settings_folder *folder)
{
	if (folder->count > 0)
		qsort(folder->files, folder->count, sizeof(*folder->files), by_name);
}

static int
by_file(const void *a, const void *b)
{
	return strcmp(
	    ((const struct settings_refused *)a)->file, ((const struct settings_refused *)b)->file);
}

static bool
is_ours(int fd, const char *path, uid_t owner, struct err *err)
{
	char sentence[LIMIT_LINE];
	struct stat status;
	const char *why;

	if (fstat(fd, &status) != 0)
		return err_errno(err, ERR_CONFIG, errno, "%s", path);
	why = why_not_ours(&status, owner, sentence);
	return why == NULL || err_set(err, ERR_DENIED, "%s: %s", path, why);
}

bool
settings_folder_read(
    struct settings_folder *ret, const char *path, const char *settings_file, struct err *err)
{
	CLEANUP(folder_closep) DIR *dir = opendir(path);
	uid_t owner = owner_of(settings_file);

	*ret = (struct settings_folder){ 0 };
	if (dir == NULL)
		return err_errno(err,
		    errno == ENOENT || errno == ENOTDIR ? ERR_MISSING : ERR_CONFIG, errno, "%s",
		    path);
	if (!is_ours(dirfd(dir), path, owner, err))
		return false;
	for (const struct dirent *entry; (errno = 0, entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.' && text_ends(entry->d_name, ending))
			take_file(ret, dirfd(dir), entry->d_name, owner);
	if (errno != 0) {
		settings_folder_done(ret);
		return err_errno(err, ERR_CONFIG, errno, "%s", path);
	}
	settings_folder_sort(ret);
	if (ret->refused_count > 0)
		qsort(ret->refused, ret->refused_count, sizeof(*ret->refused), by_file);
	return true;
}

void
settings_folder_done(struct settings_folder *folder)
{
	free(folder->files);
	free(folder->refused);
	*folder = (struct settings_folder){ 0 };
}
