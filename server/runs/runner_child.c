/* runner_child.c - starts the runner, watches its process, kills it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runner_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/setting.h"
#include "runs/runner_link.h"
#include "settings/settings_table.h"
#include "types/settings.h"

#define CHILD_FD	3 /* the only one it gets but for 0, 1, 2 */
#define ENVIRONMENT_MAX 1024

#define RUNNER_CHILD_MAGIC 0x52756e63u

struct runner_child {
	unsigned magic;
	struct loop *loop;
	char *path;
	char *state_directory;
	char *env_file;	    /* NULL: none */
	char **environment; /* what it gets of ours */
	pid_t pid;
	int pidfd; /* -1: there is none */
	struct loop_io end;
	runner_child_end_fn *on_end;
	void *ctx;
};

static void on_end(struct loop_io *io, unsigned events, void *ctx);

/* --- what it is given --------------------------------------------------------------------- */

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
copy_environment(struct runner_child *child, const struct settings *settings)
{
	size_t n = 0;

	child->environment = mem_new(ENVIRONMENT_MAX + 1, sizeof(*child->environment));
	for (char **variable = environ; *variable != NULL && n < ENVIRONMENT_MAX; variable++)
		if (is_for_runner(settings, *variable))
			/* NOANALYZE(malloc-leak): the child has it */
			child->environment[n++] = mem_text(*variable);
}

static char *
path_beside_us(struct err *err)
{
	static const char name[] = "deploybot-runner";
	char own[4096];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
	char *slash;

	if (n < 0)
		return ERR_NULL(err_errno(err, ERR_IO, errno, "finding our own executable"));
	own[n] = '\0';
	slash = strrchr(own, '/');
	assert(slash != NULL);
	slash[1] = '\0';
	return mem_textf("%s%s", own, name);
}

struct runner_child *
runner_child_new(struct loop *loop, const struct runner_link_config *config,
    runner_child_end_fn *on_ended, void *ctx, struct err *err)
{
	struct runner_child *child = mem_new(1, sizeof(*child));

	child->magic = RUNNER_CHILD_MAGIC;
	child->loop = loop;
	child->pidfd = -1;
	child->on_end = on_ended;
	child->ctx = ctx;
	loop_io_init(&child->end, on_end, child);
	child->path = config->path != NULL ? mem_text(config->path) : path_beside_us(err);
	child->state_directory = mem_text(config->state_directory);
	child->env_file = mem_text(config->env_file);
	copy_environment(child, config->settings);
	if (child->path != NULL)
		return child;
	runner_child_free(child);
	return NULL;
}

/* --- starting ----------------------------------------------------------------------------- */

/* Its own descriptor and nothing else of ours; no blocked or ignored signal; a group of its own, so
 * that Ctrl-C at a terminal reaches us alone. */
static int
spawn_with(struct runner_child *child, int child_fd, posix_spawn_file_actions_t *actions,
    posix_spawnattr_t *attributes)
{
	char fd_text[12];
	char *argv[] = { child->path, "--fd", fd_text, "--state", child->state_directory,
		child->env_file != NULL ? "--env-file" : NULL, child->env_file, NULL };
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
	return posix_spawn(&child->pid, child->path, actions, attributes, argv, child->environment);
}

static bool
spawn(struct runner_child *child, int child_fd, struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int why = posix_spawn_file_actions_init(&actions);

	if (why == 0) {
		why = posix_spawnattr_init(&attributes);
		if (why == 0) {
			why = spawn_with(child, child_fd, &actions, &attributes);
			posix_spawnattr_destroy(&attributes);
		}
		posix_spawn_file_actions_destroy(&actions);
	}
	return why == 0 || err_errno(err, ERR_IO, why, "starting %s", child->path);
}

/* A child that cannot be watched must not stay. */
static bool
watch_process(struct runner_child *child, struct err *err)
{
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd < 0) {
		(void)err_errno(err, ERR_IO, errno, "watching %s", child->path);
		(void)kill(child->pid, SIGKILL); /* ours and not waited for: the pid is its own */
		(void)waitpid(child->pid, NULL, 0);
		return false;
	}
	loop_io_start(child->loop, &child->end, child->pidfd, LOOP_READ);
	return true;
}

bool
runner_child_start(struct runner_child *child, int *ret_fd, struct err *err)
{
	int pair[2];

	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_errno(err, ERR_IO, errno, "a socket for the runner");
	if (!spawn(child, pair[1], err) || !watch_process(child, err)) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	close(pair[1]);
	*ret_fd = pair[0];
	return true;
}

/* --- its end ------------------------------------------------------------------------------ */

bool
runner_child_is_there(const struct runner_child *child)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	return child->pidfd >= 0;
}

void
runner_child_kill(struct runner_child *child)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	(void)pidfd_send_signal(child->pidfd, SIGKILL, NULL, 0); /* dead already is fine */
}

const char *
runner_child_path(const struct runner_child *child)
{
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	return child->path;
}

static void
forget_process(struct runner_child *child)
{
	loop_io_stop(&child->end);
	if (child->pidfd >= 0)
		close(child->pidfd);
	child->pidfd = -1;
	child->pid = 0;
}

static void
on_end(UNUSED struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct runner_child *child = OBJ_OF(struct runner_child, ctx, RUNNER_CHILD_MAGIC);
	siginfo_t info = { .si_pid = 0 };

	if (waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		return;
	forget_process(child);
	child->on_end(child->ctx, info.si_code == CLD_EXITED, info.si_status);
}

void
runner_child_free(struct runner_child *child)
{
	if (child == NULL)
		return;
	OBJ_CHECK(child, RUNNER_CHILD_MAGIC);
	forget_process(child);
	for (char **v = child->environment; v != NULL && *v != NULL; v++)
		free(*v);
	free(child->environment);
	free(child->env_file);
	free(child->state_directory);
	free(child->path);
	child->magic = 0;
	free(child);
}
