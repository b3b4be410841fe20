/* row_shown.h - the messages that show something of a work, and are edited when that is over.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"

#define ROW_SHOWN_MAX 160 /* messages of one work for one reason; more are not edited */

/* Why a message shows some work.  Words on disk. */
#define SHOWN_REVIEW   "review"   /* an emergency is to be reviewed */
#define SHOWN_NAG      "nag"	  /* nobody has seen that it was rolled back, or is down */
#define SHOWN_REMINDER "reminder" /* it reminds of what a NAG says */
#define SHOWN_TEAM     "team"	  /* somebody else than its requester is notified in private */
#define SHOWN_APPROVER "approver" /* its reader is asked to approve it */
#define SHOWN_LINE     "line"	  /* that it is ready: stays as it is until the work is over */
#define SHOWN_BATCH    "batch"	  /* it asks with others of its push (decide_tell_batch.h) */
#define SHOWN_BELOW    "below"	  /* it asked with others until the work was chosen */

/* A message that is there already stays what it is. */
void row_shown_add(struct tx *tx, int64_t work, int64_t message, const char *why);
size_t
row_shown_list(struct tx *tx, int64_t work, const char *why, int64_t ret[ROW_SHOWN_MAX]);
/* That message shows it for that reason from now on. */
void row_shown_is(struct tx *tx, int64_t work, int64_t message, const char *why);
/* All that show it for one reason do so for another from now on. */
void row_shown_become(struct tx *tx, int64_t work, const char *from, const char *why);
/* The message in that chat that shows it for that reason; 0: there is none. */
int64_t row_shown_in(struct tx *tx, int64_t work, int64_t chat, const char *why);
/* Those that are shown in that message, the oldest first; returns how many. */
size_t row_shown_works(
    struct tx *tx, int64_t message, const char *why, int64_t *ret, size_t max);
/* A message in that chat of one that is shown in `message` for `beside`: first one for the same
 * reason, else for `why`; 0: there is none. */
int64_t row_shown_beside(
    struct tx *tx, int64_t message, const char *beside, int64_t chat, const char *why);
/* That message shows no work any more. */
void row_shown_drop(struct tx *tx, int64_t message);
void row_shown_clear(struct tx *tx, int64_t work, const char *why);
void row_shown_clear_asking(struct tx *tx, int64_t work); /* APPROVER and LINE */
