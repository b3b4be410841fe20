/* schema_aid.h - the database of a closed store, and its version.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/db.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

/* Around each test: a store of today's version that was closed. */
int schema_aid_setup(void **state);
int schema_aid_teardown(void **state);

/* Its database; the version of one. */
struct db *schema_aid_open(struct store_aid *aid);
int64_t schema_aid_version(struct store_aid *aid, struct db *db);
