/* cgroup.c - a control group for what each run starts, where we may make one.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/folder.h"

#define PREFIX	  "deploybot-run-"
#define NAME_ROOM 96 /* a tag has 53 bytes at most */
#define TEXT_ROOM 512
#define TRIES	  8

/* Our group as the kernel names it: the line `0::/path`. */
static bool
own_name(char ret[PATH_MAX])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
		found = strncmp(line, "0::/", 4) == 0 && strchr(line, '\n') != NULL;
		if (found) {
			line[strcspn(line, "\n")] = '\0';
			memcpy(ret, line + 3, strlen(line + 3) + 1);
		}
	}
	if (file != NULL)
		(void)fclose(file); /* was only read */
	return found;
}

/* Where a line of mountinfo (proc(5)) shows this group; false: it does not. */
static bool
path_in_mount(const char *line, const char *name, char ret[PATH_MAX])
{
	char root[TEXT_ROOM], point[TEXT_ROOM];
	size_t n;

	if (strstr(line, " - cgroup2 ") == NULL ||
	    sscanf(line, "%*d %*d %*s %511s %511s", root, point) != 2)
		return false;
	n = strcmp(root, "/") == 0 ? 0 : strlen(root);
	return strncmp(name, root, n) == 0 && (name[n] == '/' || name[n] == '\0') &&
	    snprintf(ret, PATH_MAX, "%s%s", point, name + n) < PATH_MAX;
}

/* The folder of our own group; -1: there is none. */
static int
open_own(void)
{
	char name[PATH_MAX], path[PATH_MAX];
	CLEANUP(freep) char *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *file;

	if (!own_name(name) || (file = fopen("/proc/self/mountinfo", "re")) == NULL)
		return -1;
	while (!found && getline(&line, &room, file) > 0)
		found = path_in_mount(line, name, path);
	(void)fclose(file); /* was only read */
	return found ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static bool
write_word(int group, const char *file, const char *word)
{
	CLEANUP(file_closep) int fd = openat(group, file, O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return false;
	return write(fd, word, strlen(word)) == (ssize_t)strlen(word);
}

/* The kernel refuses to remove one that has a process in it; its supervisor, which may be another
 * server's, locks it until then. */
static void
remove_unused(int own, const char *name)
{
	CLEANUP(file_closep) int group = openat(own, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (group == -1)
		return;
	if (flock(group, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(own, name, AT_REMOVEDIR);
}

static void
remove_empty(int own)
{
	CLEANUP(folder_closep)
	DIR *dir = folder_take(openat(own, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0)
			remove_unused(own, entry->d_name);
	}
}

/* A tag is nobody else's: what is there already was made by the try before.  One that goes before
 * it is locked is made again. */
static int
make_locked(int own, const char *name)
{
	for (int i = 0; i < TRIES; i++) {
		CLEANUP(file_closep) int group = -1;

		if (mkdirat(own, name, 0700) != 0 && errno != EEXIST)
			return -1;
		group = openat(own, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (group != -1 && flock(group, LOCK_SH | LOCK_NB) == 0 &&
		    faccessat(own, name, F_OK, 0) == 0)
			return TAKE_FD(group);
	}
	return -1;
}

int
cgroup_make(const char *tag)
{
	char name[NAME_ROOM];
	CLEANUP(file_closep) int own = open_own();

	if (own == -1)
		return -1;
	remove_empty(own);
	(void)snprintf(name, sizeof(name), PREFIX "%s", tag);
	return make_locked(own, name);
}

static bool
is_populated(int group)
{
	char text[TEXT_ROOM];

	(void)file_read_small(group, "cgroup.events", text, sizeof(text));
	return strstr(text, "populated 1") != NULL;
}

/* For whoever must look for what cannot be ended. */
static void
name_what_lives(int group, pid_t *ret_one, char ret_path[CGROUP_PATH])
{
	char link[32], text[TEXT_ROOM];
	ssize_t n;
	long one;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", group);
	n = readlink(link, ret_path, CGROUP_PATH - 1);
	ret_path[n > 0 ? n : 0] = '\0';
	(void)file_read_small(group, "cgroup.procs", text, sizeof(text));
	one = strtol(text, NULL, 10);
	if (one > 0 && one <= INT_MAX)
		*ret_one = (pid_t)one;
}

bool
cgroup_kill(const char *tag, pid_t *ret_one, char ret_path[CGROUP_PATH])
{
	char name[NAME_ROOM];
	CLEANUP(file_closep) int own = tag[0] == '\0' ? -1 : open_own();
	CLEANUP(file_closep) int group = -1;

	if (own == -1)
		return false;
	(void)snprintf(name, sizeof(name), PREFIX "%s", tag);
	group = openat(own, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group == -1)
		return false;
	(void)write_word(group, "cgroup.kill", "1"); /* Linux 5.14; before: found otherwise */
	if (is_populated(group)) {
		name_what_lives(group, ret_one, ret_path);
		return true;
	}
	(void)unlinkat(own, name, AT_REMOVEDIR);
	return false;
}
