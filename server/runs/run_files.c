/* run_files.c - a run's folder as the server sees it: finds and reads.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runs/run_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/folder.h"
#include "lib/log.h"

#define NAME_ROOM 24

static bool
fail(struct err *err, int64_t run, const char *what)
{
	return err_errno(
	    err, errno == ENOENT ? ERR_MISSING : ERR_IO, errno, "run %" PRId64 ": %s", run, what);
}

/* STATE/runs.  STATE itself may be a link: the operator named it. */
static int
open_runs(const char *state_directory, int64_t run, struct err *err)
{
	CLEANUP(file_closep) int state = open(state_directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int runs;

	if (state < 0)
		return ERR_FD(fail(err, run, state_directory));
	runs = openat(state, "runs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return runs >= 0 ? runs : ERR_FD(fail(err, run, "its folder"));
}

/* 0: it is no run's name. */
static int64_t
number_of(const char *name)
{
	char *end;
	int64_t run;

	if (*name < '1' || *name > '9')
		return 0;
	errno = 0;
	run = strtoll(name, &end, 10);
	return *end == '\0' && errno == 0 ? run : 0;
}

/* The runner's user, and so whatever a run executes, makes folders there: one with a number that is
 * far too high would leave none for the next run that hosts take. */
static bool
is_possible(int64_t run, int64_t most)
{
	if (run <= most)
		return true;
	log_warning("runs/%" PRId64 ": no run has such a number: remove it", run);
	return false;
}

bool
run_files_highest(const char *state_directory, int64_t most, int64_t *ret, struct err *err)
{
	struct err why = { .code = ERR_NONE };
	CLEANUP(folder_closep) DIR *folder = folder_take(open_runs(state_directory, 0, &why));
	struct dirent *entry;

	*ret = 0;
	if (folder == NULL)
		return why.code == ERR_MISSING ||
		    err_set(err, ERR_IO, "the folder of the runs cannot be read");
	while ((entry = readdir(folder)) != NULL) {
		int64_t run = number_of(entry->d_name);

		if (run > *ret && is_possible(run, most))
			*ret = run;
	}
	return true;
}

int
run_files_open(const char *state_directory, int64_t run, struct err *err)
{
	CLEANUP(file_closep) int runs = open_runs(state_directory, run, err);
	char name[NAME_ROOM];
	int folder;

	if (runs < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%" PRId64, run);
	folder = openat(runs, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return folder >= 0 ? folder : ERR_FD(fail(err, run, "its folder"));
}

int
run_files_open_log(const char *state_directory, int64_t run, uint64_t *ret_size, struct err *err)
{
	CLEANUP(file_closep) int folder = run_files_open(state_directory, run, err);
	CLEANUP(file_closep) int log = -1;
	struct stat st;

	if (folder < 0)
		return -1;
	/* NONBLOCK: a fifo in its place must not hold the loop. */
	log = openat(folder, "log", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (log < 0)
		return ERR_FD(fail(err, run, "its log"));
	if (fstat(log, &st) != 0 || !S_ISREG(st.st_mode))
		return ERR_FD(
		    err_set(err, ERR_INVALID, "run %" PRId64 ": its log is no file", run));
	*ret_size = (uint64_t)st.st_size;
	return TAKE_FD(log);
}

/* A file of its folder, or the link that stands there. */
static bool
stat_in(const char *state_directory, int64_t run, const char *name, struct stat *ret)
{
	CLEANUP(file_closep) int folder = run_files_open(state_directory, run, NULL);

	return folder >= 0 && fstatat(folder, name, ret, AT_SYMLINK_NOFOLLOW) == 0;
}

int64_t
run_files_started_at(const char *state_directory, int64_t run)
{
	struct stat st;

	return stat_in(state_directory, run, "leader", &st) ?
	    (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 :
	    0;
}

int64_t
run_files_log_size(const char *state_directory, int64_t run)
{
	struct stat st;

	return stat_in(state_directory, run, "log", &st) && S_ISREG(st.st_mode) ?
	    (int64_t)st.st_size :
	    0;
}
