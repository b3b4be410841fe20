/* owned.c - preloaded: at SIGUSR2 a program does what the file $OWNED_ORDER says, as whoever runs code in it would. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where an order that was survived leaves its errno. */
static void
say(int number)
{
	char path[4096], text[16];
	int fd;

	(void)snprintf(path, sizeof(path), "%s.done", getenv("OWNED_ORDER"));
	(void)snprintf(text, sizeof(text), "%d\n", number);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0) {
		(void)!write(fd, text, strlen(text));
		(void)close(fd);
	}
}

static int
obey(const char *word, const char *rest)
{
	const long number = strtol(rest, NULL, 10);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((in_port_t)number) };
	char *const argv[] = { "sh", "-c", (char *)rest, NULL };
	pid_t pid;
	int fd;

	errno = 0;
	if (strcmp(word, "spawn") == 0)
		return posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0 &&
			waitpid(pid, NULL, 0) == pid ?
		    0 :
		    -1;
	if (strcmp(word, "exec") == 0)
		return execv("/bin/sh", argv);
	if (strcmp(word, "ptrace") == 0)
		return (int)ptrace(PTRACE_ATTACH, (pid_t)number, NULL, NULL);
	if (strcmp(word, "packet") == 0)
		return socket(AF_PACKET, SOCK_RAW, 0);
	if (strcmp(word, "write") == 0)
		return open(rest, O_WRONLY | O_CREAT, 0600);
	if (strcmp(word, "read") == 0)
		return open(rest, O_RDONLY);
	if (strcmp(word, "connect") == 0) {
		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		return fd < 0 ? fd : connect(fd, (struct sockaddr *)&to, sizeof(to));
	}
	errno = EINVAL;
	return -1;
}

static void
on_signal(int number)
{
	char text[4096] = "", *rest;
	FILE *file = fopen(getenv("OWNED_ORDER"), "re");

	(void)number;
	if (file == NULL || fgets(text, sizeof(text), file) == NULL)
		return;
	text[strcspn(text, "\n")] = '\0';
	rest = strchr(text, ' ');
	*rest++ = '\0';
	say(obey(text, rest) == -1 ? errno : 0);
}

__attribute__((constructor)) static void
begin(void)
{
	(void)signal(SIGUSR2, on_signal);
}
