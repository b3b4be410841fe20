/* db_load.h - many rows, one after the other, as fast as the engine takes them.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db.h"

/* One of many rows: an INSERT, and `into` what stands between its INTO and VALUES.  PostgreSQL
 * takes them by COPY, and says what it has against one at the next or the last call, whose row is
 * NULL; between these no other statement runs, but a rollback. */
MUST_USE bool db_load(struct db *db, const char *into, const struct db_sql *row, struct err *err);
