/* listener.h - the socket in the file system on which a runner waits for servers.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/err.h"

struct listener {
	int fd; /* -1: none */
	const char *path;
	dev_t device; /* of the file: a successor's is another */
	ino_t inode;
};

/* Makes it with mode 0660 and its folder's group: who may come in says the folder.  A socket that
 * nobody listens on any more is replaced; one with somebody behind it (ERR_BUSY) and every other
 * file stays.  `path` is borrowed. */
bool listener_open(struct listener *ret, const char *path, struct err *err) MUST_USE;

/* The next server; -1: none, or it has gone again.  *ret_user is who it is. */
int listener_accept(const struct listener *listener, uid_t *ret_user);

/* Closes it, and removes its file unless another stands there by now. */
void listener_close(struct listener *listener);
