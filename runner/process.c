/* process.c - reads /proc and signals through pidfds.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/folder.h"

#define PROCESSES_MAX (1 << 18) /* beyond it the table is not worth reading */
#define ENVIRON_PIECE 4096
#define ENVIRON_TRIES 4 /* beyond it the caller looks again later */

struct table {
	struct process *all;
	size_t count;
	size_t room;
};

bool
process_read(pid_t pid, struct process *ret)
{
	char path[32], stat[1024];
	const char *rest;
	int parent, group, session;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read_small(AT_FDCWD, path, stat, sizeof(stat)) <= 0)
		return false;
	rest = strrchr(stat, ')'); /* the name before it may hold anything */
	if (rest == NULL ||
	    /* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers fit */
	    sscanf(rest + 1,
		" %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
		&ret->state, &parent, &group, &session, &ret->start) != 5)
		return false;
	ret->pid = pid;
	ret->parent = parent;
	ret->session = session;
	return true;
}

void
process_boot_id(char ret[PROCESS_BOOT_ID])
{
	char text[64];

	ret[0] = '\0';
	if (file_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", text, sizeof(text)) < 36)
		return;
	memcpy(ret, text, 36);
	ret[36] = '\0';
}

/* The number of a namespace that is gone is given again, often to the next container: the start of
 * its first process distinguishes the two. */
uint64_t
process_space(void)
{
	struct process first = { 0 };
	struct stat st;

	if (stat("/proc/self/ns/pid", &st) != 0)
		return 0;
	(void)process_read(1, &first); /* hidden from us: then the number alone */
	return (uint64_t)st.st_ino << 32 | (first.start & UINT32_MAX);
}

/* Sends through a pidfd, if the process is still the one that was read. */
static void
signal_one(const struct process *process, int signal_number)
{
	struct process now;
	CLEANUP(file_closep) int fd = pidfd_open(process->pid, 0);

	if (fd == -1)
		return; /* it has ended */
	if (process_read(process->pid, &now) && now.start == process->start)
		(void)pidfd_send_signal(fd, signal_number, NULL, 0);
}

static bool
is_dead(const struct process *process)
{
	return process->state == 'Z' || process->state == 'X';
}

static bool
table_add(struct table *table, const struct process *process)
{
	struct process *more;

	if (table->count == table->room) {
		size_t room = table->room == 0 ? 256 : table->room * 2;

		if (room > PROCESSES_MAX)
			return false;
		more = reallocarray(table->all, room, sizeof(*more));
		if (more == NULL)
			return false;
		table->all = more;
		table->room = room;
	}
	table->all[table->count++] = *process;
	return true;
}

static void
table_done(struct table *table)
{
	free(table->all);
}

/* Fills an empty table with every process there is. */
static bool
table_read(struct table *table)
{
	CLEANUP(folder_closep) DIR *dir = opendir("/proc");
	struct process process;
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && pid <= INT_MAX && process_read((pid_t)pid, &process) &&
		    !table_add(table, &process))
			return false;
	}
	return dir != NULL;
}

/* Moves every process whose parent is `ancestor`, or is among those moved, to the front.  Returns
 * how many: a pass for each generation. */
static size_t
table_pick_below(struct table *table, pid_t ancestor)
{
	size_t picked = 0, before;

	do {
		before = picked;
		for (size_t i = before; i < table->count; i++) {
			struct process one = table->all[i];
			bool below = one.parent == ancestor;

			for (size_t k = 0; !below && k < picked; k++)
				below = table->all[k].pid == one.parent;
			if (!below)
				continue;
			table->all[i] = table->all[picked];
			table->all[picked++] = one;
		}
	} while (picked != before);
	return picked;
}

/* The first `count` of the table; returns how many of them are alive. */
static int
signal_first(const struct table *table, size_t count, int signal_number, pid_t *ret_one)
{
	int living = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_dead(&table->all[i]))
			continue;
		signal_one(&table->all[i], signal_number);
		*ret_one = table->all[i].pid;
		living++;
	}
	return living;
}

