/* cli_secrets_fetch.c - `deploybot secrets fetch`: runs each NAME_COMMAND, keeps what it prints.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * The only part that runs a command for a secret: as root, in a process of its own, and only where
 * root alone may change the settings file and the program.  What it prints becomes
 * FOLDER/server/NAME or FOLDER/runner/NAME, 0400 of that user, whole or not at all.  Those folders
 * are their users', who may put there what they like: nothing is followed, nothing opened that was
 * there.  Whatever goes wrong, a value that was fetched before stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/cli_secrets.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/env_file.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/text.h"

#define OUTPUT_MAX  16384
#define PATIENCE_MS (30 * INT64_C(1000)) /* of one command */
#define NEW_NAME    ".new"

enum side { SERVER, RUNNER, SIDES };
static const char *const sides[SIDES] = { "server", "runner" };

struct fetching {
	const struct cli *cli;
	const char *folder;
	char users[SIDES][64];
	uid_t uid[SIDES];
	gid_t gid[SIDES];
	int fds[SIDES]; /* of their folders; -1: not opened yet */
	struct env_file file;
	size_t done, kept, missing;
};

static void
complain(const struct fetching *f, const char *name, const char *what)
{
	(void)fprintf(
	    stderr, "%s: %s%s%s\n", f->cli->program, name, name[0] == '\0' ? "" : ": ", what);
}

/* --- one command --- */

/* In the child: a group of its own, nothing on stdin; its complaints are for a person alone, as
 * they may hold what it was to print. */
__attribute__((noreturn)) static void
begin(char *words[], int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	if (chdir("/") == -1 || null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(out, STDOUT_FILENO) == -1 ||
	    (!isatty(STDERR_FILENO) && dup2(null, STDERR_FILENO) == -1))
		_exit(126);
	(void)execv(words[0], words);
	_exit(127);
}

/* Until its end, or that of our patience; false: it printed too much, or for too long. */
static bool
read_output(int fd, char out[OUTPUT_MAX + 1], size_t *ret_size, struct err *err)
{
	int64_t deadline = clock_monotonic_ms() + PATIENCE_MS;
	size_t size = 0;

	for (;;) {
		struct pollfd waits = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - clock_monotonic_ms();
		ssize_t n;

		if (left <= 0 || poll(&waits, 1, (int)left) == 0)
			return err_set(err, ERR_CONFIG, "it did not end within %d seconds",
			    (int)(PATIENCE_MS / 1000));
		n = read(fd, out + size, OUTPUT_MAX + 1 - size);
		if (n == -1 && errno != EINTR)
			return err_errno(err, ERR_IO, errno, "reading what it prints");
		if (n == 0)
			break;
		size += n > 0 ? (size_t)n : 0;
		if (size > OUTPUT_MAX)
			return err_set(err, ERR_LIMIT, "it printed more than %d bytes", OUTPUT_MAX);
	}
	*ret_size = size;
	return true;
}

static bool
end(pid_t pid, bool is_read, struct err *err)
{
	int status = 0;

	if (!is_read)
		(void)kill(-pid, SIGKILL); /* what it started is of its group */
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		continue;
	if (!is_read || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return is_read;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_CONFIG, "it was ended by signal %d", WTERMSIG(status));
	return err_set(err, ERR_CONFIG,
	    "%s (status %d); run secrets fetch at a terminal to see why",
	    WEXITSTATUS(status) == 127 ? "it could not be started" : "it failed",
	    WEXITSTATUS(status));
}

static bool
run(char *words[], char out[OUTPUT_MAX + 1], size_t *ret_size, struct err *err)
{
	int fds[2];
	bool is_read;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return err_errno(err, ERR_IO, errno, "pipe");
	pid = fork();
	if (pid == 0)
		begin(words, fds[1]);
	(void)close(fds[1]); /* the child's */
	is_read = pid > 0 && read_output(fds[0], out, ret_size, err);
	(void)close(fds[0]); /* was only read */
	if (pid == -1)
		return err_errno(err, ERR_IO, errno, "fork");
	return end(pid, is_read, err);
}

