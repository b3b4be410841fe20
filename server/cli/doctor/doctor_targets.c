/* doctor_targets.c - has the runner ask each target what it asks before a deployment.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "lib/clean.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/settings.h"

#define AT_ONCE		4
#define ASKED_MAX	16
#define PATIENCE_MS	60000 /* a host that is off costs ssh its connect time-out */
#define SAID_MAX	4096  /* of what it printed the end */
#define READY		"ready to be deployed to"
#define WARNING		"==> warning "
#define WARNINGS_AROUND 64 /* bytes of what stands before the first of them */
#define BUSY		75 /* deploy/common.sh: something is being released there */

struct target {
	struct asking *targets;
	const char *environment;
	pid_t pid; /* 0: not asked yet, or over */
	struct loop_io io;
	size_t size;
	char said[SAID_MAX];
	bool is_judged; /* then: */
	enum doctor_level level;
	char text[LIMIT_LINE];
};

struct asking {
	struct doctor *doctor;
	struct doctor_preflight preflight;
	struct target *list;
	size_t count, next, open;
	struct loop_timer deadline;
};

static void
find_runner(char out[PATH_MAX])
{
	ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 32);

	out[size < 0 ? 0 : size] = '\0';
	if (strrchr(out, '/') != NULL)
		strrchr(out, '/')[1] = '\0';
	(void)snprintf(out + strlen(out), PATH_MAX - strlen(out), "deploybot-runner");
}

void
doctor_preflight(struct doctor_preflight *ask, const char *environment, const char *env_file)
{
	size_t n = 0;

	find_runner(ask->runner);
	if (ask->user[0] != '\0') {
		ask->argv[n++] = "/usr/sbin/runuser";
		ask->argv[n++] = "-u";
		ask->argv[n++] = ask->user;
		ask->argv[n++] = "--";
	}
	ask->argv[n++] = ask->runner;
	ask->argv[n++] = "--preflight";
	ask->argv[n++] = environment;
	if (env_file != NULL) {
		ask->argv[n++] = "--env-file";
		ask->argv[n++] = env_file;
	}
	ask->argv[n] = NULL;
}

/* --- one target --- */

/* The last line that says something, without the script's name. */
static void
find_last_line(struct target *target, char out[LIMIT_LINE])
{
	char *line = target->said, *last = target->said, *after;

	for (; *line != '\0'; line = after) {
		after = line + strcspn(line, "\n");
		if (after > line)
			last = line;
		if (*after != '\0')
			*after++ = '\0';
	}
	if (text_starts(last, "target.sh: ") || text_starts(last, "deploybot-runner: "))
		last = strchr(last, ' ') + 1;
	(void)clean_line(out, LIMIT_LINE, last, strlen(last));
}

/* What its script has warned people of: the first, and how many; false: of nothing. */
static bool
find_warnings(const struct target *target, char out[LIMIT_LINE])
{
	char first[LIMIT_LINE - WARNINGS_AROUND] = "";
	const char *line = target->said;
	size_t n = 0, size;

	for (; *line != '\0'; line += size + (line[size] == '\n')) {
		size = strcspn(line, "\n");
		if (!text_starts(line, WARNING) || size == strlen(WARNING))
			continue;
		if (n++ == 0)
			(void)clean_line(
			    first, sizeof(first), line + strlen(WARNING), size - strlen(WARNING));
	}
	if (n == 1)
		(void)snprintf(out, LIMIT_LINE, READY ", but: %s", first);
	else if (n > 1)
		(void)snprintf(out, LIMIT_LINE, READY ", with %zu warnings: %s", n, first);
	return n > 0;
}

static void ask_more(struct asking *targets);

static void
judge(struct target *target, int status)
{
	target->is_judged = true;
	target->level = DOCTOR_ERROR;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		(void)text_copy(target->text, sizeof(target->text), READY);
		target->level = find_warnings(target, target->text) ? DOCTOR_WARNING : DOCTOR_OK;
		return;
	}
	find_last_line(target, target->text);
	if (WIFEXITED(status) && WEXITSTATUS(status) == BUSY)
		target->level = DOCTOR_NOTE;
	else if (target->text[0] == '\0')
		(void)text_copy(target->text, sizeof(target->text), "the runner crashed");
}

/* Its output has ended, or nobody waits for more. */
static void
end(struct target *target, bool is_over)
{
	int status = 0, fd = loop_io_fd(&target->io);

	loop_io_stop(&target->io);
	(void)close(fd);
	if (!is_over)
		(void)kill(target->pid, SIGTERM); /* its script follows it: PR_SET_PDEATHSIG */
	while (waitpid(target->pid, &status, 0) == -1 && errno == EINTR)
		;
	target->pid = 0;
	target->targets->open--;
	if (is_over)
		judge(target, status);
}

static void
on_output(struct loop_io *io, UNUSED unsigned events, void *ctx)
{
	struct target *target = ctx;
	char bytes[1024];
	ssize_t n = read(loop_io_fd(io), bytes, sizeof(bytes));
	size_t over;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		end(target, true);
		ask_more(target->targets);
		return;
	}
	over = target->size + (size_t)n;
	over = over < SAID_MAX ? 0 : over - (SAID_MAX - 1);
	memmove(target->said, target->said + over, target->size - over);
	memcpy(target->said + target->size - over, bytes, (size_t)n);
	target->size += (size_t)n - over;
	target->said[target->size] = '\0';
}

/* 0, or why not. */
static int
spawn(struct target *target, int out)
{
	struct doctor_preflight *by = &target->targets->preflight;
	posix_spawn_file_actions_t actions;
	int why;

	doctor_preflight(by, target->environment, target->targets->doctor->cli->env_file);
	why = posix_spawn_file_actions_init(&actions);
	if (why != 0)
		return why;
	if ((why = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
	    (why = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)) == 0 &&
	    (why = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO)) == 0 &&
	    (why = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)) == 0)
		why = posix_spawn(&target->pid, by->argv[0], &actions, NULL,
		    (char *const *)by->argv, /* it changes none of them */
		    environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return why;
}