int
process_signal_below(pid_t ancestor, int signal_number, pid_t *ret_one)
{
	CLEANUP(table_done) struct table table = { 0 };

	return table_read(&table) ?
	    signal_first(&table, table_pick_below(&table, ancestor), signal_number, ret_one) :
	    -1;
}

int
process_signal_tree(const struct process *top, int signal_number, pid_t *ret_one)
{
	struct process now;
	int below;

	if (!process_read(top->pid, &now) || now.start != top->start || is_dead(&now))
		return 0; /* what it left has another parent */
	below = process_signal_below(top->pid, signal_number, ret_one);
	if (below == -1)
		return -1;
	signal_one(&now, signal_number);
	*ret_one = top->pid;
	return below + 1;
}

int
process_children(pid_t parent, struct process **ret)
{
	CLEANUP(table_done) struct table table = { 0 };
	int count = 0;

	*ret = NULL;
	if (!table_read(&table))
		return -1;
	for (size_t i = 0; i < table.count; i++)
		if (table.all[i].parent == parent && !is_dead(&table.all[i]))
			table.all[count++] = table.all[i];
	*ret = TAKE(table.all);
	return count;
}

/* Its owner may raise it, and lower it to where it was. */
static void
set_oom(const struct process *process, int value)
{
	char path[40], text[16];
	CLEANUP(file_closep) int fd = -1;
	struct process now;
	int len = snprintf(text, sizeof(text), "%d", value);

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)process->pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd != -1 && process_read(process->pid, &now) && now.start == process->start)
		(void)!write(fd, text, (size_t)len); /* refused: it stays the first to go */
}

void
process_oom_below(pid_t ancestor, int value)
{
	CLEANUP(table_done) struct table table = { 0 };
	size_t picked = table_read(&table) ? table_pick_below(&table, ancestor) : 0;

	for (size_t i = 0; i < picked; i++) {
		if (!is_dead(&table.all[i]))
			set_oom(&table.all[i], value);
	}
}

/* Where the environment lies in its memory: *ret_size bytes.  False: it has none, being dead or the
 * kernel's, or is within execve, where the new memory is there and its environment not yet. */
static bool
environment_size(pid_t pid, size_t *ret_size, bool *ret_in_exec)
{
	char path[32], stat[1024], *field, *rest = NULL;
	uint64_t size = 0, from = 0, to = 0;
	int number = 3;

	*ret_in_exec = false;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read_small(AT_FDCWD, path, stat, sizeof(stat)) <= 0 ||
	    (field = strrchr(stat, ')')) == NULL)
		return false;
	for (field = strtok_r(field + 1, " ", &rest); field != NULL;
	     field = strtok_r(NULL, " ", &rest), number++) {
		if (number == 23) /* vsize; proc(5) */
			size = strtoull(field, NULL, 10);
		else if (number == 50)
			from = strtoull(field, NULL, 10);
		else if (number == 51)
			to = strtoull(field, NULL, 10);
	}
	*ret_in_exec = size > 0 && to == 0;
	*ret_size = (size_t)(to - from);
	return to != 0;
}

/* Reads to the end, in pieces that overlap (an environment may be 2 MB), unless it finds a variable
 * that begins with these `want` bytes before.  Returns how much it read, or -1: it may not be read,
 * and so is not ours. */
