/* row_shown.h - the messages that show something of a work, and are edited when that is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

#define ROW_SHOWN_MAX 64

/* Words on disk: an emergency is to be reviewed; nobody has seen that it was rolled back; it rang
 * as it began to be. */
#define SHOWN_REVIEW  "review"
#define SHOWN_NAG     "nag"
#define SHOWN_ROLLING "rolling"
/* ... it asks there together with others of the same push (decide_tell_batch.h). */
#define SHOWN_BATCH "batch"

/* A message that is there already stays what it is. */
void row_shown_add(struct tx *tx, int64_t work, int64_t message, const char *why);
size_t
row_shown_list(struct tx *tx, int64_t work, const char *why, int64_t ret[ROW_SHOWN_MAX]);
/* Those that are shown in that message, the oldest first; returns how many. */
size_t row_shown_works(
    struct tx *tx, int64_t message, const char *why, int64_t *ret, size_t max);
void row_shown_clear(struct tx *tx, int64_t work, const char *why);
