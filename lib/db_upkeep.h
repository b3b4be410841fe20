/* db_upkeep.h - what a database wants beside statements: its log, its check, its version.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db.h"

/* Copies what it can from the WAL into the database without waiting (PASSIVE).  The pages still
 * in the WAL are stored in *ret_left (may be NULL). */
MUST_USE bool db_checkpoint(struct db *db, int *ret_left, struct err *err);

/* Pages in the WAL that a checkpoint would copy; known since the first commit. */
int db_log_pages(const struct db *db);

/* A flush of ours failed once: what was reported as on disk may not be.  Never cleared: stop and
 * start anew from the file. */
bool db_flush_failed(const struct db *db);

/* How many columns of that name the table has; column NULL: of any, so that 0 is no such table. */
MUST_USE bool db_has(
    struct db *db, const char *table, const char *column, int64_t *ret, struct err *err);

/* What is read until db_rollback() is of one moment, whoever writes meanwhile. */
MUST_USE bool db_snapshot(struct db *db, struct err *err);

MUST_USE bool db_user_version(struct db *db, int64_t *ret, struct err *err);
MUST_USE bool db_set_user_version(struct db *db, int64_t version, struct err *err);

/* The files of PostgreSQL are its own: there these three, db_checkpoint() and db_flush_failed()
 * find nothing to do, and nothing to say. */

/* PRAGMA quick_check of one table and its indexes, whose name is a constant of the program, or of
 * all (NULL): ERR_CONFIG with the first finding. */
MUST_USE bool db_quick_check(struct db *db, const char *table, struct err *err);

/* The database's size; a page is 4 KB. */
MUST_USE bool db_page_count(struct db *db, int64_t *ret, struct err *err);
/* Gives back memory that was needed once. */
MUST_USE bool db_shrink(struct db *db, struct err *err);
