/* Goal: a run's control group stays while it is wanted, and is nobody else's to end.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include "runner/cgroup.h"

#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES 1000

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

static pid_t one;
static char path[CGROUP_PATH];

static bool
kill_all(int run)
{
	char tag[32];

	one = 0;
	path[0] = '\0';
	return cgroup_kill(tag_of(tag, run), &one, path);
}

/* The folder itself says nothing: in one that was removed every file is missing. */
static bool
is_there(int group)
{
	return faccessat(group, "cgroup.procs", F_OK, 0) == 0;
}

/* Both were found empty between their making and the birth of what was to live in them. */
TEST(a_group_that_waits_for_its_leader_is_not_taken_for_an_old_one)
{
	int first = make(1), second = make(2), third;

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
		assert_false(kill_all(i));
	}
}

/* Sleeps in the run's group until it is killed. */
static pid_t
living_in(int group)
{
	pid_t child = fork();
	char text[16];
	int fd;

	if (child == 0)
		for (;;)
			(void)pause();
	assert_true(child > 0);
	(void)snprintf(text, sizeof(text), "%ld", (long)child);
	fd = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
	return child;
}

/* It is killed, so that it is seen alive only where it does not die at once: tried until then.
 * Where it dies between the two looks, at the group and for a pid, no pid is named. */
TEST(what_still_lives_is_named_and_nobody_elses_is_touched)
{
	int theirs = make(2), first = make(1);
	pid_t other = living_in(theirs);
	bool is_named = false;
	char name[64], tag[32];

	(void)snprintf(name, sizeof(name), "/deploybot-run-%s", tag_of(tag, 1));
	assert_int_equal(close(theirs) + close(first), 0);
	for (int i = 0; i < TRIES && !is_named; i++) {
		int group = make(1);
		pid_t child = living_in(group);

		assert_int_equal(close(group), 0);
		is_named = kill_all(1) && one != 0;
		if (is_named) {
			assert_int_equal(one, child);
			assert_non_null(strstr(path, name));
			assert_int_equal(path[0], '/');
		}
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	assert_true(is_named);
	assert_false(kill_all(1));

	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	while (kill_all(2))
		assert_true(one == 0 || one == other);
	assert_int_equal(waitpid(other, NULL, 0), other);
}
