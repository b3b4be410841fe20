/* invariants.h - what holds of committed rows and of the files beside them.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * I1 to I14 are the names of docs/fault-catalogue.md.  Nothing here knows a world: the simulation
 * and the oracle over a folder on disk ask the same.  Each broken one is told with the name of its
 * function and what shows it; the teller may end the program, and need not.
 */
#pragma once

#include "tests/faults/look.h"

typedef void invariants_broken(void *ctx, const char *invariant, const char *evidence);

struct invariants {
	struct db *db;			/* sees what is committed */
	const struct look *look;	/* at it */
	int64_t now;			/* wall ms; what is kept for a time is looked for as long */
	invariants_broken *broken;
	void *ctx;
};

/* After any commit. */
void invariants_of_commit(const struct invariants *of);
/* Of a deployment that has ended, whenever. */
void invariants_of_end(const struct invariants *of, const struct look_deployment *deployment);
/* When nothing happens any more. */
void invariants_of_rest(const struct invariants *of);

struct invariants_files {
	const char *database;
	const char *audit;
	const char *environments; /* the folder of the state files */
};

/* At rest, what was written beside the database. */
void invariants_of_files(const struct invariants *of, const struct invariants_files *files);

/* The number in the first row's first column; what cannot be looked at is told as broken. */
#define invariants_number(of, ...) invariants_number_sql(of, DB_SQL(__VA_ARGS__))
int64_t invariants_number_sql(const struct invariants *of, const struct db_sql *sql);
