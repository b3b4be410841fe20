/* schema_aid.h - the database of a closed store, and its version.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/db.h"
#include "tests/unit/store_aid.h"
#include "unit.h"

/* Around each test: a store of today's version that was closed. */
int schema_aid_setup(void **state);
int schema_aid_teardown(void **state);
#define SCHEMA_TEST(name) \
	TEST_OF(name, struct store_aid *aid, schema_aid_setup, schema_aid_teardown)

/* Its database; the version of one. */
struct db *schema_aid_open(struct store_aid *aid);
int64_t schema_aid_version(struct store_aid *aid, struct db *db);

/* A new and empty one beside the store's, which goes with its folder; one that was brought to that
 * version. */
struct db *schema_aid_empty(struct store_aid *aid, const char *name);
struct db *schema_aid_fresh(struct store_aid *aid, const char *name, int64_t version);

/* sqlite_master, row by row, in an order that upgrades do not change; the caller frees it. */
char *schema_aid_text(struct store_aid *aid, struct db *db);

/* Both have the same tables and indexes, by their text; closes both. */
void schema_aid_expect_same(
    struct store_aid *aid, struct db *one, struct db *other, const char *why);
