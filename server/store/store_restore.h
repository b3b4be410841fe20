/* store_restore.h - a backup takes the database's place; a kill leaves the old or the new.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "store/store_backup.h"

struct db;

/* Where a database and its audit log stand.  Both are the caller's, who has locked the folder. */
struct store_restore {
	const char *folder; /* STATE_DIRECTORY */
	const char *audit;  /* AUDIT_LOG_PATH */
};

/* Into what folder beside each what was there is moved; with its end. */
#define STORE_RESTORE_AWAY sizeof("before-20261231-235959")

/*
 * Copies the file that `fd` is open on beside the database, and checks the copy as a backup is
 * checked.  Then a mark is written (one rename, flushed): from there on the copy is the database,
 * whoever is killed, as soon as store_restore_finish() is called, as it is before this.  `file`:
 * its name, for *err.  False: *err says why; the database is what it was.
 */
bool store_restore_begin(const struct store_restore *where, int fd, const char *file,
    struct store_backup *ret, char away[STORE_RESTORE_AWAY], struct err *err) MUST_USE;

/*
 * Where the mark is: moves what was there away, as far as it is not yet, and gives the copy its
 * name.  Called before a database is opened.  *ret_is_restored: the mark is still there, so that
 * nobody has started on the copy yet.  False: the disk, or the mark is another user's.
 */
bool store_restore_finish(
    const struct store_restore *where, bool *ret_is_restored, struct err *err) MUST_USE;

/* Moves the files of an audit log that is another database's into such a folder beside it. */
bool store_restore_log_away(
    const char *audit, char away[STORE_RESTORE_AWAY], struct err *err) MUST_USE;

/* Is that database, of `file`, of a version that this program knows?  False: *err says so. */
bool store_restore_knows(struct db *db, const char *file, struct err *err) MUST_USE;

/* A start on the copy was committed: the mark goes.  One that stays is one more such start. */
void store_restore_spent(const char *folder);
