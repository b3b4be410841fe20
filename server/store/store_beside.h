/* store_beside.h - a file of SQLite that stands beside a database at a URL, and is not in it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct db;

#define STORE_BESIDE 440

#define STORE_BESIDE_EMPTY \
	"the database is empty: is DATABASE_URL right? `deploybot database copy` fills it"

/* *ret_version: of its schema, 0 where none of deploybot's tables was made yet.  ERR_CONFIG: it is
 * another application's, whose tables are named.  Nothing is changed. */
bool store_beside_check(struct db *db, int64_t *ret_version, struct err *err) MUST_USE;

/* Whoever sets DATABASE_URL begins with nothing, unless what there was is taken along.  True: the
 * first entry of the audit in that folder's file is not the first in the database, and ret says it
 * in a sentence.  Reads both, a database that answers and a file that may not be there. */
bool store_beside(const char *database, const char *folder, char ret[STORE_BESIDE]) MUST_USE;
