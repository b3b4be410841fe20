/* file.h - whole small files, atomic writes, folders.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/base.h"

/* The content, NUL-terminated, to be freed by the caller; *ret_size (may be NULL) is without the
 * NUL.  Larger than cap: ERR_LIMIT; not there: ERR_MISSING; not a regular file: ERR_INVALID. */
MUST_USE char *file_read(const char *path, size_t cap, size_t *ret_size, struct err *err);

/* The same of a file in a folder that we share: one that somebody else made is refused, as
 * file_owner_is_ours() says it, and so is a link. */
MUST_USE char *file_read_ours(const char *path, size_t cap, size_t *ret_size, struct err *err);

/* The beginning of a small file in a folder (AT_FDCWD: of a path), NUL-terminated; no link is
 * followed.  Returns its bytes, 0 where it cannot be read; -1 with errno: it cannot be opened. */
ssize_t file_read_small(int folder, const char *name, char *buf, size_t room);

/* Replaces path by the content as a whole: temporary file beside it, fsync, rename, fsync of the
 * folder.  After a failure the old file is there, untouched. */
MUST_USE bool file_write(
    const char *path, const void *data, size_t size, mode_t mode, struct err *err);

/* Flushes the folder in which a file stands: its name is on disk then, not only its content. */
MUST_USE bool file_flush_name(const char *path, struct err *err);

/* Makes a folder and those above it that are missing, all with mode, and flushes their names.  One
 * that is there keeps its mode. */
MUST_USE bool file_mkdirs(const char *path, mode_t mode, struct err *err);

/* For CLEANUP of a descriptor that was read, or flushed before, or -1, which it is then. */
void file_closep(int *fd);
#define TAKE_FD(fd)	__extension__({ int take_ = (fd); (fd) = -1; take_; })

/* Writes all of it to a descriptor, going on after EINTR and short writes. */
MUST_USE bool file_write_all(int fd, const void *data, size_t size, struct err *err);

/* True when a file of that owner can be of nobody's making but ours or root's; root takes any.
 * Else ERR_CONFIG: in a folder that we share, another user has put it there before us. */
MUST_USE bool file_owner_is_ours(uid_t owner, const char *path, struct err *err);

/* A file of ours could not be made there: *err says so, and what to do about this error of open(2).
 * Is it there already, it could not be opened.  Returns false. */
bool file_creation_failed(int errno_value, const char *path, struct err *err);
