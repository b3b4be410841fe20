/* doctor_ansible.c - are the playbooks of the settings there, and the program that runs them?  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/doctor/doctor_agents.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "settings/settings_table.h"
#include "types/settings.h"

#define NAME "ansible-playbook"

/* Of an account of its own the runner's files may be out of sight, or on another machine. */
static enum doctor_level
level_of(const struct doctor *doctor)
{
	return doctor->settings->runner_socket != NULL ? DOCTOR_NOTE : DOCTOR_ERROR;
}

/* --- the folder --- */

static bool
is_there(struct doctor *doctor, const char *folder, const char *name, size_t size, const char *who)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%.*s", folder, (int)size, name);
	if (eaccess(path, R_OK) == 0)
		return true;
	doctor_say(doctor, DOCTOR_ANSIBLE, level_of(doctor), "%s: %.200s: %s%s", who, path,
	    strerrordesc_np(errno),
	    level_of(doctor) == DOCTOR_NOTE ?
		", as far as this user sees: it is the runner's to read" :
		"");
	return false;
}

void
doctor_ansible(struct doctor *doctor)
{
	const struct settings *s = doctor->settings;
	const char *folder = settings_text(s, SETTING_ANSIBLE_FOLDER);
	const struct settings_member *playbook;
	char who[SETTING_NAME_MAX + 16];
	size_t at = 0, n = 0;
	bool ok;

	if (folder == NULL)
		return;
	ok = is_there(doctor, folder, "inventory", strlen("inventory"), "ANSIBLE_FOLDER");
	for (; (playbook = settings_next_member(s, FAMILY_PLAYBOOK, &at)) != NULL; n++) {
		const char *line = settings_own(playbook, PLAYBOOK_SETTING_IS)->text;

		(void)snprintf(who, sizeof(who), "playbook %s", playbook->name);
		if (line != NULL && !is_there(doctor, folder, line, strcspn(line, " "), who))
			ok = false;
	}
	if (ok)
		TELL(doctor, ANSIBLE, OK,
		    "ANSIBLE_FOLDER: %.200s: its inventory and %zu playbook%s", folder, n,
		    n == 1 ? "" : "s");
}

/* --- the program --- */

static bool
find_program(char ret[PATH_MAX])
{
	/* Where the runner looks. */
	static const char *const folders[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
		"/usr/bin", "/sbin", "/bin" };

	for (size_t i = 0; i < COUNT(folders); i++) {
		(void)snprintf(ret, PATH_MAX, "%s/" NAME, folders[i]);
		if (access(ret, X_OK) == 0)
			return true;
	}
	return false;
}

/* In no folder or home of anybody's: a configuration there names code that it would run. */
static int
spawn(const char *program, int out, pid_t *ret)
{
	char *const argv[] = { (char *)program, "--version", NULL };
	char *const list[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "ANSIBLE_HOME=/nonexistent",
		"ANSIBLE_LOCAL_TEMP=/tmp", "HOME=/nonexistent", "LC_ALL=C.UTF-8", NULL };
	posix_spawn_file_actions_t actions;
	int why = posix_spawn_file_actions_init(&actions);

	if (why != 0)
		return why;
	if ((why = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
	    (why = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO)) == 0 &&
	    (why = posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO)) == 0 &&
	    (why = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1)) == 0 &&
	    (why = posix_spawn_file_actions_addchdir_np(&actions, "/")) == 0)
		why = posix_spawn(ret, program, &actions, NULL, argv, list);
	(void)posix_spawn_file_actions_destroy(&actions);
	return why;
}

/* The beginning of what it prints, until it ends: it tidies up behind its last line. */
static size_t
read_start(int fd, char *said, size_t room)
{
	int64_t until = clock_monotonic_ms() + DOCTOR_PATIENCE_MS, left;
	struct pollfd look = { .fd = fd, .events = POLLIN };
	char more[512];
	size_t size = 0;
	ssize_t n = 1;

	while (
	    n > 0 && (left = until - clock_monotonic_ms()) > 0 && poll(&look, 1, (int)left) == 1) {
		n = size < room ? read(fd, said + size, room - size) : read(fd, more, sizeof(more));
		size += n > 0 && size < room ? (size_t)n : 0;
	}
	return size;
}

/* Its first line; "": it has none in time. */
static void
ask(const char *program, char ret[LIMIT_LINE])
{
	char said[LIMIT_LINE / 2], *end;
	int ends[2];
	pid_t pid;
	size_t size = 0;

	ret[0] = '\0';
	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	if (spawn(program, ends[1], &pid) == 0) {
		(void)close(ends[1]);
		size = read_start(ends[0], said, sizeof(said));
		(void)kill(pid, SIGKILL); /* where it has not ended */
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
	} else {
		(void)close(ends[1]);
	}
	(void)close(ends[0]);
	end = memchr(said, '\n', size);
	if (end != NULL)
		(void)clean_line(ret, LIMIT_LINE, said, (size_t)(end - said));
}

void
doctor_ansible_asked(struct doctor *doctor)
{
	char program[PATH_MAX], said[LIMIT_LINE];

	if (settings_text(doctor->settings, SETTING_ANSIBLE_FOLDER) == NULL)
		return;
	if (!find_program(program)) {
		doctor_say(doctor, DOCTOR_ANSIBLE, level_of(doctor),
		    NAME
		    " is not here: install it where deploybot's runner is (Debian: apt-get install ansible-core)");
		return;
	}
	ask(program, said);
	if (strncmp(said, NAME " ", strlen(NAME " ")) == 0)
		TELL(doctor, ANSIBLE, OK, "%s: %.200s", program, said);
	else
		TELL(doctor, ANSIBLE, ERROR, "%s: it does not say its version within %d s%s%.200s",
		    program, DOCTOR_PATIENCE_MS / 1000, said[0] == '\0' ? "" : ": ", said);
}
