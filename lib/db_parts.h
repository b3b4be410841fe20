/* db_parts.h - what the db files share; nobody else includes it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#ifndef DB_PARTS_H
#define DB_PARTS_H

#include "lib/err.h"

/* SQLite's result, and the errno of the call behind it, as one of ours: see db.h. */
enum err_code db_code_of(int rc, int errno_value);

#endif
