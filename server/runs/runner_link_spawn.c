/* runner_link_spawn.c - the runner as a child: started, watched, killed when it hangs.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "runs/runner_link_inside.h"
#include "types/settings.h"

#define CHILD_FD	3    /* the only one it gets but for 0, 1, 2 */
#define END_WAIT_MS	2000 /* from closing its socket to its end */
#define EXIT_SETTINGS	78
#define ENVIRONMENT_MAX 1024

static void on_end(struct loop_io *io, unsigned events, void *ctx);

/* --- what it is given --------------------------------------------------------------------- */

/* Not settings, but what any program needs to find programs, people and the network. */
static bool
is_everybodys(const char *name)
{
	static const char *const names[] = {
		"PATH",
		"HOME",
		"USER",
		"LOGNAME",
		"LANG",
		"LC_ALL",
		"TZ",
		"TMPDIR",
		"http_proxy",
		"https_proxy",
		"no_proxy",
		"HTTP_PROXY",
		"HTTPS_PROXY",
		"NO_PROXY",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(names[i], name) == 0)
			return true;
	}
	return false;
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
	return is_everybodys(name) || settings_is_runners(settings, name);
}

static bool
copy_environment(struct runner_link *link, const struct settings *settings)
{
	size_t n = 0;

	link->environment = calloc(ENVIRONMENT_MAX + 1, sizeof(*link->environment));
	if (link->environment == NULL)
		return false;
	for (char **variable = environ; *variable != NULL && n < ENVIRONMENT_MAX; variable++) {
		if (!is_for_runner(settings, *variable))
			continue;
		/* NOANALYZE(malloc-leak): the link has it */
		link->environment[n] = strdup(*variable);
		if (link->environment[n++] == NULL)
			return false;
	}
	return true;
}

static char *
path_beside_us(struct err *err)
{
	static const char name[] = "deploybot-runner";
	char own[4096];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash, *path;

	if (n < 0) {
		(void)err_errno(err, ERR_IO, errno, "finding our own executable");
		return NULL;
	}
	own[n] = '\0';
	slash = strrchr(own, '/');
	assert(slash != NULL);
	slash[1] = '\0';
	if (asprintf(&path, "%s%s", own, name) < 0) {
		(void)err_set(err, ERR_NOMEM, "out of memory for the runner's path");
		return NULL;
	}
	return path;
}

bool
runner_link_spawn_init(
    struct runner_link *link, const struct runner_link_config *config, struct err *err)
{
	loop_io_init(&link->end, on_end, link);
	link->path = config->path != NULL ? strdup(config->path) : path_beside_us(err);
	if (link->path == NULL && config->path == NULL)
		return false;
	link->state_directory = strdup(config->state_directory);
	link->env_file = config->env_file != NULL ? strdup(config->env_file) : NULL;
	if (link->path == NULL || link->state_directory == NULL ||
	    (config->env_file != NULL && link->env_file == NULL) ||
	    !copy_environment(link, config->settings))
		return err_set(err, ERR_NOMEM, "out of memory for the runner");
	return true;
}

/* --- starting ----------------------------------------------------------------------------- */

/* Its own descriptor and nothing else of ours; no blocked or ignored signal; a group of its own, so
 * that Ctrl-C at a terminal reaches us alone. */
static int
spawn_with(struct runner_link *link, int child_fd, posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attributes)
{
	char fd_text[12];
	char *argv[] = { link->path, "--fd", fd_text, "--state", link->state_directory,
		link->env_file != NULL ? "--env-file" : NULL, link->env_file, NULL };
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
	return posix_spawn(&link->pid, link->path, actions, attributes, argv, link->environment);
}

static bool
spawn(struct runner_link *link, int child_fd, struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int why = posix_spawn_file_actions_init(&actions);

	if (why == 0) {
		why = posix_spawnattr_init(&attributes);
		if (why == 0) {
			why = spawn_with(link, child_fd, &actions, &attributes);
			posix_spawnattr_destroy(&attributes);
		}
		posix_spawn_file_actions_destroy(&actions);
	}
	return why == 0 || err_errno(err, ERR_IO, why, "starting %s", link->path);
}

/* A child that cannot be watched must not stay. */
static bool
watch_process(struct runner_link *link, struct err *err)
{
	link->pidfd = pidfd_open(link->pid, 0);
	if (link->pidfd < 0) {
		(void)err_errno(err, ERR_IO, errno, "watching %s", link->path);
		(void)kill(link->pid, SIGKILL); /* ours and not waited for: the pid is its own */
		(void)waitpid(link->pid, NULL, 0);
		return false;
	}
	loop_io_start(link->loop, &link->end, link->pidfd, LOOP_READ);
	return true;
}

static void
kill_it(struct runner_link *link, const char *why)
{
	log_error("deploybot-runner: %s; it is killed", why);
	(void)pidfd_send_signal(link->pidfd, SIGKILL, NULL, 0); /* dead already is fine */
}

static bool
get_child(struct runner_link *link, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_errno(err, ERR_IO, errno, "a socket for the runner");
	if (!spawn(link, pair[1], err) || !watch_process(link, err)) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	close(pair[1]);
	link->fd = pair[0];
	return true;
}

/* --- its end ------------------------------------------------------------------------------ */

/* Closing its socket has ended a runner that is well; one that is not is killed (is_busy).  Keepers
 * are in sessions of their own and notice nothing. */
static void
await_end(struct runner_link *link, UNUSED const char *why)
{
	loop_timer_start(link->loop, &link->again, END_WAIT_MS, 0);
}

static bool
is_still_there(struct runner_link *link)
{
	if (link->pidfd < 0)
		return false;
	kill_it(link, "it does not end");
	return true;
}

static const char *
say_end(const siginfo_t *info, char text[64])
{
	(void)snprintf(text, 64,
	    info->si_code == CLD_EXITED ? "it ended with status %d" : "it was killed by signal %d",
	    info->si_status);
	return text;
}

static void
on_end(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct runner_link *link = ctx;
	siginfo_t info = { .si_pid = 0 };
	char text[64];

	OBJ_CHECK(link, RUNNER_LINK_MAGIC);
	if (waitid(P_PIDFD, (id_t)link->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		return;
	/* What it said last stands in the socket still: a hello of another version, say. */
	runner_link_hear(link);
	runner_link_close(link);
	loop_timer_stop(&link->again);
	loop_io_stop(&link->end);
	close(link->pidfd);
	link->pidfd = -1;
	link->pid = 0;
	if (!link->said_hello && info.si_code == CLD_EXITED && info.si_status == EXIT_SETTINGS)
		runner_link_fatal(link, "deploybot-runner refuses its settings; it said why above");
	runner_link_lost(link, say_end(&info, text));
}

static void
done(struct runner_link *link)
{
	loop_io_stop(&link->end);
	if (link->pidfd >= 0)
		close(link->pidfd);
	for (char **v = link->environment; v != NULL && *v != NULL; v++)
		free(*v);
	free(link->environment);
	free(link->env_file);
	free(link->state_directory);
	free(link->path);
}

const struct runner_link_way runner_link_spawn = {
	.again_most_ms = 30000,
	.is_final = true,
	.get = get_child,
	.on_useless = await_end,
	.on_silent = kill_it,
	.is_busy = is_still_there,
	.done = done,
};
