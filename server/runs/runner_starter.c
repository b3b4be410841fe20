/* runner_starter.c - a process that starts the runner, for a server that can start nothing itself.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runner_starter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/mem.h"
#include "lib/setting.h"
#include "runs/runner_link.h"
#include "settings/settings_table.h"
#include "types/settings.h"

#define CHILD_FD	3 /* the only one it gets but for 0, 1, 2; the starter's own too */
#define ENVIRONMENT_MAX 1024

/* What the process knows: all of it before it is told anything. */
struct orders {
	char *path;
	char *state_directory;
	char *env_file;	    /* NULL: none */
	char **environment; /* what the runner gets of ours */
	pid_t pid;
	int pidfd; /* -1: no runner is there */
};

/* --- what it knows ------------------------------------------------------------------------ */

/* Not settings, but what any program needs to find programs, people and the network. */
static bool
is_everybodys(const char *name)
{
	static const char *const names[] = { "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL",
		"TZ", "TMPDIR", "http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY",
		"HTTPS_PROXY", "NO_PROXY" };

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
}

/* What it hands to a transport, unchecked. */
static bool
is_transports(const struct settings *settings, const char *name)
{
	for (size_t i = 0; settings != NULL && i < settings->environment_count; i++)
		if (setting_is_transports(name, settings->environments[i].name))
			return true;
	return setting_is_transports(name, "");
}

static bool
is_for_runner(const struct settings *settings, const char *variable)
{
	char name[128];
	size_t n = strcspn(variable, "=");

	if (n == 0 || n >= sizeof(name) || variable[n] == '\0')
		return false;
	memcpy(name, variable, n);
	name[n] = '\0';
	return is_everybodys(name) || settings_runners_spec(settings, NULL, name) != NULL ||
	    is_transports(settings, name);
}

static void
copy_environment(struct orders *orders, const struct settings *settings)
{
	size_t n = 0;

	orders->environment = mem_new(ENVIRONMENT_MAX + 1, sizeof(*orders->environment));
	for (char **variable = environ; *variable != NULL && n < ENVIRONMENT_MAX; variable++)
		if (is_for_runner(settings, *variable))
			/* NOANALYZE(malloc-leak): the orders have it */
			orders->environment[n++] = mem_text(*variable);
}

static void
orders_done(struct orders *orders)
{
	for (char **v = orders->environment; v != NULL && *v != NULL; v++)
		free(*v);
	free(orders->environment);
	free(orders->env_file);
	free(orders->state_directory);
	free(orders->path);
}

/* --- in that process ---------------------------------------------------------------------- */

/* Its own descriptor and nothing else of ours; no blocked or ignored signal; a group of its own, so
 * that Ctrl-C at a terminal reaches us alone. */
static int
spawn_with(struct orders *orders, int child_fd, posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attributes)
{
	char fd_text[12];
	char *argv[] = { orders->path, "--fd", fd_text, "--state", orders->state_directory,
		orders->env_file != NULL ? "--env-file" : NULL, orders->env_file, NULL };
	sigset_t none, all;
	int why;

	(void)snprintf(fd_text, sizeof(fd_text), "%d", CHILD_FD);
	sigemptyset(&none);
	sigfillset(&all);
	if ((why = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0)) != 0 ||
	    (why = posix_spawn_file_actions_adddup2(actions, child_fd, CHILD_FD)) != 0 ||
	    (why = posix_spawn_file_actions_addclosefrom_np(actions, CHILD_FD + 1)) != 0 ||
	    (why = posix_spawnattr_setflags(attributes,
		 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP)) != 0 ||
	    (why = posix_spawnattr_setsigmask(attributes, &none)) != 0 ||
	    (why = posix_spawnattr_setsigdefault(attributes, &all)) != 0)
		return why;
	return posix_spawn(
	    &orders->pid, orders->path, actions, attributes, argv, orders->environment);
}

/* Returns 0 or an errno. */
static int
spawn(struct orders *orders, int child_fd)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int why = posix_spawn_file_actions_init(&actions);

	if (why == 0) {
		why = posix_spawnattr_init(&attributes);
		if (why == 0) {
			why = spawn_with(orders, child_fd, &actions, &attributes);
			posix_spawnattr_destroy(&attributes);
		}
		posix_spawn_file_actions_destroy(&actions);
	}
	return why;
}

