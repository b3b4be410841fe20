/* path.c - each folder from the root on, and each link on the way.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/text.h"

#define LINKS_MAX 16

static bool
check_component(const char *path, const struct stat *st, uid_t also, struct err *err)
{
	bool others_write = (st->st_mode & 022) != 0;

	if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != also)
		return err_set(err, ERR_DENIED, "%s belongs to user %u, not to root or us", path,
		    (unsigned)st->st_uid);
	if (S_ISLNK(st->st_mode) || !others_write)
		return true; /* a link's own mode means nothing */
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0 && st->st_uid == 0)
		return true;
	return err_set(err, ERR_DENIED, "%s may be written by others (mode %04o)", path,
	    (unsigned)(st->st_mode & 07777));
}

/* path[..size) is a link: what it points to, resolved against its folder, then what followed. */
static bool
follow(char path[PATH_MAX], size_t size, struct err *err)
{
	char target[PATH_MAX], whole[2 * PATH_MAX + 2];
	const char *rest = path + size;
	ssize_t n;
	char end = path[size];

	path[size] = '\0';
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return err_errno(err, ERR_IO, errno, "reading link %s", path);
	target[n] = '\0';
	*strrchr(path, '/') = '\0'; /* its folder; absolute, so there is one */
	(void)snprintf(whole, sizeof(whole), "%s%s%s%c%s", target[0] == '/' ? "" : path,
	    target[0] == '/' ? "" : "/", target, end, end == '\0' ? "" : rest + 1);
	if (!text_copy(path, PATH_MAX, whole))
		return err_set(err, ERR_LIMIT, "path too long behind a link");
	return true;
}

bool
path_is_safe(const char *path, struct err *err)
{
	return path_is_safe_with(path, geteuid(), err);
}

bool
path_is_safe_with(const char *path, uid_t also, struct err *err)
{
	char at[PATH_MAX];
	struct stat st;
	unsigned links = 0;

	if (path[0] != '/' || !text_copy(at, sizeof(at), path))
		return err_set(err, ERR_INVALID, "not an absolute path: %.100s", path);
	if (lstat("/", &st) != 0 || !check_component("/", &st, also, err))
		return false;
	for (size_t end = 1; at[end - 1] != '\0';) {
		char kept;

		end += strcspn(at + end, "/");
		kept = at[end];
		at[end] = '\0';
		if (lstat(at, &st) != 0)
			return err_errno(err, errno == ENOENT ? ERR_MISSING : ERR_IO, errno,
			    "looking at %s", at);
		if (!check_component(at, &st, also, err))
			return false;
		at[end] = kept;
		if (!S_ISLNK(st.st_mode)) {
			if (kept == '\0')
				break;
			end++;
			continue;
		}
		if (++links > LINKS_MAX)
			return err_set(err, ERR_INVALID, "too many links: %.100s", path);
		if (!follow(at, end, err))
			return false;
		end = 1; /* the new path, from its root */
	}
	return true;
}

bool
path_is_private(const char *path, bool group_may_read, struct err *err)
{
	mode_t others = group_may_read ? 037 : 077;
	struct stat st;

	if (!path_is_safe(path, err))
		return false;
	if (stat(path, &st) != 0)
		return err_errno(err, ERR_IO, errno, "looking at %s", path);
	if ((st.st_mode & others) != 0)
		return err_set(err, ERR_DENIED, "%s may be read by others (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
	return true;
}
