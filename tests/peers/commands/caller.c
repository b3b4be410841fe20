/* caller.c - the process of a stand-in whose program is in resident.py: that works, this is what is
 * seen, signalled and waited for.  Hands over its words, environment, folder and first three files,
 * and does what it is told: end, hang, or become another program. */
/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { STATUS_BROKEN = 125, FILES = 4, WORDS_MAX = 65536, ANSWER_MAX = 4 << 20 };
enum { LEADS = 1, ALONE = 2 };

static int reach(const char *self);
static char *request(size_t *ret_size, const char *self, char **argv);
static void hand_over(int server, char *text, size_t size, int folder);
static void obey(char *answer, size_t size);
static void hang(const char *file, int ignores_term);
static void become(char *text, char *end, int flags);

extern char **environ;

int
main(int argc, char **argv)
{
	static char answer[ANSWER_MAX + 1];
	char self[PATH_MAX], *text;
	size_t size, got = 0;
	ssize_t n;
	int server, folder;

	(void)argc;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		err(STATUS_BROKEN, "stand-in: /proc/self/exe");
	self[n] = '\0';
	/* One of the first three that is closed stays so: nothing can be read or written there. */
	while ((folder = open(".", O_PATH | O_CLOEXEC)) >= 0 && folder <= 2)
		continue;
	if (folder < 0)
		err(STATUS_BROKEN, "stand-in: the folder");
	server = reach(self);
	text = request(&size, self, argv);
	hand_over(server, text, size, folder);
	while (got < ANSWER_MAX && (n = read(server, answer + got, ANSWER_MAX - got)) > 0)
		got += (size_t)n;
	close(server);
	close(folder);
	obey(answer, got);
}

/* The resident listens in the folder above that of this program. */
static int
reach(const char *self)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *end = strstr(self, "/commands/");
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (end == NULL || (size_t)(end - self) + sizeof("/socket") > sizeof(address.sun_path))
		errx(STATUS_BROKEN, "stand-in: no resident has a socket for %s", self);
	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%.*s/socket", (int)(end - self), self);
	if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(STATUS_BROKEN, "stand-in: %s", address.sun_path);
	return server;
}

/* What the resident has to know, each text ended by a NUL. */
static char *
request(size_t *ret_size, const char *self, char **argv)
{
	struct rlimit file_size;
	char *text;
	FILE *out = open_memstream(&text, ret_size);
	mode_t mask = umask(0);
	int words = 0;

	while (argv[words] != NULL)
		words++;
	if (out == NULL || getrlimit(RLIMIT_FSIZE, &file_size) != 0)
		err(STATUS_BROKEN, "stand-in: a request");
	umask(mask);
	fprintf(out, "%s%c%ld%c%u%c%lld%c%d%c", self, 0, (long)getpid(), 0, mask, 0,
	    (long long)file_size.rlim_cur, 0, words, 0);
	for (char **word = argv; *word != NULL; word++)
		fprintf(out, "%s%c", *word, 0);
	for (char **variable = environ; *variable != NULL; variable++)
		fprintf(out, "%s%c", *variable, 0);
	if (fclose(out) != 0)
		err(STATUS_BROKEN, "stand-in: a request");
	return text;
}

static void
hand_over(int server, char *text, size_t size, int folder)
{
	const int files[FILES] = { 0, 1, 2, folder };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(files))];
	} control = { 0 };
	struct iovec part = { .iov_base = text, .iov_len = size };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n;

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(files)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.head), files, sizeof(files));
	n = sendmsg(server, &message, MSG_NOSIGNAL);
	while (n > 0 && (size_t)n < size) {
		text += n;
		size -= (size_t)n;
		n = send(server, text, size, MSG_NOSIGNAL);
	}
	if (n <= 0 || shutdown(server, SHUT_WR) != 0)
		err(STATUS_BROKEN, "stand-in: the resident hung up");
}

/* E STATUS | S SIGNAL | H IS_DEAF FILE | X FLAGS PATH NUL WORDS NUL WORD... VARIABLE... */
static void
obey(char *answer, size_t size)
{
	int number = size < 2 ? 0 : (unsigned char)answer[1];

	switch (size < 2 ? 0 : answer[0]) {
	case 'E':
		_exit(number);
	case 'S':
		signal(number, SIG_DFL);
		raise(number);
		break;
	case 'H':
		hang(answer + 2, number);
		break;
	case 'X':
		become(answer + 2, answer + size, number);
		break;
	default:
		break;
	}
	errx(STATUS_BROKEN, "stand-in: the resident said nothing");
}

static void
hang(const char *file, int ignores_term)
{
	int fd;

	if (ignores_term)
		signal(SIGTERM, SIG_IGN);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || dprintf(fd, "%ld", (long)getpid()) < 0 || close(fd) != 0)
		err(STATUS_BROKEN, "stand-in: %s", file);
	for (;;)
		pause();
}

static void
become(char *text, char *end, int flags)
{
	static char *words[WORDS_MAX + 2];
	const char *path = text;
	char **variables;
	int count = 0, argc;

	text += strlen(text) + 1;
	argc = (int)strtol(text, NULL, 10);
	for (text += strlen(text) + 1; text < end && count < WORDS_MAX; text += strlen(text) + 1) {
		if (count == argc)
			count++;
		words[count++] = text;
	}
	variables = words + argc + 1;
	if ((flags & LEADS) != 0 && setpgid(0, 0) != 0)
		err(STATUS_BROKEN, "stand-in: a process group");
	if ((flags & ALONE) != 0)
		close_range(3, ~0U, 0);
	execve(path, words, variables);
	err(STATUS_BROKEN, "stand-in: %s", path);
}
