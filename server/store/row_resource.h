/* row_resource.h - what work on an environment touches whose hosts stand in a file.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * A thousand hosts are thousands of resources (settings_claims.h): they are rows, written when the
 * settings are read, so that a look at the queue asks the database once.  An environment without
 * such a file has none.
 */
#pragma once

#include "settings/settings_items.h"
#include "store/tx.h"
#include "types/limits.h"

/* The next environment by name that has some ("" at first); false: there is none. */
bool row_resource_next(struct tx *tx, char environment[LIMIT_ENVIRONMENT]);

/* From now on it has those in `want`, which are in order.  What is the same is not written. */
void row_resource_set(struct tx *tx, const char *environment, const struct settings_items *want);

/* One of them that work holds, or that work with an earlier place waits for.  False: none is. */
bool row_resource_is_held(struct tx *tx, const char *environment, int64_t place,
    char ret[LIMIT_RESOURCE]);

/* The work holds all of them from now on; the tx fails where one is another's. */
void row_resource_take(struct tx *tx, int64_t work, const char *environment);

/* Those that nobody holds; returns how many. */
int64_t row_resource_take_free(struct tx *tx, int64_t work, const char *environment);
