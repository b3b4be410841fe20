/* store_reserve.c - takes and gives up the file that keeps room beside the database.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_reserve.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"

#include "store/store_inside.h"

/* Too long a path: the database could not have been opened. */
static void
path_of(const struct store *store, char out[PATH_MAX])
{
	(void)snprintf(out, PATH_MAX, "%s-reserve", store->path);
}

bool
store_reserve_take(struct store *store)
{
	CLEANUP(file_closep) int fd = -1; /* nothing is written */
	char path[PATH_MAX];
	struct stat st = { .st_uid = (uid_t)-1 };
	struct err err;
	bool ok;

	if (db_is_url(store->path))
		return true;
	path_of(store, path);
	/* Read too: posix_fallocate() does that where the file system knows no such call. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	(void)fstat(fd, &st); /* else its owner stays unknown */
	if (!file_owner_is_ours(st.st_uid, path, &err)) {
		log_warning("no room is kept beside the database: %s", err.text);
		return true;
	}
	/* As much again must be free, or the next commit would want it back. */
	ok = posix_fallocate(fd, 0, (off_t)2 * STORE_RESERVE_BYTES) == 0 &&
	    ftruncate(fd, STORE_RESERVE_BYTES) == 0;
	if (!ok)
		(void)!ftruncate(fd, 0); /* what there is of it is needed */
	return ok;
}

void
store_reserve_give(struct store *store)
{
	CLEANUP(file_closep) int fd = -1;
	char path[PATH_MAX];

	if (db_is_url(store->path))
		return;
	path_of(store, path);
	/* It may not be there.  Its name stays taken: see db_files_keep(). */
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
}
