/* store_beside.c - compares when the audit of both began.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "store/store_beside.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/db.h"
#include "lib/db_upkeep.h"
#include "lib/db_url.h"
#include "lib/err.h"
#include "lib/text.h"
#include "store/store_move.h"
#include "types/settings.h"

/* When the first entry was made, and none is ever taken away; 0: there is none, or it cannot be
 * read. */
static int64_t
began_at(const char *database, unsigned flags)
{
	CLEANUP(db_closep) struct db *db = db_open(database, DB_READ_ONLY | flags, NULL);
	int64_t at;

	return db != NULL &&
		db_one_i64(&at, db, NULL, "SELECT at FROM audit ORDER BY seq LIMIT 1") ?
	    at :
	    0;
}

static int64_t
moved_at(const char *file)
{
	CLEANUP(db_closep) struct db *db = db_open(file, DB_READ_ONLY | DB_COPY, NULL);
	int64_t at;

	return db != NULL && store_move_at(db, &at, NULL) ? at : 0;
}

bool
store_beside(const char *database, const char *folder, char ret[STORE_BESIDE])
{
	char file[PATH_MAX], copied[TEXT_TIME_SIZE + 100] = "", time[TEXT_TIME_SIZE];
	int64_t at, there, moved;

	(void)snprintf(file, sizeof(file), "%.4000s/" STORE_FILE, folder); /* fits */
	if (!db_is_url(database) || access(file, F_OK) != 0)
		return false;
	at = began_at(file, DB_COPY);
	there = began_at(database, 0);
	moved = moved_at(file);
	if (moved != 0)
		(void)snprintf(copied, sizeof(copied),
		    "it was copied to a database at %s: restore a backup of that one first",
		    text_time(time, moved));
	(void)snprintf(ret, STORE_BESIDE,
	    "%.180s has entries of the audit that the database of DATABASE_URL has not%s: %.100s, or move that file away",
	    file, there == 0 ? " (that one is empty)" : "",
	    moved != 0 ? copied : "take them along (deploybot database copy)");
	return at != 0 && at != there;
}
