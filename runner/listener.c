/* listener.c - the socket in the file system on which a runner waits for servers.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#include "runner/listener.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/packet_socket.h"

#define BACKLOG 16

static bool
is_fit(const char *path, struct err *err)
{
	if (path[0] != '/')
		return err_set(err, ERR_CONFIG, "--listen %s: not an absolute path", path);
	if (strlen(path) >= PACKET_SOCKET_PATH)
		return err_set(err, ERR_CONFIG,
		    "--listen: a path of %zu bytes; a socket's has %zu at most: choose a shorter one",
		    strlen(path), (size_t)PACKET_SOCKET_PATH - 1);
	return true;
}

/* Its folder, which says whose group the socket gets. */
static bool
look_at_folder(const char *path, struct stat *ret, struct err *err)
{
	char room[PATH_MAX];
	const char *folder;

	(void)snprintf(room, sizeof(room), "%s", path); /* fits: is_fit() */
	folder = dirname(room);
	if (stat(folder, ret) == 0)
		return true;
	return err_set(err, ERR_CONFIG,
	    "the socket's folder: %s: make it: install -d -m 2750 -o <runner's user> -g <server's group> %s",
	    strerrordesc_np(errno), folder);
}

/* Removes a socket that no process listens on any more. */
static bool
clear_path(const char *path, struct err *err)
{
	CLEANUP(file_closep) int fd = -1;
	struct stat st;

	if (lstat(path, &st) != 0)
		return true; /* binding says what is wrong */
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFIG,
		    "--listen %s: there is a file that is no socket: remove it, or choose another path",
		    path);
	fd = packet_socket(path, false);
	if (fd != -1 || errno != ECONNREFUSED)
		return err_set(err, ERR_BUSY,
		    "--listen %s: another runner uses it: stop it first, or choose another path",
		    path);
	if (unlink(path) != 0 && errno != ENOENT)
		return err_errno(err, ERR_IO, errno, "removing the old socket %s", path);
	return true;
}

/* Nobody may connect before its mode is set: until then no process listens. */
static bool
bind_for_group(struct listener *listener, gid_t group, struct err *err)
{
	const char *path = listener->path;
	struct stat st;

	listener->fd = packet_socket(path, true);
	if (listener->fd == -1)
		return errno == ENOSPC ?
		    err_errno(err, ERR_IO, errno, "--listen %s", path) :
		    err_set(err, ERR_CONFIG,
			"--listen %s: %s: the runner's user must be able to write in its folder",
			path, strerrordesc_np(errno));
	if (lstat(path, &st) == 0 && st.st_gid != group && lchown(path, (uid_t)-1, group) != 0)
		return err_set(err, ERR_CONFIG,
		    "--listen %s: cannot be given the group of its folder (%s): make the runner's user a member of group %u",
		    path, strerrordesc_np(errno), (unsigned)group);
	if (chmod(path, 0660) != 0 || listen(listener->fd, BACKLOG) != 0)
		return err_errno(err, ERR_IO, errno, "--listen %s", path);
	return true;
}

bool
listener_open(struct listener *ret, const char *path, struct err *err)
{
	struct stat st;

	*ret = (struct listener){ .fd = -1, .path = path };
	if (!is_fit(path, err) || !look_at_folder(path, &st, err) || !clear_path(path, err))
		return false;
	if (bind_for_group(ret, st.st_gid, err)) {
		if (lstat(path, &st) == 0) {
			ret->device = st.st_dev;
			ret->inode = st.st_ino;
		}
		return true;
	}
	file_closep(&ret->fd);
	return false;
}

int
listener_accept(const struct listener *listener, uid_t *ret_user)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(who);

	if (fd != -1)
		(void)getsockopt(
		    fd, SOL_SOCKET, SO_PEERCRED, &who, &size); /* else -1 is returned */
	*ret_user = who.uid;
	return fd;
}

void
listener_close(struct listener *listener)
{
	struct stat st;

	if (listener->fd == -1)
		return;
	if (lstat(listener->path, &st) == 0 && st.st_dev == listener->device &&
	    st.st_ino == listener->inode)
		(void)unlink(listener->path); /* one that stays is replaced by the next */
	(void)close(listener->fd);
	listener->fd = -1;
}
