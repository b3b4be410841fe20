/* store_copy.c - the database as it was, beside itself, before a migration.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "store/store_backup.h"
#include "store/store_inside.h"

#define COPIES_KEPT 2

static bool
name_of(char out[PATH_MAX], const char *path, int64_t version, const char *suffix, struct err *err)
{
	return snprintf(out, PATH_MAX, "%s.v%" PRId64 "%s", path, version, suffix) < PATH_MAX ||
	    err_set(err, ERR_LIMIT, "too long a path: %.100s", path);
}

/* One that stays costs room and nothing else. */
static void
remove_older(const char *path, int64_t version)
{
	char copy[PATH_MAX];
	struct err err;
	int kept = 0;

	for (; version > 0; version--) {
		if (!name_of(copy, path, version, "", &err) || access(copy, F_OK) != 0)
			continue;
		if (++kept > COPIES_KEPT && unlink(copy) != 0)
			log_warning("%s: %s", copy, strerrordesc_np(errno));
	}
}

/* An older copy of that version, from before somebody returned to it, is replaced by a whole. */
static bool
replace(const char *path, const char *fresh, const char *copy, struct store_backup *ret,
    struct err *err)
{
	(void)unlink(fresh); /* of a start that was killed between the two names */
	if (!store_backup(path, fresh, ret, err))
		return false;
	if (rename(fresh, copy) == 0)
		return file_flush_name(copy, err);
	(void)err_errno(err, ERR_IO, errno, "renaming to %s", copy);
	(void)unlink(fresh); /* nothing more can be done */
	return false;
}

bool
store_copy_make(const char *path, int64_t version, struct err *err)
{
	char copy[PATH_MAX], fresh[PATH_MAX];
	struct store_backup made;

	if (!name_of(copy, path, version, "", err) || !name_of(fresh, path, version, ".new", err))
		return false;
	if (!replace(path, fresh, copy, &made, err))
		return err_wrap(err,
		    "no copy was made before the upgrade: %s, or start `serve --no-copy`",
		    err->code == ERR_FULL ? "make room" : "remove what is in its way");
	remove_older(path, version);
	log_info("the database had version %" PRId64 ": copied to %s, %" PRId64 " bytes", version,
	    copy, made.size);
	return true;
}