static ssize_t
environment_search(pid_t pid, const char *variable, size_t want, bool *ret_found)
{
	size_t kept = 1, total = 0;
	char buf[ENVIRON_PIECE], path[32];
	ssize_t n;
	CLEANUP(file_closep) int fd;

	assert(want < ENVIRON_PIECE / 2);
	*ret_found = false;
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	buf[0] = '\0'; /* so that every variable stands behind a NUL */
	while (!*ret_found && (n = read(fd, buf + kept, sizeof(buf) - kept)) > 0) {
		size_t have = kept + (size_t)n;
		const char *hit = memmem(buf, have, variable, want);

		while (hit != NULL && !*ret_found) {
			*ret_found = hit > buf && hit[-1] == '\0';
			hit = memmem(hit + 1, have - (size_t)(hit + 1 - buf), variable, want);
		}
		total += (size_t)n;
		kept = have < want ? have : want;
		memmove(buf, buf + have - kept, kept);
	}
	return (ssize_t)total;
}

enum variable { VARIABLE_MISSING, VARIABLE_FOUND, VARIABLE_UNKNOWN };

/*
 * Does the environment that it was started with hold this variable?  One that is within execve
 * shows none, or the end of an old one: what was read is compared with what there is, and tried
 * again.
 * (Without that a `sleep` whose shell had just been killed was overlooked in 1 of 500 runs.)
 */
static enum variable
variable_find(pid_t pid, const char *variable, size_t want)
{
	for (int i = 0; i < ENVIRON_TRIES; i++) {
		bool found, in_exec;
		ssize_t n = environment_search(pid, variable, want, &found);
		size_t size = 0;

		if (found)
			return VARIABLE_FOUND;
		if (n == -1)
			return VARIABLE_MISSING;
		if (!environment_size(pid, &size, &in_exec) && !in_exec)
			return VARIABLE_MISSING;
		if (!in_exec && (size_t)n >= size)
			return VARIABLE_MISSING;
	}
	return VARIABLE_UNKNOWN;
}

bool
process_is_of_this_boot(const struct process_main *main_process)
{
	char boot[PROCESS_BOOT_ID];

	process_boot_id(boot);
	return strcmp(boot, main_process->boot) == 0 &&
	    (main_process->space == 0 || main_process->space == process_space());
}

/* Is the session number still that of our main process?  Not when another process has its pid. */
static bool
session_is_ours(const struct process_main *main_process)
{
	struct process now;

	if (main_process->pid <= 0 || !process_is_of_this_boot(main_process))
		return false;
	return !process_read(main_process->pid, &now) || now.start == main_process->start;
}

/* Is it the run's?  UNKNOWN counts as alive and is not signalled. */
static enum variable
belongs(const struct process *one, const struct process_main *main_process, bool session)
{
	char variable[PROCESS_TAG + 8];

	if (is_dead(one) || one->pid == getpid())
		return VARIABLE_MISSING;
	if (session && one->session == main_process->pid && one->start >= main_process->start)
		return VARIABLE_FOUND;
	if (main_process->tag[0] == '\0')
		return VARIABLE_MISSING;
	(void)snprintf(variable, sizeof(variable), "RUN_ID=%s", main_process->tag);
	return variable_find(one->pid, variable, strlen(variable) + 1);
}

enum process_owner
process_owner(const struct process *one, const struct process_main *main_process)
{
	static const char any[] = "RUN_ID=";

	if (belongs(one, main_process, session_is_ours(main_process)) == VARIABLE_FOUND)
		return PROCESS_OF_RUN;
	return variable_find(one->pid, any, sizeof(any) - 1) == VARIABLE_FOUND ?
	    PROCESS_OF_ANOTHER :
	    PROCESS_OF_NOBODY;
}

int
process_signal_run(const struct process_main *main_process, int signal_number, pid_t *ret_one)
{
	bool session = session_is_ours(main_process);
	CLEANUP(table_done) struct table table = { 0 };
	int living = 0;

	if (!table_read(&table))
		return -1;
	for (size_t i = 0; i < table.count; i++) {
		enum variable ours = belongs(&table.all[i], main_process, session);

		if (ours == VARIABLE_MISSING)
			continue;
		if (ours == VARIABLE_FOUND)
			signal_one(&table.all[i], signal_number);
		*ret_one = table.all[i].pid;
		living++;
	}
	return living;
}
