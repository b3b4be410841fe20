/* Goal: a run that cannot be settled says what hinders it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/reconcile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* It said "pid 0" alone, also where something was alive that only its control group knew of. */
static void
what_hinders_the_end_of_a_run_is_said_where_no_process_can_be_named(void **state)
{
	char folder[] = "/tmp/test_settle.XXXXXX";
	struct reconciling reconciling = { 0 };
	struct protocol_message said;
	pid_t supervisor = 0;
	int root;

	(void)state;
	assert_non_null(mkdtemp(folder));
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(mkdirat(root, "7", 0700), 0);
	assert_int_equal(mkdirat(root, "7/exit", 0700), 0); /* nowhere to write its record */

	assert_false(reconcile_look(&reconciling, root, 7, &said, &supervisor));
	assert_int_equal(reconciling.count, 1);
	assert_false(reconcile_turn(&reconciling, 0, &said));
	assert_int_not_equal(said.kind, PROTOCOL_STUCK); /* not at once */
	reconciling.all[0].stuck_at = 0;
	assert_false(reconcile_turn(&reconciling, 0, &said));
	assert_int_equal(said.kind, PROTOCOL_STUCK);
	assert_int_equal(said.id, 7);
	assert_int_equal(said.pid, 0);
	assert_string_equal(said.text, "creating the exit record: Is a directory");

	assert_int_equal(unlinkat(root, "7/exit", AT_REMOVEDIR), 0);
	for (int i = 0; reconciling.count > 0; i++) {
		assert_true(i < 100);
		(void)reconcile_turn(&reconciling, 0, &said);
	}
	assert_int_equal(said.state, PROTOCOL_STATE_LOST);
	assert_int_equal(unlinkat(root, "7/exit", 0), 0);
	assert_int_equal(unlinkat(root, "7", AT_REMOVEDIR), 0);
	assert_int_equal(close(root), 0);
	assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_hinders_the_end_of_a_run_is_said_where_no_process_can_be_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
