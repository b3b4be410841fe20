/* Goal: a database on a network file system is refused, on one that is lost with its machine warned of. */
/* SPDX-License-Identifier: ISC */
#include "store/fs_check.h"

#include "unit.h"

#include <linux/magic.h>

TEST(each_file_system_gets_its_verdict)
{
	static const struct {
		long type;
		enum fs_check fs;
	} cases[] = {
		{ EXT4_SUPER_MAGIC, FS_FINE },
		{ BTRFS_SUPER_MAGIC, FS_FINE },
		{ XFS_SUPER_MAGIC, FS_FINE },
		{ NFS_SUPER_MAGIC, FS_REMOTE },
		{ CIFS_SUPER_MAGIC, FS_REMOTE },
		{ (long)(int)CIFS_SUPER_MAGIC, FS_REMOTE }, /* where f_type is signed */
		{ SMB2_SUPER_MAGIC, FS_REMOTE },
		{ SMB_SUPER_MAGIC, FS_REMOTE },
		{ CEPH_SUPER_MAGIC, FS_REMOTE },
		{ V9FS_MAGIC, FS_REMOTE },
		{ OVERLAYFS_SUPER_MAGIC, FS_VOLATILE },
		{ TMPFS_MAGIC, FS_VOLATILE },
	};
	const char *name;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fs_check_judge(cases[i].type, &name), cases[i].fs);
		assert_true((name == NULL) == (cases[i].fs == FS_FINE));
	}
}

TEST(a_folder_is_judged_by_where_it_stands)
{
	enum fs_check fs = FS_FINE;
	const char *name = NULL;
	struct err err = { 0 };

	assert_true(fs_check_look("/dev/shm", &fs, &name, &err));
	assert_int_equal(fs, FS_VOLATILE);
	assert_string_equal(name, "tmpfs");
	assert_false(fs_check_look("/nowhere/at/all", &fs, &name, &err));
	assert_int_equal(err.code, ERR_IO);
}
