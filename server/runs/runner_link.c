/* runner_link.c - the runner as a process: started, talked to, started again.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "runs/runner_link.h"

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
#include "types/settings.h"

#define MAGIC		0x52756e4cu
#define CHILD_FD	3 /* the only one it gets but for 0, 1, 2 */
#define AGAIN_FIRST_MS	100
#define AGAIN_MOST_MS	30000
#define STEADY_MS	60000 /* lived so long: its next death is a new story */
#define END_WAIT_MS	2000  /* from closing its socket to its end */
#define EXIT_SETTINGS	78
#define TURN_MAX	16 /* messages in one turn */
#define ENVIRONMENT_MAX 1024
#define BEATS_MAX	2	  /* in the time that it may be silent */
#define BEAT_RUN	INT64_MAX /* a run that nobody ever orders: `never` is a sign of life */

struct runner_link {
	unsigned magic;
	struct loop *loop;
	struct runner_link_config config;
	char *path;
	char *state_directory;
	char *env_file;
	char **environment; /* what it gets of ours */
	pid_t pid;
	int pidfd;
	int fd; /* -1: not running */
	bool is_ready;
	bool said_hello; /* this process, ever */
	bool is_fatal;
	bool has_unsent; /* PACKET_LATER was given */
	int64_t started_ms;
	int64_t again_ms;
	struct loop_io io;
	struct loop_io end; /* of the process */
	struct loop_timer again;
	struct loop_timer beat;
	unsigned beats; /* asked for since it said anything */
};

static void on_socket(struct loop_io *io, unsigned events, void *ctx);
static void on_end(struct loop_io *io, unsigned events, void *ctx);
static void on_again(struct loop_timer *timer, void *ctx);
static void on_beat(struct loop_timer *timer, void *ctx);

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

static bool
copy_config(struct runner_link *link, const struct runner_link_config *config, struct err *err)
{
	link->config = *config;
	link->path = config->path != NULL ? strdup(config->path) : path_beside_us(err);
	if (link->path == NULL && config->path == NULL)
		return false;
	link->state_directory = strdup(config->state_directory);
	link->env_file = config->env_file != NULL ? strdup(config->env_file) : NULL;
	if (link->path == NULL || link->state_directory == NULL ||
	    (config->env_file != NULL && link->env_file == NULL) ||
	    !copy_environment(link, config->settings))
		return err_set(err, ERR_NOMEM, "out of memory for the runner");
	link->config.settings = NULL;
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
kill_it(const struct runner_link *link, const char *why)
{
	log_error("deploybot-runner %s; it is killed", why);
	(void)pidfd_send_signal(link->pidfd, SIGKILL, NULL, 0); /* dead already is fine */
}

static void
say_hello(struct runner_link *link)
{
	const struct protocol_message hello = { .kind = PROTOCOL_HELLO,
		.version = PROTOCOL_VERSION };

	/* An empty socket takes one message, or its other end is dead and on_end comes, or the
	 * kernel has no memory for it: then another is greeted, a little later. */
	if (packet_send(link->fd, &hello, NULL) == PACKET_LATER)
		kill_it(link, "cannot be greeted now");
}

static bool
start(struct runner_link *link, struct err *err)
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
	link->said_hello = false;
	link->started_ms = loop_now_ms();
	loop_io_start(link->loop, &link->io, link->fd, LOOP_READ);
	link->beats = 0;
	loop_timer_start(link->loop, &link->beat, link->config.answer_ms / BEATS_MAX,
	    link->config.answer_ms / BEATS_MAX);
	say_hello(link);
	return true;
}

struct runner_link *
runner_link_start(struct loop *loop, const struct runner_link_config *config, struct err *err)
{
	struct runner_link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		(void)err_set(err, ERR_NOMEM, "out of memory for the runner");
		return NULL;
	}
	link->magic = MAGIC;
	link->loop = loop;
	link->fd = link->pidfd = -1;
	link->again_ms = AGAIN_FIRST_MS;
	loop_io_init(&link->io, on_socket, link);
	loop_io_init(&link->end, on_end, link);
	loop_timer_init(&link->again, on_again, link);
	loop_timer_init(&link->beat, on_beat, link);
	if (!copy_config(link, config, err) || !start(link, err)) {
		runner_link_free(link);
		return NULL;
	}
	return link;
}

/* --- its end ------------------------------------------------------------------------------ */

static void
close_socket(struct runner_link *link)
{
	loop_timer_stop(&link->beat);
	loop_io_stop(&link->io);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
	link->is_ready = false;
	link->has_unsent = false;
}

static void
fatal(struct runner_link *link, const char *text)
{
	if (link->is_fatal)
		return;
	link->is_fatal = true;
	link->config.on_fatal(link->config.ctx, text);
}

/* Its socket is of no use any more.  Closing it ends a runner that is well; one that is not is
 * killed (on_again).  Keepers are in sessions of their own and notice nothing. */
static void
give_up(struct runner_link *link)
{
	close_socket(link);
	loop_timer_start(link->loop, &link->again, END_WAIT_MS, 0);
}

static void
log_end(const siginfo_t *info)
{
	if (info->si_code == CLD_EXITED)
		log_error(
		    "deploybot-runner ended with status %d; it is started again", info->si_status);
	else
		log_error("deploybot-runner was killed by signal %d; it is started again",
		    info->si_status);
}

