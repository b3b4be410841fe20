/* asked.c - stands in the place of commits.sh, starts it, and notes when it began and ended. */
/* SPDX-License-Identifier: ISC */
/*
 * Beside it stand the script, as `asked.sh`, and a line "BEGAN ENDED" (CLOCK_MONOTONIC, in
 * nanoseconds) for each question, in `asked`.
 *
 * Without libc, as lines.c: its start, which is before BEGAN, would count as ours.
 */
#include <fcntl.h>
#include <linux/limits.h>

#include "tests/bench/bare.h"

/* The folder of this program with a name behind it. */
static void
beside(char path[PATH_MAX], const char *name)
{
	long size = call(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", (size_t)path, PATH_MAX / 2);

	while (size > 0 && path[size - 1] != '/')
		size--;
	do
		path[size++] = *name;
	while (*name++ != '\0');
}

static void
write_line(long file, unsigned long long began, unsigned long long ended)
{
	char line[2 * NUMBER_SIZE];
	size_t at = sizeof(line);

	line[--at] = '\n';
	at = put_number(line, at, ended);
	line[--at] = ' ';
	at = put_number(line, at, began);
	if (file < 0 || call(SYS_write, file, line + at, sizeof(line) - at, 0) < 0)
		leave(1);
}

/* What the kernel has put on the stack: argc, argv and NULL, and behind that the environment. */
__attribute__((used)) _Noreturn void
begin(const long *stack)
{
	unsigned long long began = now_ns();
	static char script[PATH_MAX], log[PATH_MAX];
	const char **argv = (const char **)(stack + 1);
	int status = 0;
	long pid;

	beside(script, "asked.sh");
	beside(log, "asked");
	pid = call(SYS_clone, SIGCHLD_NUMBER, NULL, 0, 0);
	if (pid == 0) {
		argv[0] = script;
		(void)call(SYS_execve, (long)script, argv, (size_t)(argv + stack[0] + 1), 0);
		leave(127);
	}
	if (pid < 0 || call(SYS_wait4, pid, &status, 0, 0) != pid)
		leave(1);
	write_line(
	    call(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND, 0600), began, now_ns());
	leave((status & 0x7f) == 0 ? (status >> 8) & 0xff : 1);
}
