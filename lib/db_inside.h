/* db_inside.h - what the db files share; nobody else includes it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/err.h"

/* SQLite's result, and the errno of the call behind it, as one of ours: see db.h. */
enum err_code db_code_of(int rc, int errno_value);

/*
 * Before SQLite opens a database to write: makes its file (mode 0600) where it is missing, and
 * refuses one, or a file beside it, that another user made.  A folder may be others' too, and what
 * stands in a journal or a log is written into the database, whoever wrote it.  Also refused: the
 * log of the database before one that was restored.
 */
bool db_files_prepare(const char *path, struct err *err) MUST_USE;

/* Once it is open with its log no journal is looked for, and SQLite may have taken the empty one
 * away.  Its name stays taken, as those of the log do when it is closed: in a folder where another
 * user may make files he could keep us from starting with one. */
bool db_files_keep(const char *path, struct err *err) MUST_USE;

/* As its header says: 2 with a log (-wal), 1 without one; 0: no database, or not to be read. */
int db_files_version(const char *path);