/* As ssh-keygen writes it; ssh wants its last newline too. */
static bool
check_key(char *out, size_t size, struct err *err)
{
	static const char begin[] = "-----BEGIN ", behind[] = "PRIVATE KEY-----\n";
	const char *line = strchr(out, '\n');

	if (size > 0 && out[size - 1] != '\n') {
		out[size++] = '\n'; /* there is room for a NUL more */
		out[size] = '\0';
		line = strchr(out, '\n');
	}
	for (const char *at = out; *at != '\0'; at++)
		if ((*at < ' ' && *at != '\n') || *at > '~')
			return err_set(err, ERR_CONFIG, "it printed what is in no private key");
	return (text_starts(out, begin) && (size_t)(line + 1 - out) > sizeof(behind) &&
		   text_starts(line + 2 - sizeof(behind), behind) &&
		   strstr(line, "\n-----END ") != NULL && text_ends(out, behind)) ||
	    err_set(err, ERR_CONFIG,
		"it printed no private key, from -----BEGIN … PRIVATE KEY----- to its -----END");
}

/* What may stand there; no part of it is in an error. */
static bool
check_output(const struct settings_spec *spec, char *out, size_t size, struct err *err)
{
	out[size] = '\0';
	if (strlen(out) != size)
		return err_set(err, ERR_CONFIG, "it printed a NUL byte");
	if (settings_command_is_key(spec) && size > 0)
		return check_key(out, size, err);
	while (size > 0 && (out[size - 1] == '\n' || out[size - 1] == '\r'))
		out[--size] = '\0';
	if (size == 0)
		return err_set(err, ERR_CONFIG, "it printed nothing");
	return setting_check(spec->type, out, true, err) || err_wrap(err, "what it printed");
}

/* --- where it is kept --- */

/* Opens a folder below another, made where it is not there; never through a link. */
static int
open_folder(int at, const char *name, mode_t mode, struct err *err)
{
	int fd;

	(void)mkdirat(at, name, mode); /* it is there, or cannot be opened */
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		(void)err_errno(err, ERR_IO, errno, "opening %s, which has to be a folder", name);
	return fd;
}

/* FOLDER is root's, and closed to others but for going through. */
static int
open_root(const struct fetching *f, struct err *err)
{
	struct stat st;
	int fd = open_folder(AT_FDCWD, f->folder, 0711, err);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == 0 && (st.st_mode & 022) == 0 &&
	    fchmod(fd, 0711) == 0)
		return fd;
	(void)close(fd); /* was only looked at */
	(void)err_set(
	    err, ERR_DENIED, "%s is not root's alone: look who made it, then remove it", f->folder);
	return -1;
}

static bool
open_side(struct fetching *f, enum side side, struct err *err)
{
	struct stat st;
	int root, fd;

	if (f->fds[side] != -1)
		return true;
	root = open_root(f, err);
	if (root == -1)
		return false;
	fd = open_folder(root, sides[side], 0500, err);
	(void)close(root); /* was only looked at */
	if (fd == -1)
		return false;
	if (fstat(fd, &st) == -1 || (st.st_uid != 0 && st.st_uid != f->uid[side]) ||
	    fchown(fd, f->uid[side], f->gid[side]) == -1 || fchmod(fd, 0500) == -1) {
		(void)close(fd); /* was only looked at */
		return err_set(
		    err, ERR_DENIED, "%s/%s belongs to somebody else", f->folder, sides[side]);
	}
	f->fds[side] = fd;
	return true;
}

/* Is that there already?  Then it is not touched, so that nothing is read anew for it. */
static bool
has_same(int folder, const char *name, uid_t uid, const char *text)
{
	char old[OUTPUT_MAX + 3];
	struct stat st;
	ssize_t n;
	bool is_same;

	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != uid || (st.st_mode & 07777) != 0400)
		return false;
	n = file_read_small(folder, name, old, sizeof(old));
	is_same = n == (ssize_t)strlen(text) && memcmp(old, text, (size_t)n) == 0;
	crypto_wipe(old, sizeof(old));
	return is_same;
}

