/* playbook_folder.c - ANSIBLE_FOLDER as one mark, which an approval is bound to.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/playbook_folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/path.h"
#include "lib/text.h"

#define LINE_MAX_BYTES 512 /* of one file or folder */

struct walk {
	size_t root;	/* bytes of the folder's own path, with the slash */
	size_t bytes;	/* of files, until now */
	size_t count;	/* of files and folders */
	struct buf all; /* a line for each */
};

static int
is_part(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Byte by byte, whatever the language. */
static int
compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Why it can be no part of what is approved; its name goes to the chat. */
static bool
check_part(struct walk *walk, const char *name, const struct stat *status, struct err *err)
{
	if (++walk->count > PLAYBOOK_FILES_MAX)
		return err_set(err, ERR_CONFIG, "more than %d files", PLAYBOOK_FILES_MAX);
	if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
		return err_set(err, ERR_CONFIG, "%.120s is a link, or no file", name);
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return err_set(err, ERR_CONFIG, "%.120s belongs to user %u: chown it to root", name,
		    (unsigned)status->st_uid);
	return (status->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    err_set(err, ERR_CONFIG, "others may write %.120s: chmod go-w that", name);
}

/* The name has its length before it: no other folder has the same lines. */
static bool
add_file(struct walk *walk, const char *path, const struct stat *status, struct err *err)
{
	const char *name = path + walk->root;
	char digest[FINGERPRINT_DIGEST] = "/";
	CLEANUP(freep) char *bytes = NULL;
	CLEANUP(buf_done) struct buf mark = buf_make(FINGERPRINT_DIGEST);
	size_t size = 0;

	if (S_ISREG(status->st_mode)) {
		bytes = file_read(path, PLAYBOOK_BYTES_MAX - walk->bytes, &size, err);
		if (bytes == NULL)
			return err_wrap(err, "%.120s", name);
		fingerprint_add_bytes(&mark, "", bytes, size);
		(void)text_copy(digest, sizeof(digest), buf_text(&mark));
		walk->bytes += size;
	}
	buf_addf(&walk->all, "%zu %s %o %zu%s\n", strlen(name), name,
	    (unsigned)status->st_mode & 07777, size, digest);
	return buf_check(&walk->all, err);
}

static bool add_folder(struct walk *walk, const char *path, size_t depth, struct err *err);

static bool
add_part(struct walk *walk, const char *path, size_t depth, struct err *err)
{
	const char *name = path + walk->root;
	struct stat status;

	if (strcmp(name, ".git") == 0)
		return true;
	if (lstat(path, &status) == -1)
		return err_errno(err, ERR_CONFIG, errno, "%.120s", name);
	return check_part(walk, name, &status, err) && add_file(walk, path, &status, err) &&
	    (S_ISREG(status.st_mode) || add_folder(walk, path, depth + 1, err));
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as PLAYBOOK_DEPTH_MAX */
static bool
add_folder(struct walk *walk, const char *path, size_t depth, struct err *err)
{
	struct dirent **entries = NULL;
	char part[PATH_MAX];
	int n = depth > PLAYBOOK_DEPTH_MAX ? -1 : scandir(path, &entries, is_part, compare_names);
	bool good = n != -1;

	if (depth > PLAYBOOK_DEPTH_MAX)
		return err_set(
		    err, ERR_CONFIG, "folders are more than %d deep", PLAYBOOK_DEPTH_MAX);
	if (n == -1)
		return err_errno(err, ERR_CONFIG, errno, "it cannot be read");
	for (int i = 0; i < n; i++) {
		if (good &&
		    (size_t)snprintf(part, sizeof(part), "%s/%s", path, entries[i]->d_name) >=
			sizeof(part))
			good = err_set(err, ERR_CONFIG, "a path in it is too long");
		good = good && add_part(walk, part, depth, err);
		free(entries[i]);
	}
	free(entries);
	return good;
}

bool
playbook_folder_add(const char *folder, char list[FINGERPRINT_LIST_MAX], struct err *err)
{
	struct walk walk = { .root = strlen(folder) + 1,
		.all = { .cap = PLAYBOOK_FILES_MAX * LINE_MAX_BYTES } };
	CLEANUP(buf_done) struct buf more = buf_make(FINGERPRINT_LIST_MAX - 1);
	bool good;

	buf_adds(&more, list);
	good = path_is_safe(folder, err) && add_folder(&walk, folder, 0, err);
	if (good)
		fingerprint_add_bytes(
		    &more, "ANSIBLE_FOLDER/files", buf_text(&walk.all), walk.all.size);
	buf_done(&walk.all);
	if (good && buf_check(&more, err) && text_copy(list, FINGERPRINT_LIST_MAX, buf_text(&more)))
		return true;
	if (err != NULL)
		err->code = ERR_CONFIG;
	return err_wrap(err, "ANSIBLE_FOLDER");
}
