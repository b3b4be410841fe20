/* oracle.c - oracle STATE_DIRECTORY AUDIT_LOG: which invariants a deploybot at rest breaks.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * A server may be running, as long as it is at rest.  `moving`: it was killed, and only what holds
 * after any commit is looked for.  Each broken invariant is a line; exit status
 * 1 when there is one, 2 when it cannot look at all.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db_upkeep.h"
#include "lib/err.h"
#include "store/store.h"
#include "tests/faults/invariants.h"
#include "types/settings.h"

static void
on_broken(void *ctx, const char *invariant, const char *evidence)
{
	int *n = ctx;

	++*n;
	(void)printf("broken: %s: %s\n", invariant, evidence);
}

int
main(int argc, char *argv[])
{
	char database[PATH_MAX], environments[PATH_MAX];
	struct invariants of;
	struct look look = { 0 };
	struct err err = { 0 };
	bool is_moving = argc == 4 && strcmp(argv[3], "moving") == 0;
	struct db *db;
	int n = 0;

	if (argc != 3 && !is_moving) {
		(void)fprintf(stderr, "usage: oracle STATE_DIRECTORY AUDIT_LOG [moving]\n");
		return 2;
	}
	(void)snprintf(database, sizeof(database), "%s/" STORE_FILE, argv[1]);
	(void)snprintf(environments, sizeof(environments), "%s/environments", argv[1]);
	db = db_open(database, DB_READ_ONLY, &err);
	if (db == NULL || !db_quick_check(db, NULL, &err) || !look_at(&look, db, 1, &err)) {
		(void)printf("broken: the_oracle_can_look: %s\n", err.text);
		db_close(db);
		look_done(&look);
		return 2;
	}
	of = (struct invariants){ db, &look, clock_wall_ms(), on_broken, &n };
	invariants_of_commit(&of);
	if (!is_moving) {
		invariants_of_rest(&of);
		invariants_of_files(
		    &of, &(struct invariants_files){ database, argv[2], environments });
	}
	look_done(&look);
	db_close(db);
	return n == 0 ? 0 : 1;
}
