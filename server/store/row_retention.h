/* row_retention.h - what is old and nobody needs goes, a bounded number at a time.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

/* Removes what is older than it must be kept: inbox 90 days (of Telegram 2),
 * questions a day after they close, buckets that are full, messages a day, those of an ended
 * deployment 30 days.  At most ROW_RETENTION_MAX of each; true when there may be more, and it
 * should be called again soon. */
#define ROW_RETENTION_MAX	1000
bool row_retention_clear(struct tx *tx);

/* Runs whose log folder may go: beyond the newest `keep` of each environment, ended, not yet
 * purged; marks them purged.  Returns how many were written to ret. */
size_t row_retention_purge_runs(struct tx *tx, int keep, int64_t *ret, size_t max);

/* The same of the oldest, until the logs of all that are left have no more than `total` bytes.  The
 * newest of each environment stays, and so does one that has not ended. */
size_t row_retention_purge_total(struct tx *tx, int64_t total, int64_t *ret, size_t max);
