/* store_foreign.h - a database of PostgreSQL that is another application's, or nobody's yet.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct db;
struct err;

#define STORE_FOREIGN_EMPTY \
	"the database is empty: is DATABASE_URL right? `deploybot database copy` fills it"

/* *ret_version: of its schema, 0 where none of deploybot's tables was made yet.  ERR_CONFIG: it is
 * another application's, whose tables are named.  Nothing is changed. */
bool store_foreign_check(struct db *db, int64_t *ret_version, struct err *err) MUST_USE;
