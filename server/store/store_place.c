/* store_place.c - the file systems that lose locks, flushes, or all of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "store/store_place.h"

#include <errno.h>
#include <stddef.h>
#include <sys/vfs.h>

/* f_type as in statfs(2).  https://www.sqlite.org/howtocorrupt.html, 2.1: locks of network file
 * systems are often broken; a flush of theirs means what the other end makes of it.
 * 9P too: inside of one sandbox (gVisor shows its volumes as 9P) it may well hold, but the type is
 * the same for shares of WSL and of virtual machines: many of them do not give SQLite's WAL its
 * shared mapping, and two kernels may have one folder without seeing each other's locks, so that
 * two servers would deploy.  What cannot be told apart is refused, not warned of. */
static const struct {
	unsigned type;
	enum store_place place;
	const char *name;
} places[] = {
	{ 0x6969, STORE_PLACE_REMOTE, "NFS" },
	{ 0xff534d42, STORE_PLACE_REMOTE, "CIFS" },
	{ 0xfe534d42, STORE_PLACE_REMOTE, "SMB" },
	{ 0x517b, STORE_PLACE_REMOTE, "SMB" },
	{ 0x00c36400, STORE_PLACE_REMOTE, "Ceph" },
	{ 0x01021997, STORE_PLACE_REMOTE, "9P" },
	{ 0x5346414f, STORE_PLACE_REMOTE, "AFS" },
	{ 0x73757245, STORE_PLACE_REMOTE, "Coda" },
	{ 0x794c7630, STORE_PLACE_FLEETING, "overlay" },
	{ 0x01021994, STORE_PLACE_FLEETING, "tmpfs" },
	{ 0x858458f6, STORE_PLACE_FLEETING, "ramfs" },
};

enum store_place
store_place_judge(long type, const char **ret_name)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].type == (unsigned)type) {
			*ret_name = places[i].name;
			return places[i].place;
		}
	*ret_name = NULL;
	return STORE_PLACE_FINE;
}

bool
store_place_look(
    const char *folder, enum store_place *ret_place, const char **ret_name, struct err *err)
{
	struct statfs found;

	if (statfs(folder, &found) != 0)
		return err_errno(err, ERR_IO, errno, "looking at the file system of %s", folder);
	*ret_place = store_place_judge((long)found.f_type, ret_name);
	return true;
}
