/* store_beside.h - a file of SQLite that stands beside a database at a URL, and is not in it.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"

struct db;

#define STORE_BESIDE 440

/* Whoever sets DATABASE_URL begins with nothing, unless what there was is taken along.  True: the
 * first entry of the audit in that folder's file is not the first in the database, and ret says it
 * in a sentence.  Reads both, a database that answers and a file that may not be there. */
bool store_beside(const char *database, const char *folder, char ret[STORE_BESIDE]) MUST_USE;
