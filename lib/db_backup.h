/* db_backup.h - a database as it is at one moment, copied while others write it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

/*
 * Copies the database `from` into `to`, an empty file that is nobody else's: all that was committed
 * when it began and nothing of what came later.  Writers of `from` are not held up.  `to` is then
 * one plain file, without a log beside it, and not flushed yet.  After a failure it is of no use.
 */
bool db_backup(const char *from, const char *to, struct err *err) MUST_USE;

/* Is it a copy of another making, without the log (-wal) of that database?  What was newest may be
 * missing in it.  One of db_backup() is whole by itself. */
bool db_backup_lacks_log(const char *path);