static void
on_end(struct loop_io *io, unsigned events, void *ctx)
{
	struct runner_link *link = ctx;
	siginfo_t info = { .si_pid = 0 };

	(void)io;
	(void)events;
	OBJ_CHECK(link, MAGIC);
	if (waitid(P_PIDFD, (id_t)link->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
		return;
	/* What it said last stands in the socket still: a hello of another version, say. */
	if (link->fd >= 0)
		on_socket(&link->io, LOOP_READ, link);
	close_socket(link);
	loop_timer_stop(&link->again);
	loop_io_stop(&link->end);
	close(link->pidfd);
	link->pidfd = -1;
	link->pid = 0;
	if (!link->said_hello && info.si_code == CLD_EXITED && info.si_status == EXIT_SETTINGS)
		fatal(link, "deploybot-runner refuses its settings; it said why above");
	link->config.on_down(link->config.ctx);
	if (link->is_fatal)
		return;
	log_end(&info);
	if (loop_now_ms() - link->started_ms > STEADY_MS)
		link->again_ms = AGAIN_FIRST_MS;
	loop_timer_start(link->loop, &link->again, link->again_ms, 0);
}

static void
on_again(struct loop_timer *timer, void *ctx)
{
	struct runner_link *link = ctx;
	struct err err;

	(void)timer;
	OBJ_CHECK(link, MAGIC);
	if (link->pidfd >= 0) {
		kill_it(link, "does not end");
		return;
	}
	link->again_ms = link->again_ms * 2 < AGAIN_MOST_MS ? link->again_ms * 2 : AGAIN_MOST_MS;
	if (start(link, &err))
		return;
	log_error("%s", err.text);
	link->config.on_down(link->config.ctx);
	loop_timer_start(link->loop, &link->again, link->again_ms, 0);
}

/* --- talking ------------------------------------------------------------------------------ */

static void
take_hello(struct runner_link *link, const struct protocol_message *message)
{
	char text[160];

	link->said_hello = message->kind == PROTOCOL_HELLO;
	if (message->kind != PROTOCOL_HELLO) {
		log_error(
		    "deploybot-runner said %s before hello", protocol_kind_name(message->kind));
		give_up(link);
	} else if (message->version != PROTOCOL_VERSION) {
		(void)snprintf(text, sizeof(text),
		    "%.80s speaks version %u, this program version %d: install both of one release",
		    link->path, message->version, PROTOCOL_VERSION);
		fatal(link, text);
	} else {
		link->is_ready = true;
		link->config.on_ready(link->config.ctx);
	}
}

static bool
hear_one(struct runner_link *link)
{
	char buffer[PROTOCOL_PACKET_MAX];
	struct protocol_message message;
	struct err err = { .code = ERR_NONE };

	switch (packet_receive(link->fd, buffer, &message, &err)) {
	case PACKET_MESSAGE:
		link->beats = 0;
		if (link->is_ready)
			link->config.on_message(link->config.ctx, &message);
		else
			take_hello(link, &message);
		return link->fd >= 0 && !link->is_fatal;
	case PACKET_NONE:
		return false;
	case PACKET_BAD:
		log_error("deploybot-runner said what cannot be read: %s", err.text);
		break;
	case PACKET_CLOSED:
		break;
	}
	give_up(link);
	return false;
}

static void
on_socket(struct loop_io *io, unsigned events, void *ctx)
{
	struct runner_link *link = ctx;

	(void)io;
	OBJ_CHECK(link, MAGIC);
	if ((events & LOOP_WRITE) != 0) {
		link->has_unsent = false;
		loop_io_start(link->loop, &link->io, link->fd, LOOP_READ);
		link->config.on_writable(link->config.ctx);
	}
	for (unsigned n = 0; (events & LOOP_READ) != 0 && n < TURN_MAX; n++) {
		if (!hear_one(link))
			break;
	}
}

/* It takes its orders one by one: who answers this has answered all before it, or is at them. */
static void
on_beat(struct loop_timer *timer, void *ctx)
{
	const struct protocol_message beat = { .kind = PROTOCOL_SETTLE, .id = BEAT_RUN };
	struct runner_link *link = ctx;

	(void)timer;
	OBJ_CHECK(link, MAGIC);
	if (link->beats++ >= BEATS_MAX)
		kill_it(link, link->is_ready ? "does not answer" : "says no hello");
	else if (runner_link_send(link, &beat, NULL) == PACKET_REFUSED)
		abort(); /* a message of our own that is wrong; all else is heard of */
}

bool
runner_link_is_ready(const struct runner_link *link)
{
	OBJ_CHECK(link, MAGIC);
	return link->is_ready;
}

enum packet_sent
runner_link_send(struct runner_link *link, const struct protocol_message *message, struct err *err)
{
	enum packet_sent sent;

	OBJ_CHECK(link, MAGIC);
	if (!link->is_ready)
		return PACKET_LATER; /* on_ready comes */
	sent = packet_send(link->fd, message, err);
	if (sent == PACKET_LATER && !link->has_unsent) {
		link->has_unsent = true;
		loop_io_start(link->loop, &link->io, link->fd, LOOP_READ | LOOP_WRITE);
	}
	return sent;
}

void
runner_link_free(struct runner_link *link)
{
	if (link == NULL)
		return;
	OBJ_CHECK(link, MAGIC);
	loop_timer_stop(&link->again);
	loop_io_stop(&link->end);
	close_socket(link);
	if (link->pidfd >= 0)
		close(link->pidfd);
	for (char **v = link->environment; v != NULL && *v != NULL; v++)
		free(*v);
	free(link->environment);
	free(link->env_file);
	free(link->state_directory);
	free(link->path);
	link->magic = 0;
	free(link);
}
