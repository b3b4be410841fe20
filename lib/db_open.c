/* db_open.c - which engine a path is of.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "lib/db_inside.h"
#include "lib/db_url.h"

struct db *
db_open(const char *path, unsigned flags, struct err *err)
{
	return db_is_url(path) ? db_pg_open(path, flags, err) : db_sqlite_open(path, flags, err);
}
