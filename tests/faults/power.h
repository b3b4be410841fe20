/* power.h - what the wrappers of power_calls.c note in the journal of power.c.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Each power_note_*() stands behind the call that it is about, and does nothing where that changed
 * nothing that is watched.  errno stays what it was.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define POWER_KINDS(K) \
	K(write) K(size) K(flush) K(create) K(folder) \
	K(unlink) K(rename) K(link) K(map) K(told)

#define X(name) POWER_##name,
enum power_kind { POWER_KINDS(X) };
#undef X

/* Before whatever changes something or tells somebody: stands still when the power is off. */
void power_wait(void);
bool power_is_noting(void);

/* Where a name in a folder is; what it points to is not looked at.  False: nothing is noted. */
bool power_path_at(int folder, const char *name, char out[PATH_MAX]);

/* The file to open: another boot's id in place of this one's. */
const char *power_path_of_boot(const char *path);

void power_note_write(int fd, uint64_t offset, const void *data, ssize_t size);
/* Behind a write without an offset: it ends where the descriptor stands now. */
void power_note_write_here(int fd, const void *data, ssize_t size);
/* offset -1: as above. */
void power_note_vector(int fd, const struct iovec *parts, int count, ssize_t size, off_t offset);
/* A size, a flush or a mapping. */
void power_note_fd(enum power_kind kind, int fd);
/* A name that a call has made. */
void power_note_name(enum power_kind kind, int folder, const char *name);
void power_note_unlink(const char *path);
/* A rename or a link. */
void power_note_two(enum power_kind kind, const char *from, const char *to);
void power_note_told(int fd, const void *data, ssize_t size);
