/* doctor_port.c - who listens on a port, as the kernel's tables say.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
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

/* Of another user's processes only root sees that. */
static bool
has_socket(const char *pid, unsigned long inode)
{
	CLEANUP(folder_closep) DIR *dir = NULL;
	char folder[PATH_MAX], wanted[40], link[40];
	const struct dirent *entry;
	bool found = false;

	(void)snprintf(folder, sizeof(folder), "/proc/%.20s/fd", pid);
	(void)snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	dir = opendir(folder);
	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		link[size < 0 ? 0 : size] = '\0';
		found = strcmp(link, wanted) == 0;
	}
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

void
doctor_port_who(const char *address, int port, char out[DOCTOR_WHO])
{
	struct listener listener;
	const struct dirent *entry;
	const struct passwd *user;
	CLEANUP(folder_closep) DIR *proc = NULL;
	bool found = false;

	(void)snprintf(out, DOCTOR_WHO, "by another program");
	if (!find_listener(address, port, &listener))
		return;
	proc = opendir("/proc");
	while (proc != NULL && !found && (entry = readdir(proc)) != NULL) {
		found = isdigit((unsigned char)entry->d_name[0]) &&
		    has_socket(entry->d_name, listener.inode);
		if (found)
			name_process(entry->d_name, out);
	}
	user = found ? NULL : getpwuid(listener.uid);
	if (user != NULL)
		(void)snprintf(out, DOCTOR_WHO, "by a program of the user %.32s", user->pw_name);
}
