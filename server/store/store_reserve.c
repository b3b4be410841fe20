/* store_reserve.c - takes and gives up the file that keeps room beside the database.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_reserve.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

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
	char path[PATH_MAX];
	bool ok;
	int fd;

	path_of(store, path);
	/* Read too: posix_fallocate() does that where the file system knows no such call. */
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	/* As much again must be free, or the next commit would want it back. */
	ok = posix_fallocate(fd, 0, (off_t)2 * STORE_RESERVE_BYTES) == 0 &&
	    ftruncate(fd, STORE_RESERVE_BYTES) == 0;
	(void)close(fd); /* nothing was written */
	if (!ok)
		(void)unlink(path); /* what there is of it is needed */
	return ok;
}

void
store_reserve_give(struct store *store)
{
	char path[PATH_MAX];

	path_of(store, path);
	(void)unlink(path); /* it may not be there */
}
