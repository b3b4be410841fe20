/* Goal: a recorded process is told from whatever has its number later.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/process.h"

#include "unit.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES_MAX 500 /* the kernel gives a number back some 10 ms late */

/* What stands in a pid namespace of its own, as a container has one. */
struct seen {
	ino_t number;
	uint64_t start; /* of its first process */
	uint64_t space;
};

static _Noreturn void
look(int to)
{
	struct process first = { 0 };
	struct seen seen = { 0 };
	struct stat st;

	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) != 0 || stat("/proc/self/ns/pid", &st) != 0 ||
	    !process_read(1, &first))
		_exit(1);
	seen = (struct seen){ st.st_ino, first.start, process_space() };
	_exit(write(to, &seen, sizeof(seen)) == sizeof(seen) ? 0 : 1);
}

static bool
see_container(struct seen *ret)
{
	int ends[2];
	pid_t pid;
	bool good;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		pid_t first = unshare(CLONE_NEWPID | CLONE_NEWNS) == 0 ? fork() : -1;

		if (first == 0)
			look(ends[1]);
		_exit(first == -1 || waitpid(first, NULL, 0) != first);
	}
	(void)close(ends[1]);
	good = read(ends[0], ret, sizeof(*ret)) == sizeof(*ret);
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return good;
}

/* What is restarted has the same small pids, and mostly the same number of its namespace. */
TEST(a_container_that_is_started_again_is_another_place)
{
	struct seen before, after = { 0 };

	if (!see_container(&before))
		skip(); /* not root, or namespaces are not for us */
	for (int i = 0; i < TRIES_MAX; i++) {
		if (!see_container(&after))
			fail();
		if (after.number == before.number && after.start != before.start) {
			assert_int_not_equal(after.space, before.space);
			return;
		}
		assert_true(after.number == before.number || after.space != before.space);
	}
	skip(); /* this kernel gives no number twice */
}

TEST(one_place_stays_the_same)
{
	assert_int_not_equal(process_space(), 0);
	assert_int_equal(process_space(), process_space());
}
