/* settings_folder.h - the folder of the applications' files: which of them may be read.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/base.h"
#include "types/settings.h"

#define SETTINGS_APPLICATIONS_MAX 500

/* shop.env, which nobody but root and the owner of the settings file may write. */
struct settings_folder_file {
	char application[ENVIRONMENT_NAME_MAX];
	uint64_t stamp; /* changes with its content: of time, size and inode */
	bool is_kept;	/* at a reload: not read, the application stays as it runs */
};

struct settings_folder {
	size_t count;
	struct settings_folder_file *files; /* by their applications' names */
	size_t refused_count;
	struct settings_refused *refused; /* those that are not read, and why not */
	/* Borrowed: what a directory elsewhere says of users (settings_users.h) just now. */
	const struct settings_user *users;
	size_t users_count;
};

/* Looks into the folder; to be freed with settings_folder_done.  settings_file (may be NULL) is the
 * one whose owner may write there.  ERR_MISSING: there is no such folder; else it cannot be read,
 * or others may write there. */
MUST_USE bool settings_folder_read(struct settings_folder *ret, const char *path,
    const char *settings_file, struct err *err);
void settings_folder_done(struct settings_folder *folder); /* may be all zero */
void settings_folder_sort(struct settings_folder *folder); /* its files, as they are read */

/* Why nothing may be called so; NULL: an application may.  "client" is a word of grants. */
const char *settings_why_no_application(const char *name);

struct stat;
uint64_t settings_stamp(const struct stat *status);

/* Adds to a list of refused files. */
void settings_refuse(struct settings_refused **list, size_t *count, const char *file,
    const char *reason);
