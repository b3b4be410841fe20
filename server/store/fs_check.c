/* fs_check.c - the file systems that lose locks, flushes, or all of it.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "store/fs_check.h"

#include <errno.h>
#include <sys/vfs.h>

/* f_type as in statfs(2).  https://www.sqlite.org/howtocorrupt.html, 2.1: locks of network file
 * systems are often broken; a flush of theirs means what the other end makes of it.
 * 9P too: inside of one sandbox (gVisor shows its volumes as 9P) it may well hold, but the type is
 * the same for shares of WSL and of virtual machines: many of them do not give SQLite's WAL its
 * shared mapping, and two kernels may have one folder without seeing each other's locks, so that
 * two servers would deploy.  What cannot be distinguished is refused, not warned of. */
static const struct {
	unsigned type;
	enum fs_check fs;
	const char *name;
} file_systems[] = {
	{ 0x6969, FS_REMOTE, "NFS" },
	{ 0xff534d42, FS_REMOTE, "CIFS" },
	{ 0xfe534d42, FS_REMOTE, "SMB" },
	{ 0x517b, FS_REMOTE, "SMB" },
	{ 0x00c36400, FS_REMOTE, "Ceph" },
	{ 0x01021997, FS_REMOTE, "9P" },
	{ 0x5346414f, FS_REMOTE, "AFS" },
	{ 0x73757245, FS_REMOTE, "Coda" },
	{ 0x794c7630, FS_VOLATILE, "overlay" },
	{ 0x01021994, FS_VOLATILE, "tmpfs" },
	{ 0x858458f6, FS_VOLATILE, "ramfs" },
};

enum fs_check
fs_check_judge(long type, const char **ret_name)
{
	for (size_t i = 0; i < COUNT(file_systems); i++)
		if (file_systems[i].type == (unsigned)type) {
			*ret_name = file_systems[i].name;
			return file_systems[i].fs;
		}
	*ret_name = NULL;
	return FS_FINE;
}

bool
fs_check_look(const char *folder, enum fs_check *ret_fs, const char **ret_name, struct err *err)
{
	struct statfs found;

	if (statfs(folder, &found) != 0)
		return err_errno(err, ERR_IO, errno, "looking at the file system of %s", folder);
	*ret_fs = fs_check_judge((long)found.f_type, ret_name);
	return true;
}
