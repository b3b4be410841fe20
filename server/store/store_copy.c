/* store_copy.c - the database as it was, beside itself, before a migration.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/file.h"
#include "lib/log.h"
#include "store/store_backup.h"
#include "store/store_inside.h"

#define COPIES_KEPT 2

static bool
name_of(char out[PATH_MAX], const char *path, int64_t version, struct err *err)
{
	return snprintf(out, PATH_MAX, "%s.v%" PRId64, path, version) < PATH_MAX ||
	    err_set(err, ERR_LIMIT, "too long a path: %.100s", path);
}

/* One that stays costs room and nothing else. */
static void
remove_older(const char *path, int64_t version)
{
	char copy[PATH_MAX];
	int kept = 0;

	for (; version > 0; version--) {
		if (!name_of(copy, path, version, NULL) || access(copy, F_OK) != 0)
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

/* In a folder with the sticky bit what another user made there cannot be taken away by us. */
static bool
is_in_the_way(const char *copy)
{
	static const char *const names[] = { "", ".new", ".new.partial", ".new.partial-journal",
		".new.partial-wal", ".new.partial-shm" };
	char path[PATH_MAX];
	struct stat st;
	struct err err;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (snprintf(path, sizeof(path), "%s%s", copy, names[i]) < PATH_MAX &&
		    lstat(path, &st) == 0 && !file_owner_is_ours(st.st_uid, path, &err)) {
			log_warning("%s", err.text);
			return true;
		}
	}
	return false;
}

/* A name that nobody knew before. */
static bool
name_anew(char copy[PATH_MAX], struct err *err)
{
	size_t len = strlen(copy);
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return err_errno(err, ERR_IO, errno, "getrandom");
	return snprintf(copy + len, PATH_MAX - len, ".%08" PRIx32, random) <
	    (int)(PATH_MAX - len) ||
	    err_set(err, ERR_LIMIT, "too long a path: %.100s", copy);
}

bool
store_copy_make(const char *path, int64_t version, struct err *err)
{
	char copy[PATH_MAX], fresh[PATH_MAX];
	struct store_backup made;

	if (!name_of(copy, path, version, err) || (is_in_the_way(copy) && !name_anew(copy, err)))
		return false;
	if (snprintf(fresh, sizeof(fresh), "%s.new", copy) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "too long a path: %.100s", path);
	if (!replace(path, fresh, copy, &made, err))
		return err_wrap(err,
		    "no copy was made before the upgrade: %s, or start `serve --no-copy`",
		    err->code == ERR_FULL ? "make room" : "remove what is in its way");
	remove_older(path, version);
	log_info("the database had version %" PRId64 ": copied to %s, %" PRId64 " bytes", version,
	    copy, made.size);
	return true;
}
