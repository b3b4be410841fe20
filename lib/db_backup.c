/* db_backup.c - a database as it is at one moment, copied while others write it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_backup.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include <sqlite3.h>

#include "lib/db_inside.h"

#define PATIENCE_MS 5000 /* for a lock: a checkpoint at its end, a start that recovers the log */

static bool
fail(sqlite3 *handle, int rc, const char *doing, const char *path, struct err *err)
{
	return err_set(err, db_code_of(rc, handle == NULL ? 0 : sqlite3_system_errno(handle)),
	    "%s %s: %s", doing, path, handle == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(handle));
}

static bool
open_one(sqlite3 **ret, const char *path, int flags, struct err *err)
{
	int rc = sqlite3_open_v2(path, ret,
	    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, NULL);

	if (rc != SQLITE_OK)
		return fail(*ret, rc, "opening", path, err);
	(void)sqlite3_busy_timeout(*ret, PATIENCE_MS); /* without it only less patient */
	return true;
}

/* In one step, which reads under one snapshot: in several, each commit of the server would begin it
 * anew. */
static bool
copy(sqlite3 *from, sqlite3 *to, const char *to_path, struct err *err)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	int step, rc;

	if (backup == NULL)
		return fail(to, sqlite3_extended_errcode(to), "copying to", to_path, err);
	step = sqlite3_backup_step(backup, -1);
	rc = sqlite3_backup_finish(backup);
	if (rc != SQLITE_OK)
		return fail(to, rc, "copying to", to_path, err);
	/* A lock that outlasted our patience is no failure to finish, and nothing is copied. */
	return step == SQLITE_DONE || fail(NULL, step, "copying to", to_path, err);
}

static bool
exec(sqlite3 *handle, const char *sql, const char *path, struct err *err)
{
	int rc = sqlite3_exec(handle, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || fail(handle, rc, "preparing", path, err);
}

bool
db_backup(const char *from, const char *to, struct err *err)
{
	sqlite3 *source = NULL, *target = NULL;
	/* Half of it is never used, so it needs no journal; whoever called us flushes it.  At the
	 * end it is no database with a log any more: one file is all there is to keep. */
	bool ok = open_one(&source, from, SQLITE_OPEN_READONLY, err) &&
	    open_one(&target, to, SQLITE_OPEN_READWRITE, err) &&
	    exec(target, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", to, err) &&
	    copy(source, target, to, err) && exec(target, "PRAGMA journal_mode = DELETE", to, err);

	(void)sqlite3_close(target); /* no statement is open */
	(void)sqlite3_close(source);
	return ok;
}

bool
db_backup_lacks_log(const char *path)
{
	char log[PATH_MAX];

	(void)snprintf(log, sizeof(log), "%s-wal", path); /* cut, it is not there */
	return access(log, F_OK) != 0 && db_files_version(path) == 2;
}
