/* doctor_port.c - who listens on a port, as the kernel's tables say.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "lib/clean.h"
#include "lib/file.h"
#include "lib/folder.h"

#define LISTENS 0x0A /* TCP_LISTEN */

struct listener {
	unsigned uid;
	unsigned long inode;
};

/* A listener on all addresses, or on ours: the kernel prints an IPv4 address as it lies in memory.
 * Of an IPv6 address the port is enough. */
static bool
is_in_the_way(const char *local, const char *address)
{
	struct in_addr ipv4;
	char hex[9];

	if (strspn(local, "0") == strlen(local) || inet_pton(AF_INET, address, &ipv4) != 1)
		return true;
	(void)snprintf(hex, sizeof(hex), "%08X", ipv4.s_addr);
	return strcmp(local, hex) == 0;
}

static bool
find_in(const char *table, const char *address, int port, struct listener *ret)
{
	FILE *file = fopen(table, "re");
	char line[256], local[33];
	unsigned local_port, state;
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		/* sl local:port remote:port state queues timer retransmissions uid timeout inode */
		/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers fit */
		found = sscanf(line, "%*s %32[0-9A-F]:%X %*s %X %*s %*s %*s %u %*s %lu", local,
			    &local_port, &state, &ret->uid, &ret->inode) == 5 &&
		    state == LISTENS && local_port == (unsigned)port &&
		    is_in_the_way(local, address);
	if (file != NULL)
		(void)fclose(file);
	return found;
}

static bool
find_listener(const char *address, int port, struct listener *ret)
{
	return find_in("/proc/net/tcp", address, port, ret) ||
	    find_in("/proc/net/tcp6", address, port, ret);
}

bool
doctor_port_is_users(const char *address, int port)
{
	struct listener listener;

	return find_listener(address, port, &listener) && listener.uid != 0;
}

bool
doctor_port_is_taken(const char *address, int port)
{
	struct listener listener;

	return find_listener(address, port, &listener);
}

/* Is it one of its open files, or sockets?  Of another user's processes only root sees that. */
static bool
has_open(const char *pid, const struct stat *wanted)
{
	CLEANUP(folder_closep) DIR *dir = NULL;
	const struct dirent *entry;
	char folder[64];
	bool found = false;
	struct stat st;

	(void)snprintf(folder, sizeof(folder), "/proc/%.20s/fd", pid);
	dir = opendir(folder);
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
		    st.st_ino == wanted->st_ino &&
		    (S_ISSOCK(wanted->st_mode) ? S_ISSOCK(st.st_mode) :
						 st.st_dev == wanted->st_dev);
	return found;
}

static void
name_process(const char *pid, char out[DOCTOR_WHO])
{
	char path[64], raw[64] = "", comm[64];

	(void)snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	(void)file_read_small(AT_FDCWD, path, raw, sizeof(raw)); /* "" where it has ended */
	raw[strcspn(raw, "\n")] = '\0';
	(void)snprintf(out, DOCTOR_WHO, "by %s (process %.20s)",
	    clean_line(comm, sizeof(comm), raw, strlen(raw)), pid);
}

/* A process that has that socket and, unless it is NULL, that file. */
static bool
find_process(unsigned long inode, const struct stat *file, char out[DOCTOR_WHO])
{
	const struct stat socket = { .st_mode = S_IFSOCK, .st_ino = inode };
	CLEANUP(folder_closep) DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (proc != NULL && !found && (entry = readdir(proc)) != NULL) {
		found = isdigit((unsigned char)entry->d_name[0]) &&
		    has_open(entry->d_name, &socket) &&
		    (file == NULL || has_open(entry->d_name, file));
		if (found)
			name_process(entry->d_name, out);
	}
	return found;
}

bool
doctor_port_is_of(const char *address, int port, const char *file)
{
	struct listener listener;
	char who[DOCTOR_WHO];
	struct stat st;

	return stat(file, &st) == 0 && find_listener(address, port, &listener) &&
	    find_process(listener.inode, &st, who);
}

void
doctor_port_who(const char *address, int port, char out[DOCTOR_WHO])
{
	struct listener listener;
	const struct passwd *user;

	(void)snprintf(out, DOCTOR_WHO, "by another program");
	if (!find_listener(address, port, &listener) || find_process(listener.inode, NULL, out))
		return;
	user = getpwuid(listener.uid);
	if (user != NULL)
		(void)snprintf(out, DOCTOR_WHO, "by a program of the user %.32s", user->pw_name);
}
