/* row_shown.h - the messages that show something of a work, and are edited when that is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

#define ROW_SHOWN_MAX 160

/* Words on disk: an emergency is to be reviewed; nobody has seen that it was rolled back; somebody
 * who did not ask for it is told of it in private. */
#define SHOWN_REVIEW "review"
#define SHOWN_NAG    "nag"
#define SHOWN_TEAM   "team"
/* ... and of who is asked to approve it (row_approval.h). */
#define SHOWN_APPROVER "approver"
/* ... it asks there together with others of the same push (decide_tell_batch.h). */
#define SHOWN_BATCH "batch"

/* A message that is there already stays what it is. */
void row_shown_add(struct tx *tx, int64_t work, int64_t message, const char *why);
size_t
row_shown_list(struct tx *tx, int64_t work, const char *why, int64_t ret[ROW_SHOWN_MAX]);
/* That message shows it for that reason from now on; those of one reason for another. */
void row_shown_is(struct tx *tx, int64_t work, int64_t message, const char *why);
void row_shown_become(struct tx *tx, int64_t work, const char *from, const char *why);
/* The one of them in that chat; 0: there is none. */
int64_t row_shown_in(struct tx *tx, int64_t work, int64_t chat, const char *why);
/* Those that are shown in that message, the oldest first; returns how many. */
size_t row_shown_works(
    struct tx *tx, int64_t message, const char *why, int64_t *ret, size_t max);
/* A message in that chat of one that is shown in `message` for `beside`: first one for the same
 * reason, else for `why`; 0: there is none. */
int64_t row_shown_beside(
    struct tx *tx, int64_t message, const char *beside, int64_t chat, const char *why);
void row_shown_clear(struct tx *tx, int64_t work, const char *why);
