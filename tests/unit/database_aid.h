/* database_aid.h - a test's database: a file, or a schema of TEST_DATABASE's PostgreSQL.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

#define DATABASE_AID_PATH 256

/* True: tests have PostgreSQL. */
bool database_aid_is_server(void);

/* Runs this program once more beside a PostgreSQL of its own; false: it has failed there. */
bool database_aid_again(void);

/* What db_open() takes for the database `name` of that folder: a file that nobody has made yet, or
 * a schema that is as store_open() makes it.  A failure ends the test program. */
void database_aid_make(const char *folder, const char *name, char out[DATABASE_AID_PATH]);

/* Of a program that is about SQLite's file, its log or its calls: on PostgreSQL each of its tests
 * is left out, and counted as skipped. */
#define TESTS_OF_A_FILE \
	__attribute__((constructor)) static void are_of_a_file(void) \
	{ \
		unit_leave_out(database_aid_is_server); \
	}

/* On PostgreSQL, from another session: each commit that writes is refused as by a full disk, until
 * it is called again. */
void database_aid_refuse(const char *database, bool commits);

/* SQL whose %s is a subquery of all tables: each one's `name`, and as `line` what selects all of a
 * row as one text, quote(COLUMN) for each column.  Valid until the next call. */
const char *database_aid_sql(const char *format);

/* On PostgreSQL: `to` has the rows of `from`, and no others. */
void database_aid_copy(const char *from, const char *to);

/* On PostgreSQL: the next one may have that schema. */
void database_aid_remove(const char *database);
