/* valgrind_pidfd.c - what valgrind 3.19 has not: pidfds, which watch.py opens, and a true /proc/PID/exe. */
/* SPDX-License-Identifier: ISC */
/* Linked into the programs of `make check-valgrind`, which wraps these calls.  A pidfd comes over
 * the socket beside the program. */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct program_plan;
struct err;

bool __real_program_add_variable(struct program_plan *plan, const char *name, const char *value,
    struct err *err) __attribute__((weak)); /* the runner has it */
bool __wrap_program_add_variable(
    struct program_plan *plan, const char *name, const char *value, struct err *err);
int __wrap_pidfd_open(pid_t pid, unsigned int flags);
int __wrap_pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned int flags);

static void
find_program(char ret[4096])
{
	ssize_t size = readlink("/proc/self/exe", ret, 4095);

	assert(size > 0);
	ret[size] = '\0';
}

/* A script that reads /proc/PID/exe, with which a run is to look again, gets valgrind. */
bool
__wrap_program_add_variable(
    struct program_plan *plan, const char *name, const char *value, struct err *err)
{
	char path[4096];

	find_program(path);
	return __real_program_add_variable(
	    plan, name, strcmp(name, "DEPLOYBOT_RUNNER") == 0 ? path : value, err);
}

static int
call_watcher(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char path[4096];

	assert(fd != -1);
	find_program(path);
	*strrchr(path, '/') = '\0';
	assert(snprintf(address.sun_path, sizeof(address.sun_path), "%s/pidfd.socket", path) <
	    (int)sizeof(address.sun_path));
	assert(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0); /* watch.py */
	return fd;
}

int
__wrap_pidfd_open(pid_t pid, unsigned int flags)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	int error = 0, fd = call_watcher(), ret = -1;
	struct iovec part = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };

	assert(flags == 0);
	assert(send(fd, &pid, sizeof(pid), MSG_NOSIGNAL) == (ssize_t)sizeof(pid));
	assert(recvmsg(fd, &message, MSG_CMSG_CLOEXEC) == (ssize_t)sizeof(error));
	(void)close(fd);
	if (error == 0 && message.msg_controllen > 0)
		memcpy(&ret, CMSG_DATA(&control.header), sizeof(ret));
	errno = error;
	return ret;
}

/* The kernel tells whose pidfd it is. */
int
__wrap_pidfd_send_signal(int fd, int number, siginfo_t *info, unsigned int flags)
{
	char path[64], line[128];
	FILE *file;
	int pid = -1;

	assert(info == NULL && flags == 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "Pid:", 4) == 0)
			pid = (int)strtol(line + 4, NULL, 10);
	if (file != NULL)
		(void)fclose(file);
	if (pid > 0)
		return kill(pid, number);
	errno = ESRCH;
	return -1;
}
