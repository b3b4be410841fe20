/* decide_loan_yes.h - what a yes for a loan is read by, and what it covers.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "decide/work/decide_action.h"
#include "store/tx.h"

struct buf;
struct job;

/* As decide_executor.h has them. */
bool decide_loan_exists(struct tx *tx, const struct deployment *work);
void decide_loan_touches(struct tx *tx, const struct deployment *work, char out[DECIDE_TOUCHES]);
void decide_loan_bind(struct tx *tx, const struct deployment *work, struct buf *all);

/* Marks what its job is known by in the settings of now, the words of its line or the key: to be
 * noted as the work's binding where it is asked for. */
void decide_loan_mark(struct tx *tx, const struct job *job, char ret[LIMIT_DIGEST]);

/* Do they know its job by the same, word for word, still?  One of before that was noted is known by
 * its repository alone. */
bool decide_loan_is_known(struct tx *tx, const struct deployment *work, const struct job *job);

/* Is it another path, time or delivery than what was asked about?  Settings may change while Vault
 * is away. */
bool decide_loan_is_changed(struct tx *tx, const struct deployment *work);
