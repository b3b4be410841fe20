/* store_backup.h - a copy of the store's database that can be trusted, or none.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "types/limits.h"

struct store_backup {
	int64_t size;		/* bytes */
	int64_t deployments;
	int64_t entries;	/* of the audit chain */
	char head[LIMIT_AUDIT_HEAD]; /* of its newest entry, as people are shown it */
};

/*
 * Writes what `database` holds at this moment to a new file (mode 0600); the server may go on.
 * The copy is read again, whole, and its audit chain checked, it is flushed, and only then has its
 * name: until then it is `file`.partial, which a later call replaces where one was killed.  False:
 * `file` is there already, or the disk is too full, or what else *err says; nothing is left behind.
 */
bool store_backup(const char *database, const char *file, struct store_backup *ret,
    struct err *err) MUST_USE;

/* The same by another one than db_backup(), which copies as its header says. */
typedef bool store_backup_copy(const char *from, const char *to, struct err *err);
bool store_backup_by(store_backup_copy *copy, const char *database, const char *file,
    struct store_backup *ret, struct err *err) MUST_USE;

/* Reads a backup, whole, and checks its audit chain; fills all of *ret but the size. */
bool store_backup_check(const char *file, struct store_backup *ret, struct err *err) MUST_USE;
