/* Goal: a run's control group stays while it is wanted, whoever makes one beside it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

/* Groups are visible to whoever runs beside us: the pid makes them ours. */
static const char *
tag_of(char tag[32], int run)
{
	(void)snprintf(tag, 32, "%d-%ld", run, (long)getpid());
	return tag;
}

static int
make(int run)
{
	char tag[32];
	int group = cgroup_make(tag_of(tag, run));

	if (group == -1)
		skip(); /* made by root, and in a unit with Delegate=yes */
	return group;
}

/* The folder itself says nothing: in one that was removed every file is missing. */
static bool
is_there(int group)
{
	return faccessat(group, "cgroup.procs", F_OK, 0) == 0;
}

/* Both were found empty between their making and the birth of what was to live in them. */
static void
a_group_that_waits_for_its_leader_is_not_taken_for_an_old_one(void **state)
{
	int first = make(1), second = make(2), third;

	(void)state;
	assert_true(is_there(first));
	assert_true(is_there(second));
	assert_int_equal(close(first), 0);
	first = make(1);
	assert_true(is_there(first));

	assert_int_equal(close(second), 0);
	second = make(2);
	third = make(3);
	assert_true(is_there(first) && is_there(second) && is_there(third));
	assert_int_equal(close(first) + close(second) + close(third), 0);
	for (int i = 1; i <= 3; i++) {
		char tag[32];

		assert_false(cgroup_kill(tag_of(tag, i)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_group_that_waits_for_its_leader_is_not_taken_for_an_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
