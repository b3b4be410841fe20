/* db_post.h - statements whose answer nobody waits for.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db.h"

/* As db_run inside a transaction, where nobody reads what came of it: over a network it waits for
 * the next statement that is answered, and what fails in it fails there.  Values are borrowed for
 * the call. */
#define db_post(db, err, ...) db_post_sql(db, err, DB_SQL(__VA_ARGS__))
MUST_USE bool db_post_sql(struct db *db, struct err *err, const struct db_sql *sql);

/* Waits for what was posted; db_changes() is then of the last one. */
MUST_USE bool db_settle(struct db *db, struct err *err);
