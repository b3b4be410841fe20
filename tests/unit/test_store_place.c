/* Goal: a database on a network file system is refused, on one that is lost with its machine warned of. */
/* SPDX-License-Identifier: ISC */
#include "store/store_place.h"

#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
each_file_system_gets_its_verdict(void **state)
{
	static const struct {
		long type;
		enum store_place place;
	} cases[] = {
		{ EXT4_SUPER_MAGIC, STORE_PLACE_FINE },
		{ BTRFS_SUPER_MAGIC, STORE_PLACE_FINE },
		{ XFS_SUPER_MAGIC, STORE_PLACE_FINE },
		{ NFS_SUPER_MAGIC, STORE_PLACE_REMOTE },
		{ CIFS_SUPER_MAGIC, STORE_PLACE_REMOTE },
		{ (long)(int)CIFS_SUPER_MAGIC, STORE_PLACE_REMOTE }, /* where f_type is signed */
		{ SMB2_SUPER_MAGIC, STORE_PLACE_REMOTE },
		{ SMB_SUPER_MAGIC, STORE_PLACE_REMOTE },
		{ CEPH_SUPER_MAGIC, STORE_PLACE_REMOTE },
		{ V9FS_MAGIC, STORE_PLACE_REMOTE },
		{ OVERLAYFS_SUPER_MAGIC, STORE_PLACE_FLEETING },
		{ TMPFS_MAGIC, STORE_PLACE_FLEETING },
	};
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(store_place_judge(cases[i].type, &name), cases[i].place);
		assert_true((name == NULL) == (cases[i].place == STORE_PLACE_FINE));
	}
}

static void
a_folder_is_judged_by_where_it_stands(void **state)
{
	enum store_place place = STORE_PLACE_FINE;
	const char *name = NULL;
	struct err err = { 0 };

	(void)state;
	assert_true(store_place_look("/dev/shm", &place, &name, &err));
	assert_int_equal(place, STORE_PLACE_FLEETING);
	assert_string_equal(name, "tmpfs");
	assert_false(store_place_look("/nowhere/at/all", &place, &name, &err));
	assert_int_equal(err.code, ERR_IO);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_system_gets_its_verdict),
		cmocka_unit_test(a_folder_is_judged_by_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