static bool
keep(struct fetching *f, enum side side, const char *name, const char *text, struct err *err)
{
	char fresh[SETTING_NAME_MAX + 8];
	bool is_kept;
	int fd;

	if (!open_side(f, side, err) || has_same(f->fds[side], name, f->uid[side], text))
		return f->fds[side] != -1;
	(void)snprintf(fresh, sizeof(fresh), ".%s" NEW_NAME, name);
	(void)unlinkat(f->fds[side], fresh, 0); /* of one that was killed */
	fd =
	    openat(f->fds[side], fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd == -1)
		return err_errno(
		    err, ERR_IO, errno, "making %s/%s/%s", f->folder, sides[side], fresh);
	is_kept = file_write_all(fd, text, strlen(text), err) &&
	    ((fchown(fd, f->uid[side], f->gid[side]) == 0 &&
		 renameat(f->fds[side], fresh, f->fds[side], name) == 0) ||
		err_errno(err, ERR_IO, errno, "writing %s/%s/%s", f->folder, sides[side], name));
	(void)close(fd); /* its error would be a write's */
	if (!is_kept)
		(void)unlinkat(f->fds[side], fresh, 0);
	return is_kept;
}

static bool
is_there(struct fetching *f, enum side side, const char *name)
{
	struct stat st;

	return open_side(f, side, NULL) &&
	    fstatat(f->fds[side], name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* --- all of them --- */

static void
fetch(struct fetching *f, const struct env_entry *entry)
{
	char name[SETTING_NAME_MAX], *words[SETTINGS_COMMAND_WORDS + 1];
	const struct settings_spec *spec;
	static char out[OUTPUT_MAX + 2];
	struct err err = { 0 };
	enum side side;
	size_t size = 0;
	bool is_fetched;
	char *copy;

	if (entry->value[0] == '\0' || !settings_command_of(entry->name, name, &spec))
		return;
	side = strcmp(settings_command_side(spec), sides[SERVER]) == 0 ? SERVER : RUNNER;
	copy = strdup(entry->value);
	is_fetched = copy != NULL && settings_command_words(copy, words, &err) &&
	    (file_is_safe(words[0], &err) ||
		err_wrap(&err, "others than root could replace what it runs")) &&
	    run(words, out, &size, &err) && check_output(spec, out, size, &err) &&
	    keep(f, side, name, out, &err);
	crypto_wipe(out, sizeof(out));
	free(copy);
	if (is_fetched) {
		f->done++;
		return;
	}
	complain(f, entry->name, err.text);
	if (is_there(f, side, name)) {
		f->kept++;
		complain(f, entry->name, "the value that was fetched before stays");
	} else {
		f->missing++;
	}
}

/* Is it a file that the settings have a command for? */
static bool
is_wanted(const struct fetching *f, const char *name)
{
	char setting[SETTING_NAME_MAX + 16];
	const struct env_entry *entry;

	(void)snprintf(setting, sizeof(setting), "%.*s_COMMAND", SETTING_NAME_MAX, name);
	entry = env_file_find(&f->file, setting);
	return entry != NULL && entry->value[0] != '\0';
}

/* What no command prints any more is a secret that lies around. */
static void
sweep(struct fetching *f, enum side side)
{
	struct dirent *found;
	DIR *folder;
	int fd;

	if (f->fds[side] == -1 ||
	    (fd = openat(f->fds[side], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return;
	folder = fdopendir(fd);
	if (folder == NULL) {
		(void)close(fd);
		return;
	}
	while ((found = readdir(folder)) != NULL) /* NOLINT(concurrency-mt-unsafe): one thread */
		if (found->d_name[0] != '.' && !is_wanted(f, found->d_name))
			(void)unlinkat(f->fds[side], found->d_name, 0); /* the next time, else */
	(void)closedir(folder);
}

/* --- who, and whether at all --- */

static bool
find_user(struct fetching *f, enum side side, struct err *err)
{
	struct passwd entry, *found = NULL;
	char room[4096];

	if (getpwnam_r(f->users[side], &entry, room, sizeof(room), &found) != 0 || found == NULL)
		return err_set(err, ERR_CONFIG,
		    "there is no user %s: name both with --users SERVER,RUNNER", f->users[side]);
	f->uid[side] = found->pw_uid;
	f->gid[side] = found->pw_gid;
	return true;
}

static bool
read_users(struct fetching *f, const char *text)
{
	const char *comma = strchr(text, ',');

	return comma != NULL && comma != text && comma[1] != '\0' &&
	    (size_t)(comma - text) < sizeof(f->users[SERVER]) &&
	    snprintf(f->users[SERVER], sizeof(f->users[SERVER]), "%.*s", (int)(comma - text),
		text) > 0 &&
	    text_copy(f->users[RUNNER], sizeof(f->users[RUNNER]), comma + 1);
}

static bool
read_arguments(struct fetching *f)
{
	const struct cli *cli = f->cli;

	for (int i = 1; i < cli->argc; i += 2) {
		const char *value = i + 1 < cli->argc ? cli->argv[i + 1] : "";

		if (strcmp(cli->argv[i], "--folder") == 0 && value[0] == '/')
			f->folder = value;
		else if (strcmp(cli->argv[i], "--users") != 0 || !read_users(f, value))
			return false;
	}
	return true;
}

static bool
read_file(struct fetching *f, struct err *err)
{
	const char *given = f->cli->env_file;
	CLEANUP(settings_wipe_text) char *file = given == NULL ? NULL : realpath(given, NULL);

	if (given == NULL)
		return err_set(err, ERR_CONFIG, "there is no settings file: --env-file FILE");
	if (file == NULL)
		return err_errno(err, ERR_CONFIG, errno, "%s", given);
	if (!file_is_safe(file, err))
		return err_wrap(err, "others than root could change what is run");
	return env_file_read(&f->file, file, err);
}

static int
fetch_all(struct fetching *f)
{
	struct err err;

	if (!find_user(f, SERVER, &err) || !find_user(f, RUNNER, &err) || !read_file(f, &err)) {
		complain(f, "", err.text);
		return EX_CONFIG;
	}
	/* Also where nothing is fetched: what is there nobody else puts there. */
	for (enum side side = 0; side < SIDES; side++)
		(void)open_side(f, side, &err); /* what needs it says what is wrong */
	for (size_t i = 0; i < f->file.count; i++)
		fetch(f, &f->file.entries[i]);
	for (enum side side = 0; side < SIDES; side++)
		sweep(f, side);
	if (f->done > 0)
		(void)printf(
		    "ok: %zu secret%s in %s\n", f->done, f->done == 1 ? "" : "s", f->folder);
	return f->missing > 0 ? EX_TEMPFAIL : EX_OK;
}

int
cli_secrets_fetch(const struct cli *cli)
{
	const struct rlimit none = { 0, 0 };
	struct fetching f = { .cli = cli,
		.folder = SETTINGS_FETCHED,
		.users = { "deploybot", "deploybot-runner" },
		.fds = { -1, -1 } };
	int status;

	if (!read_arguments(&f))
		return EX_USAGE;
	if (geteuid() != 0) {
		complain(
		    &f, "", "secrets fetch runs as root: what it makes belongs to other users");
		return EX_NOPERM;
	}
	(void)setrlimit(RLIMIT_CORE, &none); /* a limit that cannot be lowered was lower */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)umask(077);
	status = fetch_all(&f);
	env_file_done(&f.file);
	for (enum side side = 0; side < SIDES; side++)
		if (f.fds[side] != -1)
			(void)close(f.fds[side]); /* was only looked at */
	return status;
}