static void
ask(struct target *target)
{
	struct asking *targets = target->targets;
	int ends[2], why;

	loop_io_init(&target->io, on_output, target);
	if (pipe2(ends, O_CLOEXEC) != 0) {
		why = errno;
		TELL(targets->doctor, TARGETS, ERROR, "%s: %s", target->environment,
		    strerrordesc_np(why));
		return;
	}
	why = spawn(target, ends[1]);
	(void)close(ends[1]);
	if (why != 0) {
		(void)close(ends[0]);
		target->pid = 0;
		TELL(targets->doctor, TARGETS, WARNING, "%s: its target was not asked: %.200s: %s",
		    target->environment, targets->preflight.runner, strerrordesc_np(why));
		return;
	}
	targets->open++;
	loop_io_start(targets->doctor->loop, &target->io, ends[0], LOOP_READ);
}

/* --- all of them --- */

static void
ask_more(struct asking *targets)
{
	while (targets->open < AT_ONCE && targets->next < targets->count)
		ask(&targets->list[targets->next++]);
	if (targets->open > 0)
		return;
	loop_timer_stop(&targets->deadline);
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i].is_judged)
			doctor_say(targets->doctor, DOCTOR_TARGETS, targets->list[i].level,
			    "%s: %s", targets->list[i].environment, targets->list[i].text);
	doctor_answered(targets->doctor);
}

static void
on_deadline(UNUSED struct loop_timer *timer, void *ctx)
{
	struct asking *targets = ctx;

	for (size_t i = 0; i < targets->next; i++) {
		struct target *target = &targets->list[i];

		if (target->pid == 0)
			continue;
		TELL(targets->doctor, TARGETS, ERROR,
		    "%s: its target did not answer within %d s: deploybot doctor %s says where it stops",
		    target->environment, PATIENCE_MS / 1000, target->environment);
		end(target, false);
	}
	if (targets->next < targets->count)
		TELL(targets->doctor, TARGETS, WARNING,
		    "%zu more targets were not asked: deploybot doctor ENV",
		    targets->count - targets->next);
	targets->next = targets->count;
	ask_more(targets);
}

bool
doctor_runner_user(const struct settings *s, bool *ret_is_ours, char user[LIMIT_PERSON])
{
	char folder[PATH_MAX], room[4096];
	struct passwd entry, *found = NULL;
	struct stat st;

	user[0] = '\0';
	(void)snprintf(folder, sizeof(folder), "%s%s", s->state_directory,
	    s->runner_socket == NULL ? "" : "/runs");
	if (stat(folder, &st) != 0)
		return false; /* not started yet: the runner's finding says so */
	*ret_is_ours = st.st_uid == geteuid();
	if (getpwuid_r(st.st_uid, &entry, room, sizeof(room), &found) == 0 && found != NULL)
		(void)text_copy(user, LIMIT_PERSON, found->pw_name);
	return true;
}

/* As the runner goes there.  False: not from here, which is said. */
static bool
find_user(struct asking *targets)
{
	char user[LIMIT_PERSON];
	bool is_ours = false;

	if (!doctor_runner_user(targets->doctor->settings, &is_ours, user))
		return false;
	if (is_ours)
		return true;
	if (geteuid() == 0 && user[0] != '\0' &&
	    text_copy(targets->preflight.user, sizeof(targets->preflight.user), user))
		return true;
	if (user[0] == '\0')
		TELL(targets->doctor, TARGETS, NOTE,
		    "targets: the runner's to ask, where it is: deploybot-runner --preflight ENV");
	else
		TELL(targets->doctor, TARGETS, NOTE,
		    "targets: the runner's to ask: sudo -u %s deploybot doctor ENV, or doctor as root",
		    user);
	return false;
}

static void
list(struct asking *targets)
{
	const struct settings *s = targets->doctor->settings;
	size_t n = 0;

	for (size_t i = 0; i < s->environment_count; i++) {
		const struct environment_settings *e = &s->environments[i];
		char elsewhere[LIMIT_LINE];

		if (doctor_is_elsewhere(s, NULL, e->name, elsewhere)) {
			TELL(targets->doctor, TARGETS, NOTE, "%s", elsewhere);
			continue;
		}
		/* Of a script of one's own nobody knows what it needs. */
		if (e->refusal[0] != '\0' || settings_is_given_for(e, SETTING_DEPLOY_SCRIPT) ||
		    ++n > ASKED_MAX)
			continue;
		targets->list[targets->count].targets = targets;
		targets->list[targets->count++].environment = e->name;
	}
	if (n > ASKED_MAX)
		TELL(targets->doctor, TARGETS, NOTE,
		    "%zu more targets are not asked here: deploybot doctor ENV", n - ASKED_MAX);
}

static void
free_targets(void *ctx)
{
	struct asking *targets = ctx;

	free(targets->list);
	free(targets);
}

void
doctor_targets(struct doctor *doctor)
{
	struct asking *targets = mem_new(1, sizeof(*targets));

	targets->list = mem_new(ASKED_MAX, sizeof(*targets->list));
	targets->doctor = doctor;
	doctor_at_end(doctor, free_targets, targets);
	loop_timer_init(&targets->deadline, on_deadline, targets);
	list(targets);
	if (targets->count == 0 || !find_user(targets))
		return;
	doctor_asked(doctor);
	loop_timer_start(doctor->loop, &targets->deadline, PATIENCE_MS, 0);
	ask_more(targets);
}
