/* row_guard.h - dedupe of what comes from outside, and how often somebody may.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Notes (source, key); digest may be NULL.  False: key or digest of that source were there. */
bool row_inbox_add(struct tx *tx, const char *source, const char *key, const uint8_t *digest);

/* A token bucket kept in a row: takes one of `burst` tokens that come back one each
 * `every_ms`; false when there is none. */
bool row_bucket_take(struct tx *tx, const char *who, int burst, int64_t every_ms);

/* Removes what is older than it must be kept: inbox 90 days, questions a day after they close,
 * buckets that are full, messages a day, those of an ended deployment 30 days.  At most
 * ROW_RETAIN_MAX of each; true when there may be more, and it should be called again soon. */
#define ROW_RETAIN_MAX	1000
bool row_retain(struct tx *tx);

/* Runs whose log folder may go: beyond the newest `keep` of each environment, ended, not yet
 * purged; marks them purged.  Returns how many were written to ret. */
size_t row_run_purge(struct tx *tx, int keep, int64_t *ret, size_t max);