/* Whoever started it may be gone, which the next poll() says. */
static void
say(enum runner_starter_what what, int value)
{
	const struct runner_starter_said said = { .what = what, .value = value };

	(void)!send(CHILD_FD, &said, sizeof(said), MSG_NOSIGNAL);
}

/* A runner that cannot be watched must not stay. */
static void
start(struct orders *orders, int child_fd)
{
	int why = orders->pidfd >= 0 ? EBUSY : spawn(orders, child_fd);

	if (why == 0) {
		orders->pidfd = pidfd_open(orders->pid, 0);
		if (orders->pidfd < 0) {
			why = errno;
			(void)kill(orders->pid, SIGKILL); /* ours and not waited for */
			(void)waitpid(orders->pid, NULL, 0);
		}
	}
	say(why == 0 ? RUNNER_STARTER_STARTED : RUNNER_STARTER_FAILED, why);
}

static void
look_for_end(struct orders *orders)
{
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PIDFD, (id_t)orders->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		return;
	(void)close(orders->pidfd);
	orders->pidfd = -1;
	say(info.si_code == CLD_EXITED ? RUNNER_STARTER_EXITED : RUNNER_STARTER_KILLED,
	    info.si_status);
}

/* One packet; false: nobody tells it anything any more. */
static bool
obey(struct orders *orders)
{
	char word, control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { .iov_base = &word, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_LEN(sizeof(int)) }; /* its padding would take a second one */
	ssize_t n = recvmsg(CHILD_FD, &message, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *given = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
	int fd = -1;

	if (given != NULL && given->cmsg_type == SCM_RIGHTS &&
	    given->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(given), sizeof(fd));
	if (n == 1 && word == RUNNER_STARTER_START && fd >= 0)
		start(orders, fd);
	else if (n == 1 && word == RUNNER_STARTER_KILL && orders->pidfd >= 0)
		(void)pidfd_send_signal(orders->pidfd, SIGKILL, NULL, 0);
	file_closep(&fd);
	return n == 1 || (n < 0 && errno == EINTR);
}

static void
wipe_variables(void)
{
	for (char **variable = environ; *variable != NULL; variable++)
		explicit_bzero(*variable, strlen(*variable));
}

/* As the runner, it ends with its server and at no signal that a terminal or a manager sends to
 * all: a server that ends in order still needs it. */
_Noreturn static void
be_starter(struct orders *orders, int fd, pid_t server)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)setpgid(0, 0);
	/* Also where somebody else has its socket by now. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != server)
		_exit(1);
	(void)prctl(PR_SET_NAME, "deploybot-start");
	wipe_variables();
	if (dup3(fd, CHILD_FD, O_CLOEXEC) < 0 && errno != EINVAL)
		_exit(1);
	if (close_range(CHILD_FD + 1, ~0U, 0) != 0)
		_exit(1);
	for (;;) {
		struct pollfd of[] = { { .fd = CHILD_FD, .events = POLLIN },
			{ .fd = orders->pidfd, .events = POLLIN } };

		if (poll(of, COUNT(of), -1) < 0)
			continue;
		if (of[1].revents != 0)
			look_for_end(orders);
		if (of[0].revents != 0 && !obey(orders))
			_exit(0);
	}
}

/* --- its beginning ------------------------------------------------------------------------ */

static pid_t
split(struct orders *orders, void (*wipe)(void *ctx), void *ctx, int pair[2])
{
	pid_t server = getpid(), pid = fork();

	if (pid == 0) {
		if (wipe != NULL)
			wipe(ctx);
		be_starter(orders, pair[1], server);
	}
	return pid;
}

pid_t
runner_starter_fork(const struct runner_link_config *config, void (*wipe)(void *ctx), void *ctx,
    int *ret_fd, struct err *err)
{
	struct orders orders = { .pidfd = -1 };
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return ERR_FD(err_errno(err, ERR_IO, errno, "a socket for the runner"));
	orders.path = mem_text(config->path);
	orders.state_directory = mem_text(config->state_directory);
	orders.env_file = mem_text(config->env_file);
	copy_environment(&orders, config->settings);
	pid = split(&orders, wipe, ctx, pair);
	if (pid < 0)
		(void)err_errno(err, ERR_IO, errno, "a process for the runner");
	orders_done(&orders);
	(void)close(pair[1]);
	if (pid < 0)
		(void)close(pair[0]);
	else
		*ret_fd = pair[0];
	return pid;
}
