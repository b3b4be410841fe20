/* decide_tell_batch.h - a push that asks in several environments of a chat is one message there.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Each of its questions is a work of its own, with its own deadline, and its answer a decision of
 * its own.  What they share is a row of a message: each shown there (row_shown.h), work.message is
 * that row.  Where there is no group each who could act has one such message, of those that they
 * could act on.  A question that somebody chooses, that is asked anew, or that goes on, leaves all.
 */
#pragma once

#include "store/row_deployment.h"

/* A push is to be asked about: one of the same commit that was asked in that chat a while ago, and
 * waits, is joined.  False: there is none, and it is asked in a message of its own. */
bool decide_tell_batch_join(struct tx *tx, struct deployment *work) MUST_USE;

/* A push that was joined is shown in the private chat of somebody who is notified of it, together
 * with the others there.  False: they have none, and it gets a message of its own. */
bool decide_tell_batch_join_in(struct tx *tx, const struct deployment *work, int64_t chat) MUST_USE;

/* Is it shown in such a message? */
bool decide_tell_batch_has(struct tx *tx, const struct deployment *work);

/* Of one that is in such a message the state has changed: that says so.  True: there is no more to
 * say.  False: it has left it for a message of its own. */
bool decide_tell_batch_tell(struct tx *tx, struct deployment *work) MUST_USE;

/* Leaves it, as somebody has chosen it; work->message is 0 from then on.  As long as nobody answers
 * it there, it is said to be asked below. */
void decide_tell_batch_choose(struct tx *tx, struct deployment *work);

/* Work that was chosen from one has changed: once it is answered, the message that it was chosen
 * from says so. */
void decide_tell_batch_answered(struct tx *tx, const struct deployment *work);

/* Those that wait there for an answer, in their order; returns how many. */
#define DECIDE_TELL_BATCH_MAX 64
size_t decide_tell_batch_list(struct tx *tx, int64_t message, int64_t ret[DECIDE_TELL_BATCH_MAX]);
