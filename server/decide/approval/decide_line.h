/* decide_line.h - an APPROVE line: a request by its sender that is confirmed already.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * Checked in this order, each with a reason of its own: the sender is known (else silence), its
 * form, the action and client are theirs, ts, nonce, otp.  The nonce's row is written by a line
 * that has passed all of them, in the transaction that makes the work.  Approvals, lock, freeze and
 * queue stand between the line and what it asks for, as they do for /do.
 */
#pragma once

#include "chat/approve_line.h"
#include "store/tx.h"
#include "types/update.h"

#define DECIDE_LINE_SECONDS 300 /* that a ts may be off, either way */

/* Somebody wrote something.  False: it is not meant as a line. */
bool decide_line(struct tx *tx, const struct update *update);

/* The same of what is not looked at (forwarded, edited, a caption): known senders are told why. */
bool decide_line_refused(struct tx *tx, const struct update *update);
