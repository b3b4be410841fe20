/* valgrind_pidfd.c - pidfds for programs under valgrind 3.19, which has none: watch.py opens them. */
/* SPDX-License-Identifier: ISC */
/*
 * Linked into the programs of `make check-valgrind` with -Wl,--wrap=syscall,--wrap=pidfd_open.  A
 * pidfd is asked for over the socket beside the program, and comes as a descriptor.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
int __wrap_pidfd_open(pid_t pid, unsigned int flags);

static int
call_watcher(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char path[4096];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (fd == -1 || size < 0)
		abort();
	path[size] = '\0';
	*strrchr(path, '/') = '\0';
	/* A long path is reached through a descriptor of its folder by nobody: it is said. */
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s/pidfd.socket", path) >=
		(int)sizeof(address.sun_path) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		perror("valgrind_pidfd: watch.py cannot be reached");
		abort();
	}
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

	(void)flags;
	if (send(fd, &pid, sizeof(pid), MSG_NOSIGNAL) != (ssize_t)sizeof(pid) ||
	    recvmsg(fd, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(error))
		abort();
	(void)close(fd);
	if (error == 0 && message.msg_controllen > 0)
		memcpy(&ret, CMSG_DATA(&control.header), sizeof(ret));
	errno = error;
	return ret;
}

/* The kernel tells whose pidfd it is. */
static long
send_signal(int fd, int number)
{
	char path[64], line[128];
	FILE *info;
	int pid = -1;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info != NULL && fgets(line, sizeof(line), info) != NULL)
		if (strncmp(line, "Pid:", 4) == 0)
			pid = (int)strtol(line + 4, NULL, 10);
	if (info != NULL)
		(void)fclose(info);
	if (pid > 0)
		return kill(pid, number);
	errno = ESRCH;
	return -1;
}

long
__wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	if (number == SYS_pidfd_open)
		return __wrap_pidfd_open((pid_t)a, 0);
	if (number == SYS_pidfd_send_signal)
		return send_signal((int)a, (int)b);
	return __real_syscall(number, a, b, c, d, e, f);
}
