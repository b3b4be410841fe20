/* asked.c - stands in the place of commits.sh, starts it, and notes when it began and ended. */
/* SPDX-License-Identifier: ISC */
/*
 * Beside it stand the script, as `asked.sh`, and a line "BEGAN ENDED" (CLOCK_MONOTONIC, in
 * nanoseconds) for each question, in `asked`.
 */
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long
now_ns(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (long long)at.tv_sec * 1000000000 + at.tv_nsec;
}

int
main(int argc, char **argv)
{
	long long began = now_ns();
	char folder[PATH_MAX], script[PATH_MAX + 16], log[PATH_MAX + 16], line[64];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	int status = 0, fd;
	pid_t pid;

	if (argc < 1 || n <= 0)
		return 1;
	folder[n] = '\0';
	*strrchr(folder, '/') = '\0';
	(void)snprintf(script, sizeof(script), "%s/asked.sh", folder);
	(void)snprintf(log, sizeof(log), "%s/asked", folder);
	argv[0] = script;
	if (posix_spawn(&pid, script, NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		return 1;
	n = snprintf(line, sizeof(line), "%lld %lld\n", began, now_ns());
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, (size_t)n) != n)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
